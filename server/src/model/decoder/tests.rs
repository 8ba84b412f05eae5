//! Holds the packed tensor program to a plain loop over scalars, for every architecture, on tiny models of
//! random weights. The real models are held to outputs of another implementation in tests/oracle.rs.

#![allow(clippy::unwrap_used, clippy::panic)]

use super::*;
use bonafide_kernels::backend::{Backend, PackedBatch};
use bonafide_kernels::cpu::{CpuBackend, CpuOptions, Instructions, Precision};
use candle_core::quantized::gguf_file::{self, Value};
use candle_core::quantized::{GgmlDType, QTensor};
use candle_core::{Device, Tensor};
use std::collections::BTreeMap;

const DIM: usize = 16;
const HEADS: usize = 4;
const KV_HEADS: usize = 2;
const FEED_FORWARD: usize = 24;
const VOCAB: usize = 40;
const LAYERS: usize = 7;
const WINDOW: usize = 4;
const EPS: f64 = 1e-5;
const ROPE_BASE: f64 = 500.0;

struct Tiny {
    name: &'static str,
    head_dim: usize,
    tensors: BTreeMap<String, Vec<f64>>,
}

impl Tiny {
    fn new(name: &'static str) -> Self {
        let head_dim = if name == "gemma3" { 8 } else { DIM / HEADS };
        let mut tiny = Self { name, head_dim, tensors: BTreeMap::new() };
        let mut state = 0x2545_f491_4f6c_dd1d_u64;
        let mut random = |len: usize, scale: f64, shift: f64| -> Vec<f64> {
            (0..len)
                .map(|_| {
                    state ^= state << 13;
                    state ^= state >> 7;
                    state ^= state << 17;
                    f64::from((shift + scale * ((state >> 11) as f64 / (1_u64 << 53) as f64 - 0.5)) as f32)
                })
                .collect()
        };
        for (tensor, shape) in tiny.shapes() {
            let is_norm = shape.len() == 1 && !tensor.ends_with("bias");
            let values = random(shape.iter().product(), 0.8, if is_norm { 1.0 } else { 0.0 });
            tiny.tensors.insert(tensor, values);
        }
        tiny
    }

    fn shapes(&self) -> Vec<(String, Vec<usize>)> {
        let (q, kv) = (HEADS * self.head_dim, KV_HEADS * self.head_dim);
        let mut shapes = vec![
            ("token_embd.weight".to_owned(), vec![VOCAB, DIM]),
            ("output_norm.weight".to_owned(), vec![DIM]),
        ];
        if self.name == "llama" {
            shapes.push(("output.weight".to_owned(), vec![VOCAB, DIM]));
        }
        for layer in 0..LAYERS {
            let mut add =
                |rest: &str, shape: &[usize]| shapes.push((format!("blk.{layer}.{rest}"), shape.to_vec()));
            add("attn_norm.weight", &[DIM]);
            add("attn_q.weight", &[q, DIM]);
            add("attn_k.weight", &[kv, DIM]);
            add("attn_v.weight", &[kv, DIM]);
            add("attn_output.weight", &[DIM, q]);
            add("ffn_norm.weight", &[DIM]);
            add("ffn_gate.weight", &[FEED_FORWARD, DIM]);
            add("ffn_up.weight", &[FEED_FORWARD, DIM]);
            add("ffn_down.weight", &[DIM, FEED_FORWARD]);
            if self.name == "qwen2" {
                add("attn_q.bias", &[q]);
                add("attn_k.bias", &[kv]);
                add("attn_v.bias", &[kv]);
            }
            if self.name == "qwen3" || self.name == "gemma3" {
                add("attn_q_norm.weight", &[self.head_dim]);
                add("attn_k_norm.weight", &[self.head_dim]);
            }
            if self.name == "gemma3" {
                add("post_attention_norm.weight", &[DIM]);
                add("post_ffw_norm.weight", &[DIM]);
            }
        }
        shapes
    }

