//! Element-wise work in AVX-512 by hand, where the compiler makes several times as many instructions of the plain
//! form: narrowing to 16 bits, masks, scaling by a power of two. Each has its plain form beside its caller, and a test
//! here that holds the two together.

use super::detect::Instructions;
use super::input::{BLOCK, PART};
use std::arch::x86_64::{
    __m256bh, __m256i, __m512, __mmask16, _CMP_GT_OQ, _MM_FROUND_NO_EXC, _MM_FROUND_TO_NEAREST_INT,
    _mm256_mask_storeu_epi16, _mm256_storeu_si256, _mm512_add_ps, _mm512_castsi512_ps, _mm512_cmp_ps_mask,
    _mm512_cvtepu16_epi32, _mm512_cvtneps_pbh, _mm512_fmadd_ps, _mm512_fnmadd_ps, _mm512_loadu_ps,
    _mm512_mask_loadu_ps, _mm512_maskz_loadu_ps, _mm512_maskz_mov_ps, _mm512_max_ps, _mm512_min_ps,
    _mm512_mul_ps, _mm512_rcp14_ps, _mm512_reduce_add_ps, _mm512_reduce_max_ps, _mm512_roundscale_ps,
    _mm512_scalef_ps, _mm512_set1_ps, _mm512_setzero_ps, _mm512_slli_epi32, _mm512_storeu_ps, _mm512_sub_ps,
};
use std::sync::OnceLock;

/// Numbers in a vector.
const LANES: usize = 16;

/// Whether this CPU has all that stands here.
pub(super) fn available() -> bool {
    static AVAILABLE: OnceLock<bool> = OnceLock::new();
    *AVAILABLE.get_or_init(|| Instructions::Avx512Bf16.available())
}

/// Sums of e^d, d e^d and d^2 e^d with d = x - max.
pub(super) struct Sums {
    pub(super) s0: f32,
    pub(super) s1: f32,
    pub(super) s2: f32,
}

/// The least exponent: e to it is still a normal number. Below, the CPU would take a hundred times as long for each.
const LOWEST: f32 = -87.0;

/// e^x with a relative error of about 2e-7 for x <= 88; e^[`LOWEST`] below.
#[inline]
#[target_feature(enable = "avx512f")]
fn exp(x: __m512) -> __m512 {
    const NEAREST: i32 = _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC;
    let x = _mm512_max_ps(x, _mm512_set1_ps(LOWEST));
    let n = _mm512_roundscale_ps::<NEAREST>(_mm512_mul_ps(x, _mm512_set1_ps(std::f32::consts::LOG2_E)));
    let r = _mm512_fnmadd_ps(n, _mm512_set1_ps(0.693_359_4), x);
    let r = _mm512_fnmadd_ps(n, _mm512_set1_ps(-2.121_944_4e-4), r);
    let mut p = _mm512_set1_ps(1.0 / 720.0);
    for coefficient in [1.0 / 120.0, 1.0 / 24.0, 1.0 / 6.0, 0.5, 1.0, 1.0] {
        p = _mm512_fmadd_ps(p, r, _mm512_set1_ps(coefficient));
    }
    _mm512_scalef_ps(p, n)
}

/// e^x with a relative error of about 1e-4: enough for what becomes bf16.
#[inline]
#[target_feature(enable = "avx512f")]
fn rough_exp(x: __m512) -> __m512 {
    const NEAREST: i32 = _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC;
    let t = _mm512_mul_ps(_mm512_max_ps(x, _mm512_set1_ps(LOWEST)), _mm512_set1_ps(std::f32::consts::LOG2_E));
    let n = _mm512_roundscale_ps::<NEAREST>(t);
    let r = _mm512_sub_ps(t, n);
    // The first terms of 2^r = e^(r ln 2).
    let mut p = _mm512_set1_ps(0.009_618_13);
    for coefficient in [0.055_504_11, 0.240_226_5, std::f32::consts::LN_2, 1.0] {
        p = _mm512_fmadd_ps(p, r, _mm512_set1_ps(coefficient));
    }
    _mm512_scalef_ps(p, n)
}

/// The greatest number, and how many are above a threshold. A rest of less than a vector is left to the caller.
///
/// # Safety
/// The CPU has what [`available`] asks for.
#[target_feature(enable = "avx512f")]
pub(super) unsafe fn greatest(x: &[f32], threshold: f32) -> (f32, u32) {
    let threshold = _mm512_set1_ps(threshold);
    let (mut max, mut above) = (_mm512_set1_ps(f32::NEG_INFINITY), 0);
    for x in x.chunks_exact(LANES) {
        // SAFETY: the chunk is a vector long.
        let x = unsafe { _mm512_loadu_ps(x.as_ptr()) };
        max = _mm512_max_ps(x, max);
        above += _mm512_cmp_ps_mask::<_CMP_GT_OQ>(x, threshold).count_ones();
    }
    (_mm512_reduce_max_ps(max), above)
}

