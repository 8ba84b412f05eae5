//! Gated activations of the feed-forward layers.

use super::math::{exp, mul_add};
use super::simd::dispatch;

/// silu(gate) * up, into `gate`: x * sigmoid(x) (Elfwing et al. 2017), as SwiGLU uses it (Shazeer 2020).
/// Both slices have the same length.
pub(crate) fn silu_mul(gate: &mut [f32], up: &[f32]) {
    #[cfg(target_arch = "x86_64")]
    if super::avx512::available() && gate.len().is_multiple_of(16) && up.len() >= gate.len() {
        // SAFETY: the CPU has what this needs; `up` is as long.
        unsafe { super::avx512::silu_mul(gate, up) };
        return;
    }
    silu_mul_plain(gate, up);
}

dispatch!(fn silu_mul_plain(gate: &mut [f32], up: &[f32]) = silu_mul_body);
dispatch!(
    /// gelu(gate) * up, into `gate`, with the tanh form of GELU (Hendrycks & Gimpel 2016), as Gemma uses it.
    pub(crate) fn gelu_mul(gate: &mut [f32], up: &[f32]) = gelu_mul_body
);

#[inline(always)]
fn silu_mul_body<const FUSED: bool>(gate: &mut [f32], up: &[f32]) {
    for (g, u) in gate.iter_mut().zip(up) {
        *g = *g / (1.0 + exp::<FUSED>(-*g)) * u;
    }
}

#[inline(always)]
fn gelu_mul_body<const FUSED: bool>(gate: &mut [f32], up: &[f32]) {
    // 0.5 * (1 + tanh(z)) = 1 / (1 + e^(-2 z)), with z = sqrt(2 / pi) * (x + 0.044715 x^3).
    const TWICE_SQRT_2_OVER_PI: f32 = 1.595_769_2;
    for (g, u) in gate.iter_mut().zip(up) {
        let x = *g;
        let z = TWICE_SQRT_2_OVER_PI * mul_add::<FUSED>(0.044_715 * x * x, x, x);
        *g = x / (1.0 + exp::<FUSED>(-z)) * u;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn silu_reference(x: f32) -> f32 {
        let x = f64::from(x);
        (x / (1.0 + (-x).exp())) as f32
    }

    fn gelu_reference(x: f32) -> f32 {
        let x = f64::from(x);
        let z = (2.0 / std::f64::consts::PI).sqrt() * (x + 0.044_715 * x.powi(3));
        (0.5 * x * (1.0 + z.tanh())) as f32
    }

    proptest! {
        #[test]
        fn gated_activations_match_the_reference(
            values in proptest::collection::vec((-30.0_f32..30.0, -8.0_f32..8.0), 0..100)
        ) {
            let gate: Vec<f32> = values.iter().map(|v| v.0).collect();
            let up: Vec<f32> = values.iter().map(|v| v.1).collect();
            let mut silu = gate.clone();
            silu_mul(&mut silu, &up);
            let mut gelu = gate.clone();
            gelu_mul(&mut gelu, &up);
            for i in 0..gate.len() {
                let (want_silu, want_gelu) = (silu_reference(gate[i]) * up[i], gelu_reference(gate[i]) * up[i]);
                prop_assert!((silu[i] - want_silu).abs() <= 1e-5 * (1.0 + want_silu.abs()));
                prop_assert!((gelu[i] - want_gelu).abs() <= 1e-5 * (1.0 + want_gelu.abs()));
            }
        }
    }
}
