//! The whole pass held to a scalar reference: on an emulated GPU wherever there is a C++ compiler, on a real
//! one where there is one.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[cfg(all(target_os = "linux", target_endian = "little"))]
mod emulated;
mod reference;

use super::{CudaBackend, available, compile};
use crate::backend::{Backend, BackendError, PackedBatch, TokenStats};
use crate::cpu::{CpuBackend, CpuOptions, Precision};
use crate::taps::Taps;
use crate::testing::models;
use crate::weights::Model;

/// How far bf16 activations may take a log-probability of these models.
const TOLERANCE: f64 = 0.03;

/// Lengths on both sides of a tile of queries, and sequences that give nothing.
const LENGTHS: [usize; 7] = [1, 0, 2, 70, 64, 135, 17];

fn tokens(vocab: usize, lengths: &[usize]) -> (Vec<u32>, Vec<usize>) {
    let mut starts = vec![0];
    for length in lengths {
        starts.push(starts.last().unwrap() + length);
    }
    let tokens = (0..*starts.last().unwrap()).map(|i| ((i * 7919 + i * i * 31) % vocab) as u32).collect();
    (tokens, starts)
}

fn hold_together(
    name: &str,
    model: &Model,
    mut score: impl FnMut(&PackedBatch<'_>) -> Result<Vec<TokenStats>, BackendError>,
) {
    let (tokens, starts) = tokens(model.shape.vocab, &LENGTHS);
    let batch = PackedBatch::new(&tokens, &starts).unwrap();
    let got = score(&batch).unwrap();
    let want = reference::score(model, &batch);
    assert_eq!(got.len(), want.len());
    let (mut sum, mut worst) = (0.0, 0.0_f64);
    for (at, (got, want)) in got.iter().zip(&want).enumerate() {
        let off = |got: f32, want: f32| f64::from((got - want).abs() / (1.0 + want.abs()));
        let difference = [
            off(got.logprob, want.stats.logprob),
            off(got.entropy, want.stats.entropy),
            off(got.mean_logprob, want.stats.mean_logprob),
            off(got.variance, want.stats.variance),
        ]
        .into_iter()
        .fold(0.0, f64::max);
        assert!(difference < TOLERANCE, "{name}, row {at}: {got:?} where {:?} is expected", want.stats);
        let own = want.logits[want.target];
        let above = |slack: f64| want.logits.iter().filter(|x| **x > own + slack).count() as u32;
        // The second count has the target itself in it.
        let range = 1 + above(2.0 * TOLERANCE)..=above(-2.0 * TOLERANCE);
        assert!(range.contains(&got.rank), "{name}, row {at}: rank {} outside {range:?}", got.rank);
        sum += difference;
        worst = worst.max(difference);
    }
    eprintln!(
        "{name}: {} rows, differences {:.5} on average, {worst:.5} at most",
        got.len(),
        sum / got.len() as f64
    );

    // A text alone scores as among others: rows of a product do not see each other.
    let alone = &tokens[starts[3]..starts[4]];
    let alone = score(&PackedBatch::new(alone, &[0, alone.len()]).unwrap()).unwrap();
    for (alone, among) in alone.iter().zip(&got[1..]) {
        assert!((alone.logprob - among.logprob).abs() < 0.02, "{name}: {alone:?} {among:?}");
    }
}

/// Pooled hidden states beside those of the CPU in f32.
#[track_caller]
fn pools_alike(
    name: &str,
    model: &Model,
    mut pool: impl FnMut(&PackedBatch<'_>, &Taps<'_>) -> Result<Vec<f32>, BackendError>,
) {
    if model.layers.len() < 2 {
        return;
    }
    let (tokens, starts) = tokens(model.shape.vocab, &LENGTHS);
    let batch = PackedBatch::new(&tokens, &starts).unwrap();
    let first: Vec<usize> = (0..LENGTHS.len()).map(|at| at % 3).collect();
    let taps = Taps::new(&[1], 32, &first).unwrap();
    let options = CpuOptions { threads: 1, precision: Precision::F32, instructions: None };
    let want = CpuBackend::new(model, None, options).unwrap().score_tapped(&batch, &taps).unwrap().1;
    let got = pool(&batch, &taps).unwrap();
    assert_eq!(got.len(), want.len(), "{name}");
    for (got, want) in got.chunks_exact(model.shape.dim).zip(want.chunks_exact(model.shape.dim)) {
        let length = |of: &dyn Fn(usize) -> f32| (0..got.len()).map(|at| of(at).powi(2)).sum::<f32>().sqrt();
        let (off, all) = (length(&|at| got[at] - want[at]), length(&|at| want[at]));
        assert!(off <= 0.03 * all.max(1.0), "{name}: {off} of {all}");
    }
}

#[test]
#[cfg(all(target_os = "linux", target_endian = "little"))]
fn the_emulated_gpu_matches_the_reference() {
    for (name, model) in models() {
        let Some(chip) = emulated::EmulatedChip::new(model.shape.head_dim) else { return };
        let mut forward = super::forward::Forward::new(chip, &model).unwrap();
        hold_together(name, &model, |batch| Ok(forward.score(batch, None)?.0));
        pools_alike(name, &model, |batch, taps| Ok(forward.score(batch, Some(taps))?.1));
    }
}

#[test]
fn cuda_matches_the_cpu() {
    if let Err(reason) = available() {
        eprintln!("skipped: {reason}");
        return;
    }
    for (name, model) in models() {
        let backend = CudaBackend::new(&model, 0).unwrap();
        hold_together(name, &model, |batch| backend.score(batch));
        pools_alike(name, &model, |batch, taps| Ok(backend.score_tapped(batch, taps)?.1));
    }
}

#[test]
fn a_machine_without_a_gpu_is_told_what_to_do() {
    match available() {
        Ok(devices) => assert!(!devices.is_empty()),
        Err(reason) => {
            let line = reason.to_string();
            assert!(line.contains("stay") && line.contains("CPU"), "{line}");
            let (_, model) = models().pop().unwrap();
            assert!(CudaBackend::new(&model, 0).is_err());
        }
    }
}

#[test]
fn the_kernels_compile_for_a100_and_h100() {
    if let Err(reason) = compile::present() {
        eprintln!("skipped: {reason}");
        return;
    }
    for capability in [(8, 0), (9, 0)] {
        for head_dim in [6, 24, 64, 80, 128, 256] {
            let image = compile::compile(head_dim, capability).unwrap();
            assert!(!image.code().is_empty(), "nothing for {capability:?} and {head_dim}");
        }
    }
}
