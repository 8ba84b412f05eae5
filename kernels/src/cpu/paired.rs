//! Two models at once: the cross-entropy between their next-token distributions, without either's logits.
//!
//! Binoculars (Hans et al. 2024, arXiv 2401.12070) divides how surprising a text is to one model (the performer)
//! by how surprising the other's (the observer's) expectations are to it: - sum over v of p_observer(v) log
//! p_performer(v). Like the head, it walks the vocabulary in tiles and keeps running sums: for the observer
//! max and sum of e^d, and sum of e^d times the performer's logit; for the performer max and sum of e^d.

use super::head::{HeadWeights, TILE, product};
use super::math::exp;
use super::simd::dispatch;
use crate::backend::BackendError;
use rayon::prelude::*;

/// Rows in one pass over the vocabulary.
const ROWS: usize = 128;

/// Hidden states of one model (rows of the width of its output matrix) with that matrix.
#[derive(Debug, Clone, Copy)]
pub struct Side<'a> {
    /// The rows, one after another, already normalised.
    pub hidden: &'a [f32],
    /// The output matrix.
    pub weights: HeadWeights<'a>,
}

impl<'a> Side<'a> {
    fn rows(&self) -> usize {
        self.hidden.len() / self.weights.dim()
    }

    fn row_range(&self, first: usize, last: usize) -> &'a [f32] {
        &self.hidden[first * self.weights.dim()..last * self.weights.dim()]
    }
}

/// Cross-entropy (nats) of the performer's distribution under the observer's, for each row.
pub fn cross_entropy(observer: Side<'_>, performer: Side<'_>) -> Result<Vec<f32>, BackendError> {
    check(observer, performer)?;
    let mut out = Vec::with_capacity(observer.rows());
    for first in (0..observer.rows()).step_by(ROWS) {
        let last = (first + ROWS).min(observer.rows());
        out.extend(block(
            observer.row_range(first, last),
            performer.row_range(first, last),
            observer,
            performer,
        ));
    }
    Ok(out)
}

/// The same, a row at a time in double precision: the reference that the fast path is held to.
pub fn cross_entropy_reference(observer: Side<'_>, performer: Side<'_>) -> Result<Vec<f32>, BackendError> {
    check(observer, performer)?;
    let log_softmax = |side: Side<'_>, row: usize| -> Vec<f64> {
        let hidden = side.row_range(row, row + 1);
        let logits: Vec<f64> = (0..side.weights.vocab())
            .map(|word| {
                side.weights.row(word).iter().zip(hidden).map(|(w, h)| f64::from(*w) * f64::from(*h)).sum()
            })
            .collect();
        let max = logits.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let log_z = max + logits.iter().map(|x| (x - max).exp()).sum::<f64>().ln();
        logits.iter().map(|x| x - log_z).collect()
    };
    let rows = (0..observer.rows()).map(|row| {
        let (p, q) = (log_softmax(observer, row), log_softmax(performer, row));
        -p.iter().zip(&q).map(|(p, q)| p.exp() * q).sum::<f64>() as f32
    });
    Ok(rows.collect())
}

fn check(observer: Side<'_>, performer: Side<'_>) -> Result<(), BackendError> {
    let whole = |side: Side<'_>| side.hidden.len().is_multiple_of(side.weights.dim());
    let same = observer.rows() == performer.rows() && observer.weights.vocab() == performer.weights.vocab();
    if whole(observer) && whole(performer) && same {
        return Ok(());
    }
    Err(BackendError::Batch("the two models differ in rows or in vocabulary".to_owned()))
}

/// Running sums of one row; each `s` is about its own maximum.
#[derive(Debug, Clone, Copy)]
struct Sums {
    observer_max: f32,
    observer: f64,
    /// Sum of the observer's e^d times the performer's logit.
    crossed: f64,
    performer_max: f32,
    performer: f64,
}

impl Sums {
    const EMPTY: Self = Self {
        observer_max: f32::NEG_INFINITY,
        observer: 0.0,
        crossed: 0.0,
        performer_max: f32::NEG_INFINITY,
        performer: 0.0,
    };

    fn merge(self, other: Self) -> Self {
        let observer_max = self.observer_max.max(other.observer_max);
        let performer_max = self.performer_max.max(other.performer_max);
        let scale =
            |from: f32, to: f32| if from == to { 1.0 } else { (f64::from(from) - f64::from(to)).exp() };
        let (a, b) = (scale(self.observer_max, observer_max), scale(other.observer_max, observer_max));
        let (c, d) = (scale(self.performer_max, performer_max), scale(other.performer_max, performer_max));
        Self {
            observer_max,
            observer: a * self.observer + b * other.observer,
            crossed: a * self.crossed + b * other.crossed,
            performer_max,
            performer: c * self.performer + d * other.performer,
        }
    }

