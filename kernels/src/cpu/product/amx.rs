//! Products of bf16 numbers in AMX tiles: 32 rows by 32 outputs, 32 inputs at a time.
//!
//! The compiler has no stable names for these instructions, so they stand in assembly. A thread sets its tiles up when
//! it first needs them, and gives them back at the end of a pass, so that the system has nothing to save when it
//! switches.

use super::{Bf16Piece, Out, PANEL, coded};
use crate::cpu::input::{BLOCK, ROW_TILE};
use std::arch::asm;
use std::arch::x86_64::{__cpuid_count, _MM_HINT_T1, _mm_prefetch};
use std::cell::Cell;
use std::mem::MaybeUninit;
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

/// Lines that each step of [`Passing`] fetches ahead.
const LINES: usize = 2;
/// Steps whose columns stay in the first cache, beside the sums: 36 KiB.
const MOST_STEPS: usize = 18;

/// A packed matrix.
#[derive(Clone, Copy)]
pub(super) enum Columns {
    Bf16(*const u16),
    Coded(*const u8, coded::Layout),
}

impl Columns {
    /// Where it begins, and the bytes of a step.
    fn steps(self) -> (*const u8, usize) {
        match self {
            Self::Bf16(at) => (at.cast(), BLOCK * PANEL * 2),
            Self::Coded(at, layout) => (at, layout.step()),
        }
    }
}

/// Steps of columns that were codes, in bf16.
#[repr(align(64))]
struct Expanded(MaybeUninit<[u16; MOST_STEPS * BLOCK * PANEL]>);

