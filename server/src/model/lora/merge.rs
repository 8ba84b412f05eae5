//! An adapter put into a model's weights, so that the kernels score with it and know nothing of adapters.

use super::file::{Adapter, AdapterError, LowRank};
use super::projection::Projection;
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
