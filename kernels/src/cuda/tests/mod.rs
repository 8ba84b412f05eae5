//! The whole pass held to a scalar reference: on an emulated GPU wherever there is a C++ compiler, on a real
//! one where there is one.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[cfg(all(target_os = "linux", target_endian = "little"))]
mod emulated;
mod reference;

use super::{CudaBackend, available, compile};
use crate::backend::{Backend, BackendError, PackedBatch, TokenStats};
use crate::weights::{Activation, Layer, Linear, Matrix, Model, RotaryPairs, Shape};
use half::bf16;

/// How far bf16 activations may take a log-probability of these models.
const TOLERANCE: f64 = 0.03;

struct Random(u64);

impl Random {
    fn numbers(&mut self, len: usize, scale: f32) -> Vec<f32> {
        let mut next = || {
            self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (self.0 >> 40) as f32 / (1_u64 << 24) as f32 * 2.0 - 1.0
        };
        (0..len).map(|_| next() * scale).collect()
    }

    /// Numbers that bf16 holds, so that the two sides start from the same weights.
    fn matrix(&mut self, rows: usize, cols: usize, scale: f32) -> Matrix {
        let numbers: Vec<f32> = self
            .numbers(rows * cols, scale / (cols as f32).sqrt())
            .iter()
            .map(|x| bf16::from_f32(*x).to_f32())
            .collect();
        Matrix::from_f32(rows, cols, &numbers).unwrap()
    }

    fn linear(&mut self, rows: usize, cols: usize, bias: bool) -> Linear {
        let weight = self.matrix(rows, cols, 1.7);
        Linear { weight, bias: bias.then(|| self.numbers(rows, 0.5)) }
    }

    fn norm(&mut self, size: usize) -> Vec<f32> {
        self.numbers(size, 0.5).iter().map(|x| 1.0 + x).collect()
    }
}

/// Which options a family of models has.
#[derive(Clone, Copy)]
struct Options {
    query_bias: bool,
    all_biases: bool,
    head_norms: bool,
    post_norms: bool,
    tied: bool,
}

fn model(mut shape: Shape, layers: usize, options: Options) -> Model {
    let mut random = Random(shape.dim as u64 * 31 + shape.head_dim as u64);
    let Shape { dim, feed_forward, heads, kv_heads, head_dim, vocab, .. } = shape;
    let half = head_dim / 2;
    shape.rotary = (0..half).map(|i| 10_000_f64.powf(-(i as f64) / half as f64)).collect();
    shape.rotary_local = (0..half).map(|i| 100_f64.powf(-(i as f64) / half as f64)).collect();
    let layers = (0..layers)
        .map(|index| Layer {
            attention_norm: random.norm(dim),
            query: random.linear(heads * head_dim, dim, options.query_bias),
            key: random.linear(kv_heads * head_dim, dim, options.query_bias),
            value: random.linear(kv_heads * head_dim, dim, options.query_bias),
            query_norm: options.head_norms.then(|| random.norm(head_dim)),
            key_norm: options.head_norms.then(|| random.norm(head_dim)),
            attention_output: random.linear(dim, heads * head_dim, options.all_biases),
            post_attention_norm: options.post_norms.then(|| random.norm(dim)),
            feed_forward_norm: random.norm(dim),
            gate: random.linear(feed_forward, dim, options.all_biases),
            up: random.linear(feed_forward, dim, options.all_biases),
            down: random.linear(dim, feed_forward, options.all_biases),
            post_feed_forward_norm: options.post_norms.then(|| random.norm(dim)),
            local: shape.window.is_some() && index % 2 == 0,
        })
        .collect();
    let embedding = random.matrix(vocab, dim, 3.0);
    let output = if options.tied { embedding.clone() } else { random.matrix(vocab, dim, 3.0) };
    let model = Model { shape, embedding, output, output_norm: random.norm(dim), layers };
    model.check().unwrap();
    model
}

fn models() -> Vec<(&'static str, Model)> {
    let shape = |dim, feed_forward, heads, kv_heads, head_dim, vocab| Shape {
        dim,
        feed_forward,
        heads,
        kv_heads,
        head_dim,
        vocab,
        norm_eps: 1e-5,
        activation: Activation::Silu,
        pairs: RotaryPairs::Halves,
        embedding_scale: 1.0,
        rotary: Vec::new(),
        rotary_local: Vec::new(),
        window: None,
    };
    let none =
        Options { query_bias: false, all_biases: false, head_norms: false, post_norms: false, tied: true };
    vec![
        // More words than a tile of the head has, and not a whole number of tiles.
        ("llama", model(Shape { pairs: RotaryPairs::Neighbours, ..shape(48, 80, 4, 2, 64, 4500) }, 2, none)),
        ("qwen2", model(shape(72, 40, 3, 1, 24, 300), 2, Options { query_bias: true, tied: false, ..none })),
        ("qwen3", model(shape(40, 64, 6, 3, 32, 300), 2, Options { head_norms: true, ..none })),
        (
            "gemma3",
            model(
                Shape {
                    activation: Activation::Gelu,
                    embedding_scale: 40_f32.sqrt(),
                    window: Some(20),
                    ..shape(40, 64, 2, 1, 256, 300)
                },
                3,
                Options { head_norms: true, post_norms: true, ..none },
            ),
        ),
        // Sizes that no vector load fits, a block of keys of which only a warp's last query sees one, and all
        // options.
        (
            "odd",
            model(
                Shape {
                    activation: Activation::Gelu,
                    pairs: RotaryPairs::Neighbours,
                    window: Some(50),
                    ..shape(33, 531, 2, 2, 6, 299)
                },
                2,
                Options {
                    query_bias: true,
                    all_biases: true,
                    head_norms: true,
                    post_norms: true,
                    tied: false,
                },
            ),
        ),
        // Biases without norms after the products.
        ("biased", model(shape(16, 24, 2, 1, 128, 50), 1, Options { all_biases: true, ..none })),
    ]
}

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

#[test]
#[cfg(all(target_os = "linux", target_endian = "little"))]
fn the_emulated_gpu_matches_the_reference() {
    for (name, model) in models() {
        let Some(chip) = emulated::EmulatedChip::new(model.shape.head_dim) else { return };
        let mut forward = super::forward::Forward::new(chip, &model).unwrap();
        hold_together(name, &model, |batch| forward.score(batch));
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
