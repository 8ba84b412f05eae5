//! Holds every set of instructions that this CPU has to the scalar reference, in all forms and formats.

#![allow(clippy::unwrap_used)]

use super::*;
use crate::cpu::head::tests::{prepare, pseudo_random};
use crate::cpu::team::Team;
use crate::weights::{Bytes, Format, Matrix};
use proptest::prelude::*;

fn tile(packed: &Packed, input: &Input, rows: Range<usize>) -> Vec<f32> {
    let width = packed.panels() * PANEL;
    let mut out = vec![0.0; rows.len().next_multiple_of(32) * width];
    // SAFETY: nobody writes to the input.
    unsafe { packed.tile(input, rows.clone(), 0..packed.panels(), 0, &mut out) };
    out.truncate(rows.len() * width);
    out
}

/// Sums with packed numbers, in double precision, and the size of what was summed.
fn exact(packed: &Packed, input: &Input, row: usize, output: usize) -> (f64, f64) {
    (0..packed.cols()).fold((0.0, 0.0), |(sum, size), col| {
        // SAFETY: nobody writes to the input.
        let product =
            f64::from(unsafe { input.get(packed.form(), row, col) }) * f64::from(packed.weight(output, col));
        (sum + product, size + product.abs())
    })
}

fn holds(packed: &Packed, input: &Input, rows: Range<usize>) {
    let out = tile(packed, input, rows.clone());
    for (row, out) in rows.zip(out.chunks(packed.panels() * PANEL)) {
        for (output, got) in out.iter().enumerate().take(packed.rows()) {
            let (want, size) = exact(packed, input, row, output);
            let near = (f64::from(*got) - want).abs() <= 1e-5 * size + 1e-6;
            assert!(near, "{:?} {:?}: {got} {want}", packed.form, packed.instructions);
        }
    }
}

