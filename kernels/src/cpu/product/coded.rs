//! Panels of codes: what products in tiles read where the file has codes of 8 bits or fewer.
//!
//! A tile wants bf16, which is 2.7 times as many bytes as codes of 4 bits with their scales, 1.6 times as many as codes of
//! 8; and on their way from memory the bytes are what a product of few rows waits for. So the codes stay as they are, and a stretch of them is made bf16 just before
//! all rows pass over it.
//!
//! A step of 32 inputs is: for each group of inputs the scales of 32 outputs and the minima of 32 outputs, then codes in
//! the order of the tiles: half of the panel, pair of inputs, output, input.

use super::PANEL;
use crate::cpu::input::BLOCK;
use crate::weights::{Format, Matrix};
use half::bf16;
use std::arch::x86_64::{
    __m512bh, __m512i, _mm_loadu_si128, _mm256_loadu_si256, _mm512_and_si512, _mm512_cvtepi32_ps,
    _mm512_cvtepu8_epi32, _mm512_cvtepu16_epi32, _mm512_cvtne2ps_pbh, _mm512_fmadd_ps, _mm512_loadu_ps,
    _mm512_loadu_si512, _mm512_permutexvar_epi16, _mm512_set1_epi32, _mm512_srli_epi32, _mm512_storeu_si512,
};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Layout {
    /// Of a code: 4 or 8.
    bits: usize,
    /// Inputs that share a scale and a minimum: 16 or 32.
    group: usize,
}

impl Layout {
    /// For matrices one below the other, if all of them have codes.
    pub(super) fn of(parts: &[&Matrix]) -> Option<Self> {
        let bits = |format| match format {
            Format::F32 | Format::F16 | Format::BF16 => None,
            Format::Q4_0 | Format::Q4_1 | Format::Q4_K => Some(4),
            Format::Q5_0 | Format::Q5_1 | Format::Q8_0 | Format::Q5_K | Format::Q6_K => Some(8),
        };
        let bits = parts.iter().map(|part| bits(part.format())).collect::<Option<Vec<usize>>>()?;
        Some(Self { bits: bits.into_iter().max()?, group: super::joint_group(parts) })
    }

    pub(super) fn group(self) -> usize {
        self.group
    }

    /// Bytes of a step's scales and minima.
    fn scales(self) -> usize {
        BLOCK / self.group * 2 * PANEL * size_of::<f32>()
    }

    /// Bytes of a step.
    pub(super) fn step(self) -> usize {
        self.scales() + BLOCK * PANEL * self.bits / 8
    }

    /// Where a scale lies, the minimum being `PANEL` numbers behind it.
    fn scale(self, col: usize, within: usize) -> usize {
        let group = col % BLOCK / self.group;
        col / BLOCK * self.step() + (group * 2 * PANEL + within) * size_of::<f32>()
    }

    /// Where a code lies, and how far its bits are from the byte's lowest.
    fn code(self, col: usize, within: usize) -> (usize, usize) {
        let at = ((within / 16 * 16 + col % BLOCK / 2) * 16 + within % 16) * 2 + col % 2;
        let bit = at * self.bits;
        (col / BLOCK * self.step() + self.scales() + bit / 8, bit % 8)
    }

    /// Puts an output into its panel; scales and minima are one a group.
    pub(super) fn put(self, panel: &mut [u8], within: usize, codes: &[u8], scales: &[f32], mins: &[f32]) {
        for (col, code) in codes.iter().enumerate() {
            let (at, shift) = self.code(col, within);
            panel[at] |= code << shift;
        }
        for (group, (scale, min)) in scales.iter().zip(mins).enumerate() {
            let at = self.scale(group * self.group, within);
            panel[at..at + 4].copy_from_slice(&scale.to_ne_bytes());
            let at = at + PANEL * size_of::<f32>();
            panel[at..at + 4].copy_from_slice(&min.to_ne_bytes());
        }
    }

    /// A number of a panel as [`Layout::expand`] makes it.
    pub(super) fn get(self, panel: &[u8], within: usize, col: usize) -> f32 {
        let float = |at: usize| f32::from_ne_bytes([panel[at], panel[at + 1], panel[at + 2], panel[at + 3]]);
        let (at, shift) = self.code(col, within);
        let code = panel[at] >> shift & (0xff_u8 >> (8 - self.bits));
        let at = self.scale(col, within);
        let exact = f32::from(code).mul_add(float(at), float(at + PANEL * size_of::<f32>()));
        bf16::from_f32(exact).to_f32()
    }

    /// Makes some steps bf16, as pairs of tiles.
    ///
    /// # Safety
    /// The CPU has AVX-512 BF16; `from` are that many steps, and `to` has room for 1024 numbers of each.
    pub(super) unsafe fn expand(self, from: *const u8, steps: usize, to: *mut u16) {
        // SAFETY: the caller's promise.
        unsafe {
            match self.bits {
                4 => self.expand_bits::<4>(from, steps, to),
                _ => self.expand_bits::<8>(from, steps, to),
            }
        }
    }

    /// # Safety
    /// As for `expand`.
    #[target_feature(enable = "avx512f,avx512bw,avx512bf16")]
    unsafe fn expand_bits<const BITS: u32>(self, from: *const u8, steps: usize, to: *mut u16) {
        // Sixteen numbers of even inputs, sixteen of odd ones: every other.
        const EVERY_OTHER: [u16; 32] = {
            let mut order = [0; 32];
            let mut at = 0;
            while at < 32 {
                order[at] = (at / 2 + at % 2 * 16) as u16;
                at += 1;
            }
            order
        };
        let mask = _mm512_set1_epi32((1 << BITS) - 1);
        let mut to = to;
        // SAFETY: a step is scales, minima and codes of as many bytes as are read here; it becomes 32 vectors.
        unsafe {
            let order = _mm512_loadu_si512(EVERY_OTHER.as_ptr().cast());
            for step in 0..steps {
                let step = from.add(step * self.step());
                let mut codes = step.add(self.scales());
                for half in 0..2 {
                    for group in 0..BLOCK / self.group {
                        let scales = step.cast::<f32>().add(group * 2 * PANEL + half * 16);
                        let (scale, min) = (_mm512_loadu_ps(scales), _mm512_loadu_ps(scales.add(PANEL)));
                        for _ in 0..self.group / 2 {
                            let pair = if BITS == 4 {
                                _mm512_cvtepu8_epi32(_mm_loadu_si128(codes.cast()))
                            } else {
                                _mm512_cvtepu16_epi32(_mm256_loadu_si256(codes.cast()))
                            };
                            codes = codes.add(4 * BITS as usize);
                            let even = _mm512_cvtepi32_ps(_mm512_and_si512(pair, mask));
                            let odd = _mm512_cvtepi32_ps(_mm512_srli_epi32::<BITS>(pair));
                            let both = _mm512_cvtne2ps_pbh(
                                _mm512_fmadd_ps(odd, scale, min),
                                _mm512_fmadd_ps(even, scale, min),
                            );
                            let both = std::mem::transmute::<__m512bh, __m512i>(both);
                            _mm512_storeu_si512(to.cast(), _mm512_permutexvar_epi16(order, both));
                            to = to.add(32);
                        }
                    }
                }
            }
        }
    }
}
