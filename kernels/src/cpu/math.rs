//! Elementary functions written so that the compiler vectorises them.

/// `a * b + c`, fused where the CPU has an instruction for it.
#[inline(always)]
pub(crate) fn mul_add<const FUSED: bool>(a: f32, b: f32, c: f32) -> f32 {
    if FUSED { a.mul_add(b, c) } else { a * b + c }
}

/// e^x with a relative error below 3e-7 for -87 <= x <= 88; clamps outside.
///
/// Cody and Waite's reduction to |r| <= ln 2 / 2, then a polynomial of degree 6 for e^r. Branch-free.
#[inline(always)]
pub(crate) fn exp<const FUSED: bool>(x: f32) -> f32 {
    // 1.5 * 2^23: adding it rounds to an integer, which then stands in the low bits of the mantissa.
    const ROUND: f32 = 12_582_912.0;
    const LN2_HIGH: f32 = 0.693_359_4;
    const LN2_LOW: f32 = -2.121_944_4e-4;
    let x = x.clamp(-87.0, 88.0);
    let shifted = mul_add::<FUSED>(x, std::f32::consts::LOG2_E, ROUND);
    let n = shifted - ROUND;
    let r = mul_add::<FUSED>(n, -LN2_HIGH, x);
    let r = mul_add::<FUSED>(n, -LN2_LOW, r);
    let mut p = 1.0 / 720.0;
    for coefficient in [1.0 / 120.0, 1.0 / 24.0, 1.0 / 6.0, 0.5, 1.0, 1.0] {
        p = mul_add::<FUSED>(p, r, coefficient);
    }
    // Multiplies by 2^n: n moves into the exponent.
    f32::from_bits(p.to_bits().wrapping_add(shifted.to_bits() << 23))
}

#[cfg(test)]
mod tests {
    use super::exp;

    #[test]
    fn exp_is_close() {
        let mut worst = 0.0_f64;
        for step in -870_000..=880_000 {
            let x = step as f32 * 1e-4;
            let exact = f64::from(x).exp();
            for got in [exp::<true>(x), exp::<false>(x)] {
                worst = worst.max(((f64::from(got) - exact) / exact).abs());
            }
        }
        assert!(worst < 3e-7, "relative error {worst:e}");
    }

    #[test]
    fn exp_clamps() {
        assert!(exp::<false>(-1e9) < 1e-37 && exp::<false>(f32::NEG_INFINITY) > 0.0);
        assert!(exp::<false>(1e9).is_finite());
    }
}