    fn finish(self) -> f32 {
        let log_z = f64::from(self.performer_max) + self.performer.ln();
        (log_z - self.crossed / self.observer).max(0.0) as f32
    }
}

fn block(observed: &[f32], performed: &[f32], observer: Side<'_>, performer: Side<'_>) -> Vec<f32> {
    let vocab = observer.weights.vocab();
    let rows = observed.len() / observer.weights.dim();
    let share = vocab.div_ceil(rayon::current_num_threads().max(1)).next_multiple_of(TILE);
    let parts: Vec<Vec<Sums>> = (0..vocab)
        .into_par_iter()
        .step_by(share)
        .map(|first| {
            let mut sums = vec![Sums::EMPTY; rows];
            let (mut p, mut q) = (vec![0.0_f32; rows * TILE], vec![0.0_f32; rows * TILE]);
            let end = (first + share).min(vocab);
            for word in (first..end).step_by(TILE) {
                let width = TILE.min(end - word);
                let (p, q) = (&mut p[..rows * width], &mut q[..rows * width]);
                product(observed, observer.weights.rows(word, width), observer.weights.dim(), p);
                product(performed, performer.weights.rows(word, width), performer.weights.dim(), q);
                for (sum, (p, q)) in sums.iter_mut().zip(p.chunks(width).zip(q.chunks(width))) {
                    *sum = sum.merge(tile(p, q));
                }
            }
            sums
        })
        .collect();
    (0..rows).map(|row| parts.iter().fold(Sums::EMPTY, |sum, part| sum.merge(part[row])).finish()).collect()
}

dispatch!(fn tile(p: &[f32], q: &[f32]) -> Sums = tile_body);

#[inline(always)]
fn tile_body<const FUSED: bool>(p: &[f32], q: &[f32]) -> Sums {
    let greatest = |x: &[f32]| x.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let (observer_max, performer_max) = (greatest(p), greatest(q));
    let (mut observer, mut crossed, mut performer) = (0.0_f64, 0.0_f64, 0.0_f64);
    for (p, q) in p.iter().zip(q) {
        let e = f64::from(exp::<FUSED>(p - observer_max));
        observer += e;
        crossed += e * f64::from(*q);
        performer += f64::from(exp::<FUSED>(q - performer_max));
    }
    Sums { observer_max, observer, crossed, performer_max, performer }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use proptest::prelude::*;

    fn values(len: usize, range: f32) -> impl Strategy<Value = Vec<f32>> {
        proptest::collection::vec(-range..range, len)
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(24))]
        #[test]
        fn cross_entropy_matches_the_reference(
            (rows, vocab, a, b, ha, hb, wa, wb) in (1_usize..5, 1_usize..700, 1_usize..9, 1_usize..9)
                .prop_flat_map(|(r, v, a, b)| (
                    Just(r), Just(v), Just(a), Just(b),
                    values(r * a, 3.0), values(r * b, 3.0), values(v * a, 3.0), values(v * b, 3.0),
                ))
        ) {
            let observer = Side { hidden: &ha, weights: HeadWeights::new(&wa, a).unwrap() };
            let performer = Side { hidden: &hb, weights: HeadWeights::new(&wb, b).unwrap() };
            prop_assert_eq!(observer.weights.vocab(), vocab);
            let fast = cross_entropy(observer, performer).unwrap();
            let slow = cross_entropy_reference(observer, performer).unwrap();
            prop_assert_eq!(fast.len(), rows);
            for (fast, slow) in fast.iter().zip(slow) {
                prop_assert!((fast - slow).abs() <= 1e-3 * (1.0 + slow.abs()), "{} {}", fast, slow);
            }
        }
    }

    #[test]
    fn with_itself_it_is_the_entropy() {
        let hidden = [0.3, -1.2, 0.8, 2.0];
        let matrix: Vec<f32> = (0..2 * 1300).map(|i| ((i * 37 % 101) as f32 - 50.0) / 40.0).collect();
        let weights = HeadWeights::new(&matrix, 2).unwrap();
        let side = Side { hidden: &hidden, weights };
        let stats = crate::cpu::head::head(&hidden, weights, &[5, 6]).unwrap();
        for (cross, stats) in cross_entropy(side, side).unwrap().iter().zip(stats) {
            assert!((cross - stats.entropy).abs() < 1e-4);
        }
    }

    #[test]
    fn different_vocabularies_are_refused() {
        let (a, b) = ([1.0, 2.0], [1.0, 2.0, 3.0]);
        let side = |w| Side { hidden: &[1.0], weights: HeadWeights::new(w, 1).unwrap() };
        assert!(cross_entropy(side(&a), side(&b)).is_err());
    }
}
