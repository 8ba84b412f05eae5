//! Rows of numbers on their way into a product, in the form that the matrix wants.

use super::buffer::Buffer;
use super::simd::dispatch;
use half::bf16;

/// Inputs that share a scale in the 8-bit form.
pub(crate) const BLOCK: usize = 32;
/// Rows are laid out in whole tiles of this many; those behind the last are never read back.
pub(crate) const ROW_TILE: usize = 32;
/// From a bf16 number to its second part.
pub(super) const PART: usize = ROW_TILE * BLOCK;

/// The arithmetic of a product.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    /// Both sides f32.
    F32,
    /// Codes in integers on both sides. Weights have one of 8 bits, with a scale and a minimum for each `group`
    /// inputs; activations one of 15 bits, with a scale for each 32, as a high byte and a low one. A single byte
    /// would be half the work, but moves a token's log-probability by 0.06 on average (see BENCHMARKS.md).
    Int8 {
        /// 16 or 32.
        group: usize,
    },
    /// Weights in bf16, sums in f32, and activations as the sum of so many bf16 numbers: with two they have 16 bits
    /// of mantissa instead of 8.
    Bf16 {
        /// 1 or 2.
        parts: usize,
    },
}

impl Form {
    /// Inputs that share a scale; of codes only.
    pub(super) fn group(self) -> usize {
        if let Self::Int8 { group } = self { group } else { BLOCK }
    }

    /// bf16 numbers that an activation is the sum of.
    pub(super) fn parts(self) -> usize {
        if let Self::Bf16 { parts } = self { parts } else { 1 }
    }
}

/// Rows of activations. Workers fill it row by row and read it after the next barrier.
#[derive(Default)]
pub(crate) struct Input {
    cols: usize,
    /// `cols`, up to whole blocks.
    stride: usize,
    pub(super) floats: Buffer<f32>,
    /// High bytes of a row's codes, then low bytes.
    pub(super) codes: Buffer<i8>,
    /// One a block.
    pub(super) scales: Buffer<f32>,
    /// Scale times sum of codes, one a group.
    pub(super) sums: Buffer<f32>,
    /// In tiles, see `tiled`.
    pub(super) halves: Buffer<u16>,
}

impl Input {
    /// Makes room for rows of `cols` numbers in these forms.
    pub(crate) fn reserve(&mut self, rows: usize, cols: usize, forms: &[Form]) {
        let rows = rows.next_multiple_of(ROW_TILE);
        self.cols = cols;
        self.stride = cols.next_multiple_of(BLOCK);
        for form in forms {
            match form {
                Form::F32 => self.floats.ensure(rows * cols),
                Form::Int8 { group } => {
                    self.codes.ensure(rows * 2 * self.stride);
                    self.scales.ensure(rows * self.stride / BLOCK);
                    self.sums.ensure(rows * self.stride / group);
                }
                Form::Bf16 { parts } => self.halves.ensure(rows * self.stride * parts),
            }
        }
    }

    pub(crate) fn stride(&self) -> usize {
        self.stride
    }

    /// Where the first part of a bf16 number lies: blocks of 32 inputs of 16 rows are tiles of 1 KiB, two of them 32
    /// rows; behind them lie the same rows' second parts, if there are any, and then the next 32 inputs.
    fn tiled(&self, parts: usize, row: usize, col: usize) -> usize {
        let (tile, within) = (row / ROW_TILE, row % ROW_TILE);
        (tile * self.stride + col / BLOCK * BLOCK) * ROW_TILE * parts + within * BLOCK + col % BLOCK
    }

    /// Writes some numbers of a row, beginning at a whole block.
    ///
    /// # Safety
    /// No other worker may touch these numbers before the next barrier.
    pub(crate) unsafe fn put(&self, form: Form, row: usize, first: usize, values: &[f32]) {
        // SAFETY: the caller's promise.
        unsafe { self.put_rows(form, row, first, std::iter::once(values)) };
    }

