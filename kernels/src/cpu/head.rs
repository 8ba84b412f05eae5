//! The head: hidden states and the output matrix in, statistics of each token out, never the logits.
//!
//! A text of 512 tokens over 49 152 words would need 100 MB of logits. Instead the vocabulary is walked in
//! tiles, and each row of hidden states carries a running maximum m and the sums of e^d, d e^d and d^2 e^d
//! with d = logit - m (the online softmax of Milakov & Gimelshein 2018, extended by two moments). From them
//! follow, with log Z = m + ln s0:
//!
//! - log p(target) = target's logit - log Z
//! - E\[log p\] = s1 / s0 - ln s0, which is minus the entropy
//! - Var\[log p\] = s2 / s0 - (s1 / s0)^2
//!
//! Workers take tiles of the vocabulary as they come; each keeps sums of its own, and these are merged at the end.

use super::input::{Input, ROW_TILE};
use super::math::{exp, mul_add};
use super::product::{PANEL, Packed};
use super::simd::{LANES, dispatch};
use super::team::{Operation, Worker};
use crate::backend::TokenStats;

/// Rows whose logits of one tile exist at once.
pub(super) const ROWS: usize = 512;
/// Words of the vocabulary in one tile: with `ROWS`, 256 KiB of logits a worker.
pub(super) const TILE: usize = 128;
/// Panels in a tile.
pub(super) const PANELS: usize = TILE / PANEL;

/// One worker's share of a pass over the vocabulary.
#[derive(Default)]
pub(super) struct Share {
    moments: Vec<Moments>,
}

/// Walks the tiles that come to this worker. `input` holds one row a target, `logits` is scratch of the worker's
/// own, `target_logits` what [`Packed::dot`] says of each target.
///
/// # Safety
/// Nobody may be writing to `input`.
pub(super) unsafe fn walk(
    worker: &Worker<'_>,
    weights: &Packed,
    input: &Input,
    targets: &[u32],
    target_logits: &[f32],
    logits: &mut Vec<f32>,
    share: &mut Share,
) {
    share.moments.clear();
    share.moments.resize(targets.len(), Moments::EMPTY);
    logits.resize(ROWS * TILE, 0.0);
    worker.each(Operation::Head, weights.panels().div_ceil(PANELS), |tile| {
        let panels = tile * PANELS..((tile + 1) * PANELS).min(weights.panels());
        let (first, width) = (panels.start * PANEL, panels.len() * PANEL);
        let words = width.min(weights.rows() - first);
        let next = panels.end % weights.panels();
        for start in (0..targets.len()).step_by(ROWS) {
            let rows = start..(start + ROWS).min(targets.len());
            let room = rows.len().next_multiple_of(ROW_TILE) * width;
            // SAFETY: the caller's promise.
            unsafe { weights.tile(input, rows.clone(), panels.clone(), next, &mut logits[..room]) };
            for (row, logits) in rows.zip(logits.chunks_exact(width)) {
                let (target_logit, moments) = (target_logits[row], &mut share.moments[row]);
                accumulate(&logits[..words], target_logit, moments);
                // The product may round the target's own logit above the one it is compared with.
                let own = (targets[row] as usize).checked_sub(first).and_then(|at| logits[..words].get(at));
                if own.is_some_and(|own| *own > target_logit) {
                    moments.above -= 1;
                }
            }
        }
    });
}

/// Joins the shares of all workers.
pub(super) fn finish<'a>(
    shares: impl Iterator<Item = &'a Share> + Clone,
    target_logits: &[f32],
    stats: &mut Vec<TokenStats>,
) {
    for (row, target_logit) in target_logits.iter().enumerate() {
        let whole = shares.clone().fold(Moments::EMPTY, |sum, share| sum.merge(share.moments[row]));
        stats.push(whole.finish(*target_logit));
    }
}

/// Running sums of one row; `d` is logit - `max`.
#[derive(Debug, Clone, Copy)]
struct Moments {
    max: f32,
    s0: f64,
    s1: f64,
    s2: f64,
    above: u32,
}

impl Moments {
    const EMPTY: Self = Self { max: f32::NEG_INFINITY, s0: 0.0, s1: 0.0, s2: 0.0, above: 0 };

    /// The same sums about a greater maximum.
    fn about(self, max: f32) -> Self {
        if self.s0 == 0.0 {
            return Self { max, ..self };
        }
        let shift = f64::from(self.max) - f64::from(max);
        let scale = shift.exp();
        Self {
            max,
            s0: scale * self.s0,
            s1: scale * (self.s1 + shift * self.s0),
            s2: scale * (self.s2 + shift * (2.0 * self.s1 + shift * self.s0)),
            above: self.above,
        }
    }

    fn merge(self, other: Self) -> Self {
        let max = self.max.max(other.max);
        let (a, b) = (self.about(max), other.about(max));
        Self { max, s0: a.s0 + b.s0, s1: a.s1 + b.s1, s2: a.s2 + b.s2, above: a.above + b.above }
    }

