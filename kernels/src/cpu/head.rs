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
//! Each thread walks its own part of the vocabulary; the parts' sums are merged at the end.

use super::math::{exp, mul_add};
use super::simd::{LANES, dispatch};
use crate::backend::{BackendError, TokenStats};
use rayon::prelude::*;

/// Rows of hidden states in one pass over the vocabulary.
const ROWS: usize = 256;
/// Words of the vocabulary in one tile: with `ROWS`, 512 KiB of logits a thread.
pub(super) const TILE: usize = 512;

/// The output matrix, one row a word of the vocabulary.
#[derive(Debug, Clone, Copy)]
pub struct HeadWeights<'a> {
    data: &'a [f32],
    dim: usize,
}

impl<'a> HeadWeights<'a> {
    /// `data` holds the rows one after another, each of `dim` numbers.
    pub fn new(data: &'a [f32], dim: usize) -> Result<Self, BackendError> {
        if dim == 0 || data.is_empty() || !data.len().is_multiple_of(dim) {
            return Err(BackendError::Batch(format!(
                "an output matrix of {} numbers is not a whole number of rows of {dim}",
                data.len()
            )));
        }
        Ok(Self { data, dim })
    }

    /// Number of words.
    #[must_use]
    pub fn vocab(&self) -> usize {
        self.data.len() / self.dim
    }

    /// Numbers in a row.
    #[must_use]
    pub fn dim(&self) -> usize {
        self.dim
    }

    pub(super) fn row(&self, word: usize) -> &'a [f32] {
        self.rows(word, 1)
    }

    pub(super) fn rows(&self, first: usize, count: usize) -> &'a [f32] {
        &self.data[first * self.dim..(first + count) * self.dim]
    }
}

/// Statistics of `targets`, one a row of `hidden` (rows of `dim` numbers, already normalised).
pub fn head(
    hidden: &[f32],
    weights: HeadWeights<'_>,
    targets: &[u32],
) -> Result<Vec<TokenStats>, BackendError> {
    check(hidden, weights, targets)?;
    let mut stats = Vec::with_capacity(targets.len());
    for (rows, targets) in hidden.chunks(ROWS * weights.dim).zip(targets.chunks(ROWS)) {
        block(rows, weights, targets, &mut stats);
    }
    Ok(stats)
}

/// The same, a row at a time in double precision: the reference that the fast path is held to.
pub fn head_reference(
    hidden: &[f32],
    weights: HeadWeights<'_>,
    targets: &[u32],
) -> Result<Vec<TokenStats>, BackendError> {
    check(hidden, weights, targets)?;
    let stats = hidden.chunks(weights.dim).zip(targets).map(|(row, &target)| {
        let logits: Vec<f64> = (0..weights.vocab())
            .map(|word| weights.row(word).iter().zip(row).map(|(w, h)| f64::from(*w) * f64::from(*h)).sum())
            .collect();
        let max = logits.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let log_z = max + logits.iter().map(|x| (x - max).exp()).sum::<f64>().ln();
        let expect =
            |f: &dyn Fn(f64) -> f64| -> f64 { logits.iter().map(|x| (x - log_z).exp() * f(x - log_z)).sum() };
        let mean = expect(&|logp| logp);
        let target_logit = logits[target as usize];
        TokenStats {
            logprob: (target_logit - log_z) as f32,
            rank: 1 + logits.iter().filter(|x| **x > target_logit).count() as u32,
            entropy: -mean as f32,
            mean_logprob: mean as f32,
            variance: expect(&|logp| (logp - mean).powi(2)) as f32,
            cross_entropy: None,
        }
    });
    Ok(stats.collect())
}

fn check(hidden: &[f32], weights: HeadWeights<'_>, targets: &[u32]) -> Result<(), BackendError> {
    if hidden.len() != targets.len() * weights.dim {
        return Err(BackendError::Batch(format!(
            "{} hidden values are not {} rows of {}",
            hidden.len(),
            targets.len(),
            weights.dim
        )));
    }
    match targets.iter().find(|target| **target as usize >= weights.vocab()) {
        Some(target) => {
            Err(BackendError::Batch(format!("token {target} is outside a vocabulary of {}", weights.vocab())))
        }
        None => Ok(()),
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
        }
    }
}

fn block(hidden: &[f32], weights: HeadWeights<'_>, targets: &[u32], stats: &mut Vec<TokenStats>) {
    let target_logits: Vec<f32> = hidden
        .chunks(weights.dim)
        .zip(targets)
        .map(|(row, &target)| dot(row, weights.row(target as usize)))
        .collect();
    let threads = rayon::current_num_threads().max(1);
    let share = weights.vocab().div_ceil(threads).next_multiple_of(TILE);
    let parts: Vec<Vec<Moments>> = (0..weights.vocab())
        .into_par_iter()
        .step_by(share)
        .map(|first| {
            let last = (first + share).min(weights.vocab());
            walk(hidden, weights, first..last, targets, &target_logits)
        })
        .collect();
    for (row, target_logit) in target_logits.iter().enumerate() {
        let whole = parts.iter().fold(Moments::EMPTY, |sum, part| sum.merge(part[row]));
        stats.push(whole.finish(*target_logit));
    }
}

