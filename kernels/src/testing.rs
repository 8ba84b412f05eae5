//! Small models of random weights, for the tests of every backend.

#![allow(clippy::unwrap_used)]

use crate::weights::{Activation, Layer, Linear, Matrix, Model, RotaryPairs, Shape};
use half::bf16;

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

/// A model of each family, and some with what no family has.
pub(crate) fn models() -> Vec<(&'static str, Model)> {
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

/// Tokens of a made-up text, another for each seed.
pub(crate) fn text(vocab: usize, len: usize, seed: usize) -> Vec<u32> {
    (0..len).map(|i| ((i * 7919 + i * i * 31 + seed * 613) % vocab) as u32).collect()
}
