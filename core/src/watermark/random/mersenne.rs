//! MT19937 (Matsumoto & Nishimura 1998), which is what PyTorch draws from on the CPU.
//!
//! Only the low 32 bits of PyTorch's seed reach the state. On a GPU PyTorch draws from another generator, so marks that
//! were made there can't be found here.

/// Numbers in the state.
pub(super) const SIZE: usize = 624;
/// Distance of the number that each new one is mixed with.
pub(super) const SHIFT: usize = 397;
const UPPER: u32 = 0x8000_0000;
const LOWER: u32 = 0x7fff_ffff;
const MATRIX: u32 = 0x9908_b0df;

/// One generator. [`super::Bank`] is many at once.
#[derive(Clone)]
pub struct Mersenne {
    state: Box<[u32; SIZE]>,
    next: usize,
}

impl Mersenne {
    /// A generator as `torch.Generator().manual_seed(seed)` leaves it.
    #[must_use]
    pub fn new(seed: u32) -> Self {
        let mut state = Box::new([0; SIZE]);
        let mut last = seed;
        for (at, word) in state.iter_mut().enumerate() {
            *word = last;
            last = seeded(last, at + 1);
        }
        Self { state, next: SIZE }
    }

    /// The next 32 bits.
    pub fn next_u32(&mut self) -> u32 {
        if self.next == SIZE {
            for at in 0..SIZE {
                let mixed = self.state[(at + SHIFT) % SIZE];
                self.state[at] = twisted(self.state[at], self.state[(at + 1) % SIZE], mixed);
            }
            self.next = 0;
        }
        self.next += 1;
        tempered(self.state[self.next - 1])
    }

    /// `torch.randperm(n)` for n below 2^32 / 20.
    #[must_use]
    pub fn permutation(seed: u32, n: u32) -> Vec<u32> {
        let mut random = Self::new(seed);
        let mut all: Vec<u32> = (0..n).collect();
        for at in 0..n.saturating_sub(1) {
            let other = at + random.next_u32() % (n - at);
            all.swap(at as usize, other as usize);
        }
        all
    }

    /// `torch.rand` in f32: 24 bits.
    pub fn next_f32(&mut self) -> f32 {
        unit(self.next_u32())
    }
}

/// A draw as `torch.rand` gives it: from 0 to below 1 in steps of 2^-24.
#[must_use]
pub fn unit(draw: u32) -> f32 {
    (draw & 0x00ff_ffff) as f32 / 16_777_216.0
}

/// The word of the first state after `last`, at place `at`.
#[inline(always)]
pub(super) fn seeded(last: u32, at: usize) -> u32 {
    (last ^ (last >> 30)).wrapping_mul(1_812_433_253).wrapping_add(at as u32)
}

#[inline(always)]
pub(super) fn twisted(word: u32, after: u32, mixed: u32) -> u32 {
    let both = (word & UPPER) | (after & LOWER);
    mixed ^ (both >> 1) ^ ((after & 1).wrapping_neg() & MATRIX)
}

#[inline(always)]
pub(super) fn tempered(word: u32) -> u32 {
    let word = word ^ (word >> 11);
    let word = word ^ ((word << 7) & 0x9d2c_5680);
    let word = word ^ ((word << 15) & 0xefc6_0000);
    word ^ (word >> 18)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn permutes_as_torch_does() {
        assert_eq!(Mersenne::permutation(0, 10), [4, 1, 7, 5, 3, 9, 0, 8, 6, 2]);
        assert_eq!(Mersenne::permutation(42, 10), [2, 6, 1, 8, 4, 5, 0, 9, 3, 7]);
        assert!(Mersenne::permutation(1, 0).is_empty());
    }

    #[test]
    fn draws_as_torch_does() {
        let mut random = Mersenne::new(0);
        let drawn: Vec<String> = (0..5).map(|_| format!("{:.4}", random.next_f32())).collect();
        assert_eq!(drawn, ["0.4963", "0.7682", "0.0885", "0.1320", "0.3074"]);
    }

    #[test]
    fn is_the_published_generator() {
        // The ten-thousandth number of MT19937 seeded with 5489, as the C++ standard gives it.
        let mut random = Mersenne::new(5489);
        let last = (0..10_000).map(|_| random.next_u32()).last();
        assert_eq!(last, Some(4_123_659_995));
    }
}
