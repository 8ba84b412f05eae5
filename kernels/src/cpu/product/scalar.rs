//! The reference: one sum after another.

use super::{Bf16Piece, Int8Piece, Out, PANEL};
use crate::cpu::input::HIGH;
use half::bf16;
use std::ops::Range;

/// # Safety
/// The piece's pointers reach as far as its sizes say; `out` has room.
pub(super) unsafe fn int8(piece: &Int8Piece, panels: Range<usize>, out: Out) {
    let (panel_codes, panel_scales) = piece.panel();
    for row in 0..piece.rows {
        for (at, panel) in panels.clone().enumerate() {
            for within in 0..PANEL {
                let mut sum = 0.0_f32;
                for group in 0..piece.groups {
                    // SAFETY: all indices are below the sizes that the piece was made with.
                    unsafe {
                        let mut whole = 0_i32;
                        for col in group * piece.group..(group + 1) * piece.group {
                            let high = piece.inputs.add(row * 2 * piece.stride() + col);
                            let low = high.add(piece.stride());
                            let input = HIGH * i32::from(*high) + i32::from(*low);
                            let at = panel * panel_codes + (col / 4 * PANEL + within) * 4 + col % 4;
                            whole += input * i32::from(*piece.codes.add(at));
                        }
                        let scales = piece.scales.add(panel * panel_scales + group * 2 * PANEL + within);
                        let block = group * piece.group / 32;
                        let scale = *piece.input_scales.add(row * piece.blocks + block);
                        sum += whole as f32 * scale * *scales;
                        sum += *scales.add(PANEL) * *piece.input_sums.add(row * piece.groups + group);
                    }
                }
                // SAFETY: the caller's promise.
                unsafe { out.from(row, at * PANEL + within).put(sum) };
            }
        }
    }
}

/// # Safety
/// The piece's pointers reach as far as its sizes say; `out` has room.
pub(super) unsafe fn bf16(piece: &Bf16Piece, weights: *const u16, panels: Range<usize>, out: Out) {
    for row in 0..piece.rows {
        for (at, panel) in panels.clone().enumerate() {
            let mut sums = [0.0_f32; PANEL];
            for col in 0..piece.stride {
                // SAFETY: all indices are below the sizes that the piece was made with.
                unsafe {
                    let part = |part: usize| {
                        let at = piece.input(row, col / 32, part) + col % 32;
                        bf16::from_bits(*piece.inputs.add(at)).to_f32()
                    };
                    let input: f32 = (0..piece.parts).map(part).sum();
                    let step = weights.add(panel * piece.panel() + col / 32 * 1024 + col % 32 / 2 * 32);
                    for (within, sum) in sums.iter_mut().enumerate() {
                        let weight = *step.add(within / 16 * 512 + within % 16 * 2 + col % 2);
                        *sum += input * bf16::from_bits(weight).to_f32();
                    }
                }
            }
            for (within, sum) in sums.into_iter().enumerate() {
                // SAFETY: the caller's promise.
                unsafe { out.from(row, at * PANEL + within).put(sum) };
            }
        }
    }
}
