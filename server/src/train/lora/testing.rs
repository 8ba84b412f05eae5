//! Small models of random weights.

#![allow(clippy::unwrap_used)]

use super::adapter::Lora;
use super::data::Tokenize;
use crate::model::tokenizer::TextToken;
use crate::random::Random;
use bonafide_kernels::weights::{Activation, Layer, Linear, Matrix, Model, RotaryPairs, Shape};
use candle_core::{Device, Tensor};

fn numbers(random: &mut Random, len: usize, scale: f64) -> Vec<f32> {
    (0..len).map(|_| (scale * (2.0 * random.unit() - 1.0)) as f32).collect()
}

fn matrix(random: &mut Random, rows: usize, cols: usize) -> Matrix {
    let values = numbers(random, rows * cols, 1.5 / (cols as f64).sqrt());
    Matrix::from_f32(rows, cols, &values).unwrap()
}

fn linear(random: &mut Random, rows: usize, cols: usize, bias: bool) -> Linear {
    Linear { weight: matrix(random, rows, cols), bias: bias.then(|| numbers(random, rows, 0.3)) }
}

fn norm(random: &mut Random, size: usize) -> Vec<f32> {
    numbers(random, size, 0.4).iter().map(|x| 1.0 + x).collect()
}

/// Of the family of the default model.
pub(super) fn llama() -> Model {
    model("llama")
}

/// The same with a token for every character of ASCII.
pub(super) fn wide_llama() -> Model {
    sized("llama", 128)
}

/// A model of a family; `gemma3` has all that the others lack, but biases.
pub(super) fn model(name: &str) -> Model {
    sized(name, 60)
}

fn sized(name: &str, vocab: usize) -> Model {
    let gemma = name == "gemma3";
    let mut random = Random::new(&[name.as_bytes()]);
    let half = 4;
    let rotary = |base: f64| (0..half).map(|i| base.powf(-f64::from(i) / f64::from(half))).collect();
    let shape = Shape {
        dim: 24,
        feed_forward: 40,
        heads: 4,
        kv_heads: 2,
        head_dim: 8,
        vocab,
        norm_eps: 1e-5,
        activation: if gemma { Activation::Gelu } else { Activation::Silu },
        pairs: if name == "llama" { RotaryPairs::Neighbours } else { RotaryPairs::Halves },
        embedding_scale: if gemma { 2.0 } else { 1.0 },
        rotary: rotary(500.0),
        rotary_local: rotary(20.0),
        window: gemma.then_some(3),
    };
    let Shape { dim, feed_forward, heads, kv_heads, head_dim, .. } = shape;
    let bias = name == "qwen2";
    let layers = (0..3).map(|index| Layer {
        attention_norm: norm(&mut random, dim),
        query: linear(&mut random, heads * head_dim, dim, bias),
        key: linear(&mut random, kv_heads * head_dim, dim, bias),
        value: linear(&mut random, kv_heads * head_dim, dim, bias),
        query_norm: gemma.then(|| norm(&mut random, head_dim)),
        key_norm: gemma.then(|| norm(&mut random, head_dim)),
        attention_output: linear(&mut random, dim, heads * head_dim, false),
        post_attention_norm: gemma.then(|| norm(&mut random, dim)),
        feed_forward_norm: norm(&mut random, dim),
        gate: linear(&mut random, feed_forward, dim, false),
        up: linear(&mut random, feed_forward, dim, false),
        down: linear(&mut random, dim, feed_forward, false),
        post_feed_forward_norm: gemma.then(|| norm(&mut random, dim)),
        local: gemma && index != 1,
    });
    let layers = layers.collect();
    let embedding = matrix(&mut random, vocab, dim);
    let model =
        Model { shape, output: embedding.clone(), embedding, output_norm: norm(&mut random, dim), layers };
    model.check().unwrap();
    model
}

/// Gives every B of an adapter random numbers, so that it changes what the model does.
pub(super) fn stir(lora: &Lora, scale: f64) {
    let mut random = Random::new(&[b"stir"]);
    for (name, var) in lora.variables() {
        if name.ends_with(".b") {
            let values: Vec<f64> =
                numbers(&mut random, var.elem_count(), scale).into_iter().map(f64::from).collect();
            let values = Tensor::from_vec(values, var.shape(), &Device::Cpu).unwrap();
            var.set(&values.to_dtype(var.dtype()).unwrap()).unwrap();
        }
    }
}

/// Three sequences of different lengths.
pub(super) const SEQUENCES: [&[u32]; 3] =
    [&[3, 17, 9, 9, 39, 0, 21, 5, 30], &[7, 1, 59], &[20, 19, 18, 17, 16, 15]];

/// A tokenizer of single characters: a letter's token is its code below 128, any other's 1.
pub(super) struct Letters;

impl Letters {
    /// The text of its tokens.
    pub(super) fn text(tokens: &[u32]) -> String {
        tokens.iter().filter_map(|token| char::from_u32(*token)).collect()
    }
}

impl Tokenize for Letters {
    fn tokens(&self, text: &str) -> Result<Vec<TextToken>, String> {
        let token = |(start, c): (usize, char)| {
            let id = if c.is_ascii() { u32::from(c) } else { 1 };
            TextToken { id, start, end: start + c.len_utf8() }
        };
        Ok(text.char_indices().map(token).collect())
    }

    fn begin(&self) -> Option<u32> {
        None
    }
}
