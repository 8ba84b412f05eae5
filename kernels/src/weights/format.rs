//! The number formats of GGUF matrices (ggml's block formats), each read as w = scale * code + min.
//!
//! In all of them a row is a run of blocks. A block of 32 (Q4_0 to Q8_0) holds one f16 scale d and, in the `_1`
//! forms, an f16 minimum. A block of 256 (the K forms) holds f16 scales of its scales.

use half::{bf16, f16};

/// How a matrix's numbers are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
#[allow(missing_docs)] // ggml's names are the documentation
#[allow(non_camel_case_types)]
pub enum Format {
    F32,
    F16,
    BF16,
    Q4_0,
    Q4_1,
    Q5_0,
    Q5_1,
    Q8_0,
    Q4_K,
    Q5_K,
    Q6_K,
}

impl Format {
    /// All formats.
    pub const ALL: [Self; 11] = [
        Self::F32,
        Self::F16,
        Self::BF16,
        Self::Q4_0,
        Self::Q4_1,
        Self::Q5_0,
        Self::Q5_1,
        Self::Q8_0,
        Self::Q4_K,
        Self::Q5_K,
        Self::Q6_K,
    ];

    /// Numbers in a block, bytes of a block.
    const fn block(self) -> (usize, usize) {
        match self {
            Self::F32 => (1, 4),
            Self::F16 | Self::BF16 => (1, 2),
            Self::Q4_0 => (32, 18),
            Self::Q4_1 => (32, 20),
            Self::Q5_0 => (32, 22),
            Self::Q5_1 => (32, 24),
            Self::Q8_0 => (32, 34),
            Self::Q4_K => (256, 144),
            Self::Q5_K => (256, 176),
            Self::Q6_K => (256, 210),
        }
    }

    /// Bytes of a row; `None` if so many numbers are no whole number of blocks.
    #[must_use]
    pub fn row_bytes(self, cols: usize) -> Option<usize> {
        let (numbers, bytes) = self.block();
        cols.is_multiple_of(numbers).then(|| cols / numbers * bytes)
    }

    /// Numbers that share a scale and a minimum.
    #[must_use]
    pub const fn group(self) -> usize {
        if matches!(self, Self::Q6_K) { 16 } else { 32 }
    }

    /// The numbers of a row.
    pub(super) fn dequantize(self, row: &[u8], out: &mut [f32]) {
        match self {
            Self::F32 => {
                for (bytes, out) in row.chunks_exact(4).zip(out) {
                    *out = f32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]);
                }
            }
            Self::F16 => {
                for (bytes, out) in row.chunks_exact(2).zip(out) {
                    *out = half(bytes);
                }
            }
            Self::BF16 => {
                for (bytes, out) in row.chunks_exact(2).zip(out) {
                    *out = bf16::from_le_bytes([bytes[0], bytes[1]]).to_f32();
                }
            }
            _ => {
                let (numbers, bytes) = self.block();
                let group = self.group();
                let (mut codes, mut scales, mut mins) = ([0; 256], [0.0; 16], [0.0; 16]);
                for (block, out) in row.chunks_exact(bytes).zip(out.chunks_exact_mut(numbers)) {
                    self.unpack_block(block, &mut codes, &mut scales, &mut mins);
                    for (at, (codes, out)) in codes.chunks(group).zip(out.chunks_mut(group)).enumerate() {
                        for (code, out) in codes.iter().zip(out) {
                            *out = scales[at] * f32::from(*code) + mins[at];
                        }
                    }
                }
            }
        }
    }

    /// A row as codes; `scales` and `mins` have room for every group, a last one that is cut included.
    pub(super) fn unpack(self, row: &[u8], codes: &mut [u8], scales: &mut [f32], mins: &mut [f32]) {
        let group = self.group();
        let (numbers, bytes) = self.block();
        if numbers > 1 {
            let groups = numbers / group;
            for (at, (block, codes)) in
                row.chunks_exact(bytes).zip(codes.chunks_exact_mut(numbers)).enumerate()
            {
                let range = at * groups..(at + 1) * groups;
                self.unpack_block(block, codes, &mut scales[range.clone()], &mut mins[range]);
            }
            return;
        }
        let mut values = [0.0; 32];
        for (at, (row, codes)) in row.chunks(group * bytes).zip(codes.chunks_mut(group)).enumerate() {
            let values = &mut values[..codes.len()];
            self.dequantize(row, values);
            let greatest = values.iter().fold(0.0_f32, |max, x| max.max(x.abs()));
            let scale = greatest / 127.0;
            let inverse = if scale > 0.0 { 1.0 / scale } else { 0.0 };
            for (value, code) in values.iter().zip(codes) {
                *code = ((value * inverse).round() + 128.0) as u8;
            }
            scales[at] = scale;
            mins[at] = -128.0 * scale;
        }
    }

    /// One block of 32 or 256 numbers.
    fn unpack_block(self, block: &[u8], codes: &mut [u8], scales: &mut [f32], mins: &mut [f32]) {
        let d = half(block);
        match self {
            Self::F32 | Self::F16 | Self::BF16 => {}
            Self::Q4_0 => {
                nibbles(&block[2..], codes);
                (scales[0], mins[0]) = (d, -8.0 * d);
            }
            Self::Q4_1 => {
                nibbles(&block[4..], codes);
                (scales[0], mins[0]) = (d, half(&block[2..]));
            }
            Self::Q5_0 => {
                nibbles(&block[6..], codes);
                fifth_bits(&block[2..6], codes);
                (scales[0], mins[0]) = (d, -16.0 * d);
            }
            Self::Q5_1 => {
                nibbles(&block[8..], codes);
                fifth_bits(&block[4..8], codes);
                (scales[0], mins[0]) = (d, half(&block[2..]));
            }
            Self::Q8_0 => {
                for (byte, code) in block[2..34].iter().zip(codes) {
                    *code = byte.wrapping_add(128);
                }
                (scales[0], mins[0]) = (d, -128.0 * d);
            }
            Self::Q4_K => k_scales(block, &block[16..144], None, codes, scales, mins),
            Self::Q5_K => k_scales(block, &block[48..176], Some(&block[16..48]), codes, scales, mins),
            Self::Q6_K => q6_k(block, codes, scales, mins),
        }
    }
}

