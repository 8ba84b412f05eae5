//! Products in 512-bit vectors: six or eight rows by two vectors of outputs in registers.

use super::{Bf16Piece, Int8Piece, Out, PANEL};
use std::arch::x86_64::{
    __m512bh, __m512i, _mm512_add_ps, _mm512_cvtepi32_ps, _mm512_dpbf16_ps, _mm512_dpbusd_epi32,
    _mm512_fmadd_ps, _mm512_loadu_ps, _mm512_loadu_si512, _mm512_mul_ps, _mm512_set1_epi32, _mm512_set1_ps,
    _mm512_setzero_ps, _mm512_setzero_si512, _mm512_slli_epi32, _mm512_storeu_ps,
};
use std::ops::Range;

/// Rows at once where a group's sums are integers first: as many sums again are needed in f32.
const INT8_ROWS: usize = 6;
/// Rows at once where sums are f32 from the start: within a tile of 16 in any case.
const BF16_ROWS: usize = 8;

/// # Safety
/// The CPU has AVX-512 VNNI; the piece's pointers reach as far as its sizes say; `out` has room.
pub(super) unsafe fn int8(piece: &Int8Piece, panels: Range<usize>, out: Out) {
    for (at, panel) in panels.enumerate() {
        for row in (0..piece.rows).step_by(INT8_ROWS) {
            // SAFETY: the caller's promises.
            unsafe {
                let out = out.from(row, at * PANEL);
                match (piece.rows - row, piece.group) {
                    (1, 32) => int8_rows::<1, 8>(piece, row, panel, out),
                    (2, 32) => int8_rows::<2, 8>(piece, row, panel, out),
                    (3, 32) => int8_rows::<3, 8>(piece, row, panel, out),
                    (4, 32) => int8_rows::<4, 8>(piece, row, panel, out),
                    (5, 32) => int8_rows::<5, 8>(piece, row, panel, out),
                    (_, 32) => int8_rows::<INT8_ROWS, 8>(piece, row, panel, out),
                    (1, _) => int8_rows::<1, 4>(piece, row, panel, out),
                    (2, _) => int8_rows::<2, 4>(piece, row, panel, out),
                    (3, _) => int8_rows::<3, 4>(piece, row, panel, out),
                    (4, _) => int8_rows::<4, 4>(piece, row, panel, out),
                    (5, _) => int8_rows::<5, 4>(piece, row, panel, out),
                    (..) => int8_rows::<INT8_ROWS, 4>(piece, row, panel, out),
                }
            }
        }
    }
}

/// # Safety
/// As for `int8`, for rows `row..row + ROWS` of the piece.
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512dq,avx512vnni")]
unsafe fn int8_rows<const ROWS: usize, const QUADS: usize>(
    piece: &Int8Piece,
    row: usize,
    panel: usize,
    out: Out,
) {
    let stride = piece.stride();
    let (panel_codes, panel_scales) = piece.panel();
    // SAFETY: every address is within the buffers that the piece was checked against.
    unsafe {
        let inputs = piece.inputs.add(row * 2 * stride);
        let input_scales = piece.input_scales.add(row * piece.blocks);
        let input_sums = piece.input_sums.add(row * piece.groups);
        let mut codes = piece.codes.add(panel * panel_codes);
        let mut scales = piece.scales.add(panel * panel_scales);
        let mut sums = [[_mm512_setzero_ps(); 2]; ROWS];
        for group in 0..piece.groups {
            let mut whole = [[_mm512_setzero_si512(); 2]; ROWS];
            let first = inputs.add(group * QUADS * 4);
            // The high bytes' sums, times 128, then the low bytes' on top: one set of registers for both.
            for bytes in [first, first.add(stride)] {
                for row in &mut whole {
                    row[0] = _mm512_slli_epi32::<7>(row[0]);
                    row[1] = _mm512_slli_epi32::<7>(row[1]);
                }
                for quad in 0..QUADS {
                    let left = _mm512_loadu_si512(codes.add(quad * 128).cast());
                    let right = _mm512_loadu_si512(codes.add(quad * 128 + 64).cast());
                    for (row, whole) in whole.iter_mut().enumerate() {
                        let four = bytes.add(row * 2 * stride + quad * 4).cast::<i32>().read_unaligned();
                        let four = _mm512_set1_epi32(four);
                        whole[0] = _mm512_dpbusd_epi32(whole[0], left, four);
                        whole[1] = _mm512_dpbusd_epi32(whole[1], right, four);
                    }
                }
            }
            codes = codes.add(QUADS * 128);
            let scale = [_mm512_loadu_ps(scales), _mm512_loadu_ps(scales.add(16))];
            let min = [_mm512_loadu_ps(scales.add(32)), _mm512_loadu_ps(scales.add(48))];
            scales = scales.add(64);
            let block = group * QUADS / 8;
            for row in 0..ROWS {
                let by = _mm512_set1_ps(*input_scales.add(row * piece.blocks + block));
                let sum = _mm512_set1_ps(*input_sums.add(row * piece.groups + group));
                for half in 0..2 {
                    let product = _mm512_mul_ps(_mm512_cvtepi32_ps(whole[row][half]), by);
                    sums[row][half] = _mm512_fmadd_ps(product, scale[half], sums[row][half]);
                    sums[row][half] = _mm512_fmadd_ps(min[half], sum, sums[row][half]);
                }
            }
        }
        for (row, sums) in sums.iter().enumerate() {
            for (at, sum) in [0, 16].into_iter().zip(sums) {
                let out = out.from(row, at);
                let sum = if out.add { _mm512_add_ps(*sum, _mm512_loadu_ps(out.at)) } else { *sum };
                _mm512_storeu_ps(out.at, sum);
            }
        }
    }
}

