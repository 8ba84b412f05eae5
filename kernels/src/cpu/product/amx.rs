//! Products of bf16 numbers in AMX tiles: 32 rows by 32 outputs, 32 inputs at a time.
//!
//! The compiler has no stable names for these instructions, so they stand in assembly. A thread sets its tiles up when
//! it first needs them, and gives them back at the end of a pass, so that the system has nothing to save when it
//! switches.

use super::{Ahead, Bf16Piece, PANEL};
use crate::cpu::input::ROW_TILE;
use std::arch::asm;
use std::arch::x86_64::{__cpuid_count, _MM_HINT_T1, _mm_prefetch};
use std::cell::Cell;
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

thread_local! {
    static ON: Cell<bool> = const { Cell::new(false) };
}

/// Sets this thread's tiles up, if they aren't.
///
/// # Safety
/// The CPU has AMX.
pub(crate) unsafe fn on() {
    if !ON.replace(true) {
        // SAFETY: reads the configuration; the tiles hold nothing yet.
        unsafe { asm!("ldtilecfg [{}]", in(reg) &raw const TILES, options(nostack, readonly)) };
    }
}

/// Gives this thread's tiles back, if they were set up.
pub(crate) fn off() {
    if ON.replace(false) {
        // SAFETY: they were set up, so the CPU has them; between two products they hold nothing.
        unsafe { asm!("tilerelease", options(nostack, nomem)) };
    }
}

/// Lines that each step of [`tile`] fetches ahead.
const LINES: usize = 2;

/// # Safety
/// The CPU has AMX; the piece's pointers reach as far as its sizes say, its inputs in whole tiles of rows; `out` has
/// room for whole tiles of rows.
pub(super) unsafe fn bf16(piece: &Bf16Piece, panels: Range<usize>, ahead: Ahead, out: &mut [f32]) {
    let width = panels.len() * PANEL;
    let rows = piece.rows.next_multiple_of(ROW_TILE);
    assert!(out.len() >= rows * width);
    let steps = piece.stride / 32;
    // SAFETY: the caller's promise.
    unsafe { on() };
    for (at, panel) in panels.clone().enumerate() {
        let ahead = if panel + 1 < panels.end { Ahead { panel: panel + 1, ..Ahead::NONE } } else { ahead };
        // A panel has as many lines as it has inputs; they are fetched evenly, tile by tile.
        let share = piece.stride / ahead.parts / (rows / ROW_TILE).max(1);
        for row in (0..rows).step_by(ROW_TILE) {
            let first = ahead.part * piece.stride / ahead.parts + row / ROW_TILE * share;
            let fetch = piece.weights.wrapping_add(ahead.panel * piece.panel() + first * 32);
            for line in LINES * steps..share {
                // SAFETY: a hint that no address can make fault.
                unsafe { _mm_prefetch::<_MM_HINT_T1>(fetch.wrapping_add(line * 32).cast()) };
            }
            // SAFETY: the caller's promises; the rows of `out` were just checked to be there.
            unsafe {
                tile(
                    Rows::tiled(piece.inputs.add(row * piece.stride)),
                    piece.weights.add(panel * piece.panel()),
                    steps,
                    fetch,
                    out.as_mut_ptr().add(row * width + at * PANEL),
                    width * 4,
                );
            }
        }
    }
}

/// 32 rows of an operand, 32 numbers a step.
#[derive(Clone, Copy)]
pub(crate) struct Rows {
    pub(crate) at: *const u16,
    /// Bytes from row to row.
    pub(crate) stride: usize,
    /// Bytes from the first 16 rows to the last 16.
    pub(crate) low: usize,
    /// Bytes from step to step.
    pub(crate) step: usize,
}

impl Rows {
    /// Rows one behind the other.
    pub(crate) fn plain(at: *const u16, stride: usize) -> Self {
        Self { at, stride, low: 16 * stride, step: 64 }
    }

    /// Rows in tiles: what a product's inputs are laid out in.
    fn tiled(at: *const u16) -> Self {
        Self { at, stride: 64, low: 1024, step: 2048 }
    }
}

/// out (32 rows, 32 columns) = a . b, where `b` is `steps` pairs of tiles, one behind the other.
///
/// `out_stride` is bytes from row to row. The first lines at `ahead`, [`LINES`] a step, are fetched into the second
/// cache meanwhile; any address will do.
///
/// # Safety
/// This thread's tiles are [`on`], and all of these addresses are within the caller's buffers.
pub(crate) unsafe fn tile(
    a: Rows,
    b: *const u16,
    steps: usize,
    ahead: *const u16,
    out: *mut f32,
    out_stride: usize,
) {
    // SAFETY: reads 32 rows of `a` and `2 * steps` tiles of `b`, writes 32 rows of `out`.
    unsafe {
        asm!(
            "tilezero tmm0",
            "tilezero tmm1",
            "tilezero tmm2",
            "tilezero tmm3",
            "2:",
            "tileloadd tmm4, [{a} + {a_stride}*1]",
            "tileloadd tmm6, [{b} + {line}*1]",
            "tileloadd tmm7, [{b} + {line}*1 + 1024]",
            "tdpbf16ps tmm0, tmm4, tmm6",
            "tileloadd tmm5, [{low} + {a_stride}*1]",
            "tdpbf16ps tmm1, tmm4, tmm7",
            "tdpbf16ps tmm2, tmm5, tmm6",
            "tdpbf16ps tmm3, tmm5, tmm7",
            "prefetcht1 [{ahead}]",
            "prefetcht1 [{ahead} + 64]",
            "add {ahead}, 128",
            "add {a}, {a_step}",
            "add {low}, {a_step}",
            "add {b}, 2048",
            "dec {steps}",
            "jnz 2b",
            "tilestored [{out} + {out_stride}*1], tmm0",
            "tilestored [{out} + {out_stride}*1 + 64], tmm1",
            "tilestored [{out_low} + {out_stride}*1], tmm2",
            "tilestored [{out_low} + {out_stride}*1 + 64], tmm3",
            a = inout(reg) a.at => _,
            low = inout(reg) a.at.byte_add(a.low) => _,
            a_stride = in(reg) a.stride,
            a_step = in(reg) a.step,
            b = inout(reg) b => _,
            ahead = inout(reg) ahead => _,
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

/// Products in registers alone, for the benchmarks' yardstick; gives the number of operations.
///
/// # Safety
/// The CPU has AMX.
pub(crate) unsafe fn spin(loops: u64) -> f64 {
    // SAFETY: touches the tiles only, which are set up first.
    unsafe {
        on();
        asm!(
            "2:",
            "tdpbf16ps tmm0, tmm4, tmm6",
            "tdpbf16ps tmm1, tmm4, tmm7",
            "tdpbf16ps tmm2, tmm5, tmm6",
            "tdpbf16ps tmm3, tmm5, tmm7",
            "dec {loops}",
            "jnz 2b",
            loops = inout(reg) loops.max(1) => _,
            out("tmm0") _, out("tmm1") _, out("tmm2") _, out("tmm3") _,
            out("tmm4") _, out("tmm5") _, out("tmm6") _, out("tmm7") _,
            options(nostack),
        );
    }
    (loops.max(1) * 4 * 2 * 16 * 16 * 32) as f64
}
