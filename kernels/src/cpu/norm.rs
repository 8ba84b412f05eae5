//! RMSNorm (Zhang & Sennrich 2019): x / sqrt(mean(x^2) + eps) * weight.

use super::math::mul_add;
use super::simd::{LANES, dispatch};

dispatch!(
    /// Normalises a row into `out`, of the same length.
    pub(crate) fn rms_norm(x: &[f32], weight: &[f32], eps: f32, out: &mut [f32]) = rms_norm_body
);
dispatch!(
    /// Adds a row to another.
    pub(crate) fn add(x: &mut [f32], y: &[f32]) = add_body
);

#[inline(always)]
fn rms_norm_body<const FUSED: bool>(x: &[f32], weight: &[f32], eps: f32, out: &mut [f32]) {
    let mut squares = [0.0_f32; LANES];
    let chunks = x.chunks_exact(LANES);
    let rest: f32 = chunks.remainder().iter().map(|x| x * x).sum();
    for x in chunks {
        for lane in 0..LANES {
            squares[lane] = mul_add::<FUSED>(x[lane], x[lane], squares[lane]);
        }
    }
    let mean = (squares.iter().sum::<f32>() + rest) / x.len() as f32;
    let scale = 1.0 / (mean + eps).sqrt();
    for ((x, weight), out) in x.iter().zip(weight).zip(out) {
        *out = x * scale * weight;
    }
}

#[inline(always)]
fn add_body<const FUSED: bool>(x: &mut [f32], y: &[f32]) {
    for (x, y) in x.iter_mut().zip(y) {
        *x += y;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn matches_the_formula(values in proptest::collection::vec((-9.0_f32..9.0, -2.0_f32..2.0), 1..80)) {
            let x: Vec<f32> = values.iter().map(|v| v.0).collect();
            let weight: Vec<f32> = values.iter().map(|v| v.1).collect();
            let mut out = vec![0.0; x.len()];
            rms_norm(&x, &weight, 1e-5, &mut out);
            let mean = x.iter().map(|x| f64::from(*x).powi(2)).sum::<f64>() / x.len() as f64;
            for at in 0..x.len() {
                let want = f64::from(x[at]) / (mean + 1e-5).sqrt() * f64::from(weight[at]);
                prop_assert!((f64::from(out[at]) - want).abs() < 1e-5 * (1.0 + want.abs()));
            }
        }
    }
}
