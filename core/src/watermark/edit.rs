//! Exponential sampling along a fixed sequence of numbers: the row of numbers depends on the token's place, not on the
//! tokens before, so a text must be aligned with the sequence.
//!
//! The reference measures the least edit distance over all shifts and compares it with that of random sequences. That
//! takes many runs for one text and can't say more than one in the number of runs, so here it is what is done when asked
//! ([`EditReader::permutation_p`]). What is always done is exact: at each shift the costs of an undisturbed stretch add up
//! to a Gamma variable, and between two edits a marked text is such a stretch.

use super::find::{Finding, LEAST, window_sizes};
use super::random::Mersenne;
use super::random::mersenne::unit;
use super::random::numpy::Pcg64;
use super::scheme::ExpEdit;
use super::tail;

/// Most tokens of a text whose edit cost is compared with random ones.
pub const MOST_ALIGNED: usize = 300;
/// Most tokens of a text that are searched: what is kept for it grows with them.
pub const MOST_SEARCHED: usize = 8192;

/// A key that is ready to be looked for.
#[derive(Debug, Clone)]
pub struct EditReader {
    edit: ExpEdit,
}

/// The numbers of those tokens that a text holds: a row a place of the sequence, a column a token.
struct Columns {
    /// For each token of the text its column.
    of: Vec<usize>,
    width: usize,
    /// r, from 0 to 1.
    numbers: Vec<f64>,
}

impl EditReader {
    /// Prepares a key. The parameters must have been checked.
    #[must_use]
    pub fn new(edit: &ExpEdit) -> Self {
        Self { edit: edit.clone() }
    }

    /// The number of a token at a place of the sequence, as the mark's maker draws it. Slow: for looking at.
    #[must_use]
    pub fn number(&self, place: usize, token: u32) -> f64 {
        let columns = self.columns(&[token], self.key());
        columns.numbers.get(place % self.edit.length).copied().unwrap_or(0.0)
    }

    fn key(&self) -> impl FnMut() -> f64 {
        let mut random = Mersenne::new(self.edit.key);
        let bits = self.edit.bits;
        move || {
            let draw = random.next_u32();
            if bits == 24 { f64::from(unit(draw)) } else { f64::from(draw) / 4_294_967_296.0 }
        }
    }

    /// Draws the whole sequence and keeps what the text needs.
    fn columns(&self, ids: &[u32], mut draw: impl FnMut() -> f64) -> Columns {
        let mut tokens: Vec<u32> = ids.iter().copied().filter(|id| *id < self.edit.vocabulary).collect();
        tokens.sort_unstable();
        tokens.dedup();
        let of = ids.iter().map(|id| tokens.binary_search(id).unwrap_or(tokens.len())).collect();
        // The last column is for tokens beyond the vocabulary: they cost nothing.
        let width = tokens.len() + 1;
        let mut numbers = vec![0.0; self.edit.length * width];
        for row in numbers.chunks_exact_mut(width) {
            let mut wanted = tokens.iter().zip(row).peekable();
            for token in 0..self.edit.vocabulary {
                let number = draw();
                if let Some((_, place)) = wanted.next_if(|(wanted, _)| **wanted == token) {
                    *place = number;
                }
            }
        }
        Columns { of, width, numbers }
    }

    /// The least edit cost over all shifts, in f32 as the reference adds it up. Insertions and deletions are free.
    #[must_use]
    pub fn cost(&self, ids: &[u32]) -> f32 {
        self.least(&self.columns(ids, self.key()))
    }

    /// The share of random sequences, ours among them, that cost no more: (k + 1) / (runs + 1). Of a long text only the
    /// first [`MOST_ALIGNED`] tokens, for the time grows with the square of their number.
    #[must_use]
    pub fn permutation_p(&self, ids: &[u32], runs: usize, seed: u64) -> f64 {
        let ids = &ids[..ids.len().min(MOST_ALIGNED)];
        let own = self.cost(ids);
        let mut random = Pcg64::new(seed);
        // Random sequences need no numbers for tokens that the text doesn't hold.
        let columns = self.columns(ids, || 0.0);
        let mut better = 0;
        for _ in 0..runs {
            let numbers = (0..columns.numbers.len())
                .map(|at| if at % columns.width + 1 == columns.width { 0.0 } else { random.next_f64() });
            let random = Columns { of: columns.of.clone(), width: columns.width, numbers: numbers.collect() };
            better += usize::from(self.least(&random) <= own);
        }
        (better + 1) as f64 / (runs + 1) as f64
    }

    fn least(&self, columns: &Columns) -> f32 {
        let costs: Vec<f32> = columns.numbers.iter().map(|r| (1.0 - *r as f32).ln()).collect();
        let (length, tokens) = (self.edit.length, columns.of.len());
        let shifts = (0..length).map(|shift| {
            let mut before = vec![0.0_f32; tokens + 1];
            let mut here = before.clone();
            for column in &columns.of {
                for place in 0..tokens {
                    let cost = costs[(shift + place) % length * columns.width + column];
                    let free = before[place + 1].min(here[place]);
                    here[place + 1] = free.min(before[place] + cost);
                }
                std::mem::swap(&mut before, &mut here);
                here[0] = 0.0;
            }
            before[tokens]
        });
        shifts.fold(f32::INFINITY, f32::min)
    }

    /// The best aligned stretch, with its exact p corrected for all shifts and stretches. `None` if there is too little.
    #[must_use]
    pub fn find(&self, ids: &[u32]) -> Option<Finding> {
        let ids = &ids[..ids.len().min(MOST_SEARCHED)];
        if ids.len() < LEAST {
            return None;
        }
        let columns = self.columns(ids, self.key());
        let costs: Vec<f64> = columns.numbers.iter().map(|r| -(-r.min(1.0 - 1e-12)).ln_1p()).collect();
        let length = self.edit.length;
        // Within so many tokens no number is met twice.
        let longest = ids.len().min(length);
        let mut sizes: Vec<usize> = window_sizes(longest).collect();
        sizes.push(longest);
        let mut best = vec![(0.0_f64, 0_usize); sizes.len()];
        let mut tested = 0;
        let mut sums = vec![0.0; ids.len() + 1];
        for shift in 0..length {
            for (at, column) in columns.of.iter().enumerate() {
                sums[at + 1] = sums[at] + costs[(shift + at) % length * columns.width + column];
            }
            for (size, best) in sizes.iter().zip(&mut best) {
                for first in (0..=ids.len() - size).step_by((size / 4).max(1)) {
                    tested += 1;
                    let sum = sums[first + size] - sums[first];
                    if sum > best.0 {
                        *best = (sum, first);
                    }
                }
            }
        }
        let p = |size: usize, sum: f64| tail::gamma(size as u64, sum);
        let (size, (sum, first)) = sizes
            .into_iter()
            .zip(best)
            .min_by(|(a, (sum_a, _)), (b, (sum_b, _))| p(*a, *sum_a).total_cmp(&p(*b, *sum_b)))?;
        Some(Finding {
            p: (p(size, sum) * tested as f64).min(1.0),
            z: (sum - size as f64) / (size as f64).sqrt(),
            scored: size,
            value: sum / size as f64,
            expected: 1.0,
            tokens: first..first + size,
            windows: tested,
        })
    }
}
