//! From the file's rows to panels, once, when a model is loaded.

#[cfg(all(target_arch = "x86_64", target_os = "linux"))]
use super::coded::Layout;
use super::{Data, PANEL, Packed};
use crate::backend::BackendError;
use crate::cpu::buffer::Buffer;
use crate::cpu::detect::Instructions;
use crate::cpu::input::{BLOCK, Form, round};
use crate::cpu::team::{Operation, Team};
use crate::weights::{Format, Matrix};
use half::bf16;

impl Packed {
    /// Packs matrices of the same width, one below the other.
    pub(crate) fn pack(
        parts: &[&Matrix],
        form: Form,
        instructions: Instructions,
        team: &Team,
    ) -> Result<Self, BackendError> {
        let cols = parts.first().map_or(0, |part| part.cols());
        let rows: usize = parts.iter().map(|part| part.rows()).sum();
        if rows == 0 || parts.iter().any(|part| part.cols() != cols) {
            return Err(BackendError::Weights("matrices of different widths can't be joined".to_owned()));
        }
        let stride = cols.next_multiple_of(BLOCK);
        let panels = rows.div_ceil(PANEL);
        let data = match form {
            Form::F32 => Data::F32(Buffer::zeroed(rows * cols)),
            Form::Int8 { group } => Data::Int8 {
                codes: Buffer::zeroed(panels * PANEL * stride),
                scales: Buffer::zeroed(panels * 2 * PANEL * stride / group),
                wide: wide(parts),
            },
            #[cfg(all(target_arch = "x86_64", target_os = "linux"))]
            Form::Bf16 { .. }
                if instructions == Instructions::Amx
                    && let Some(layout) = Layout::of(parts) =>
            {
                let bytes = Buffer::zeroed(panels * stride / BLOCK * layout.step());
                Data::Coded { bytes, layout }
            }
            Form::Bf16 { .. } => Data::Bf16(Buffer::zeroed(panels * PANEL * stride)),
        };
        let packed = Self { form, instructions, rows, cols, data };
        team.run(|worker| {
            let mut scratch = Scratch::new(stride);
            worker.each(Operation::Embed, panels, |panel| {
                let outputs = panel * PANEL..((panel + 1) * PANEL).min(rows);
                for output in outputs {
                    let (part, row) = place(parts, output);
                    // SAFETY: no other worker has this panel.
                    unsafe { packed.write(part, row, output, &mut scratch) };
                }
            });
        })?;
        Ok(packed)
    }

    /// # Safety
    /// No other worker may touch the output's panel.
    unsafe fn write(&self, part: &Matrix, row: usize, output: usize, scratch: &mut Scratch) {
        let stride = self.cols.next_multiple_of(BLOCK);
        let (panel, within) = (output / PANEL, output % PANEL);
        match &self.data {
            Data::F32(values) => {
                let range = output * self.cols..(output + 1) * self.cols;
                // SAFETY: the row is part of this worker's panel.
                part.row(row, unsafe { values.part_mut(range) });
            }
            Data::Int8 { codes, scales, .. } => {
                let group = self.form.group();
                scratch.codes(part, row, group);
                let size = PANEL * stride;
                // SAFETY: the panel is this worker's.
                let codes = unsafe { codes.part_mut(panel * size..(panel + 1) * size) };
                for (quad, bytes) in scratch.codes.chunks(4).enumerate() {
                    let at = (quad * PANEL + within) * 4;
                    codes[at..at + 4].copy_from_slice(bytes);
                }
                let size = 2 * PANEL * stride / group;
                // SAFETY: the panel is this worker's.
                let scales = unsafe { scales.part_mut(panel * size..(panel + 1) * size) };
                for at in 0..self.cols.div_ceil(group) {
                    scales[at * 2 * PANEL + within] = scratch.scales[at];
                    scales[at * 2 * PANEL + PANEL + within] = scratch.mins[at];
                }
            }
            #[cfg(all(target_arch = "x86_64", target_os = "linux"))]
            Data::Coded { bytes, layout } => {
                scratch.codes(part, row, layout.group());
                let size = stride / BLOCK * layout.step();
                // SAFETY: the panel is this worker's.
                let bytes = unsafe { bytes.part_mut(panel * size..(panel + 1) * size) };
                let groups = self.cols.div_ceil(layout.group());
                let (scales, mins) = (&scratch.scales[..groups], &scratch.mins[..groups]);
                layout.put(bytes, within, &scratch.codes[..self.cols], scales, mins);
            }
            Data::Bf16(halves) => {
                part.row(row, &mut scratch.floats[..self.cols]);
                round(&scratch.floats, &mut scratch.halves);
                let size = PANEL * stride;
                // SAFETY: the panel is this worker's.
                let halves = unsafe { halves.part_mut(panel * size..(panel + 1) * size) };
                for (pair, values) in scratch.halves.chunks(2).enumerate() {
                    let at = bf16_place(pair * 2, within);
                    halves[at..at + 2].copy_from_slice(values);
                }
            }
        }
    }

