//! Products with a matrix that was packed once: rows of activations in, tiles of sums out.
//!
//! A packed matrix lies in panels of [`PANEL`] outputs, so that the innermost loop reads it front to back. One
//! call makes the sums of some rows with some panels; the caller splits a product into such pieces and does with
//! each what comes next, while it is still in the cache.

#[cfg(all(target_arch = "x86_64", target_os = "linux"))]
pub(super) mod amx;
#[cfg(target_arch = "x86_64")]
mod avx2;
#[cfg(target_arch = "x86_64")]
mod avx512;
#[cfg(all(target_arch = "x86_64", target_os = "linux"))]
mod coded;
mod pack;
pub(crate) use pack::{joint_group, wide};
mod scalar;
#[cfg(test)]
mod tests;

use super::buffer::Buffer;
use super::detect::Instructions;
use super::float::{Strided, multiply};
use super::input::{Form, Input};
use std::ops::Range;

/// Outputs in a panel.
pub(crate) const PANEL: usize = 32;

/// Where a piece of a product goes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Out {
    pub(crate) at: *mut f32,
    /// Numbers from row to row.
    pub(crate) stride: usize,
    /// Add to what stands there.
    pub(crate) add: bool,
}

impl Out {
    /// # Safety
    /// The place is within the buffer.
    unsafe fn from(self, row: usize, column: usize) -> Self {
        // SAFETY: the caller's promise.
        Self { at: unsafe { self.at.add(row * self.stride + column) }, ..self }
    }

    /// # Safety
    /// The place is this caller's alone.
    unsafe fn put(self, sum: f32) {
        // SAFETY: the caller's promise.
        unsafe { *self.at = if self.add { *self.at + sum } else { sum } };
    }
}

/// A matrix, or several of the same width one below the other, in the layout of its [`Form`].
pub(crate) struct Packed {
    form: Form,
    instructions: Instructions,
    rows: usize,
    cols: usize,
    data: Data,
}

enum Data {
    /// Row by row, as it came.
    F32(Buffer<f32>),
    Int8 {
        /// Panel, four inputs, output, input: the order in which `vpdpbusd` takes them.
        codes: Buffer<u8>,
        /// Panel, group, then the scales of 32 outputs and the minima of 32 outputs.
        scales: Buffer<f32>,
        /// Whether a code can be above 127.
        wide: bool,
    },
    /// Panel, 32 inputs, half of the panel, pair of inputs, output, input: the order in which AMX takes them.
    Bf16(Buffer<u16>),
    /// Codes that become the same, see there.
    #[cfg(all(target_arch = "x86_64", target_os = "linux"))]
    Coded { bytes: Buffer<u8>, layout: coded::Layout },
}

impl Packed {
    /// Outputs.
    pub(crate) fn rows(&self) -> usize {
        self.rows
    }

    /// Inputs.
    pub(crate) fn cols(&self) -> usize {
        self.cols
    }

    /// The form in which it wants its inputs.
    pub(crate) fn form(&self) -> Form {
        self.form
    }

    /// Panels, the last one perhaps filled up with zeros.
    pub(crate) fn panels(&self) -> usize {
        self.rows.div_ceil(PANEL)
    }

    /// Memory.
    pub(crate) fn bytes(&self) -> usize {
        match &self.data {
            Data::F32(values) => values.bytes(),
            Data::Int8 { codes, scales, .. } => codes.bytes() + scales.bytes(),
            Data::Bf16(halves) => halves.bytes(),
            #[cfg(all(target_arch = "x86_64", target_os = "linux"))]
            Data::Coded { bytes, .. } => bytes.bytes(),
        }
    }

    /// Panels that one piece of a product had best take: one, but for f32, whose product packs its inputs anew in
    /// every call.
    pub(crate) fn panels_at_once(&self) -> usize {
        if self.form == Form::F32 { 8 } else { 1 }
    }

