//! Thirty-two Mersenne twisters side by side.
//!
//! To ask one question of a generator costs some ten thousand draws, and a text asks a few hundred questions of a key.
//! They don't depend on each other, so thirty-two run at once, one in each lane of a vector: also the seeding, which in one
//! generator is a chain of 624 steps.

use super::mersenne::{SHIFT, SIZE, seeded, tempered, twisted};

/// Generators in a bank.
pub const LANES: usize = 32;

/// One number of each generator.
pub type Row = [u32; LANES];

/// Thirty-two generators.
#[derive(Clone)]
pub struct Bank {
    state: Box<[Row; SIZE]>,
    next: usize,
}

impl Default for Bank {
    fn default() -> Self {
        Self { state: Box::new([[0; LANES]; SIZE]), next: 0 }
    }
}

impl Bank {
    /// Seeds each generator.
    #[inline(always)]
    pub fn seed(&mut self, seeds: Row) {
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
    pub fn fill(&mut self, rows: &mut [Row]) {
        for row in rows {
            let at = self.next;
            let after = if at + 1 == SIZE { 0 } else { at + 1 };
            let mixed = if at + SHIFT >= SIZE { at + SHIFT - SIZE } else { at + SHIFT };
            let (after_row, mixed_row) = (self.state[after], self.state[mixed]);
            let state = &mut self.state[at];
            for lane in 0..LANES {
                state[lane] = twisted(state[lane], after_row[lane], mixed_row[lane]);
                row[lane] = tempered(state[lane]);
            }
            self.next = after;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::watermark::random::Mersenne;

    #[test]
    fn each_lane_is_a_generator_of_its_own() {
        let seeds: Row = std::array::from_fn(|lane| (lane as u32).wrapping_mul(0x9e37_79b9));
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
