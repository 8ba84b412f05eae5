//! `numpy.random.default_rng`: a seed sequence, PCG64 (O'Neill 2014, XSL-RR) and the shuffle of a list.

const MULTIPLIER: u128 = 0x2360_ed05_1fc6_5da4_4385_df64_9fcc_f645;
const POOL: usize = 4;

/// A generator as `default_rng(seed)` makes it.
#[derive(Debug, Clone)]
pub struct Pcg64 {
    state: u128,
    increment: u128,
    /// The half of the last draw that was not used yet.
    half: Option<u32>,
}

impl Pcg64 {
    /// Seeds a generator.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        let words = sequence(seed);
        let wide = |at: usize| u128::from(words[at]) << 64 | u128::from(words[at + 1]);
        let mut random = Self { state: 0, increment: wide(2) << 1 | 1, half: None };
        random.step();
        random.state = random.state.wrapping_add(wide(0));
        random.step();
        random
    }

    fn step(&mut self) {
        self.state = self.state.wrapping_mul(MULTIPLIER).wrapping_add(self.increment);
    }

    /// The next 64 bits.
    pub fn next_u64(&mut self) -> u64 {
        self.step();
        let folded = (self.state >> 64) as u64 ^ self.state as u64;
        folded.rotate_right((self.state >> 122) as u32)
    }

    /// The next 32 bits: the low half of a draw, then its high half.
    pub fn next_u32(&mut self) -> u32 {
        if let Some(high) = self.half.take() {
            return high;
        }
        let draw = self.next_u64();
        self.half = Some((draw >> 32) as u32);
        draw as u32
    }

    /// A float from 0 to below 1 in steps of 2^-53.
    pub fn next_f64(&mut self) -> f64 {
        (self.next_u64() >> 11) as f64 / 9_007_199_254_740_992.0
    }

    /// A whole number from 0 to `most`, by masks and rejection.
    fn interval(&mut self, most: u32) -> u32 {
        if most == 0 {
            return 0;
        }
        let mask = u32::MAX >> most.leading_zeros();
        loop {
            let drawn = self.next_u32() & mask;
            if drawn <= most {
                return drawn;
            }
        }
    }

    /// Shuffles a list in place, as `Generator.shuffle` does.
    pub fn shuffle<T>(&mut self, list: &mut [T]) {
        for at in (1..list.len()).rev() {
            let other = self.interval(u32::try_from(at).unwrap_or(u32::MAX)) as usize;
            list.swap(at, other);
        }
    }
}

/// Four words of numpy's `SeedSequence` for a seed of at most 64 bits.
fn sequence(seed: u64) -> [u64; 4] {
    const INITIAL_A: u32 = 0x43b0_d7e5;
    const MULTIPLIER_A: u32 = 0x931e_8875;
    const INITIAL_B: u32 = 0x8b51_f9dd;
    const MULTIPLIER_B: u32 = 0x58f3_8ded;
    const MIX_LEFT: u32 = 0xca01_f9dd;
    const MIX_RIGHT: u32 = 0x4973_f715;

    let mut hash_constant = INITIAL_A;
    let mut hash = |value: u32| {
        let mixed = value ^ hash_constant;
        hash_constant = hash_constant.wrapping_mul(MULTIPLIER_A);
        let mixed = mixed.wrapping_mul(hash_constant);
        mixed ^ (mixed >> 16)
    };
    let entropy = [seed as u32, (seed >> 32) as u32, 0, 0];
    let mut pool = entropy.map(&mut hash);
    for from in 0..POOL {
        for to in (0..POOL).filter(|to| *to != from) {
            let hashed = hash(pool[from]);
            let mixed = MIX_LEFT.wrapping_mul(pool[to]).wrapping_sub(MIX_RIGHT.wrapping_mul(hashed));
            pool[to] = mixed ^ (mixed >> 16);
        }
    }
    let mut constant = INITIAL_B;
    let mut word = |at: usize| {
        let mixed = pool[at % POOL] ^ constant;
        constant = constant.wrapping_mul(MULTIPLIER_B);
        let mixed = mixed.wrapping_mul(constant);
        mixed ^ (mixed >> 16)
    };
    std::array::from_fn(|at| {
        let low = word(2 * at);
        let high = word(2 * at + 1);
        u64::from(high) << 32 | u64::from(low)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn draws_as_numpy_does() {
        assert_eq!(Pcg64::new(0).next_f64(), 0.636_961_687_321_454_3);
    }

    #[test]
    fn halves_come_low_first() {
        let word = Pcg64::new(12_345).next_u64();
        let mut halves = Pcg64::new(12_345);
        assert_eq!([halves.next_u32(), halves.next_u32()], [word as u32, (word >> 32) as u32]);
    }
}
