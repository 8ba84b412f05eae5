//! Exponential sampling: the number that was drawn for a token after the tokens before it.

use super::greens::{Question, unique};
use super::kgw::{fold, product};
use super::random::mersenne::unit;
use super::random::{Bank, Mersenne};
use super::scheme::{Exp, Flavour};
use pulp::{Arch, Simd, WithSimd};

/// Generators at a time: few, because a bank draws as far as its farthest token.
const LANES: usize = 32;
/// Rows of draws that are made at a time.
const ROWS: usize = 64;

/// A token's number.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Drawn {
    /// Its place among the tokens.
    pub at: usize,
    /// What the generator was seeded with, and which token it is.
    pub question: Question,
    /// The number, from 0 to below 1.
    pub r: f32,
}

/// Every token that has enough tokens before it, with its number; the first of each pair of seed and token only.
#[must_use]
pub fn numbers(exp: &Exp, ids: &[u32]) -> Vec<Drawn> {
    answer(unique(questions(exp, ids)))
}

/// Every token that has enough tokens before it, also repeated ones.
#[must_use]
pub fn all_numbers(exp: &Exp, ids: &[u32]) -> Vec<Drawn> {
    answer(questions(exp, ids).collect())
}

/// The numbers of the whole vocabulary after some tokens; `None` if there are too few.
#[must_use]
pub fn next_numbers(exp: &Exp, before: &[u32]) -> Option<Vec<f32>> {
    let context = before.get(before.len().checked_sub(exp.width)?..)?;
    let mut random = Mersenne::new(seed(exp, context));
    Some((0..exp.vocabulary).map(|_| random.next_f32()).collect())
}

fn questions<'a>(exp: &'a Exp, ids: &'a [u32]) -> impl Iterator<Item = (usize, Question)> + 'a {
    // three_bricks begins one token later than it could.
    let first = exp.width + usize::from(exp.flavour == Flavour::ThreeBricks);
    let asked = (first..ids.len()).map(|at| {
        let question = Question { seed: seed(exp, &ids[at - exp.width..at]), token: ids[at] };
        (at, question)
    });
    asked.filter(|(_, question)| question.token < exp.vocabulary)
}

/// The low 32 bits of the seed after some tokens.
fn seed(exp: &Exp, before: &[u32]) -> u32 {
    match exp.flavour {
        Flavour::ThreeBricks => fold(exp.key, before),
        _ => (exp.key as u32).wrapping_mul(product(before, exp.vocabulary)),
    }
}

fn answer(asked: Vec<(usize, Question)>) -> Vec<Drawn> {
    let arch = Arch::new();
    let mut bank = Bank::default();
    // A bank draws as far as its farthest token: so the near ones together.
    let mut order: Vec<usize> = (0..asked.len()).collect();
    order.sort_by_key(|at| asked[*at].1.token);
    let mut drawn = vec![0; asked.len()];
    for some in order.chunks(LANES) {
        let questions: Vec<Question> = some.iter().map(|at| asked[*at].1).collect();
        let draws = arch.dispatch(Bankful { bank: &mut bank, questions: &questions });
        for (at, draw) in some.iter().zip(draws) {
            drawn[*at] = draw;
        }
    }
    let each = asked.into_iter().zip(drawn);
    each.map(|((at, question), draw)| Drawn { at, question, r: unit(draw) }).collect()
}

/// The draws of at most [`LANES`] questions, in order of their tokens.
struct Bankful<'a> {
    bank: &'a mut Bank<LANES>,
    questions: &'a [Question],
}

impl WithSimd for Bankful<'_> {
    type Output = [u32; LANES];

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) -> [u32; LANES] {
        let asked = |lane: usize| self.questions.get(lane);
        self.bank.seed(std::array::from_fn(|lane| asked(lane).map_or(0, |question| question.seed)));
        let mut drawn = [0; LANES];
        let mut rows = [[0; LANES]; ROWS];
        let last = self.questions.last().map_or(0, |question| question.token as usize);
        for first in (0..=last).step_by(ROWS) {
            self.bank.fill(&mut rows);
            for (lane, question) in self.questions.iter().enumerate() {
                if let Some(row) = (question.token as usize).checked_sub(first).and_then(|at| rows.get(at)) {
                    drawn[lane] = row[lane];
                }
            }
        }
        drawn
    }
}