/// # Safety
/// The CPU has AMX; the piece's inputs reach as far as its sizes say, in whole tiles of rows; `columns` has these panels
/// of the piece's width and the one that is `next`; `out` has room for whole tiles of rows.
pub(super) unsafe fn bf16(piece: &Bf16Piece, columns: Columns, panels: Range<usize>, next: usize, out: Out) {
    let rows = piece.rows.next_multiple_of(ROW_TILE);
    let steps = piece.stride / BLOCK;
    // Steps of a pass over the rows: their columns stay in the first cache.
    let most = steps.div_ceil(steps.div_ceil(MOST_STEPS));
    let (begin, step_bytes) = columns.steps();
    let panel_bytes = steps * step_bytes;
    let mut expanded = Expanded(MaybeUninit::uninit());
    // SAFETY: the caller's promise.
    unsafe { on() };
    for (at, panel) in panels.clone().enumerate() {
        let next = if panel + 1 < panels.end { panel + 1 } else { next };
        // Of the next panel's lines each step fetches some, and what is left at the end comes at once.
        let (ahead, mut fetched) = (begin.wrapping_add(next * panel_bytes), 0);
        for first in (0..steps).step_by(most) {
            let steps = most.min(steps - first);
            // SAFETY: the caller's promise; `most` steps fit into `expanded`.
            let stretch = unsafe {
                match columns {
                    Columns::Bf16(at) => at.add(panel * piece.panel() + first * PANEL * BLOCK),
                    Columns::Coded(at, layout) => {
                        let from = at.add(panel * panel_bytes + first * step_bytes);
                        layout.expand(from, steps, expanded.0.as_mut_ptr().cast());
                        expanded.0.as_ptr().cast()
                    }
                }
            };
            for row in (0..rows).step_by(ROW_TILE) {
                // SAFETY: the caller's promises.
                unsafe {
                    let stretch = Passing {
                        parts: piece.parts,
                        rows: piece.inputs.add((row * piece.stride + first * ROW_TILE * BLOCK) * piece.parts),
                        columns: stretch,
                        steps,
                        continued: out.add || first > 0,
                        ahead: ahead.wrapping_add(fetched.min(panel_bytes)),
                    };
                    stretch.run(out.from(row, at * PANEL).at, out.stride * 4);
                }
                fetched += steps * LINES * 64;
            }
        }
        for line in (fetched..panel_bytes).step_by(64) {
            // SAFETY: a hint that no address can make fault.
            unsafe { _mm_prefetch::<_MM_HINT_T1>(ahead.wrapping_add(line).cast()) };
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
    fn tiled(at: *const u16, parts: usize) -> Self {
        Self { at, stride: 64, low: 1024, step: 2048 * parts }
    }
}

macro_rules! zero {
    ($tile:literal, $_:literal) => {
        concat!("tilezero ", $tile)
    };
}

macro_rules! continued {
    ($tile:literal, $place:literal) => {
        concat!("tileloadd ", $tile, ", ", $place)
    };
}

/// One product of 32 rows and 32 columns: four sums of 16 by 16 in tiles 0 to 3, rows in tiles 4 and 5, columns in
/// tiles 6 and 7. `$begin` is what the sums begin with, `$step` the instructions of a step.
macro_rules! product {
    ($begin:ident, [$($step:literal),*], $a:expr, $b:expr, $steps:expr, $ahead:expr, $out:expr, $out_stride:expr) => {{
        let (a, out): (Rows, *mut f32) = ($a, $out);
        asm!(
            $begin!("tmm0", "[{out} + {out_stride}*1]"),
            $begin!("tmm1", "[{out} + {out_stride}*1 + 64]"),
            $begin!("tmm2", "[{out_low} + {out_stride}*1]"),
            $begin!("tmm3", "[{out_low} + {out_stride}*1 + 64]"),
            "2:",
            $($step,)*
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
            b = inout(reg) $b => _,
            ahead = inout(reg) $ahead => _,
            line = in(reg) 64_usize,
            steps = inout(reg) $steps => _,
            out = in(reg) out,
            out_low = in(reg) out.byte_add(16 * $out_stride),
            out_stride = in(reg) $out_stride,
            out("tmm0") _, out("tmm1") _, out("tmm2") _, out("tmm3") _,
            out("tmm4") _, out("tmm5") _, out("tmm6") _, out("tmm7") _,
            options(nostack),
        );
    }};
}

/// out (32 rows, 32 columns) = a . b, where `b` is `steps` pairs of tiles, one behind the other.
///
/// `out_stride` is bytes from row to row.
///
/// # Safety
/// This thread's tiles are [`on`], and all of these addresses are within the caller's buffers.
pub(crate) unsafe fn tile(a: Rows, b: *const u16, steps: usize, out: *mut f32, out_stride: usize) {
    // SAFETY: reads 32 rows of `a` and `2 * steps` tiles of `b`, writes 32 rows of `out`.
    unsafe {
        product!(
            zero,
            [
                "tileloadd tmm4, [{a} + {a_stride}*1]",
                "tileloadd tmm6, [{b} + {line}*1]",
                "tileloadd tmm7, [{b} + {line}*1 + 1024]",
                "tdpbf16ps tmm0, tmm4, tmm6",
                "tileloadd tmm5, [{low} + {a_stride}*1]",
                "tdpbf16ps tmm1, tmm4, tmm7",
                "tdpbf16ps tmm2, tmm5, tmm6",
                "tdpbf16ps tmm3, tmm5, tmm7"
            ],
            a,
            b,
            steps,
            b,
            out,
            out_stride
        );
    }
}

/// A stretch of the steps of a product whose columns many blocks of rows share, one after the other.
///
/// The rows pass by the first cache, in which the columns then stay: `tileloaddt1` is the hint for that. Without it
/// both fall out of the cache, and the product waits for the second one.
struct Passing {
    /// 1 or 2: tiles of rows lie as [`crate::cpu::input::Input`] has them.
    parts: usize,
    rows: *const u16,
    columns: *const u16,
    steps: usize,
    /// Begin with what stands in `out`, from an earlier stretch.
    continued: bool,
    /// The first lines from here, [`LINES`] a step, are fetched into the second cache meanwhile; any address will do.
    ahead: *const u8,
}

impl Passing {
    /// # Safety
    /// As for [`tile`].
    unsafe fn run(&self, out: *mut f32, out_stride: usize) {
        let Self { parts, rows, columns, steps, continued, ahead } = *self;
        macro_rules! passing {
            ($begin:ident, [$($more:literal),*]) => {
                product!(
                    $begin,
                    [
                        "tileloaddt1 tmm4, [{a} + {a_stride}*1]",
                        "tileloadd tmm6, [{b} + {line}*1]",
                        "tileloadd tmm7, [{b} + {line}*1 + 1024]",
                        "tdpbf16ps tmm0, tmm4, tmm6",
                        "tileloaddt1 tmm5, [{low} + {a_stride}*1]",
                        "tdpbf16ps tmm1, tmm4, tmm7",
                        "tdpbf16ps tmm2, tmm5, tmm6",
                        "tdpbf16ps tmm3, tmm5, tmm7"
                        $(, $more)*
                    ],
                    Rows::tiled(rows, parts), columns, steps, ahead, out, out_stride
                )
            };
        }
        macro_rules! passing_twice {
            ($begin:ident) => {
                passing!(
                    $begin,
                    [
                        "tileloaddt1 tmm4, [{a} + {a_stride}*1 + 2048]",
                        "tdpbf16ps tmm0, tmm4, tmm6",
                        "tileloaddt1 tmm5, [{low} + {a_stride}*1 + 2048]",
                        "tdpbf16ps tmm1, tmm4, tmm7",
                        "tdpbf16ps tmm2, tmm5, tmm6",
                        "tdpbf16ps tmm3, tmm5, tmm7"
                    ]
                )
            };
        }
        // SAFETY: reads `2 * parts * steps` tiles of rows and `2 * steps` of columns, reads and writes 32 rows of `out`.
        unsafe {
            match (parts, continued) {
                (1, false) => passing!(zero, []),
                (1, true) => passing!(continued, []),
                (_, false) => passing_twice!(zero),
                (_, true) => passing_twice!(continued),
            }
        }
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