    fn finish(self, target_logit: f32) -> TokenStats {
        let log_s0 = self.s0.ln();
        let mean = self.s1 / self.s0;
        TokenStats {
            logprob: (f64::from(target_logit) - f64::from(self.max) - log_s0).min(0.0) as f32,
            rank: self.above + 1,
            entropy: (log_s0 - mean).max(0.0) as f32,
            mean_logprob: (mean - log_s0).min(0.0) as f32,
            variance: (self.s2 / self.s0 - mean * mean).max(0.0) as f32,
            cross_entropy: None,
            projection: None,
        }
    }
}

/// Adds some logits to a row's sums.
fn accumulate(logits: &[f32], target_logit: f32, moments: &mut Moments) {
    #[cfg(target_arch = "x86_64")]
    if super::avx512::available() && logits.len().is_multiple_of(LANES) && !logits.is_empty() {
        // SAFETY: the CPU has what these need.
        let (sums, max, above) = unsafe {
            let (max, above) = super::avx512::greatest(logits, target_logit);
            let max = max.max(moments.max);
            (super::avx512::sums(logits, max), max, above)
        };
        if max > moments.max {
            *moments = moments.about(max);
        }
        moments.above += above;
        moments.s0 += f64::from(sums.s0);
        moments.s1 += f64::from(sums.s1);
        moments.s2 += f64::from(sums.s2);
        return;
    }
    accumulate_plain(logits, target_logit, moments);
}

dispatch!(fn accumulate_plain(logits: &[f32], target_logit: f32, moments: &mut Moments) = accumulate_body);

#[inline(always)]
fn accumulate_body<const FUSED: bool>(logits: &[f32], target_logit: f32, moments: &mut Moments) {
    let mut maxima = [f32::NEG_INFINITY; LANES];
    let mut above = [0_u32; LANES];
    let chunks = logits.chunks_exact(LANES);
    let rest = chunks.remainder();
    for x in chunks.clone() {
        for lane in 0..LANES {
            maxima[lane] = if x[lane] > maxima[lane] { x[lane] } else { maxima[lane] };
            above[lane] += u32::from(x[lane] > target_logit);
        }
    }
    let max = maxima.iter().chain(rest).copied().fold(moments.max, f32::max);
    *moments = moments.about(max);
    moments.above += above.iter().sum::<u32>() + rest.iter().filter(|x| **x > target_logit).count() as u32;

    let (mut s0, mut s1, mut s2) = ([0.0_f32; LANES], [0.0_f32; LANES], [0.0_f32; LANES]);
    for x in chunks {
        for lane in 0..LANES {
            let d = x[lane] - max;
            let e = exp::<FUSED>(d);
            let de = d * e;
            s0[lane] += e;
            s1[lane] += de;
            s2[lane] = mul_add::<FUSED>(d, de, s2[lane]);
        }
    }
    for x in rest {
        let d = x - max;
        let e = exp::<FUSED>(d);
        s0[0] += e;
        s1[0] += d * e;
        s2[0] += d * d * e;
    }
    let total = |sums: [f32; LANES]| sums.iter().map(|sum| f64::from(*sum)).sum::<f64>();
    moments.s0 += total(s0);
    moments.s1 += total(s1);
    moments.s2 += total(s2);
}