    /// out\[row\]\[output\] = input\[row\] . matrix\[output\], for rows of `input` and panels of the matrix.
    ///
    /// A row of `out` is `PANEL` numbers for each panel. `out` has room for `rows` up to whole tiles of
    /// [`super::input::ROW_TILE`]; what is written behind the last row has no meaning. `rows` begins at a whole tile.
    /// `next` is the panel that is likely to be asked for next: it may be fetched into the cache meanwhile.
    ///
    /// # Safety
    /// `input` holds the rows in this matrix's form, and nobody writes to it meanwhile.
    pub(crate) unsafe fn tile(
        &self,
        input: &Input,
        rows: Range<usize>,
        panels: Range<usize>,
        next: usize,
        out: &mut [f32],
    ) {
        let width = panels.len() * PANEL;
        assert!(out.len() >= rows.len().next_multiple_of(super::input::ROW_TILE) * width);
        let out = Out { at: out.as_mut_ptr(), stride: width, add: false };
        // SAFETY: the caller's promises; there is room for whole tiles of rows of all panels.
        unsafe { self.tile_to(input, rows, panels, next, out) };
    }

    /// The same into, or onto, a larger matrix.
    ///
    /// # Safety
    /// As for `tile`; and `out` has room for whole tiles of rows of all of these panels, and nobody else uses it.
    pub(crate) unsafe fn tile_to(
        &self,
        input: &Input,
        rows: Range<usize>,
        panels: Range<usize>,
        next: usize,
        out: Out,
    ) {
        let _ = next;
        assert!(panels.end <= self.panels());
        // SAFETY: the caller's promises are those that each of these asks for; the instructions were found
        // available when the matrix was packed.
        unsafe {
            match &self.data {
                Data::F32(values) => self.float(values, input, rows, panels, out),
                Data::Int8 { codes, scales, wide } => {
                    let piece = Int8Piece::new(self, input, rows, codes, scales);
                    match self.instructions {
                        #[cfg(target_arch = "x86_64")]
                        Instructions::Avx2 => avx2::int8(&piece, panels, *wide, out),
                        #[cfg(target_arch = "x86_64")]
                        Instructions::Avx512Vnni | Instructions::Avx512Bf16 | Instructions::Amx => {
                            avx512::int8(&piece, panels, out);
                        }
                        _ => {
                            let _ = wide;
                            scalar::int8(&piece, panels, out);
                        }
                    }
                }
                Data::Bf16(halves) => {
                    let piece = Bf16Piece::new(self, input, rows);
                    match self.instructions {
                        #[cfg(target_arch = "x86_64")]
                        Instructions::Avx512Bf16 => avx512::bf16(&piece, halves.pointer(), panels, out),
                        #[cfg(all(target_arch = "x86_64", target_os = "linux"))]
                        Instructions::Amx => {
                            amx::bf16(&piece, amx::Columns::Bf16(halves.pointer()), panels, next, out);
                        }
                        _ => scalar::bf16(&piece, halves.pointer(), panels, out),
                    }
                }
                #[cfg(all(target_arch = "x86_64", target_os = "linux"))]
                Data::Coded { bytes, layout } => {
                    let piece = Bf16Piece::new(self, input, rows);
                    let columns = amx::Columns::Coded(bytes.pointer(), *layout);
                    amx::bf16(&piece, columns, panels, next, out);
                }
            }
        }
    }

    /// One sum alone: the target's logit. Rounded a little otherwise than in [`Packed::tile`].
    ///
    /// # Safety
    /// As for `tile`.
    pub(crate) unsafe fn dot(&self, input: &Input, row: usize, output: usize) -> f32 {
        // SAFETY: the caller's promise.
        let sum: f64 = (0..self.cols)
            .map(|col| {
                f64::from(unsafe { input.get(self.form, row, col) }) * f64::from(self.weight(output, col))
            })
            .sum();
        sum as f32
    }

