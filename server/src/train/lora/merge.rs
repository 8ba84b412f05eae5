//! An adapter put into a model's weights, so that the kernels score with it and know nothing of adapters.

use super::adapter::Projection;
use super::file::{Adapter, AdapterError, LowRank};
use bonafide_kernels::weights::{Matrix, Model};

/// The model with W + (alpha / rank) B A, in f32, in place of each adapted matrix W; the others stay in the file's own
/// format. Rows are in the file's order on both sides, those of queries and keys too.
pub fn merge(model: &Model, adapter: &Adapter) -> Result<Model, AdapterError> {
    adapter.check(&model.shape, model.layers.len())?;
    let scale = (adapter.meta.alpha / adapter.meta.rank as f64) as f32;
    let mut merged = model.clone();
    for (layer, pairs) in merged.layers.iter_mut().zip(&adapter.layers) {
        for (which, pair) in Projection::ALL.into_iter().zip(pairs) {
            let linear = which.of_mut(layer);
            linear.weight = sum(&linear.weight, pair, adapter.meta.rank, scale)?;
        }
    }
    Ok(merged)
}

fn sum(weight: &Matrix, pair: &LowRank, rank: usize, scale: f32) -> Result<Matrix, AdapterError> {
    let (rows, cols) = (weight.rows(), weight.cols());
    let mut values = vec![0.0; rows * cols];
    let each = values.chunks_exact_mut(cols).zip(pair.b.chunks_exact(rank)).enumerate();
    for (row, (out, b)) in each {
        weight.row(row, out);
        for (b, a) in b.iter().zip(pair.a.chunks_exact(cols)) {
            let share = scale * b;
            out.iter_mut().zip(a).for_each(|(out, a)| *out += share * a);
        }
    }
    Matrix::from_f32(rows, cols, &values).map_err(|error| AdapterError::Unfitting(error.to_string()))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::super::adapter::Lora;
    use super::super::file::{Meta, VERSION};
    use super::super::testing;
    use super::super::tests::{candle_logprobs, kernel_logprobs};
    use super::*;
    use candle_core::{DType, Device};

    /// The kernels with the merged weights beside candle with the adapter; in part of the layers, too.
    #[test]
    fn merged_weights_score_as_the_adapter_does() {
        for (name, layers) in [("llama", 3), ("llama", 2), ("qwen2", 3), ("gemma3", 2)] {
            let model = testing::model(name);
            let lora = Lora::new(&model.shape, layers, 2, 4.0, 7, DType::F32, &Device::Cpu).unwrap();
            testing::stir(&lora, 0.3);
            let (base, data) = (String::new(), Vec::new());
            let meta = Meta { version: VERSION, base, rank: 2, alpha: 4.0, layers, seed: 7, data };
            let merged = merge(&model, &Adapter::of(meta, &lora, None).unwrap()).unwrap();
            let (own, candle) = (kernel_logprobs(&merged), candle_logprobs(&model, Some(&lora)));
            let off = own.iter().zip(&candle).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
            assert!(off < 1e-3, "{name}: {off}");
            let plain = kernel_logprobs(&model);
            let moved = own.iter().zip(&plain).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
            assert!(moved > 0.1, "{name}: {moved}");
        }
    }

    #[test]
    fn an_adapter_of_another_model_is_refused() {
        let model = testing::llama();
        let mut shape = model.shape.clone();
        shape.feed_forward += 8;
        let lora = Lora::new(&shape, 1, 2, 4.0, 7, DType::F32, &Device::Cpu).unwrap();
        let (base, data) = (String::new(), Vec::new());
        let meta = Meta { version: VERSION, base, rank: 2, alpha: 4.0, layers: 1, seed: 7, data };
        assert!(merge(&model, &Adapter::of(meta, &lora, None).unwrap()).is_err());
    }
}