/// The head's sums. A rest of less than a vector is left to the caller.
///
/// # Safety
/// The CPU has what [`available`] asks for.
#[target_feature(enable = "avx512f")]
pub(super) unsafe fn sums(x: &[f32], max: f32) -> Sums {
    let max = _mm512_set1_ps(max);
    let zero = _mm512_setzero_ps();
    let (mut s0, mut s1, mut s2) = (zero, zero, zero);
    for x in x.chunks_exact(LANES) {
        // SAFETY: the chunk is a vector long.
        let d = _mm512_sub_ps(unsafe { _mm512_loadu_ps(x.as_ptr()) }, max);
        let e = exp(d);
        let de = _mm512_mul_ps(d, e);
        s0 = _mm512_add_ps(s0, e);
        s1 = _mm512_add_ps(s1, de);
        s2 = _mm512_fmadd_ps(d, de, s2);
    }
    Sums { s0: _mm512_reduce_add_ps(s0), s1: _mm512_reduce_add_ps(s1), s2: _mm512_reduce_add_ps(s2) }
}

/// e^(x - the greatest x) in bf16, and the sum.
///
/// # Safety
/// The CPU has what [`available`] asks for.
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512bf16")]
pub(super) unsafe fn softmax(x: &[f32], out: &mut [u16]) -> f32 {
    assert!(out.len() >= x.len());
    let (whole, rest) = (x.len() / LANES * LANES, first(x.len() % LANES));
    let lowest = _mm512_set1_ps(f32::NEG_INFINITY);
    // SAFETY: `whole` numbers are there, and behind them those of the mask.
    unsafe {
        let tail = _mm512_mask_loadu_ps(lowest, rest, x.as_ptr().add(whole));
        let mut max = tail;
        for at in (0..whole).step_by(LANES) {
            max = _mm512_max_ps(_mm512_loadu_ps(x.as_ptr().add(at)), max);
        }
        let max = _mm512_set1_ps(_mm512_reduce_max_ps(max));
        let e = _mm512_maskz_mov_ps(rest, rough_exp(_mm512_sub_ps(tail, max)));
        _mm256_mask_storeu_epi16(out.as_mut_ptr().add(whole).cast(), rest, halves(e));
        let mut sum = e;
        for at in (0..whole).step_by(LANES) {
            let e = rough_exp(_mm512_sub_ps(_mm512_loadu_ps(x.as_ptr().add(at)), max));
            sum = _mm512_add_ps(sum, e);
            _mm256_storeu_si256(out.as_mut_ptr().add(at).cast(), halves(e));
        }
        _mm512_reduce_add_ps(sum)
    }
}

/// To bf16, to nearest, ties to even.
///
/// # Safety
/// The CPU has what [`available`] asks for.
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512bf16")]
pub(super) unsafe fn round(x: &[f32], out: &mut [u16]) {
    assert!(out.len() >= x.len());
    for at in (0..x.len()).step_by(LANES) {
        let mask = first(x.len() - at);
        // SAFETY: both are longer than what the mask leaves.
        unsafe {
            let x = _mm512_maskz_loadu_ps(mask, x.as_ptr().add(at));
            _mm256_mask_storeu_epi16(out.as_mut_ptr().add(at).cast(), mask, halves(x));
        }
    }
}

/// Rows of numbers as sums of one or two bf16 numbers, in blocks of [`BLOCK`]: a block every `step` numbers from where
/// `place` says that a row begins, its second part [`PART`] numbers behind the first. The last block is filled up with
/// zeros.
///
/// # Safety
/// The CPU has what [`available`] asks for; there is room for all parts of all blocks, and nobody else uses them.
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512bf16")]
pub(super) unsafe fn to_tiles<'a>(
    rows: impl Iterator<Item = &'a [f32]>,
    parts: usize,
    place: impl Fn(usize) -> *mut u16,
    step: usize,
) {
    for (row, x) in rows.enumerate() {
        // SAFETY: the caller's promise.
        unsafe { row_to_tiles(x, parts, place(row), step) };
    }
}

