//! Two models at once: the cross-entropy between their next-token distributions, without either's logits.
//!
//! Binoculars (Hans et al. 2024, arXiv 2401.12070) divides how surprising a text is to one model (the performer)
//! by how surprising the other's (the observer's) expectations are to it: - sum over v of p_observer(v) log
//! p_performer(v). Like the head, it walks the vocabulary in tiles and keeps running sums: for the observer
//! max and sum of e^d, and sum of e^d times the performer's logit; for the performer max and sum of e^d.

use super::head::{PANELS, TILE};
use super::input::{Input, ROW_TILE};
use super::math::exp;
use super::product::{PANEL, Packed};
use super::simd::dispatch;
use super::team::{Operation, Worker};

/// Rows whose logits of one tile exist at once: for both models together as many logits as the head has.
const ROWS: usize = super::head::ROWS / 2;

/// Hidden states of one model, already normalised, with its output matrix.
#[derive(Clone, Copy)]
pub(super) struct Side<'a> {
    pub(super) weights: &'a Packed,
    pub(super) input: &'a Input,
}

/// One worker's share of a pass over the vocabulary.
#[derive(Default)]
pub(super) struct Share {
    sums: Vec<Sums>,
}

/// Walks the tiles that come to this worker. Both sides hold `rows` rows and have the same vocabulary.
///
/// # Safety
/// Nobody may be writing to the inputs.
pub(super) unsafe fn walk(
    worker: &Worker<'_>,
    observer: Side<'_>,
    performer: Side<'_>,
    rows: usize,
    logits: &mut Vec<f32>,
    share: &mut Share,
) {
    share.sums.clear();
    share.sums.resize(rows, Sums::EMPTY);
    logits.resize(2 * ROWS * TILE, 0.0);
    let (vocab, panels) = (observer.weights.rows(), observer.weights.panels());
    assert!(vocab == performer.weights.rows());
    worker.each(Operation::Head, panels.div_ceil(PANELS), |at| {
        let panels = at * PANELS..((at + 1) * PANELS).min(panels);
        let width = panels.len() * PANEL;
        let words = width.min(vocab - panels.start * PANEL);
        let next = panels.end % observer.weights.panels();
        for start in (0..rows).step_by(ROWS) {
            let rows = start..(start + ROWS).min(rows);
            let room = rows.len().next_multiple_of(ROW_TILE) * width;
            let (p, q) = logits.split_at_mut(ROWS * TILE);
            // SAFETY: the caller's promise.
            unsafe {
                observer.weights.tile(observer.input, rows.clone(), panels.clone(), next, &mut p[..room]);
                performer.weights.tile(performer.input, rows.clone(), panels.clone(), next, &mut q[..room]);
            }
            for (row, (p, q)) in rows.zip(p.chunks_exact(width).zip(q.chunks_exact(width))) {
                share.sums[row] = share.sums[row].merge(tile(&p[..words], &q[..words]));
            }
        }
    });
}

/// Cross-entropy (nats) of the performer's distribution under the observer's, for each row.
pub(super) fn finish<'a>(shares: impl Iterator<Item = &'a Share> + Clone, rows: usize) -> Vec<f32> {
    (0..rows)
        .map(|row| shares.clone().fold(Sums::EMPTY, |sum, share| sum.merge(share.sums[row])).finish())
        .collect()
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
    use crate::cpu::detect::Instructions;
    use crate::cpu::head::tests::{prepare, pseudo_random};
    use crate::cpu::input::Form;
    use crate::cpu::team::Team;
    use proptest::prelude::*;
    use std::sync::Mutex;

    fn cross_entropy(observer: Side<'_>, performer: Side<'_>, rows: usize, team: &Team) -> Vec<f32> {
        let shares: Vec<Mutex<Share>> = (0..team.threads()).map(|_| Mutex::default()).collect();
        team.run(|worker| {
            let mut share = shares[worker.index].lock().unwrap();
            // SAFETY: nobody writes.
            unsafe { walk(worker, observer, performer, rows, &mut Vec::new(), &mut share) };
        })
        .unwrap();
        let shares: Vec<Share> = shares.into_iter().map(|share| share.into_inner().unwrap()).collect();
        finish(shares.iter(), rows)
    }

    /// A row at a time in double precision, over the numbers as the product sees them.
    fn reference(observer: Side<'_>, performer: Side<'_>, rows: usize) -> Vec<f32> {
        let log_softmax = |side: Side<'_>, row: usize| -> Vec<f64> {
            let logits: Vec<f64> = (0..side.weights.rows())
                // SAFETY: nobody writes.
                .map(|word| f64::from(unsafe { side.weights.dot(side.input, row, word) }))
                .collect();
            let max = logits.iter().copied().fold(f64::NEG_INFINITY, f64::max);
            let log_z = max + logits.iter().map(|x| (x - max).exp()).sum::<f64>().ln();
            logits.iter().map(|x| x - log_z).collect()
        };
        (0..rows)
            .map(|row| {
                let (p, q) = (log_softmax(observer, row), log_softmax(performer, row));
                -p.iter().zip(&q).map(|(p, q)| p.exp() * q).sum::<f64>() as f32
            })
            .collect()
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(16))]
        #[test]
        fn cross_entropy_matches_the_reference(
            rows in 1_usize..70, vocab in 1_usize..700, a in 1_usize..9, b in 1_usize..9, seed: u64
        ) {
            let team = Team::new(2).unwrap();
            let side = |dim: usize, seed: u64, form| prepare(
                &pseudo_random(seed, rows * dim, 3.0),
                &pseudo_random(seed ^ 77, vocab * dim, 3.0),
                dim, form, Instructions::best(), &team,
            );
            let (one, two) = (side(a, seed, Form::F32), side(b, !seed, Form::Bf16 { parts: 1 }));
            let observer = Side { weights: &one.0, input: &one.1 };
            let performer = Side { weights: &two.0, input: &two.1 };
            let fast = cross_entropy(observer, performer, rows, &team);
            let slow = reference(observer, performer, rows);
            prop_assert_eq!(fast.len(), rows);
            for (fast, slow) in fast.iter().zip(slow) {
                prop_assert!((fast - slow).abs() <= 1e-3 * (1.0 + slow.abs()), "{} {}", fast, slow);
            }
        }
    }
}