    fn write(&self, path: &Path) {
        let key = |rest: &str| format!("{}.{rest}", self.name);
        let number = |x: usize| Value::U32(x as u32);
        let metadata = [
            ("general.architecture".to_owned(), Value::String(self.name.to_owned())),
            (key("embedding_length"), number(DIM)),
            (key("attention.head_count"), number(HEADS)),
            (key("attention.head_count_kv"), number(KV_HEADS)),
            (key("attention.key_length"), number(self.head_dim)),
            (key("block_count"), number(LAYERS)),
            (key("feed_forward_length"), number(FEED_FORWARD)),
            (key("context_length"), number(64)),
            (key("attention.sliding_window"), number(WINDOW)),
            (key("attention.layer_norm_rms_epsilon"), Value::F32(EPS as f32)),
            (key("rope.freq_base"), Value::F32(ROPE_BASE as f32)),
        ];
        let tensors: Vec<(String, QTensor)> = self
            .shapes()
            .into_iter()
            .map(|(name, shape)| {
                let values: Vec<f32> = self.tensors[&name].iter().map(|x| *x as f32).collect();
                let tensor = Tensor::from_vec(values, shape, &Device::Cpu).unwrap();
                (name, QTensor::quantize(&tensor, GgmlDType::F32).unwrap())
            })
            .collect();
        let metadata: Vec<(&str, &Value)> =
            metadata.iter().map(|(key, value)| (key.as_str(), value)).collect();
        let tensors: Vec<(&str, &QTensor)> =
            tensors.iter().map(|(name, tensor)| (name.as_str(), tensor)).collect();
        gguf_file::write(&mut std::fs::File::create(path).unwrap(), &metadata, &tensors).unwrap();
    }

    fn get(&self, layer: usize, rest: &str) -> Option<&Vec<f64>> {
        self.tensors.get(&format!("blk.{layer}.{rest}"))
    }

    fn linear(&self, layer: usize, name: &str, x: &[f64]) -> Vec<f64> {
        let weight = self.get(layer, &format!("{name}.weight")).unwrap();
        let bias = self.get(layer, &format!("{name}.bias"));
        let rows = weight.chunks(x.len()).enumerate();
        rows.map(|(row, w)| w.iter().zip(x).map(|(w, x)| w * x).sum::<f64>() + bias.map_or(0.0, |b| b[row]))
            .collect()
    }

    fn norm(&self, layer: usize, name: &str, x: Vec<f64>) -> Vec<f64> {
        match self.get(layer, &format!("{name}.weight")) {
            Some(weight) => x.chunks(weight.len()).flat_map(|head| rms(head, weight)).collect(),
            None => x,
        }
    }

    fn rotate(&self, x: Vec<f64>, position: usize, local: bool) -> Vec<f64> {
        let half = self.head_dim / 2;
        let base: f64 = if local { 10_000.0 } else { ROPE_BASE };
        let mut out = x.clone();
        for head in 0..x.len() / self.head_dim {
            for pair in 0..half {
                let angle = position as f64 * base.powf(-2.0 * pair as f64 / self.head_dim as f64);
                let (a, b) =
                    if self.name == "llama" { (2 * pair, 2 * pair + 1) } else { (pair, pair + half) };
                let (a, b) = (head * self.head_dim + a, head * self.head_dim + b);
                out[a] = x[a] * angle.cos() - x[b] * angle.sin();
                out[b] = x[a] * angle.sin() + x[b] * angle.cos();
            }
        }
        out
    }