#[cfg(test)]
pub(super) mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::cpu::detect::Instructions;
    use crate::cpu::input::Form;
    use crate::cpu::team::Team;
    use crate::weights::Matrix;
    use proptest::prelude::*;
    use std::sync::Mutex;

    fn close(got: f32, want: f32, tolerance: f32) -> bool {
        (got - want).abs() <= tolerance * (1.0 + want.abs())
    }

    pub(in crate::cpu) fn pseudo_random(seed: u64, len: usize, scale: f32) -> Vec<f32> {
        let mut state = seed | 1;
        (0..len)
            .map(|_| {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                ((state >> 40) as f32 / (1_u64 << 24) as f32 - 0.5) * 2.0 * scale
            })
            .collect()
    }

    /// A matrix packed, and rows put into its form.
    pub(in crate::cpu) fn prepare(
        hidden: &[f32],
        matrix: &[f32],
        dim: usize,
        form: Form,
        instructions: Instructions,
        team: &Team,
    ) -> (Packed, Input) {
        let matrix = Matrix::from_f32(matrix.len() / dim, dim, matrix).unwrap();
        let packed = Packed::pack(&[&matrix], form, instructions, team).unwrap();
        let mut input = Input::default();
        input.reserve(hidden.len() / dim, dim, &[form]);
        for (row, values) in hidden.chunks(dim).enumerate() {
            // SAFETY: one thread only.
            unsafe { input.put(form, row, 0, values) };
        }
        (packed, input)
    }

    fn head(packed: &Packed, input: &Input, targets: &[u32], team: &Team) -> Vec<TokenStats> {
        let target_logits: Vec<f32> = targets
            .iter()
            .enumerate()
            // SAFETY: nobody writes.
            .map(|(row, target)| unsafe { packed.dot(input, row, *target as usize) })
            .collect();
        let shares: Vec<Mutex<Share>> = (0..team.threads()).map(|_| Mutex::default()).collect();
        team.run(|worker| {
            let mut share = shares[worker.index].lock().unwrap();
            // SAFETY: nobody writes.
            unsafe { walk(worker, packed, input, targets, &target_logits, &mut Vec::new(), &mut share) };
        })
        .unwrap();
        let shares: Vec<Share> = shares.into_iter().map(|share| share.into_inner().unwrap()).collect();
        let mut stats = Vec::new();
        finish(shares.iter(), &target_logits, &mut stats);
        stats
    }

    /// A row at a time in double precision, over the numbers as the product sees them.
    fn head_reference(packed: &Packed, input: &Input, targets: &[u32]) -> Vec<TokenStats> {
        let stats = targets.iter().enumerate().map(|(row, &target)| {
            let logits: Vec<f64> =
                // SAFETY: nobody writes.
                (0..packed.rows()).map(|word| f64::from(unsafe { packed.dot(input, row, word) })).collect();
            let max = logits.iter().copied().fold(f64::NEG_INFINITY, f64::max);
            let log_z = max + logits.iter().map(|x| (x - max).exp()).sum::<f64>().ln();
            let expect = |f: &dyn Fn(f64) -> f64| -> f64 {
                logits.iter().map(|x| (x - log_z).exp() * f(x - log_z)).sum()
            };
            let mean = expect(&|logp| logp);
            let target_logit = logits[target as usize];
            TokenStats {
                logprob: (target_logit - log_z) as f32,
                rank: 1 + logits.iter().filter(|x| **x > target_logit).count() as u32,
                entropy: -mean as f32,
                mean_logprob: mean as f32,
                variance: expect(&|logp| (logp - mean).powi(2)) as f32,
                cross_entropy: None,
                projection: None,
            }
        });
        stats.collect()
    }

    fn hold_together(rows: usize, vocab: usize, dim: usize, seed: u64, scale: f32) {
        let team = Team::new(2).unwrap();
        let hidden = pseudo_random(seed, rows * dim, 1.0);
        let matrix = pseudo_random(seed ^ 0x5555, vocab * dim, scale);
        let targets: Vec<u32> = (0..rows).map(|row| ((seed as usize + row * 7919) % vocab) as u32).collect();
        for form in [Form::F32, Form::Int8 { group: 32 }, Form::Bf16 { parts: 1 }] {
            let (packed, input) = prepare(&hidden, &matrix, dim, form, Instructions::best(), &team);
            let fast = head(&packed, &input, &targets, &team);
            let slow = head_reference(&packed, &input, &targets);
            assert_eq!(fast.len(), slow.len());
            for (fast, slow) in fast.iter().zip(&slow) {
                assert!(close(fast.logprob, slow.logprob, 1e-4), "{form:?} {fast:?} {slow:?}");
                assert!(close(fast.entropy, slow.entropy, 1e-4), "{form:?} {fast:?} {slow:?}");
                assert!(close(fast.mean_logprob, slow.mean_logprob, 1e-4), "{form:?} {fast:?} {slow:?}");
                assert!(close(fast.variance, slow.variance, 1e-3), "{form:?} {fast:?} {slow:?}");
                assert!(fast.rank.abs_diff(slow.rank) <= 1, "{form:?} {fast:?} {slow:?}");
            }
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(24))]
        #[test]
        fn fast_head_matches_the_reference(
            rows in 1_usize..9, vocab in 1_usize..1500, dim in 1_usize..70, seed: u64, scale in 0.01_f32..2.0
        ) {
            hold_together(rows, vocab, dim, seed, scale);
        }
    }

    #[test]
    fn many_rows_and_tiles_match_the_reference() {
        hold_together(2 * ROWS + 3, 3 * TILE + 5, 24, 42, 1.0);
    }

    #[test]
    fn ties_rank_first() {
        let team = Team::new(1).unwrap();
        let (packed, input) =
            prepare(&[2.0], &[1.0, 1.0, 1.0, -1.0], 1, Form::F32, Instructions::Scalar, &team);
        assert_eq!(head(&packed, &input, &[1], &team)[0].rank, 1);
        assert!(head(&packed, &input, &[], &team).is_empty());
    }

    #[test]
    fn a_far_ahead_word_has_no_entropy() {
        let team = Team::new(2).unwrap();
        let mut matrix = vec![0.0; 2000];
        matrix[77] = 500.0;
        let (packed, input) = prepare(&[1.0, 1.0], &matrix, 1, Form::F32, Instructions::Scalar, &team);
        let stats = head(&packed, &input, &[77, 78], &team);
        assert_eq!((stats[0].rank, stats[1].rank), (1, 2));
        assert!(stats[0].logprob > -1e-6 && stats[0].entropy < 1e-4);
        assert!((stats[1].logprob + 500.0).abs() < 1e-2);
    }
}