    /// One number of the matrix as it was packed.
    pub(super) fn weight(&self, output: usize, col: usize) -> f32 {
        let stride = self.cols.next_multiple_of(BLOCK);
        let (panel, within) = (output / PANEL, output % PANEL);
        // SAFETY: a packed matrix is never written to again.
        unsafe {
            match &self.data {
                Data::F32(values) => {
                    let at = output * self.cols + col;
                    values.part(at..at + 1)[0]
                }
                Data::Int8 { codes, scales, .. } => {
                    let group = self.form.group();
                    let at = panel * PANEL * stride + (col / 4 * PANEL + within) * 4 + col % 4;
                    let code = f32::from(codes.part(at..at + 1)[0]);
                    let at = panel * 2 * PANEL * stride / group + col / group * 2 * PANEL + within;
                    let scales = scales.part(at..at + PANEL + 1);
                    scales[0] * code + scales[PANEL]
                }
                Data::Bf16(halves) => {
                    let at = panel * PANEL * stride + bf16_place(col, within);
                    bf16::from_bits(halves.part(at..at + 1)[0]).to_f32()
                }
                #[cfg(all(target_arch = "x86_64", target_os = "linux"))]
                Data::Coded { bytes, layout } => {
                    let size = stride / BLOCK * layout.step();
                    layout.get(bytes.part(panel * size..(panel + 1) * size), within, col)
                }
            }
        }
    }
}

/// Where in a bf16 panel the number of an input and an output lies.
fn bf16_place(col: usize, within: usize) -> usize {
    let (step, pair, which) = (col / 32, col % 32 / 2, col % 2);
    ((step * 2 + within / 16) * 16 + pair) * 32 + within % 16 * 2 + which
}

/// The shortest group of all parts: what the joined matrix must have.
pub(crate) fn joint_group(parts: &[&Matrix]) -> usize {
    parts.iter().map(|part| part.format().group()).min().unwrap_or(BLOCK)
}

/// Whether a code can be above 127: formats of 4 to 6 bits stay below.
pub(crate) fn wide(parts: &[&Matrix]) -> bool {
    let wide = |format| matches!(format, Format::F32 | Format::F16 | Format::BF16 | Format::Q8_0);
    parts.iter().any(|part| wide(part.format()))
}

fn place<'a>(parts: &[&'a Matrix], output: usize) -> (&'a Matrix, usize) {
    let mut row = output;
    for part in parts {
        if row < part.rows() {
            return (part, row);
        }
        row -= part.rows();
    }
    unreachable!("an output lies in one of the parts")
}

struct Scratch {
    floats: Vec<f32>,
    halves: Vec<u16>,
    codes: Vec<u8>,
    scales: Vec<f32>,
    mins: Vec<f32>,
}

impl Scratch {
    fn new(stride: usize) -> Self {
        Self {
            floats: vec![0.0; stride],
            halves: vec![0; stride],
            codes: vec![0; stride],
            scales: vec![0.0; stride / 16],
            mins: vec![0.0; stride / 16],
        }
    }

    /// A row's codes, and a scale and a minimum for each `group` of them.
    fn codes(&mut self, part: &Matrix, row: usize, group: usize) {
        let groups = part.cols().div_ceil(part.format().group());
        self.codes.fill(0);
        part.codes(row, &mut self.codes, &mut self.scales[..groups], &mut self.mins[..groups]);
        // A part with longer groups gives each of its scales to several groups.
        let repeat = part.format().group() / group;
        if repeat > 1 {
            for at in (0..part.cols().div_ceil(group)).rev() {
                self.scales[at] = self.scales[at / repeat];
                self.mins[at] = self.mins[at / repeat];
            }
        }
    }
}