/// One thread's part of the vocabulary, tile by tile.
fn walk(
    hidden: &[f32],
    weights: HeadWeights<'_>,
    words: std::ops::Range<usize>,
    targets: &[u32],
    target_logits: &[f32],
) -> Vec<Moments> {
    let mut moments = vec![Moments::EMPTY; targets.len()];
    let mut logits = vec![0.0_f32; targets.len() * TILE];
    for first in words.clone().step_by(TILE) {
        let width = TILE.min(words.end - first);
        let tile = weights.rows(first, width);
        let logits = &mut logits[..targets.len() * width];
        product(hidden, tile, weights.dim, logits);
        for (row, logits) in logits.chunks(width).enumerate() {
            let target_logit = target_logits[row];
            accumulate(logits, target_logit, &mut moments[row]);
            // The product may round the target's own logit above the one it is compared with.
            let own = (targets[row] as usize).checked_sub(first).and_then(|at| logits.get(at));
            if own.is_some_and(|own| *own > target_logit) {
                moments[row].above -= 1;
            }
        }
    }
    moments
}

/// logits\[row\]\[word\] = hidden\[row\] . tile\[word\], on the calling thread.
pub(super) fn product(hidden: &[f32], tile: &[f32], dim: usize, logits: &mut [f32]) {
    let (rows, words) = (hidden.len() / dim, tile.len() / dim);
    assert!(hidden.len() == rows * dim && tile.len() == words * dim && logits.len() == rows * words);
    // SAFETY: the assertion holds the three buffers to the shapes and strides given here; `logits` is
    // borrowed mutably, so it overlaps neither input.
    unsafe {
        gemm::gemm(
            rows,
            words,
            dim,
            logits.as_mut_ptr(),
            1,
            words as isize,
            false,
            hidden.as_ptr(),
            1,
            dim as isize,
            tile.as_ptr(),
            dim as isize,
            1,
            0.0,
            1.0,
            false,
            false,
            false,
            gemm::Parallelism::None,
        );
    }
}

dispatch!(fn dot(a: &[f32], b: &[f32]) -> f32 = dot_body);
dispatch!(fn accumulate(logits: &[f32], target_logit: f32, moments: &mut Moments) = accumulate_body);

#[inline(always)]
fn dot_body<const FUSED: bool>(a: &[f32], b: &[f32]) -> f32 {
    let mut sums = [0.0_f32; LANES];
    let (a_chunks, b_chunks) = (a.chunks_exact(LANES), b.chunks_exact(LANES));
    let rest: f32 = a_chunks.remainder().iter().zip(b_chunks.remainder()).map(|(x, y)| x * y).sum();
    for (x, y) in a_chunks.zip(b_chunks) {
        for lane in 0..LANES {
            sums[lane] = mul_add::<FUSED>(x[lane], y[lane], sums[lane]);
        }
    }
    sums.iter().sum::<f32>() + rest
}

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
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use proptest::prelude::*;

    fn close(got: f32, want: f32, tolerance: f32) -> bool {
        (got - want).abs() <= tolerance * (1.0 + want.abs())
    }

    fn pseudo_random(seed: u64, len: usize, scale: f32) -> Vec<f32> {
        let mut state = seed | 1;
        (0..len)
            .map(|_| {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                ((state >> 40) as f32 / (1_u64 << 24) as f32 - 0.5) * 2.0 * scale
            })
            .collect()
    }

    fn hold_together(rows: usize, vocab: usize, dim: usize, seed: u64, scale: f32) {
        let hidden = pseudo_random(seed, rows * dim, scale);
        let matrix = pseudo_random(seed ^ 0x9e37_79b9, vocab * dim, scale);
        let targets: Vec<u32> = (0..rows).map(|row| ((row * 7919 + seed as usize) % vocab) as u32).collect();
        let weights = HeadWeights::new(&matrix, dim).unwrap();
        let fast = head(&hidden, weights, &targets).unwrap();
        let slow = head_reference(&hidden, weights, &targets).unwrap();
        for (fast, slow) in fast.iter().zip(&slow) {
            assert!(close(fast.logprob, slow.logprob, 1e-4), "{fast:?} {slow:?}");
            assert!(close(fast.entropy, slow.entropy, 1e-4), "{fast:?} {slow:?}");
            assert!(close(fast.mean_logprob, slow.mean_logprob, 1e-4), "{fast:?} {slow:?}");
            assert!(close(fast.variance, slow.variance, 1e-3), "{fast:?} {slow:?}");
            assert!(fast.rank.abs_diff(slow.rank) <= 1, "{fast:?} {slow:?}");
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
        hold_together(ROWS + 3, 3 * TILE + 5, 24, 42, 1.0);
    }

    #[test]
    fn ties_rank_first() {
        let matrix = [1.0, 1.0, 1.0, -1.0];
        let weights = HeadWeights::new(&matrix, 1).unwrap();
        let stats = head(&[2.0], weights, &[1]).unwrap();
        assert_eq!(stats[0].rank, 1);
        assert!(head(&[2.0], weights, &[4]).is_err());
        assert!(head(&[2.0, 1.0], weights, &[1]).is_err());
        assert!(head(&[], weights, &[]).unwrap().is_empty());
    }

    #[test]
    fn a_far_ahead_word_has_no_entropy() {
        let mut matrix = vec![0.0; 2000];
        matrix[77] = 500.0;
        let weights = HeadWeights::new(&matrix, 1).unwrap();
        let stats = head(&[1.0, 1.0], weights, &[77, 78]).unwrap();
        assert_eq!((stats[0].rank, stats[1].rank), (1, 2));
        assert!(stats[0].logprob > -1e-6 && stats[0].entropy < 1e-4);
        assert!((stats[1].logprob + 500.0).abs() < 1e-2);
    }
}
