//! Where a token lands in a random permutation of the vocabulary, without making the permutation.
//!
//! The first n tokens of `torch.randperm(V)`, seeded by the tokens before, are favoured ("green"). The reference libraries
//! make the whole permutation to look one token up. Here one place is followed through the Fisher-Yates shuffle: step i
//! swaps places i and j = i + u mod (V - i), and place i is final after it. So a token that stands at place p becomes green
//! at the first step i < p with j = p; else its place changes only at step i = p, to j.
//!
//! With c = V - p the condition j = p says that V - i divides u + c. That is asked of sixty-four generators at a time, by one
//! multiplication with the inverse of the odd part of V - i (Granlund & Montgomery 1994, section 9); what passes, and the
//! rare sum that overflows, is divided to be sure.

use super::random::Bank;
use pulp::{Arch, Simd, WithSimd};
use std::collections::HashSet;

/// Questions that are answered at a time.
const LANES: usize = 64;
/// Steps between two looks at what was found.
const STEPS: usize = 16;

/// The first part of permutations of one vocabulary.
#[derive(Debug, Clone)]
pub struct Greens {
    vocabulary: u32,
    count: u32,
    /// For each step the inverse modulo 2^32 of the odd part of V - i, and the greatest product that it divides.
    divisors: Vec<(u32, u32)>,
}

/// A token, and the seed of the permutation that it is looked for in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Question {
    /// What seeds the generator.
    pub seed: u32,
    /// The token. Beyond the vocabulary it has no place.
    pub token: u32,
}

/// The first of each pair of seed and token. What a key draws once says nothing more when it is met again, so all
/// p-values rest on this.
pub(super) fn unique(questions: impl Iterator<Item = (usize, Question)>) -> Vec<(usize, Question)> {
    let mut seen = HashSet::new();
    questions.filter(|(_, question)| seen.insert(*question)).collect()
}

impl Greens {
    /// The first `count` places of permutations of `vocabulary` tokens.
    #[must_use]
    pub fn new(vocabulary: u32, count: u32) -> Self {
        let count = count.min(vocabulary);
        // The last step of a whole shuffle has nothing left to draw.
        let steps = count.min(vocabulary.saturating_sub(1));
        let divisors = (0..steps).map(|step| {
            let left = vocabulary - step;
            let odd = left >> left.trailing_zeros();
            (inverse(odd), u32::MAX / odd)
        });
        Self { vocabulary, count, divisors: divisors.collect() }
    }

    /// Tokens in the vocabulary.
    #[must_use]
    pub fn vocabulary(&self) -> u32 {
        self.vocabulary
    }

    /// How many places count.
    #[must_use]
    pub fn count(&self) -> u32 {
        self.count
    }

    /// The place of each token, if it is among the first `count`.
    #[must_use]
    pub fn places(&self, questions: &[Question]) -> Vec<Option<u32>> {
        let mut places = vec![None; questions.len()];
        let arch = Arch::new();
        let mut bank = Bank::default();
        for (questions, places) in questions.chunks(LANES).zip(places.chunks_mut(LANES)) {
            arch.dispatch(Bankful { greens: self, bank: &mut bank, questions, places });
        }
        places
    }

    #[inline(always)]
    fn bankful(&self, bank: &mut Bank<LANES>, questions: &[Question], places: &mut [Option<u32>]) {
        let asked = |lane: usize| questions.get(lane).copied();
        bank.seed(std::array::from_fn(|lane| asked(lane).map_or(0, |question| question.seed)));
        // A lane that is done stands nowhere.
        let token = |lane: usize| asked(lane).map(|question| question.token);
        let mut at: [u32; LANES] = std::array::from_fn(|lane| {
            token(lane).filter(|token| *token < self.vocabulary).unwrap_or(u32::MAX)
        });
        let mut rows = [[0; LANES]; STEPS];
        for (chunk, divisors) in self.divisors.chunks(STEPS).enumerate() {
            let rows = &mut rows[..divisors.len()];
            bank.fill(rows);
            let first = (chunk * STEPS) as u32;
            let end = first + divisors.len() as u32;
            let left: [u32; LANES] = at.map(|at| self.vocabulary.wrapping_sub(at));
            let mut flags: [u32; LANES] = at.map(|at| u32::from(at < end));
            let mut most = [0; LANES];
            for (row, (inverse, limit)) in rows.iter().zip(divisors) {
                for lane in 0..LANES {
                    let sum = row[lane].wrapping_add(left[lane]);
                    flags[lane] |= u32::from(sum.wrapping_mul(*inverse) <= *limit);
                    most[lane] = most[lane].max(row[lane]);
                }
            }
            for lane in 0..LANES {
                flags[lane] |= u32::from(most[lane] > u32::MAX - left[lane]);
            }
            if flags.iter().fold(0, |any, flag| any | flag) == 0 {
                continue;
            }
            for lane in 0..places.len() {
                if flags[lane] == 0 || at[lane] == u32::MAX {
                    continue;
                }
                let draws = rows.iter().map(|row| row[lane]);
                if let Some(place) = self.follow(&mut at[lane], first, draws) {
                    places[lane] = Some(place);
                    at[lane] = u32::MAX;
                }
            }
            if at.iter().all(|at| *at == u32::MAX) {
                return;
            }
        }
        if self.count == self.vocabulary {
            for (place, at) in places.iter_mut().zip(at).filter(|(_, at)| *at != u32::MAX) {
                *place = Some(at);
            }
        }
    }

