//! The weights as they lie on the device: bf16 matrices, f32 vectors; query, key and value in one matrix, gate
//! and up in another, so that each is one product.

use super::chip::Chip;
use crate::backend::BackendError;
use crate::weights::{Layer, Linear, Matrix, Model};
use half::bf16;
use rayon::prelude::*;

/// A matrix and what is added to its product.
pub(super) struct DeviceLinear<M> {
    pub(super) weight: M,
    pub(super) bias: Option<M>,
}

pub(super) struct DeviceLayer<M> {
    pub(super) attention_norm: M,
    /// Queries, then keys, then values.
    pub(super) qkv: DeviceLinear<M>,
    pub(super) query_norm: Option<M>,
    pub(super) key_norm: Option<M>,
    pub(super) attention_output: DeviceLinear<M>,
    pub(super) post_attention_norm: Option<M>,
    pub(super) feed_forward_norm: M,
    /// Gate, then up.
    pub(super) gate_up: DeviceLinear<M>,
    pub(super) down: DeviceLinear<M>,
    pub(super) post_feed_forward_norm: Option<M>,
    pub(super) local: bool,
}

pub(super) struct DeviceWeights<M> {
    pub(super) embedding: M,
    /// `None` where it is the embedding again.
    pub(super) output: Option<M>,
    pub(super) output_norm: M,
    pub(super) layers: Vec<DeviceLayer<M>>,
}

impl<M> DeviceWeights<M> {
    /// Copies a model to the device.
    pub(super) fn upload<C: Chip<Memory = M>>(chip: &C, model: &Model) -> Result<Self, BackendError> {
        let embedding = fused(&[&model.embedding]);
        let output = fused(&[&model.output]);
        Ok(Self {
            output: if output == embedding { None } else { Some(numbers(chip, &output)?) },
            embedding: numbers(chip, &embedding)?,
            output_norm: numbers(chip, &model.output_norm)?,
            layers: model.layers.iter().map(|layer| upload_layer(chip, layer)).collect::<Result<_, _>>()?,
        })
    }

    /// The output matrix.
    pub(super) fn output(&self) -> &M {
        self.output.as_ref().unwrap_or(&self.embedding)
    }

    /// Whether some product has a bias or a norm before it is added to the stream.
    pub(super) fn indirect(&self) -> bool {
        self.layers.iter().any(|layer| {
            layer.attention_output.bias.is_some()
                || layer.down.bias.is_some()
                || layer.post_attention_norm.is_some()
                || layer.post_feed_forward_norm.is_some()
        })
    }
}

fn upload_layer<C: Chip>(chip: &C, layer: &Layer) -> Result<DeviceLayer<C::Memory>, BackendError> {
    let vector = |vector: &Option<Vec<f32>>| vector.as_ref().map(|vector| numbers(chip, vector)).transpose();
    Ok(DeviceLayer {
        attention_norm: numbers(chip, &layer.attention_norm)?,
        qkv: linear(chip, &[&layer.query, &layer.key, &layer.value])?,
        query_norm: vector(&layer.query_norm)?,
        key_norm: vector(&layer.key_norm)?,
        attention_output: linear(chip, &[&layer.attention_output])?,
        post_attention_norm: vector(&layer.post_attention_norm)?,
        feed_forward_norm: numbers(chip, &layer.feed_forward_norm)?,
        gate_up: linear(chip, &[&layer.gate, &layer.up])?,
        down: linear(chip, &[&layer.down])?,
        post_feed_forward_norm: vector(&layer.post_feed_forward_norm)?,
        local: layer.local,
    })
}

fn linear<C: Chip>(chip: &C, parts: &[&Linear]) -> Result<DeviceLinear<C::Memory>, BackendError> {
    let matrices: Vec<&Matrix> = parts.iter().map(|part| &part.weight).collect();
    let bias = fused_bias(parts).map(|bias| numbers(chip, &bias)).transpose()?;
    Ok(DeviceLinear { weight: numbers(chip, &fused(&matrices))?, bias })
}

/// The rows of all matrices, one matrix after another, as the bits of bf16.
fn fused(matrices: &[&Matrix]) -> Vec<u16> {
    let mut all = Vec::with_capacity(matrices.iter().map(|matrix| matrix.rows() * matrix.cols()).sum());
    for matrix in matrices {
        let from = all.len();
        all.resize(from + matrix.rows() * matrix.cols(), 0);
        all[from..].par_chunks_mut(matrix.cols()).enumerate().for_each_init(
            || vec![0.0; matrix.cols()],
            |row, (index, out)| {
                matrix.row(index, row);
                for (bits, number) in out.iter_mut().zip(row.iter()) {
                    *bits = bf16::from_f32(*number).to_bits();
                }
            },
        );
    }
    all
}

/// One bias for all, zero where one is missing; none where all are.
fn fused_bias(parts: &[&Linear]) -> Option<Vec<f32>> {
    if parts.iter().all(|part| part.bias.is_none()) {
        return None;
    }
    let biases = parts.iter().flat_map(|part| match &part.bias {
        Some(bias) => bias.clone(),
        None => vec![0.0; part.weight.rows()],
    });
    Some(biases.collect())
}

/// Numbers that the device holds as this machine does: both are little-endian wherever CUDA runs.
///
/// # Safety
///
/// Every byte of such a number is initialised.
pub(super) unsafe trait Plain: Copy {}

// SAFETY: a plain number.
unsafe impl Plain for u16 {}
// SAFETY: a plain number.
unsafe impl Plain for f32 {}
// SAFETY: a plain number.
unsafe impl Plain for i32 {}

/// The numbers as they lie in memory.
pub(super) fn bytes<T: Plain>(numbers: &[T]) -> &[u8] {
    // SAFETY: the same memory, all of it initialised; bytes need no alignment.
    unsafe { std::slice::from_raw_parts(numbers.as_ptr().cast(), size_of_val(numbers)) }
}

/// Memory that holds these numbers.
pub(super) fn numbers<C: Chip, T: Plain>(chip: &C, numbers: &[T]) -> Result<C::Memory, BackendError> {
    let bytes = bytes(numbers);
    let mut memory = chip.take(bytes.len())?;
    chip.upload(&mut memory, 0, bytes)?;
    Ok(memory)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn rows_and_biases_are_fused_in_order() {
        let part = |rows: usize, first: f32, bias: Option<Vec<f32>>| Linear {
            weight: Matrix::from_f32(rows, 2, &(0..2 * rows).map(|i| first + i as f32).collect::<Vec<_>>())
                .unwrap(),
            bias,
        };
        let (a, b, c) = (part(2, 1.0, None), part(1, 10.0, Some(vec![7.0])), part(1, 20.0, None));
        let bits = fused(&[&a.weight, &b.weight, &c.weight]);
        let values: Vec<f32> = bits.iter().map(|bits| bf16::from_bits(*bits).to_f32()).collect();
        assert_eq!(values, [1.0, 2.0, 3.0, 4.0, 10.0, 11.0, 20.0, 21.0]);
        assert_eq!(fused_bias(&[&a, &b, &c]), Some(vec![0.0, 0.0, 7.0, 0.0]));
        assert_eq!(fused_bias(&[&a, &c]), None);
        assert_eq!(bytes(&[0x0102_u16, 3]).len(), 4);
    }
}