    /// The same for some rows, beginning with `row`.
    ///
    /// # Safety
    /// As for `put`.
    pub(crate) unsafe fn put_rows<'a>(
        &self,
        form: Form,
        row: usize,
        first: usize,
        rows: impl ExactSizeIterator<Item = &'a [f32]>,
    ) {
        #[cfg(target_arch = "x86_64")]
        if let Form::Bf16 { parts } = form
            && super::avx512::available()
        {
            assert!(first.is_multiple_of(BLOCK));
            assert!((row + rows.len()).next_multiple_of(ROW_TILE) * self.stride * parts <= self.halves.len());
            let rows = rows.inspect(|values| assert!(first + values.len() <= self.cols));
            // SAFETY: the CPU has what this needs. The rows were just checked to be there, and all columns of them; the
            // caller keeps others away.
            unsafe {
                let place = |at: usize| self.halves.pointer().add(self.tiled(parts, row + at, first));
                super::avx512::to_tiles(rows, parts, place, PART * parts);
            }
            return;
        }
        for (at, values) in rows.enumerate() {
            // SAFETY: the caller's promise.
            unsafe { self.put_row(form, row + at, first, values) };
        }
    }

    /// # Safety
    /// As for `put`.
    unsafe fn put_row(&self, form: Form, row: usize, first: usize, values: &[f32]) {
        debug_assert!(first.is_multiple_of(BLOCK) && first + values.len() <= self.cols);
        // SAFETY: the caller keeps others away from this part of the row; the parts of the buffers taken here
        // belong to it alone, since it begins at a whole block and only the last one of a row is cut.
        unsafe {
            match form {
                Form::F32 => {
                    let at = row * self.cols + first;
                    self.floats.part_mut(at..at + values.len()).copy_from_slice(values);
                }
                Form::Int8 { group } => {
                    let at = row * self.stride + first;
                    let len = values.len().next_multiple_of(BLOCK);
                    let high = row * 2 * self.stride + first;
                    quantize(
                        values,
                        group,
                        self.codes.part_mut(high..high + len),
                        self.codes.part_mut(high + self.stride..high + self.stride + len),
                        self.scales.part_mut(at / BLOCK..(at + len) / BLOCK),
                        self.sums.part_mut(at / group..(at + len) / group),
                    );
                }
                Form::Bf16 { parts } => {
                    for (block, values) in values.chunks(BLOCK).enumerate() {
                        let at = self.tiled(parts, row, first + block * BLOCK);
                        let mut rest = [0.0; BLOCK];
                        rest[..values.len()].copy_from_slice(values);
                        for part in 0..parts {
                            let at = at + part * PART;
                            let out = self.halves.part_mut(at..at + BLOCK);
                            round(&rest, out);
                            for (rest, out) in rest.iter_mut().zip(out) {
                                *rest -= bf16::from_bits(*out).to_f32();
                            }
                        }
                    }
                }
            }
        }
    }

    /// One number as the product sees it: for the scalar references and for single dot products.
    ///
    /// # Safety
    /// Nobody may be writing to the row.
    pub(crate) unsafe fn get(&self, form: Form, row: usize, col: usize) -> f32 {
        // SAFETY: the caller keeps writers away.
        unsafe {
            match form {
                Form::F32 => self.floats.part(row * self.cols + col..row * self.cols + col + 1)[0],
                Form::Int8 { .. } => {
                    let at = row * self.stride + col;
                    let high = row * 2 * self.stride + col;
                    let low = high + self.stride;
                    let code = HIGH * i32::from(self.codes.part(high..high + 1)[0])
                        + i32::from(self.codes.part(low..low + 1)[0]);
                    code as f32 * self.scales.part(at / BLOCK..at / BLOCK + 1)[0]
                }
                Form::Bf16 { parts } => {
                    let at = self.tiled(parts, row, col);
                    let part = |part: usize| {
                        let at = at + part * PART;
                        bf16::from_bits(self.halves.part(at..at + 1)[0]).to_f32()
                    };
                    (0..parts).map(part).sum()
                }
            }
        }
    }
}

/// What the high byte of a code counts for.
pub(crate) const HIGH: i32 = 128;

dispatch!(
    fn quantize(
        values: &[f32],
        group: usize,
        high: &mut [i8],
        low: &mut [i8],
        scales: &mut [f32],
        sums: &mut [f32],
    ) = quantize_body
);
/// To bf16, to nearest, ties to even. NaN stays NaN.
pub(super) fn round(values: &[f32], out: &mut [u16]) {
    #[cfg(target_arch = "x86_64")]
    if super::avx512::available() {
        // SAFETY: the CPU has what this needs.
        return unsafe { super::avx512::round(values, out) };
    }
    round_plain(values, out);
}

dispatch!(fn round_plain(values: &[f32], out: &mut [u16]) = round_body);