fn forms() -> [Form; 5] {
    [
        Form::F32,
        Form::Int8 { group: 32 },
        Form::Int8 { group: 16 },
        Form::Bf16 { parts: 1 },
        Form::Bf16 { parts: 2 },
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn fast_products_match_the_sums(
        rows in 1_usize..80, outputs in 1_usize..100, cols in 1_usize..150, seed: u64
    ) {
        let team = Team::new(1).unwrap();
        let hidden = pseudo_random(seed, rows * cols, 3.0);
        let matrix = pseudo_random(seed ^ 99, outputs * cols, 1.0);
        for instructions in Instructions::ALL.into_iter().filter(|set| set.available()) {
            for form in forms() {
                let (packed, input) = prepare(&hidden, &matrix, cols, form, instructions, &team);
                prop_assert_eq!((packed.rows(), packed.cols()), (outputs, cols));
                holds(&packed, &input, 0..rows);
                holds(&packed, &input, rows / 32 * 32..rows);
            }
        }
    }
}

/// A matrix of random bytes whose scales are small numbers.
fn random_matrix(format: Format, rows: usize, cols: usize) -> Matrix {
    let len = format.row_bytes(cols).unwrap() * rows;
    let mut bytes: Vec<u8> = pseudo_random(7, len, 1.0).iter().map(|x| (x.to_bits() >> 3) as u8).collect();
    let block = format.row_bytes(256).unwrap() / if format.row_bytes(32).is_some() { 8 } else { 1 };
    let scale = half::f16::from_f32(0.01).to_le_bytes();
    for block in bytes.chunks_mut(block) {
        let places: &[usize] = match format {
            Format::Q4_1 | Format::Q5_1 | Format::Q4_K | Format::Q5_K => &[0, 2],
            Format::Q6_K => &[208],
            _ => &[0],
        };
        for place in places {
            block[*place..place + 2].copy_from_slice(&scale);
        }
    }
    Matrix::new(format, rows, cols, Bytes::from(bytes)).unwrap()
}

fn quantised() -> impl Iterator<Item = Format> {
    Format::ALL.into_iter().filter(|format| !matches!(format, Format::F32 | Format::F16 | Format::BF16))
}

#[test]
fn every_quantised_format_keeps_its_numbers() {
    let team = Team::new(2).unwrap();
    for format in quantised() {
        let matrix = random_matrix(format, 37, 512);
        let group = format.group();
        for instructions in Instructions::ALL.into_iter().filter(|set| set.available()) {
            for group in [16, group] {
                let packed = Packed::pack(&[&matrix], Form::Int8 { group }, instructions, &team).unwrap();
                let mut row = vec![0.0; 512];
                for output in 0..37 {
                    matrix.row(output, &mut row);
                    for (col, want) in row.iter().enumerate() {
                        assert_eq!(packed.weight(output, col), *want, "{format:?} {output} {col}");
                    }
                }
                let mut input = Input::default();
                input.reserve(3, 512, &[packed.form()]);
                for (row, values) in pseudo_random(1, 3 * 512, 2.0).chunks(512).enumerate() {
                    // SAFETY: one thread only.
                    unsafe { input.put(packed.form(), row, 0, values) };
                }
                holds(&packed, &input, 0..3);
            }
        }
    }
}

/// On AMX these stay codes until they are multiplied; elsewhere they are bf16 from the start.
#[test]
fn every_quantised_format_becomes_bf16() {
    let team = Team::new(2).unwrap();
    let plain = random_matrix(Format::Q4_K, 37, 512);
    for format in quantised() {
        let matrix = random_matrix(format, 37, 512);
        // Alone, and below a matrix of another format.
        for parts in [vec![&matrix], vec![&plain, &matrix]] {
            for instructions in Instructions::ALL.into_iter().filter(|set| set.available()) {
                let packed = Packed::pack(&parts, Form::Bf16 { parts: 2 }, instructions, &team).unwrap();
                let mut row = vec![0.0; 512];
                for output in 0..37 {
                    matrix.row(output, &mut row);
                    for (col, want) in row.iter().enumerate() {
                        let got = packed.weight(packed.rows() - 37 + output, col);
                        let near = (got - want).abs() <= want.abs() / 255.0 + 1e-30;
                        assert!(near, "{format:?} {output} {col}: {got} {want}");
                    }
                }
                let mut input = Input::default();
                input.reserve(70, 512, &[packed.form()]);
                for (row, values) in pseudo_random(1, 70 * 512, 2.0).chunks(512).enumerate() {
                    // SAFETY: one thread only.
                    unsafe { input.put(packed.form(), row, 0, values) };
                }
                holds(&packed, &input, 0..70);
            }
        }
    }
}

#[test]
fn the_greatest_codes_don_t_overflow() {
    let team = Team::new(1).unwrap();
    // Codes of 255 and inputs of 127, all of one sign.
    let (cols, hidden) = (256, vec![1.0; 256]);
    let mut matrix = vec![1.0; 64 * cols];
    matrix[0] = -1.0;
    for instructions in Instructions::ALL.into_iter().filter(|set| set.available()) {
        let (packed, input) = prepare(&hidden, &matrix, cols, Form::Int8 { group: 32 }, instructions, &team);
        holds(&packed, &input, 0..1);
    }
}

#[test]
fn matrices_of_different_formats_are_joined() {
    let team = Team::new(1).unwrap();
    let (a, b) = (random_matrix(Format::Q4_K, 40, 256), random_matrix(Format::Q6_K, 9, 256));
    assert_eq!(joint_group(&[&a, &b]), 16);
    let packed = Packed::pack(&[&a, &b], Form::Int8 { group: 16 }, Instructions::Scalar, &team).unwrap();
    let mut row = vec![0.0; 256];
    b.row(8, &mut row);
    assert_eq!(row, (0..256).map(|col| packed.weight(48, col)).collect::<Vec<_>>());
    let narrow = random_matrix(Format::Q8_0, 1, 32);
    assert!(Packed::pack(&[&a, &narrow], Form::Bf16 { parts: 1 }, Instructions::Scalar, &team).is_err());
    assert!(Packed::pack(&[], Form::Bf16 { parts: 1 }, Instructions::Scalar, &team).is_err());
}