    unsafe fn float(
        &self,
        values: &Buffer<f32>,
        input: &Input,
        rows: Range<usize>,
        panels: Range<usize>,
        out: Out,
    ) {
        let outputs = panels.start * PANEL..(panels.end * PANEL).min(self.rows);
        let dim = self.cols;
        assert!(rows.end * dim <= input.floats.len());
        // SAFETY: the input's rows were just checked to be there, `outputs` are rows of this matrix, and the caller
        // made room in `out`.
        unsafe {
            let inputs = Strided { at: input.floats.pointer().add(rows.start * dim), stride: dim };
            let weights = Strided { at: values.pointer().add(outputs.start * dim), stride: dim };
            multiply((rows.len(), dim, outputs.len()), inputs, weights, true, (out.at, out.stride, out.add));
        }
    }
}

/// What the 8-bit products share: where the operands begin and how far apart their rows lie.
struct Int8Piece {
    rows: usize,
    group: usize,
    groups: usize,
    /// Row by row: `groups * group` high bytes, then as many low ones.
    inputs: *const i8,
    /// One a block of 32 inputs.
    input_scales: *const f32,
    blocks: usize,
    /// One a group.
    input_sums: *const f32,
    codes: *const u8,
    scales: *const f32,
}

impl Int8Piece {
    fn new(
        packed: &Packed,
        input: &Input,
        rows: Range<usize>,
        codes: &Buffer<u8>,
        scales: &Buffer<f32>,
    ) -> Self {
        let (group, stride) = (packed.form.group(), input.stride());
        let (groups, blocks) = (stride / group, stride / super::input::BLOCK);
        assert!(stride == packed.cols.next_multiple_of(super::input::BLOCK));
        assert!(rows.end * 2 * stride <= input.codes.len() && rows.end * groups <= input.sums.len());
        assert!(rows.end * blocks <= input.scales.len());
        // SAFETY: the rows were just checked to lie in the buffers.
        unsafe {
            Self {
                rows: rows.len(),
                group,
                groups,
                inputs: input.codes.pointer().add(rows.start * 2 * stride),
                input_scales: input.scales.pointer().add(rows.start * blocks),
                blocks,
                input_sums: input.sums.pointer().add(rows.start * groups),
                codes: codes.pointer(),
                scales: scales.pointer(),
            }
        }
    }

    fn stride(&self) -> usize {
        self.groups * self.group
    }

    /// Bytes of a panel's codes, numbers of a panel's scales and minima.
    fn panel(&self) -> (usize, usize) {
        (self.stride() * PANEL, self.groups * 2 * PANEL)
    }
}

/// The rows of a bf16 product.
struct Bf16Piece {
    rows: usize,
    /// Of the inputs.
    parts: usize,
    /// Inputs up to whole steps of 32.
    stride: usize,
    inputs: *const u16,
}

impl Bf16Piece {
    fn new(packed: &Packed, input: &Input, rows: Range<usize>) -> Self {
        let (parts, stride) = (packed.form.parts(), input.stride());
        assert!(stride == packed.cols.next_multiple_of(super::input::BLOCK));
        let whole = rows.start + rows.len().next_multiple_of(super::input::ROW_TILE);
        assert!(whole * stride * parts <= input.halves.len());
        Self {
            rows: rows.len(),
            parts,
            stride,
            // SAFETY: the rows were just checked to lie in the buffer.
            inputs: unsafe { input.halves.pointer().add(rows.start * stride * parts) },
        }
    }

    fn panel(&self) -> usize {
        self.stride * PANEL
    }

    /// Where a part of a row's numbers of a step of 32 lies; a row more is 32 numbers on, up to whole tiles.
    fn input(&self, row: usize, step: usize, part: usize) -> usize {
        let tile = super::input::ROW_TILE;
        (row / tile * self.stride + step * 32) * tile * self.parts
            + part * super::input::PART
            + row % tile * 32
    }
}