    /// Log-probabilities of tokens 1.. of one sequence.
    fn score(&self, tokens: &[u32]) -> Vec<f64> {
        let gemma = self.name == "gemma3";
        let embedding = &self.tensors["token_embd.weight"];
        let scale = if gemma { (DIM as f64).sqrt() } else { 1.0 };
        let row = |token: u32| &embedding[token as usize * DIM..(token as usize + 1) * DIM];
        let mut states: Vec<Vec<f64>> =
            tokens.iter().map(|token| row(*token).iter().map(|x| x * scale).collect()).collect();
        for layer in 0..LAYERS {
            let local = gemma && layer != 5;
            let (mut keys, mut values) = (Vec::new(), Vec::new());
            for (at, state) in states.iter_mut().enumerate() {
                let input = self.norm(layer, "attn_norm", state.clone());
                let project = |name: &str, norm: &str| {
                    self.rotate(self.norm(layer, norm, self.linear(layer, name, &input)), at, local)
                };
                let query = project("attn_q", "attn_q_norm");
                keys.push(project("attn_k", "attn_k_norm"));
                values.push(self.linear(layer, "attn_v", &input));
                let first = if local { (at + 1).saturating_sub(WINDOW) } else { 0 };
                let mixed = self.attend(&query, &keys[first..], &values[first..]);
                let attended =
                    self.norm(layer, "post_attention_norm", self.linear(layer, "attn_output", &mixed));
                let middle: Vec<f64> = state.iter().zip(attended).map(|(x, y)| x + y).collect();
                let input = self.norm(layer, "ffn_norm", middle.clone());
                let up = self.linear(layer, "ffn_up", &input);
                let gate = self.linear(layer, "ffn_gate", &input);
                let hidden: Vec<f64> = gate.iter().zip(up).map(|(g, u)| activate(*g, gemma) * u).collect();
                let out = self.norm(layer, "post_ffw_norm", self.linear(layer, "ffn_down", &hidden));
                *state = middle.iter().zip(out).map(|(x, y)| x + y).collect();
            }
        }
        let output = self.tensors.get("output.weight").unwrap_or(embedding);
        let steps = states.iter().zip(&tokens[1..]);
        steps
            .map(|(state, target)| {
                let state = rms(state, &self.tensors["output_norm.weight"]);
                let logits: Vec<f64> =
                    output.chunks(DIM).map(|w| w.iter().zip(&state).map(|(w, x)| w * x).sum()).collect();
                logits[*target as usize] - logits.iter().map(|x| x.exp()).sum::<f64>().ln()
            })
            .collect()
    }

    fn attend(&self, query: &[f64], keys: &[Vec<f64>], values: &[Vec<f64>]) -> Vec<f64> {
        let size = self.head_dim;
        (0..HEADS)
            .flat_map(|head| {
                let kv = head / (HEADS / KV_HEADS) * size;
                let query = &query[head * size..(head + 1) * size];
                let dot = |key: &Vec<f64>| -> f64 {
                    query.iter().zip(&key[kv..kv + size]).map(|(q, k)| q * k).sum()
                };
                let weights: Vec<f64> =
                    keys.iter().map(|key| (dot(key) / (size as f64).sqrt()).exp()).collect();
                let total: f64 = weights.iter().sum();
                (0..size)
                    .map(|i| weights.iter().zip(values).map(|(w, v)| w * v[kv + i]).sum::<f64>() / total)
                    .collect::<Vec<_>>()
            })
            .collect()
    }
}

fn rms(x: &[f64], weight: &[f64]) -> Vec<f64> {
    let scale = (x.iter().map(|x| x * x).sum::<f64>() / x.len() as f64 + EPS).sqrt();
    x.iter().zip(weight).map(|(x, w)| x / scale * w).collect()
}

fn activate(x: f64, gemma: bool) -> f64 {
    if gemma {
        let z = (2.0 / std::f64::consts::PI).sqrt() * (x + 0.044_715 * x.powi(3));
        0.5 * x * (1.0 + z.tanh())
    } else {
        x / (1.0 + (-x).exp())
    }
}

fn read(path: &Path) -> Result<Model, LoadError> {
    let gguf = Gguf::open(path)?;
    model(&gguf, &Config::read(&gguf)?)
}

fn backend(model: &Model, observer: Option<&Model>) -> CpuBackend {
    CpuBackend::new(
        model,
        observer,
        CpuOptions { threads: 2, precision: Precision::F32, ..CpuOptions::default() },
    )
    .unwrap()
}

