//! Mersenne twisters side by side.
//!
//! To ask one question of a generator costs some ten thousand draws, and a text asks a few hundred questions of a key.
//! They don't depend on each other, so many run at once, one in each lane of a vector: also the seeding, which in one
//! generator is a chain of 624 steps.

use super::mersenne::{SHIFT, SIZE, seeded, tempered, twisted};

/// So many generators. A multiple of 32, or compilers don't make vectors of the loops.
#[derive(Clone)]
pub struct Bank<const LANES: usize> {
    state: Box<[[u32; LANES]; SIZE]>,
    next: usize,
}

impl<const LANES: usize> Default for Bank<LANES> {
    fn default() -> Self {
        Self { state: Box::new([[0; LANES]; SIZE]), next: 0 }
    }
}

impl<const LANES: usize> Bank<LANES> {
    /// Seeds each generator.
    #[inline(always)]
    pub fn seed(&mut self, seeds: [u32; LANES]) {
        let mut last = seeds;
        for (at, row) in self.state.iter_mut().enumerate() {
            *row = last;
            for word in &mut last {
                *word = seeded(*word, at + 1);
            }
        }
        self.next = 0;
    }

    /// The next draws of every generator, a row each.
    #[inline(always)]
    pub fn fill(&mut self, rows: &mut [[u32; LANES]]) {
        // Where a number and the one it is mixed with lie on two sides.
        const SIDES: [usize; 3] = [SIZE - SHIFT, 2 * (SIZE - SHIFT), SIZE - 1];
        let mut rest = rows;
        while !rest.is_empty() {
            let at = self.next;
            let until = SIDES.into_iter().find(|end| at < *end).unwrap_or(SIZE);
            let (now, later) = rest.split_at_mut((until - at).min(rest.len()));
            rest = later;
            let end = at + now.len();
            if at < SIDES[0] {
                let (own, mixed) = self.state.split_at_mut(SHIFT);
                advance(&mut own[at..=end], &mixed[at..end], now);
            } else if at < SIDES[2] {
                let side = if at < SIDES[1] { SIDES[0] } else { SIDES[1] };
                let (mixed, own) = self.state.split_at_mut(side);
                let from = SIZE - SHIFT;
                advance(&mut own[at - side..=end - side], &mixed[at - from..end - from], now);
            } else {
                let (first, mixed) = (self.state[0], self.state[SHIFT - 1]);
                let mut last = [self.state[at], first];
                advance(&mut last, &[mixed], now);
                self.state[at] = last[0];
            }
            self.next = end % SIZE;
        }
    }
}

/// Moves some rows of the state on and draws from them. `own` has one row more than the others.
#[inline(always)]
fn advance<const LANES: usize>(own: &mut [[u32; LANES]], mixed: &[[u32; LANES]], rows: &mut [[u32; LANES]]) {
    assert!(own.len() == rows.len() + 1 && mixed.len() == rows.len());
    for at in 0..rows.len() {
        let after = own[at + 1];
        let (word, row) = (&mut own[at], &mut rows[at]);
        for lane in 0..LANES {
            word[lane] = twisted(word[lane], after[lane], mixed[at][lane]);
            row[lane] = tempered(word[lane]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::watermark::random::Mersenne;

    #[test]
    fn each_lane_is_a_generator_of_its_own() {
        const LANES: usize = 32;
        let seeds: [u32; LANES] = std::array::from_fn(|lane| (lane as u32).wrapping_mul(0x9e37_79b9));
        let mut bank = Bank::default();
        bank.seed([7; LANES]);
        bank.fill(&mut [[0; LANES]; 40]);
        bank.seed(seeds);
        let mut rows = vec![[0; LANES]; 1400];
        for rows in rows.chunks_mut(33) {
            bank.fill(rows);
        }
        for (lane, seed) in seeds.into_iter().enumerate() {
            let mut alone = Mersenne::new(seed);
            assert!(rows.iter().all(|row| row[lane] == alone.next_u32()), "lane {lane}");
        }
    }
}