/// # Safety
/// The CPU has AVX-512 BF16; the piece's pointers reach as far as its sizes say; `out` has room.
pub(super) unsafe fn bf16(piece: &Bf16Piece, weights: *const u16, panels: Range<usize>, out: Out) {
    for (at, panel) in panels.enumerate() {
        let mut row = 0;
        while row < piece.rows {
            // SAFETY: the caller's promises.
            unsafe {
                let panel = weights.add(panel * piece.panel());
                let out = out.from(row, at * PANEL);
                row += match piece.rows - row {
                    1 => bf16_rows::<1>(piece, row, panel, out),
                    2 | 3 => bf16_rows::<2>(piece, row, panel, out),
                    4..BF16_ROWS => bf16_rows::<4>(piece, row, panel, out),
                    _ => bf16_rows::<BF16_ROWS>(piece, row, panel, out),
                };
            }
        }
    }
}

/// # Safety
/// As for `bf16`, for rows `row..row + ROWS` of the piece.
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512dq,avx512bf16")]
unsafe fn bf16_rows<const ROWS: usize>(piece: &Bf16Piece, row: usize, panel: *const u16, out: Out) -> usize {
    // SAFETY: every address is within the buffers that the piece was checked against; a vector of bits is a
    // vector of bf16 numbers.
    unsafe {
        let halves = |vector: __m512i| std::mem::transmute::<__m512i, __m512bh>(vector);
        let mut weights = panel;
        let mut sums = [[_mm512_setzero_ps(); 2]; ROWS];
        for step in 0..piece.stride / 32 {
            for part in 0..piece.parts {
                let inputs = piece.inputs.add(piece.input(row, step, part));
                for pair in 0..16 {
                    let left = halves(_mm512_loadu_si512(weights.add(pair * 32).cast()));
                    let right = halves(_mm512_loadu_si512(weights.add(512 + pair * 32).cast()));
                    for (row, sums) in sums.iter_mut().enumerate() {
                        let at = inputs.add(row * 32 + pair * 2);
                        let two = halves(_mm512_set1_epi32(at.cast::<i32>().read_unaligned()));
                        sums[0] = _mm512_dpbf16_ps(sums[0], two, left);
                        sums[1] = _mm512_dpbf16_ps(sums[1], two, right);
                    }
                }
            }
            weights = weights.add(1024);
        }
        for (row, sums) in sums.iter().enumerate() {
            for (at, sum) in [0, 16].into_iter().zip(sums) {
                let out = out.from(row, at);
                let sum = if out.add { _mm512_add_ps(*sum, _mm512_loadu_ps(out.at)) } else { *sum };
                _mm512_storeu_ps(out.at, sum);
            }
        }
    }
    ROWS
}