/// How far a form of numbers may be from the exact value on these models of random weights, and how far one set of
/// instructions from another. The 8-bit form rounds the weights, which here are f32; real ones come in fewer bits.
const FORMS: [(Precision, f64, f64); 3] =
    [(Precision::F32, 1e-3, 1e-4), (Precision::Int8, 0.25, 1e-3), (Precision::Bf16, 0.25, 0.1)];

fn holds(name: &'static str) {
    let tiny = Tiny::new(name);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("tiny.gguf");
    tiny.write(&path);
    let model = read(&path).unwrap();
    let sequences: [&[u32]; 5] =
        [&[3, 17, 9, 9, 39, 0, 21, 5, 30, 12, 8], &[7, 1], &[], &[11], &[20, 19, 18, 17, 16, 15]];
    let tokens: Vec<u32> = sequences.concat();
    let mut starts = vec![0];
    for sequence in sequences {
        starts.push(starts.last().unwrap() + sequence.len());
    }
    let expected: Vec<f64> = sequences.iter().filter(|s| s.len() > 1).flat_map(|s| tiny.score(s)).collect();
    for (precision, tolerance, apart) in FORMS {
        let mut first: Option<Vec<f64>> = None;
        for instructions in Instructions::ALL.into_iter().filter(|set| set.available()) {
            let options = CpuOptions { threads: 2, precision, instructions: Some(instructions) };
            let model = CpuBackend::new(&model, None, options).unwrap();
            let stats = model.score(&PackedBatch::new(&tokens, &starts).unwrap()).unwrap();
            assert_eq!(stats.len(), expected.len(), "{name}");
            let got: Vec<f64> = stats.iter().map(|stats| f64::from(stats.logprob)).collect();
            let first = first.get_or_insert_with(|| got.clone());
            for (at, got) in got.iter().enumerate() {
                let (off, other) = ((got - expected[at]).abs(), (got - first[at]).abs());
                let what = format!("{name} {} token {at}: {got} {}", model.name(), expected[at]);
                assert!(off < tolerance && other < apart, "{what}, scalar {}", first[at]);
            }
        }
    }
}

#[test]
fn llama_matches_plain_loops() {
    holds("llama");
}

#[test]
fn qwen2_matches_plain_loops() {
    holds("qwen2");
}

#[test]
fn qwen3_matches_plain_loops() {
    holds("qwen3");
}

#[test]
fn gemma3_matches_plain_loops() {
    holds("gemma3");
}

#[test]
fn a_model_that_observes_itself_has_its_entropy_as_cross_entropy() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("tiny.gguf");
    Tiny::new("qwen3").write(&path);
    let model = read(&path).unwrap();
    let tokens = [3, 17, 9, 9, 39, 0, 21];
    let batch = PackedBatch::new(&tokens, &[0, 4, 7]).unwrap();
    let alone = backend(&model, None).score(&batch).unwrap();
    assert!(alone.iter().all(|stats| stats.cross_entropy.is_none()));
    let stats = backend(&model, Some(&model)).score(&batch).unwrap();
    assert_eq!(stats.len(), 5);
    for stats in stats {
        assert!((stats.cross_entropy.unwrap() - stats.entropy).abs() < 1e-4);
    }
}

#[test]
fn an_unknown_token_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("tiny.gguf");
    Tiny::new("llama").write(&path);
    let model = backend(&read(&path).unwrap(), None);
    let batch = [1, VOCAB as u32, 2];
    assert!(model.score(&PackedBatch::new(&batch, &[0, 3]).unwrap()).is_err());
    assert!(model.score(&PackedBatch::new(&[], &[0]).unwrap()).unwrap().is_empty());
}

#[test]
fn a_cut_file_is_refused_with_a_reason() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("tiny.gguf");
    Tiny::new("qwen3").write(&path);
    let bytes = std::fs::read(&path).unwrap();
    for len in [0, 3, 20, 300, bytes.len() / 2, bytes.len() - 64] {
        std::fs::write(&path, &bytes[..len]).unwrap();
        assert!(read(&path).is_err(), "a file of {len} bytes");
    }
}