    /// Follows one place through some steps; gives the place that becomes final.
    fn follow(&self, at: &mut u32, first: u32, draws: impl Iterator<Item = u32>) -> Option<u32> {
        for (step, draw) in (first..).zip(draws) {
            let other = step + draw % (self.vocabulary - step);
            if *at == step {
                *at = other;
                if other == step {
                    return Some(step);
                }
            } else if *at == other {
                return Some(step);
            }
        }
        None
    }
}

/// At most [`LANES`] questions, with the widest vectors that the CPU has.
struct Bankful<'a> {
    greens: &'a Greens,
    bank: &'a mut Bank<LANES>,
    questions: &'a [Question],
    places: &'a mut [Option<u32>],
}

impl WithSimd for Bankful<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        self.greens.bankful(self.bank, self.questions, self.places);
    }
}

/// The inverse of an odd number modulo 2^32, by Newton's iteration: each round doubles the bits that are right.
fn inverse(odd: u32) -> u32 {
    let mut inverse = odd;
    for _ in 0..4 {
        inverse = inverse.wrapping_mul(2_u32.wrapping_sub(odd.wrapping_mul(inverse)));
    }
    inverse
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::watermark::random::Mersenne;
    use proptest::prelude::*;

    fn by_permutation(greens: &Greens, question: Question) -> Option<u32> {
        let permutation = Mersenne::permutation(question.seed, greens.vocabulary);
        let place = permutation.iter().position(|token| *token == question.token)? as u32;
        (place < greens.count).then_some(place)
    }

    proptest! {
        #[test]
        fn finds_what_the_permutation_holds(
            vocabulary in 1_u32..600, share in 0.0_f64..=1.0, seeds in prop::collection::vec(any::<u32>(), 1..40),
        ) {
            let greens = Greens::new(vocabulary, (f64::from(vocabulary) * share) as u32);
            let questions: Vec<Question> = seeds.iter()
                .map(|seed| Question { seed: *seed, token: seed.rotate_left(9) % (vocabulary + 3) }).collect();
            let expected: Vec<_> = questions.iter().map(|question| by_permutation(&greens, *question)).collect();
            prop_assert_eq!(greens.places(&questions), expected);
        }

        #[test]
        fn inverses_are_inverse(half: u32) {
            let odd = half | 1;
            prop_assert_eq!(odd.wrapping_mul(inverse(odd)), 1);
        }
    }

    #[test]
    fn finds_every_token_of_a_large_vocabulary() {
        let (vocabulary, seed) = (49_152, 100_u32.wrapping_mul(15_485_863));
        let greens = Greens::new(vocabulary, vocabulary / 4);
        let permutation = Mersenne::permutation(seed, vocabulary);
        assert_eq!(permutation[..4], [7777, 11_849, 3984, 32_763]);
        let mut expected = vec![None; vocabulary as usize];
        for (place, token) in permutation.iter().enumerate().take(vocabulary as usize / 4) {
            expected[*token as usize] = Some(place as u32);
        }
        // One token in seven: a whole vocabulary takes long without optimisation.
        let questions: Vec<Question> =
            (0..vocabulary).step_by(7).map(|token| Question { seed, token }).collect();
        let expected: Vec<_> = expected.into_iter().step_by(7).collect();
        assert_eq!(greens.places(&questions), expected);
    }
}
