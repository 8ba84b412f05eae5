//! What this machine can do at most: the yardstick of the benchmarks.

use super::detect::Instructions;
use super::input::Form;
use std::hint::black_box;
use std::time::Instant;

/// Operations (two a product and sum) a second of one core, in registers alone: no product with a matrix is faster.
///
/// `None` where this CPU has no such instructions, or the form has no fast path in them.
#[must_use]
pub(super) fn operations(form: Form, instructions: Instructions) -> Option<f64> {
    if !instructions.available() {
        return None;
    }
    #[cfg(target_arch = "x86_64")]
    {
        const LOOPS: u64 = 2_000_000;
        // SAFETY: the instructions were just found to be available.
        let work: unsafe fn(u64) -> f64 = match (form, instructions) {
            #[cfg(target_os = "linux")]
            (Form::Bf16 { .. }, Instructions::Amx) => super::product::amx::spin,
            (Form::Bf16 { .. }, Instructions::Avx512Bf16) => avx512::bf16,
            (Form::Int8 { .. }, set) if set >= Instructions::Avx512Vnni => avx512::int8,
            (Form::F32, set) if set >= Instructions::Avx512Vnni => avx512::f32,
            (Form::F32, Instructions::Avx2) => avx2::f32,
            (Form::Int8 { .. }, Instructions::Avx2) => avx2::int8,
            _ => return None,
        };
        // The fastest of some rounds: nothing makes a core faster than it is.
        let rates = (0..5).map(|_| {
            let start = Instant::now();
            // SAFETY: as above.
            let done = unsafe { work(black_box(LOOPS)) };
            done / start.elapsed().as_secs_f64()
        });
        rates.reduce(f64::max)
    }
    #[cfg(not(target_arch = "x86_64"))]
    {
        let _ = form;
        None
    }
}

/// Bytes a second that one core reads from memory, front to back.
#[must_use]
pub fn bandwidth() -> f64 {
    let bytes = vec![1_u64; 32 << 20];
    let rates = (0..3).map(|_| {
        let start = Instant::now();
        let mut sums = [0_u64; 16];
        for chunk in bytes.chunks_exact(16) {
            for (sum, x) in sums.iter_mut().zip(chunk) {
                *sum ^= x;
            }
        }
        black_box(sums);
        (bytes.len() * 8) as f64 / start.elapsed().as_secs_f64()
    });
    rates.fold(0.0, f64::max)
}

#[cfg(target_arch = "x86_64")]
mod avx512 {
    use std::arch::x86_64::{
        __m512bh, __m512i, _mm512_dpbf16_ps, _mm512_dpbusd_epi32, _mm512_fmadd_ps, _mm512_set1_epi32,
        _mm512_set1_ps,
    };
    use std::hint::black_box;

    /// Twelve sums that wait for nothing but themselves hide the latency of one.
    const SUMS: usize = 12;

    #[target_feature(enable = "avx512f")]
    pub(super) unsafe fn f32(loops: u64) -> f64 {
        let (mut sums, x) = ([_mm512_set1_ps(0.0); SUMS], black_box(_mm512_set1_ps(0.5)));
        for _ in 0..loops {
            for sum in &mut sums {
                *sum = _mm512_fmadd_ps(x, x, *sum);
            }
        }
        black_box(sums);
        (loops * SUMS as u64 * 2 * 16) as f64
    }

    #[target_feature(enable = "avx512f,avx512vnni")]
    pub(super) unsafe fn int8(loops: u64) -> f64 {
        let (mut sums, x) = ([_mm512_set1_epi32(0); SUMS], black_box(_mm512_set1_epi32(1)));
        for _ in 0..loops {
            for sum in &mut sums {
                *sum = _mm512_dpbusd_epi32(*sum, x, x);
            }
        }
        black_box(sums);
        (loops * SUMS as u64 * 2 * 64) as f64
    }

    #[target_feature(enable = "avx512f,avx512bf16")]
    pub(super) unsafe fn bf16(loops: u64) -> f64 {
        // SAFETY: a vector of bits is a vector of bf16 numbers.
        let x = black_box(unsafe { std::mem::transmute::<__m512i, __m512bh>(_mm512_set1_epi32(0)) });
        let mut sums = [_mm512_set1_ps(0.0); SUMS];
        for _ in 0..loops {
            for sum in &mut sums {
                *sum = _mm512_dpbf16_ps(*sum, x, x);
            }
        }
        black_box(sums);
        (loops * SUMS as u64 * 2 * 32) as f64
    }
}

#[cfg(target_arch = "x86_64")]
mod avx2 {
    use std::arch::x86_64::{
        _mm256_add_epi32, _mm256_fmadd_ps, _mm256_madd_epi16, _mm256_maddubs_epi16, _mm256_set1_epi32,
        _mm256_set1_ps,
    };
    use std::hint::black_box;

    const SUMS: usize = 10;

    #[target_feature(enable = "avx2,fma")]
    pub(super) unsafe fn f32(loops: u64) -> f64 {
        let (mut sums, x) = ([_mm256_set1_ps(0.0); SUMS], black_box(_mm256_set1_ps(0.5)));
        for _ in 0..loops {
            for sum in &mut sums {
                *sum = _mm256_fmadd_ps(x, x, *sum);
            }
        }
        black_box(sums);
        (loops * SUMS as u64 * 2 * 8) as f64
    }

    #[target_feature(enable = "avx2")]
    pub(super) unsafe fn int8(loops: u64) -> f64 {
        let (mut sums, x) = ([_mm256_set1_epi32(0); SUMS], black_box(_mm256_set1_epi32(0x0001_0001)));
        for _ in 0..loops {
            for sum in &mut sums {
                let product = _mm256_maddubs_epi16(black_box(x), x);
                *sum = _mm256_add_epi32(*sum, _mm256_madd_epi16(product, x));
            }
        }
        black_box(sums);
        (loops * SUMS as u64 * 2 * 32) as f64
    }
}
