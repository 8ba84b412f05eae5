//! Small models of random weights.

#![allow(clippy::unwrap_used)]

use super::adapter::Lora;
use super::data::Tokenize;
use crate::model::lora::file::Adapter;
use crate::model::lora::projection::Projection;
use crate::model::tokenizer::TextToken;
use crate::random::Random;
use bonafide_kernels::weights::{Activation, Layer, Linear, Matrix, Model, RotaryPairs, Shape};
use candle_core::quantized::gguf_file::{self, Value};
use candle_core::quantized::{GgmlDType, QTensor};
use candle_core::{DType, Device, Tensor};
use std::path::Path;

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
pub(crate) fn llama() -> Model {
    model("llama")
}

/// The same with a token for every character of ASCII.
pub(crate) fn wide_llama() -> Model {
    sized("llama", 128)
}

/// A model of a family; `gemma3` has all that the others lack, but biases.
pub(crate) fn model(name: &str) -> Model {
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
pub(crate) fn stir(lora: &Lora, scale: f64) {
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

/// An adapter's matrices as variables again.
pub(crate) fn variables_of(adapter: &Adapter, shape: &Shape) -> Lora {
    let meta = &adapter.meta;
    let lora = Lora::new(shape, meta.layers, meta.rank, meta.alpha, 0, DType::F32, &Device::Cpu).unwrap();
    for (index, layer) in adapter.layers.iter().enumerate() {
        for (pair, kept) in lora.layer(index).iter().zip(layer) {
            for (var, values) in [(&pair.a, &kept.a), (&pair.b, &kept.b)] {
                var.set(&Tensor::from_vec(values.clone(), var.shape(), &Device::Cpu).unwrap()).unwrap();
            }
        }
    }
    lora
}

/// Writes [`wide_llama`] as a GGUF file with a tokenizer of single bytes of ASCII; only "th" is one token. Token 1 begins
/// every sequence.
pub(crate) fn write_wide_llama(path: &Path) {
    let model = wide_llama();
    let shape = &model.shape;
    let number = |x: usize| Value::U32(x as u32);
    let text = |x: &str| Value::String(x.to_owned());
    // The characters that stand for bytes: printable ones for themselves, the others from U+0100 on.
    let character = |byte: u32| match byte {
        0..=32 => 0x100 + byte,
        127 => 0x121,
        _ => byte,
    };
    let mut tokens: Vec<Value> = (0..shape.vocab as u32)
        .map(|byte| Value::String(char::from_u32(character(byte)).unwrap().to_string()))
        .collect();
    tokens[0] = text("th");
    let metadata = [
        ("general.architecture", text("llama")),
        ("llama.embedding_length", number(shape.dim)),
        ("llama.attention.head_count", number(shape.heads)),
        ("llama.attention.head_count_kv", number(shape.kv_heads)),
        ("llama.attention.key_length", number(shape.head_dim)),
        ("llama.block_count", number(model.layers.len())),
        ("llama.feed_forward_length", number(shape.feed_forward)),
        ("llama.context_length", number(512)),
        ("llama.attention.layer_norm_rms_epsilon", Value::F32(shape.norm_eps)),
        ("llama.rope.freq_base", Value::F32(500.0)),
        ("tokenizer.ggml.model", text("gpt2")),
        ("tokenizer.ggml.pre", text("gpt-2")),
        ("tokenizer.ggml.tokens", Value::Array(tokens)),
        ("tokenizer.ggml.merges", Value::Array(vec![text("t h")])),
        ("tokenizer.ggml.add_bos_token", Value::Bool(true)),
        ("tokenizer.ggml.bos_token_id", number(1)),
    ];
    let plain = |values: Vec<f32>, shape: &[usize]| {
        let tensor = Tensor::from_vec(values, shape, &Device::Cpu).unwrap();
        QTensor::quantize(&tensor, GgmlDType::F32).unwrap()
    };
    let vector = |values: &[f32]| plain(values.to_vec(), &[values.len()]);
    let rows = |matrix: &Matrix| {
        let mut values = vec![0.0; matrix.rows() * matrix.cols()];
        values.chunks_exact_mut(matrix.cols()).enumerate().for_each(|(row, out)| matrix.row(row, out));
        plain(values, &[matrix.rows(), matrix.cols()])
    };
    let mut tensors = vec![
        ("token_embd.weight".to_owned(), rows(&model.embedding)),
        ("output_norm.weight".to_owned(), vector(&model.output_norm)),
    ];
    const NAMES: [&str; 7] = ["attn_q", "attn_k", "attn_v", "attn_output", "ffn_gate", "ffn_up", "ffn_down"];
    for (index, layer) in model.layers.iter().enumerate() {
        let mut put =
            |name: &str, tensor: QTensor| tensors.push((format!("blk.{index}.{name}.weight"), tensor));
        put("attn_norm", vector(&layer.attention_norm));
        put("ffn_norm", vector(&layer.feed_forward_norm));
        for (which, name) in Projection::ALL.into_iter().zip(NAMES) {
            put(name, rows(&which.of(layer).weight));
        }
    }
    let metadata: Vec<(&str, &Value)> = metadata.iter().map(|(key, value)| (*key, value)).collect();
    let tensors: Vec<(&str, &QTensor)> =
        tensors.iter().map(|(name, tensor)| (name.as_str(), tensor)).collect();
    gguf_file::write(&mut std::fs::File::create(path).unwrap(), &metadata, &tensors).unwrap();
}

/// Three sequences of different lengths.
pub(crate) const SEQUENCES: [&[u32]; 3] =
    [&[3, 17, 9, 9, 39, 0, 21, 5, 30], &[7, 1, 59], &[20, 19, 18, 17, 16, 15]];

/// A tokenizer of single characters: a letter's token is its code below 128, any other's 1.
pub(crate) struct Letters;

impl Letters {
    /// The text of its tokens.
    pub(crate) fn text(tokens: &[u32]) -> String {
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
