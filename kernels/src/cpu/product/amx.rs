//! Products of bf16 numbers in AMX tiles: 32 rows by 32 outputs, 32 inputs at a time.
//!
//! The compiler has no stable names for these instructions, so they stand in assembly. Each piece sets the tiles up
//! and gives them back: that costs a few dozen cycles, and leaves nothing for the system to save when it switches.

use super::{Bf16Piece, PANEL};
use crate::cpu::input::ROW_TILE;
use std::arch::asm;
use std::arch::x86_64::__cpuid_count;
use std::ops::Range;
use std::sync::OnceLock;

/// Eight tiles of 16 rows of 64 bytes (Intel SDM, LDTILECFG, palette 1).
#[repr(C, align(64))]
pub(crate) struct TileConfig([u8; 64]);

pub(crate) static TILES: TileConfig = TileConfig({
    let mut bytes = [0; 64];
    bytes[0] = 1;
    let mut tile = 0;
    while tile < 8 {
        bytes[16 + 2 * tile] = 64;
        bytes[48 + tile] = 16;
        tile += 1;
    }
    bytes
});

/// Whether the CPU has tiles with bf16 and Linux lets this process use them.
pub(crate) fn available() -> bool {
    static AVAILABLE: OnceLock<bool> = OnceLock::new();
    *AVAILABLE.get_or_init(|| {
        // CPUID leaf 7: EDX bit 22 is AMX-BF16, bit 24 AMX-TILE.
        let features = __cpuid_count(7, 0).edx;
        features >> 22 & 1 == 1 && features >> 24 & 1 == 1 && permitted()
    })
}

/// Asks for the tiles' state: arch_prctl(ARCH_REQ_XCOMP_PERM, XFEATURE_XTILEDATA), for all threads of the process.
fn permitted() -> bool {
    const ARCH_PRCTL: i64 = 158;
    const REQUEST_PERMISSION: u64 = 0x1023;
    const TILE_DATA: u64 = 18;
    let result: i64;
    // SAFETY: the call reads and writes no memory of ours; the registers that `syscall` changes are named.
    unsafe {
        asm!(
            "syscall",
            inlateout("rax") ARCH_PRCTL => result,
            in("rdi") REQUEST_PERMISSION,
            in("rsi") TILE_DATA,
            lateout("rcx") _,
            lateout("r11") _,
            options(nostack),
        );
    }
    result == 0
}

/// # Safety
/// The CPU has AMX; the piece's pointers reach as far as its sizes say, its inputs in whole tiles of rows; `out` has
/// room for whole tiles of rows.
pub(super) unsafe fn bf16(piece: &Bf16Piece, panels: Range<usize>, out: &mut [f32]) {
    let width = panels.len() * PANEL;
    let rows = piece.rows.next_multiple_of(ROW_TILE);
    assert!(out.len() >= rows * width);
    let steps = piece.stride / 32;
    for (at, panel) in panels.enumerate() {
        for row in (0..rows).step_by(ROW_TILE) {
            // SAFETY: the caller's promises; the rows of `out` were just checked to be there.
            unsafe {
                tile(
                    piece.inputs.add(row * piece.stride),
                    piece.stride * 2,
                    piece.weights.add(panel * piece.panel()),
                    1024,
                    steps,
                    out.as_mut_ptr().add(row * width + at * PANEL),
                    width * 4,
                );
            }
        }
    }
}

/// out (32 rows, 32 columns) = a (32 rows) . b (`steps` pairs of tiles, one behind the other).
///
/// `a_stride` and `out_stride` are bytes from row to row; `b_apart` is bytes from the tile of the first 16 columns
/// to that of the last 16, and half of what a step takes.
///
/// # Safety
/// The CPU has AMX, and all of these addresses are within the caller's buffers.
pub(crate) unsafe fn tile(
    a: *const u16,
    a_stride: usize,
    b: *const u16,
    b_apart: usize,
    steps: usize,
    out: *mut f32,
    out_stride: usize,
) {
    // SAFETY: reads 32 rows of `a` and `2 * steps` tiles of `b`, writes 32 rows of `out`; sets the tiles up first
    // and gives them back at the end.
    unsafe {
        asm!(
            "ldtilecfg [{config}]",
            "tilezero tmm0",
            "tilezero tmm1",
            "tilezero tmm2",
            "tilezero tmm3",
            "2:",
            "tileloadd tmm4, [{a} + {a_stride}*1]",
            "tileloadd tmm6, [{b} + {line}*1]",
            "tileloadd tmm7, [{right} + {line}*1]",
            "tdpbf16ps tmm0, tmm4, tmm6",
            "tileloadd tmm5, [{low} + {a_stride}*1]",
            "tdpbf16ps tmm1, tmm4, tmm7",
            "tdpbf16ps tmm2, tmm5, tmm6",
            "tdpbf16ps tmm3, tmm5, tmm7",
            "add {a}, 64",
            "add {low}, 64",
            "add {b}, {b_step}",
            "add {right}, {b_step}",
            "dec {steps}",
            "jnz 2b",
            "tilestored [{out} + {out_stride}*1], tmm0",
            "tilestored [{out} + {out_stride}*1 + 64], tmm1",
            "tilestored [{out_low} + {out_stride}*1], tmm2",
            "tilestored [{out_low} + {out_stride}*1 + 64], tmm3",
            "tilerelease",
            config = in(reg) &raw const TILES,
            a = inout(reg) a => _,
            low = inout(reg) a.byte_add(16 * a_stride) => _,
            a_stride = in(reg) a_stride,
            b = inout(reg) b => _,
            right = inout(reg) b.byte_add(b_apart) => _,
            b_step = in(reg) 2 * b_apart,
            line = in(reg) 64_usize,
            steps = inout(reg) steps => _,
            out = in(reg) out,
            out_low = in(reg) out.byte_add(16 * out_stride),
            out_stride = in(reg) out_stride,
            out("tmm0") _, out("tmm1") _, out("tmm2") _, out("tmm3") _,
            out("tmm4") _, out("tmm5") _, out("tmm6") _, out("tmm7") _,
            options(nostack),
        );
    }
}
