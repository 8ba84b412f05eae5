//! Pooled hidden states.

#![allow(clippy::unwrap_used)]

use super::{CpuBackend, CpuOptions, Instructions, Precision};
use crate::backend::{Backend, PackedBatch};
use crate::taps::Taps;
use crate::testing::{models, text};
use crate::weights::Model;

fn backend(model: &Model, precision: Precision) -> CpuBackend {
    CpuBackend::new(model, None, CpuOptions { threads: 2, precision, instructions: None }).unwrap()
}

fn pooled(backend: &CpuBackend, tokens: &[u32], starts: &[usize], taps: &Taps<'_>) -> Vec<f32> {
    let batch = PackedBatch::new(tokens, starts).unwrap();
    let (stats, pooled) = backend.score_tapped(&batch, taps).unwrap();
    // Which worker adds what up is not fixed, and so are the last digits not.
    for (tapped, plain) in stats.iter().zip(backend.score(&batch).unwrap()) {
        assert!((tapped.logprob - plain.logprob).abs() < 1e-4, "tapping changes no statistic");
    }
    pooled
}

fn near(name: &str, got: &[f32], want: &[f32], tolerance: f32) {
    assert_eq!(got.len(), want.len(), "{name}");
    let square = |values: &mut dyn Iterator<Item = f32>| values.map(|x| x * x).sum::<f32>().sqrt();
    let off = square(&mut got.iter().zip(want).map(|(got, want)| got - want));
    let all = square(&mut want.iter().copied());
    assert!(off <= tolerance * (1.0 + all), "{name}: {off} of {all}");
}

/// The stream after a layer, by another way: what a model that ends there hands to its head, with a norm that scales by
/// nothing. Only where no norm follows the layer's last product.
#[test]
fn a_tap_is_the_stream_of_a_model_that_ends_there() {
    let (_, mut model) = models().swap_remove(0);
    let tokens = text(model.shape.vocab, 40, 3);
    let positions: Vec<usize> = (1..40).collect();
    let got = pooled(&backend(&model, Precision::F32), &tokens, &[0, 40], &Taps::new(&[1], 1, &[0]).unwrap());
    let dim = model.shape.dim;
    assert_eq!(got.len(), positions.len() * dim);
    // Rows of the identity read the head's input off as logits.
    model.layers.truncate(1);
    model.output_norm = vec![1.0; dim];
    let vocab = model.shape.vocab;
    let identity: Vec<f32> = (0..vocab * dim).map(|at| f32::from(u8::from(at / dim == at % dim))).collect();
    model.output = crate::weights::Matrix::from_f32(vocab, dim, &identity).unwrap();
    let short = backend(&model, Precision::F32);
    let mut rows = Vec::new();
    short
        .session(1, 40)
        .unwrap()
        .each_logits(&[(0, &tokens)], |_, _, row| rows.push(row[..dim].to_vec()))
        .unwrap();
    let want: Vec<f32> = rows[1..].concat();
    near("after one layer", &got, &want, 1e-3);
}

#[test]
fn chunks_add_up_and_a_prefix_has_the_prefix_of_them() {
    for (name, model) in models().into_iter().filter(|(_, model)| model.layers.len() > 1) {
        let backend = backend(&model, Precision::F32);
        let tokens = text(model.shape.vocab, 150, 1);
        let dim = model.shape.dim;
        let whole = pooled(&backend, &tokens, &[0, 150], &Taps::new(&[1], 1000, &[1]).unwrap());
        let parts = pooled(&backend, &tokens, &[0, 150], &Taps::new(&[1], 32, &[1]).unwrap());
        assert_eq!((whole.len(), parts.len()), (dim, 5 * dim));
        let sum: Vec<f32> = (0..dim).map(|at| parts.chunks(dim).map(|part| part[at]).sum()).collect();
        near(name, &sum, &whole, 1e-4);
        let prefix = pooled(&backend, &tokens[..97], &[0, 97], &Taps::new(&[1], 32, &[1]).unwrap());
        near(name, &prefix, &parts[..3 * dim], 1e-4);
        // Behind a context that another window counted.
        let behind = pooled(&backend, &tokens, &[0, 150], &Taps::new(&[1], 32, &[65]).unwrap());
        near(name, &behind, &parts[2 * dim..], 1e-4);
    }
}

#[test]
fn packed_texts_do_not_see_each_other_in_any_form() {
    for (name, model) in models().into_iter().filter(|(_, model)| model.layers.len() > 1) {
        let lengths = [70, 1, 33, 0, 2100, 64];
        let mut starts = vec![0];
        let mut tokens = Vec::new();
        let mut alone = Vec::new();
        let reference = backend(&model, Precision::F32);
        for (seed, length) in lengths.into_iter().enumerate() {
            let text = text(model.shape.vocab, length, seed);
            let taps = Taps::new(&[1], 32, &[0]).unwrap();
            alone.extend(pooled(&reference, &text, &[0, length], &taps));
            tokens.extend(text);
            starts.push(tokens.len());
        }
        let taps = Taps::new(&[1], 32, &[0; 6]).unwrap();
        for (precision, tolerance) in
            [(Precision::F32, 1e-4), (Precision::Auto, 0.05), (Precision::Bf16, 0.05)]
        {
            near(name, &pooled(&backend(&model, precision), &tokens, &starts, &taps), &alone, tolerance);
        }
    }
    assert!(Instructions::best().available());
}

#[test]
fn depths_that_are_not_there_are_refused() {
    let (_, model) = models().swap_remove(0);
    let backend = backend(&model, Precision::F32);
    let batch = PackedBatch::new(&[1, 2, 3], &[0, 3]).unwrap();
    let error = backend.score_tapped(&batch, &Taps::new(&[2], 32, &[0]).unwrap()).unwrap_err();
    assert!(error.to_string().contains("the model has 2"), "{error}");
}

#[test]
fn a_projection_is_the_product_with_what_is_pooled() {
    let (_, model) = models().into_iter().find(|(name, _)| *name == "gemma3").unwrap();
    let dim = model.shape.dim;
    let backend = backend(&model, Precision::F32);
    let tokens = text(model.shape.vocab, 150, 5);
    let weights: Vec<f32> = (0..2 * dim).map(|at| ((at * 37) % 11) as f32 - 5.0).collect();
    let taps = Taps::new(&[1, 2], 32, &[3]).unwrap();
    let vectors = pooled(&backend, &tokens, &[0, 150], &taps);
    let want: Vec<f32> = vectors
        .chunks(2 * dim)
        .map(|chunk| chunk.iter().zip(&weights).map(|(x, weight)| x * weight).sum())
        .collect();
    near("chunks", &pooled(&backend, &tokens, &[0, 150], &taps.projected(&weights)), &want, 1e-4);
    let each = Taps::new(&[1, 2], 1, &[3]).unwrap().projected(&weights);
    let each = pooled(&backend, &tokens, &[0, 150], &each);
    assert_eq!(each.len(), 147);
    let sums: Vec<f32> = each.chunks(32).map(|chunk| chunk.iter().sum()).collect();
    near("tokens", &sums, &want, 1e-4);
}