fn half(bytes: &[u8]) -> f32 {
    f16::from_le_bytes([bytes[0], bytes[1]]).to_f32()
}

/// 16 bytes: the low halves are the first 16 codes, the high halves the rest.
fn nibbles(bytes: &[u8], codes: &mut [u8]) {
    for (at, byte) in bytes[..16].iter().enumerate() {
        codes[at] = byte & 15;
        codes[at + 16] = byte >> 4;
    }
}

/// 32 bits, one a code.
fn fifth_bits(bytes: &[u8], codes: &mut [u8]) {
    for (at, code) in codes[..32].iter_mut().enumerate() {
        *code |= (bytes[at / 8] >> (at % 8) & 1) << 4;
    }
}

/// Q4_K and Q5_K: eight groups of 32, each with a scale and a minimum of 6 bits, packed into 12 bytes.
fn k_scales(
    block: &[u8],
    low: &[u8],
    high: Option<&[u8]>,
    codes: &mut [u8],
    scales: &mut [f32],
    mins: &mut [f32],
) {
    let (d, least) = (half(block), half(&block[2..]));
    let packed = &block[4..16];
    for group in 0..8 {
        let (scale, min) = if group < 4 {
            (packed[group] & 63, packed[group + 4] & 63)
        } else {
            (
                packed[group + 4] & 15 | packed[group - 4] >> 6 << 4,
                packed[group + 4] >> 4 | packed[group] >> 6 << 4,
            )
        };
        (scales[group], mins[group]) = (d * f32::from(scale), -least * f32::from(min));
        let (bytes, shift) = (&low[group / 2 * 32..], group % 2 * 4);
        for (at, code) in codes[group * 32..group * 32 + 32].iter_mut().enumerate() {
            let fifth = high.map_or(0, |high| (high[at] >> group & 1) << 4);
            *code = bytes[at] >> shift & 15 | fifth;
        }
    }
}

/// Q6_K: sixteen groups of 16 with scales of 8 bits; four low bits and two high bits of a code lie apart.
fn q6_k(block: &[u8], codes: &mut [u8], scales: &mut [f32], mins: &mut [f32]) {
    let d = half(&block[208..]);
    for (at, scale) in block[192..208].iter().enumerate() {
        scales[at] = d * f32::from(*scale as i8);
        mins[at] = -32.0 * scales[at];
    }
    for (at, code) in codes[..256].iter_mut().enumerate() {
        let (part, quarter, within) = (at / 128, at / 32 % 4, at % 32);
        let low = block[part * 64 + quarter % 2 * 32 + within] >> (quarter / 2 * 4) & 15;
        let high = block[128 + part * 32 + within] >> (quarter * 2) & 3;
        *code = low | high << 4;
    }
}
