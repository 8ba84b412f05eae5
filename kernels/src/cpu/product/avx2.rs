//! Products of bytes in 256-bit vectors, for CPUs without AVX-512.
//!
//! `vpmaddubsw` adds two products of bytes into 16 bits and saturates: with codes up to 127 and inputs up to 127
//! the sum of two is at most 32 258, which fits. Where codes go up to 255 the even and the odd bytes are widened
//! to 16 bits and go through `vpmaddwd`, which can't overflow. Inputs of 15 bits come as two bytes.

use super::{Int8Piece, Out, PANEL};
use std::arch::x86_64::{
    __m256i, _mm256_add_epi32, _mm256_add_ps, _mm256_and_si256, _mm256_cvtepi32_ps, _mm256_fmadd_ps,
    _mm256_loadu_ps, _mm256_loadu_si256, _mm256_madd_epi16, _mm256_maddubs_epi16, _mm256_mul_ps,
    _mm256_set1_epi16, _mm256_set1_epi32, _mm256_set1_ps, _mm256_setzero_ps, _mm256_setzero_si256,
    _mm256_slli_epi16, _mm256_slli_epi32, _mm256_srai_epi16, _mm256_srli_epi16, _mm256_storeu_ps,
};
use std::ops::Range;

/// Rows at once: four integer and four f32 sums of 8 outputs leave room for weights and inputs.
const ROWS: usize = 2;

/// # Safety
/// The CPU has AVX2 and FMA; the piece's pointers reach as far as its sizes say; `out` has room.
pub(super) unsafe fn int8(piece: &Int8Piece, panels: Range<usize>, wide: bool, out: Out) {
    for (at, panel) in panels.enumerate() {
        for half in 0..2 {
            for row in (0..piece.rows).step_by(ROWS) {
                // SAFETY: the caller's promises.
                unsafe {
                    let out = out.from(row, at * PANEL + half * 16);
                    match (piece.rows - row, wide) {
                        (1, false) => rows::<1, false>(piece, row, panel, half, out),
                        (1, true) => rows::<1, true>(piece, row, panel, half, out),
                        (_, false) => rows::<ROWS, false>(piece, row, panel, half, out),
                        (_, true) => rows::<ROWS, true>(piece, row, panel, half, out),
                    }
                }
            }
        }
    }
}

/// # Safety
/// As for `int8`, for rows `row..row + ROWS` and one half of a panel.
#[target_feature(enable = "avx2,fma")]
unsafe fn rows<const ROWS: usize, const WIDE: bool>(
    piece: &Int8Piece,
    row: usize,
    panel: usize,
    half: usize,
    out: Out,
) {
    let stride = piece.stride();
    let (panel_codes, panel_scales) = piece.panel();
    let quads = piece.group / 4;
    // SAFETY: every address is within the buffers that the piece was checked against.
    unsafe {
        let inputs = piece.inputs.add(row * 2 * stride);
        let mut codes = piece.codes.add(panel * panel_codes + half * 64);
        let mut scales = piece.scales.add(panel * panel_scales + half * 16);
        let mut sums = [[_mm256_setzero_ps(); 2]; ROWS];
        for group in 0..piece.groups {
            let mut whole = [[_mm256_setzero_si256(); 2]; ROWS];
            let first = inputs.add(group * piece.group);
            // The high bytes' sums, times 128, then the low bytes' on top: one set of registers for both.
            for bytes in [first, first.add(stride)] {
                for row in &mut whole {
                    row[0] = _mm256_slli_epi32::<7>(row[0]);
                    row[1] = _mm256_slli_epi32::<7>(row[1]);
                }
                for quad in 0..quads {
                    let left = _mm256_loadu_si256(codes.add(quad * 128).cast());
                    let right = _mm256_loadu_si256(codes.add(quad * 128 + 32).cast());
                    for (row, whole) in whole.iter_mut().enumerate() {
                        let four = bytes.add(row * 2 * stride + quad * 4).cast::<i32>().read_unaligned();
                        let four = _mm256_set1_epi32(four);
                        whole[0] = _mm256_add_epi32(whole[0], fours::<WIDE>(left, four));
                        whole[1] = _mm256_add_epi32(whole[1], fours::<WIDE>(right, four));
                    }
                }
            }
            codes = codes.add(quads * 128);
            let scale = [_mm256_loadu_ps(scales), _mm256_loadu_ps(scales.add(8))];
            let min = [_mm256_loadu_ps(scales.add(32)), _mm256_loadu_ps(scales.add(40))];
            scales = scales.add(64);
            for (at, sums) in sums.iter_mut().enumerate() {
                let block = (row + at) * piece.blocks + group * piece.group / 32;
                let by = _mm256_set1_ps(*piece.input_scales.add(block));
                let sum = _mm256_set1_ps(*piece.input_sums.add((row + at) * piece.groups + group));
                for side in 0..2 {
                    let product = _mm256_mul_ps(_mm256_cvtepi32_ps(whole[at][side]), by);
                    sums[side] = _mm256_fmadd_ps(product, scale[side], sums[side]);
                    sums[side] = _mm256_fmadd_ps(min[side], sum, sums[side]);
                }
            }
        }
        for (row, sums) in sums.iter().enumerate() {
            for (at, sum) in [0, 8].into_iter().zip(sums) {
                let out = out.from(row, at);
                let sum = if out.add { _mm256_add_ps(*sum, _mm256_loadu_ps(out.at)) } else { *sum };
                _mm256_storeu_ps(out.at, sum);
            }
        }
    }
}

/// The sums of four products of bytes in each 32 bits.
#[inline]
#[target_feature(enable = "avx2")]
fn fours<const WIDE: bool>(codes: __m256i, inputs: __m256i) -> __m256i {
    if WIDE {
        let even = _mm256_madd_epi16(
            _mm256_and_si256(codes, _mm256_set1_epi16(0xff)),
            _mm256_srai_epi16::<8>(_mm256_slli_epi16::<8>(inputs)),
        );
        let odd = _mm256_madd_epi16(_mm256_srli_epi16::<8>(codes), _mm256_srai_epi16::<8>(inputs));
        _mm256_add_epi32(even, odd)
    } else {
        _mm256_madd_epi16(_mm256_maddubs_epi16(codes, inputs), _mm256_set1_epi16(1))
    }
}