/// # Safety
/// As for [`to_tiles`].
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512bf16")]
unsafe fn row_to_tiles(x: &[f32], parts: usize, out: *mut u16, step: usize) {
    for first_of_block in (0..x.len()).step_by(BLOCK) {
        for at in [first_of_block, first_of_block + LANES] {
            let mask = first(x.len().saturating_sub(at));
            // SAFETY: the mask leaves what is there of `x`; the caller made room in `out`.
            unsafe {
                let mut x = _mm512_maskz_loadu_ps(mask, x.as_ptr().wrapping_add(at));
                let out = out.add(first_of_block / BLOCK * step + at - first_of_block);
                for part in 0..parts {
                    let rounded = halves(x);
                    _mm256_storeu_si256(out.add(part * PART).cast(), rounded);
                    let wide = _mm512_slli_epi32::<16>(_mm512_cvtepu16_epi32(rounded));
                    x = _mm512_sub_ps(x, _mm512_castsi512_ps(wide));
                }
            }
        }
    }
}

/// silu(gate) * up, into `gate`. A rest of less than a vector is left to the caller.
///
/// # Safety
/// The CPU has what [`available`] asks for; `up` is at least as long as `gate`.
#[target_feature(enable = "avx512f")]
pub(super) unsafe fn silu_mul(gate: &mut [f32], up: &[f32]) {
    let (one, two) = (_mm512_set1_ps(1.0), _mm512_set1_ps(2.0));
    for (gate, up) in gate.chunks_exact_mut(LANES).zip(up.chunks_exact(LANES)) {
        // SAFETY: both chunks are a vector long.
        unsafe {
            let x = _mm512_loadu_ps(gate.as_ptr());
            let e = exp(_mm512_min_ps(_mm512_sub_ps(_mm512_setzero_ps(), x), _mm512_set1_ps(88.0)));
            // A division would take as long as all the rest: 14 bits of the inverse, and a step of Newton's.
            let below = _mm512_add_ps(one, e);
            let inverse = _mm512_rcp14_ps(below);
            let inverse = _mm512_mul_ps(inverse, _mm512_fnmadd_ps(below, inverse, two));
            let y = _mm512_mul_ps(_mm512_mul_ps(x, _mm512_loadu_ps(up.as_ptr())), inverse);
            _mm512_storeu_ps(gate.as_mut_ptr(), y);
        }
    }
}

/// The mask of the first `count` lanes, of all if it is more.
#[inline]
fn first(count: usize) -> __mmask16 {
    if count >= LANES { !0 } else { (1 << count) - 1 }
}

/// 16 numbers in bf16.
#[inline]
#[target_feature(enable = "avx512f,avx512bf16")]
fn halves(x: __m512) -> __m256i {
    // SAFETY: 16 bf16 numbers are 256 bits.
    unsafe { std::mem::transmute::<__m256bh, __m256i>(_mm512_cvtneps_pbh(x)) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cpu::head::tests::pseudo_random;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn vectors_match_the_plain_forms(vectors in 1_usize..12, seed: u64, scale in 0.1_f32..90.0) {
            if !available() {
                return Ok(());
            }
            let x = pseudo_random(seed, vectors * LANES, scale);
            let exact_max = x.iter().copied().fold(f32::NEG_INFINITY, f32::max);
            // SAFETY: the CPU has it.
            unsafe {
                let (max, above) = greatest(&x, x[0]);
                prop_assert_eq!(max, exact_max);
                prop_assert_eq!(above as usize, x.iter().filter(|y| **y > x[0]).count());
                let got = sums(&x, max);
                let want = x.iter().fold([0.0_f64; 3], |sums, x| {
                    let d = f64::from(*x) - f64::from(max);
                    [sums[0] + d.exp(), sums[1] + d * d.exp(), sums[2] + d * d * d.exp()]
                });
                for (got, want) in [got.s0, got.s1, got.s2].into_iter().zip(want) {
                    prop_assert!((f64::from(got) - want).abs() <= 1e-5 * (1.0 + want.abs()), "{} {}", got, want);
                }
                let mut halves = vec![0; x.len()];
                let sum = softmax(&x, &mut halves);
                prop_assert!((f64::from(sum) - want[0]).abs() <= 3e-4 * want[0]);
                for (x, half) in x.iter().zip(&halves) {
                    let want = (f64::from(*x) - f64::from(max)).exp();
                    let got = f64::from(half::bf16::from_bits(*half).to_f32());
                    prop_assert!((got - want).abs() <= 5e-3 * want + 1e-37, "{} {}", got, want);
                }
                round(&x, &mut halves);
                for (x, half) in x.iter().zip(&halves) {
                    prop_assert_eq!(half::bf16::from_f32(*x).to_bits(), *half);
                }
                let up = pseudo_random(!seed, x.len(), 3.0);
                let mut gate = x.clone();
                silu_mul(&mut gate, &up);
                for ((x, up), got) in x.iter().zip(&up).zip(gate) {
                    let want = f64::from(*x) / (1.0 + (-f64::from(*x)).exp()) * f64::from(*up);
                    prop_assert!((f64::from(got) - want).abs() <= 1e-5 * (1.0 + want.abs()), "{} {}", got, want);
                }
            }
        }
    }
}