/// Symmetric codes: x is about scale * (128 * high + low), with low in -64..64 and the largest of a block at
/// 127 * 128.
#[inline(always)]
fn quantize_body<const FUSED: bool>(
    values: &[f32],
    group: usize,
    high: &mut [i8],
    low: &mut [i8],
    scales: &mut [f32],
    sums: &mut [f32],
) {
    let mut block = [0.0_f32; BLOCK];
    for (at, values) in values.chunks(BLOCK).enumerate() {
        block[..values.len()].copy_from_slice(values);
        block[values.len()..].fill(0.0);
        let mut largest = [0.0_f32; 16];
        for (at, x) in block.iter().enumerate() {
            let x = x.abs();
            largest[at % 16] = if x > largest[at % 16] { x } else { largest[at % 16] };
        }
        let largest = largest.iter().fold(0.0_f32, |max, x| if *x > max { *x } else { max });
        let scale = largest / (127 * HIGH) as f32;
        let inverse = if scale > 1e-30 { 1.0 / scale } else { 0.0 };
        scales[at] = scale;
        let range = at * BLOCK..(at + 1) * BLOCK;
        let (high, low) = (&mut high[range.clone()], &mut low[range]);
        let mut whole = [0_i32; BLOCK];
        for (((x, whole), high), low) in block.iter().zip(&mut whole).zip(high).zip(low) {
            let code = to_integer(x * inverse);
            let upper = code.wrapping_add(HIGH / 2) >> 7;
            *high = upper as i8;
            *low = code.wrapping_sub(upper << 7) as i8;
            *whole = HIGH * i32::from(*high) + i32::from(*low);
        }
        for (whole, sum) in whole.chunks(group).zip(&mut sums[at * (BLOCK / group)..]) {
            *sum = scale * whole.iter().sum::<i32>() as f32;
        }
    }
}

/// Nearest integer of a number below 2^22: adding 1.5 * 2^23 leaves it in the low bits of the mantissa.
#[inline(always)]
fn to_integer(x: f32) -> i32 {
    const ROUND: f32 = 12_582_912.0;
    (x + ROUND).to_bits().wrapping_sub(ROUND.to_bits()) as i32
}

#[inline(always)]
fn round_body<const FUSED: bool>(values: &[f32], out: &mut [u16]) {
    for (x, out) in values.iter().zip(out) {
        let bits = x.to_bits();
        let rounded = bits.wrapping_add(0x7fff + (bits >> 16 & 1)) >> 16;
        *out = if x.is_nan() { (bits >> 16 | 0x40) as u16 } else { rounded as u16 };
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn rows_come_back_nearly_as_they_went_in(
            values in proptest::collection::vec(-50.0_f32..50.0, 1..150), sixteen: bool
        ) {
            let group = if sixteen { 16 } else { 32 };
            let forms = [Form::F32, Form::Int8 { group }, Form::Bf16 { parts: 1 }, Form::Bf16 { parts: 2 }];
            let mut input = Input::default();
            input.reserve(2, values.len(), &forms);
            for form in forms {
                // SAFETY: this is the only thread.
                let got: Vec<f32> = unsafe {
                    input.put(form, 1, 0, &values);
                    (0..values.len()).map(|col| input.get(form, 1, col)).collect()
                };
                for (at, (got, want)) in got.iter().zip(&values).enumerate() {
                    let block = &values[at / BLOCK * BLOCK..values.len().min((at / BLOCK + 1) * BLOCK)];
                    let largest = block.iter().fold(0.0_f32, |max, x| max.max(x.abs()));
                    let step = match form {
                        Form::F32 => 0.0,
                        Form::Int8 { .. } => largest / 16_256.0 * 0.502,
                        Form::Bf16 { parts: 1 } => want.abs() / 256.0,
                        Form::Bf16 { .. } => want.abs() / 65536.0,
                    };
                    prop_assert!((got - want).abs() <= step, "{:?} {} {}", form, got, want);
                    if form == (Form::Bf16 { parts: 1 }) {
                        prop_assert_eq!(*got, bf16::from_f32(*want).to_f32());
                    }
                }
            }
            let (scales, sums) = (input.scales.copied(), input.sums.copied());
            let codes = input.codes.copied();
            let sum = |from: usize| -> i32 { codes[from..from + group].iter().map(|code| i32::from(*code)).sum() };
            for at in (0..input.stride).step_by(group) {
                let whole = HIGH * sum(2 * input.stride + at) + sum(3 * input.stride + at);
                let at = input.stride + at;
                prop_assert_eq!(sums[at / group], scales[at / BLOCK] * whole as f32);
            }
        }
    }

    #[test]
    fn not_a_number_stays_so() {
        let mut out = [0; 1];
        round(&[f32::NAN], &mut out);
        assert!(bf16::from_bits(out[0]).is_nan());
        // Nothing may panic on it either.
        quantize(&[f32::NAN; 3], 32, &mut [0; 32], &mut [0; 32], &mut [0.0], &mut [0.0]);
    }
}
