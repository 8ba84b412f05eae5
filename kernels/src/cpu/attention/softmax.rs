//! Scores to weights, without the division: that is left for the end, where there are fewer numbers.

use crate::cpu::math::exp;
use crate::cpu::simd::{LANES, dispatch};

dispatch!(
    /// e^(x - max) in place; gives the sum. Scores are finite.
    pub(crate) fn exponentials(scores: &mut [f32]) -> f32 = exponentials_body
);
/// The same, rounded to bf16 into `out`, whose rest is zeros.
pub(crate) fn exponentials_bf16(scores: &[f32], out: &mut [u16]) -> f32 {
    #[cfg(target_arch = "x86_64")]
    if crate::cpu::avx512::available() {
        out[scores.len()..].fill(0);
        // SAFETY: the CPU has what this needs.
        return unsafe { crate::cpu::avx512::softmax(scores, out) };
    }
    exponentials_bf16_plain(scores, out)
}

dispatch!(fn exponentials_bf16_plain(scores: &[f32], out: &mut [u16]) -> f32 = exponentials_bf16_body);

#[inline(always)]
fn greatest(scores: &[f32]) -> f32 {
    let mut maxima = [f32::NEG_INFINITY; LANES];
    let chunks = scores.chunks_exact(LANES);
    let rest = chunks.remainder();
    for x in chunks {
        for lane in 0..LANES {
            maxima[lane] = if x[lane] > maxima[lane] { x[lane] } else { maxima[lane] };
        }
    }
    maxima.iter().chain(rest).fold(f32::NEG_INFINITY, |max, x| if *x > max { *x } else { max })
}

#[inline(always)]
fn exponentials_body<const FUSED: bool>(scores: &mut [f32]) -> f32 {
    let max = greatest(scores);
    let mut sums = [0.0_f32; LANES];
    let mut chunks = scores.chunks_exact_mut(LANES);
    for x in &mut chunks {
        for lane in 0..LANES {
            x[lane] = exp::<FUSED>(x[lane] - max);
            sums[lane] += x[lane];
        }
    }
    for (lane, x) in chunks.into_remainder().iter_mut().enumerate() {
        *x = exp::<FUSED>(*x - max);
        sums[lane] += *x;
    }
    sums.iter().sum()
}

#[inline(always)]
fn exponentials_bf16_body<const FUSED: bool>(scores: &[f32], out: &mut [u16]) -> f32 {
    let max = greatest(scores);
    let mut sums = [0.0_f32; LANES];
    let (used, rest) = out.split_at_mut(scores.len());
    rest.fill(0);
    let chunks = scores.chunks_exact(LANES);
    let tail = chunks.remainder();
    let mut outs = used.chunks_exact_mut(LANES);
    for (x, out) in chunks.zip(&mut outs) {
        for lane in 0..LANES {
            let (bits, value) = rounded(exp::<FUSED>(x[lane] - max));
            out[lane] = bits;
            sums[lane] += value;
        }
    }
    for ((lane, x), out) in tail.iter().enumerate().zip(outs.into_remainder()) {
        let (bits, value) = rounded(exp::<FUSED>(*x - max));
        *out = bits;
        sums[lane] += value;
    }
    sums.iter().sum()
}

/// Nearest bf16 number of a positive finite one, and its value.
#[inline(always)]
fn rounded(x: f32) -> (u16, f32) {
    let bits = x.to_bits().wrapping_add(0x8000) & 0xffff_0000;
    ((bits >> 16) as u16, f32::from_bits(bits))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn weights_are_those_of_a_softmax(scores in proptest::collection::vec(-40.0_f32..40.0, 1..90)) {
            let max = scores.iter().copied().fold(f32::NEG_INFINITY, f32::max);
            let exact: Vec<f64> = scores.iter().map(|x| f64::from(x - max).exp()).collect();
            let total: f64 = exact.iter().sum();
            let mut plain = scores.clone();
            let sum = exponentials(&mut plain);
            let mut halves = vec![7_u16; scores.len() + 5];
            let sum_of_halves = exponentials_bf16(&scores, &mut halves);
            for at in 0..scores.len() {
                prop_assert!((f64::from(plain[at] / sum) - exact[at] / total).abs() < 1e-6);
                let half = half::bf16::from_bits(halves[at]).to_f32();
                prop_assert!((f64::from(half / sum_of_halves) - exact[at] / total).abs() < 8e-3);
            }
            prop_assert!(halves[scores.len()..].iter().all(|rest| *rest == 0));
        }
    }
}
