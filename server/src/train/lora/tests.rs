//! Holds the differentiable forward pass to the kernels' one, and its gradients to differences.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stdout)]

use super::adapter::Lora;
use super::composed;
use super::head::{ClassHead, Target, pool};
use super::model::{Batch, Gradients, Layout, Network, numbers};
use super::ops::{self, Angles};
use super::testing::{self, SEQUENCES};
use crate::model::lora::file::{Meta, VERSION};
use crate::model::lora::merge::merge;
use crate::model::registry::Registry;
use crate::model::store;
use crate::paths::Paths;
use crate::random::Random;
use bonafide_kernels::backend::{Backend, PackedBatch};
use bonafide_kernels::cpu::{CpuBackend, CpuOptions, Precision};
use bonafide_kernels::taps::Taps;
use bonafide_kernels::weights::{Activation, Model, RotaryPairs};
use candle_core::{DType, Device, Tensor, Var};
use std::path::Path;
use std::sync::Arc;

fn network(model: &Model, depth: usize, dtype: DType) -> Network {
    let language = depth == model.layers.len();
    Network::new(model, &Layout { depth, positions: 16, language, dtype, device: Device::Cpu }).unwrap()
}

fn lora(model: &Model, layers: usize, dtype: DType) -> Lora {
    let lora = Lora::new(&model.shape, layers, 2, 4.0, 7, dtype, &Device::Cpu).unwrap();
    testing::stir(&lora, 0.3);
    lora
}

/// The kernels' log-probabilities of each sequence's tokens but the first.
fn kernel_logprobs(model: &Model) -> Vec<f64> {
    let options = CpuOptions { threads: 1, precision: Precision::F32, ..CpuOptions::default() };
    let backend = CpuBackend::new(model, None, options).unwrap();
    let mut starts = vec![0];
    SEQUENCES.iter().for_each(|tokens| starts.push(starts.last().unwrap() + tokens.len()));
    let tokens = SEQUENCES.concat();
    let stats = backend.score(&PackedBatch::new(&tokens, &starts).unwrap()).unwrap();
    stats.iter().map(|stats| f64::from(stats.logprob)).collect()
}

/// Rows of the states that predict a token, and those tokens.
fn steps(batch: &Batch) -> (Vec<u32>, Vec<u32>) {
    let mut rows = Vec::new();
    for (sequence, length) in batch.lengths().iter().enumerate() {
        rows.extend((0..length - 1).map(|at| (sequence * batch.width() + at) as u32));
    }
    let targets = rows.iter().map(|row| batch.ids()[*row as usize + 1]).collect();
    (rows, targets)
}

/// candle's log-probabilities of the same tokens.
fn candle_logprobs(model: &Model, lora: Option<&Lora>) -> Vec<f64> {
    let network = network(model, model.layers.len(), DType::F32);
    let batch = Batch::new(&SEQUENCES);
    let states = network.states(&batch, lora).unwrap();
    let (rows, targets) = steps(&batch);
    let rows = Tensor::new(rows, &Device::Cpu).unwrap();
    network.log_probabilities(&states.index_select(&rows, 0).unwrap(), &targets).unwrap()
}

fn farthest(a: &[f64], b: &[f64]) -> f64 {
    assert_eq!(a.len(), b.len());
    a.iter().zip(b).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max)
}

#[test]
fn log_probabilities_are_those_of_the_kernels() {
    for name in ["llama", "qwen2", "gemma3"] {
        let model = testing::model(name);
        let off = farthest(&candle_logprobs(&model, None), &kernel_logprobs(&model));
        assert!(off < 1e-3, "{name}: {off}");
    }
}

/// The oracle lies beside the repository; without it, or without the model, there is nothing to test.
#[test]
fn the_default_model_scores_as_transformers_does() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/oracles/lm/oracle_smollm2-135m.json");
    let registry = Registry::builtin().unwrap();
    let stored = store::stored(&Paths::from_env().unwrap(), registry.find("smollm2-135m").unwrap());
    let (Ok(oracle), Some(stored)) = (std::fs::read_to_string(path), stored) else {
        println!("SKIPPED: the oracle or the model is not here");
        return;
    };
    let texts: Vec<serde_json::Value> = serde_json::from_str(&oracle).unwrap();
    let list = |text: &serde_json::Value, key: &str| -> Vec<f64> {
        text[key].as_array().unwrap().iter().map(|x| x.as_f64().unwrap()).collect()
    };
    let shortest = texts.iter().min_by_key(|text| list(text, "token_ids").len()).unwrap();
    let tokens: Vec<u32> = list(shortest, "token_ids").iter().map(|x| *x as u32).collect();
    let model = crate::model::load(&stored.path).unwrap().model;
    let (depth, positions) = (model.layers.len(), tokens.len());
    let layout = Layout { depth, positions, language: true, dtype: DType::F32, device: Device::Cpu };
    let network = Network::new(&model, &layout).unwrap();
    let states = network.states(&Batch::new(&[&tokens]), None).unwrap();
    let states = states.narrow(0, 0, positions - 1).unwrap();
    let off =
        farthest(&network.log_probabilities(&states, &tokens[1..]).unwrap(), &list(shortest, "logprob"));
    assert!(off < 1e-3, "{off}");
}

#[test]
fn pooled_states_are_those_of_the_kernels() {
    for name in ["llama", "gemma3"] {
        let model = testing::model(name);
        let options = CpuOptions { threads: 1, precision: Precision::F32, ..CpuOptions::default() };
        let backend = CpuBackend::new(&model, None, options).unwrap();
        let tokens = SEQUENCES.concat();
        let starts = [0, 9, 12, 18];
        let packed = PackedBatch::new(&tokens, &starts).unwrap();
        let taps = Taps::new(&[2], 64, &[1, 1, 1]).unwrap();
        let (_, sums) = backend.score_tapped(&packed, &taps).unwrap();
        let counts = SEQUENCES.iter().map(|tokens| (tokens.len() - 1) as f64);
        let kernels: Vec<f64> = sums
            .chunks_exact(model.shape.dim)
            .zip(counts)
            .flat_map(|(sum, count)| sum.iter().map(move |x| f64::from(*x) / count))
            .collect();
        let batch = Batch::new(&SEQUENCES);
        let states = network(&model, 2, DType::F32).states(&batch, None).unwrap();
        let off = farthest(&numbers(&pool(&states, &batch).unwrap()).unwrap(), &kernels);
        assert!(off < 1e-3, "{name}: {off}");
    }
}

#[test]
fn a_fresh_adapter_changes_nothing_and_a_stirred_one_does() {
    let model = testing::llama();
    let plain = candle_logprobs(&model, None);
    let fresh = Lora::new(&model.shape, 3, 2, 4.0, 7, DType::F32, &Device::Cpu).unwrap();
    assert!(farthest(&plain, &candle_logprobs(&model, Some(&fresh))) < 1e-6);
    assert!(farthest(&plain, &candle_logprobs(&model, Some(&lora(&model, 3, DType::F32)))) > 0.1);
}

#[test]
fn padding_is_not_seen() {
    let model = testing::llama();
    let network = network(&model, 2, DType::F32);
    let pooled = |sequences: &[&[u32]]| {
        let batch = Batch::new(sequences);
        numbers(&pool(&network.states(&batch, None).unwrap(), &batch).unwrap()).unwrap()
    };
    let apart: Vec<f64> = SEQUENCES.iter().flat_map(|tokens| pooled(&[tokens])).collect();
    assert!(farthest(&pooled(&SEQUENCES), &apart) < 1e-5);
}

fn targets() -> [Target<'static>; 3] {
    [
        Target { label: 1.0, weight: 1.0, extra: &[0.5, -1.0] },
        Target { label: 0.0, weight: 2.0, extra: &[-0.25, 0.0] },
        Target { label: 1.0, weight: 0.5, extra: &[2.0, 1.0] },
    ]
}

fn features(size: usize) -> Vec<Vec<f64>> {
    let mut random = Random::new(&[b"features"]);
    (0..5).map(|_| (0..size).map(|_| random.unit() - 0.5).collect()).collect()
}

fn class_head(dim: usize) -> ClassHead {
    let head = ClassHead::new(&features(dim + 2), DType::F64, &Device::Cpu).unwrap();
    let mut random = Random::new(&[b"weights"]);
    let weights: Vec<f64> = (0..dim + 2).map(|_| random.unit() - 0.5).collect();
    head.weight.set(&Tensor::new(weights, &Device::Cpu).unwrap()).unwrap();
    head
}

/// Central differences of a loss in some numbers of each variable, beside its gradient.
fn check(variables: &[(String, Var)], grads: &Gradients, loss: &dyn Fn() -> f64) {
    let step = 1e-5;
    for (name, var) in variables {
        let grad = numbers(grads.of(var).unwrap_or_else(|| panic!("{name} has no gradient"))).unwrap();
        let before = numbers(var.as_tensor()).unwrap();
        let mut random = Random::new(&[name.as_bytes()]);
        for _ in 0..3 {
            let at = random.below(before.len());
            let at_offset = |by: f64| {
                let mut values = before.clone();
                values[at] += by;
                var.set(&Tensor::from_vec(values, var.shape(), &Device::Cpu).unwrap()).unwrap();
                loss()
            };
            let slope = (at_offset(step) - at_offset(-step)) / (2.0 * step);
            at_offset(0.0);
            let off = (slope - grad[at]).abs() / (slope.abs() + grad[at].abs()).max(1e-4);
            assert!(off < 1e-4, "{name}[{at}]: {} is not {slope}", grad[at]);
        }
    }
}

#[test]
fn gradients_of_the_classification_are_differences() {
    for (name, recompute) in [("llama", false), ("llama", true), ("qwen2", false), ("gemma3", true)] {
        let model = testing::model(name);
        let (network, lora) = (network(&model, 2, DType::F64), lora(&model, 2, DType::F64));
        let (batch, head) = (Batch::new(&SEQUENCES), class_head(model.shape.dim));
        let mut grads = Gradients::default();
        let tape = network.record(&batch, &lora, recompute).unwrap();
        let (value, grad) = head.loss(&tape.states, &batch, &targets(), &mut grads).unwrap();
        network.backward(tape, &grad, &lora, &mut grads).unwrap();
        let loss = || {
            let states = network.states(&batch, Some(&lora)).unwrap();
            head.loss(&states, &batch, &targets(), &mut Gradients::default()).unwrap().0
        };
        assert!((loss() - value).abs() < 1e-12 && value > 0.1);
        let variables = [lora.variables(), head.variables()].concat();
        assert_eq!(variables.len(), 2 * 14 + 2);
        check(&variables, &grads, &loss);
    }
}

#[test]
fn gradients_of_the_language_loss_are_differences() {
    let model = testing::llama();
    let (network, lora) = (network(&model, 3, DType::F64), lora(&model, 3, DType::F64));
    let batch = Batch::new(&SEQUENCES);
    let (rows, tokens) = steps(&batch);
    let weights: Vec<f64> = (0..rows.len()).map(|at| 0.5 + 0.1 * at as f64).collect();
    // Rows of the padding have a weight of 0.
    let (mut all, mut all_weights) = (vec![0; batch.ids().len()], vec![0.0; batch.ids().len()]);
    for ((row, token), weight) in rows.iter().zip(&tokens).zip(&weights) {
        (all[*row as usize], all_weights[*row as usize]) = (*token, *weight);
    }
    let mut grads = Gradients::default();
    let tape = network.record(&batch, &lora, false).unwrap();
    let (value, logprobs, grad) = network.language_loss(&tape.states, &all, &all_weights).unwrap();
    network.backward(tape, &grad, &lora, &mut grads).unwrap();
    let loss = || {
        let states = network.states(&batch, Some(&lora)).unwrap();
        let logprobs = network.log_probabilities(&states, &all).unwrap();
        -logprobs.iter().zip(&all_weights).map(|(p, w)| p * w).sum::<f64>()
    };
    assert!((loss() - value).abs() < 1e-10 && logprobs.iter().all(|p| *p < 0.0));
    check(&lora.variables(), &grads, &loss);
}

/// Values and gradients of a step as one loop beside the same composed of candle's operations.
fn agree(name: &str, shape: &[usize], step: &dyn Fn(&Tensor, bool) -> Tensor) {
    let size = shape.iter().product();
    let mut random = Random::new(&[name.as_bytes()]);
    let mut draw = || -> Vec<f64> { (0..size).map(|_| 4.0 * random.unit() - 2.0).collect() };
    let (values, weights) = (draw(), draw());
    for (dtype, tolerance) in [(DType::F64, 1e-10), (DType::F32, 1e-4)] {
        let make = |values: &[f64]| {
            Tensor::from_vec(values.to_vec(), shape, &Device::Cpu).unwrap().to_dtype(dtype).unwrap()
        };
        let run = |composed: bool| {
            let x = Var::from_tensor(&make(&values)).unwrap();
            let out = step(x.as_tensor(), composed);
            let grads = out.mul(&make(&weights)).unwrap().sum_all().unwrap().backward().unwrap();
            (numbers(&out).unwrap(), numbers(grads.get(&x).unwrap()).unwrap())
        };
        let ((loop_out, loop_grad), (out, grad)) = (run(false), run(true));
        assert!(farthest(&loop_out, &out) < tolerance, "{name} {dtype:?}");
        assert!(farthest(&loop_grad, &grad) < tolerance, "{name} {dtype:?}, gradient");
        assert!(grad.iter().any(|g| g.abs() > 1e-3), "{name}");
    }
}

#[test]
fn steps_in_loops_are_the_composed_ones() {
    let weight = Tensor::new(&[0.5, 1.0, -2.0, 1.5], &Device::Cpu).unwrap();
    agree("norm", &[3, 4], &|x, composed| {
        let weight = weight.to_dtype(x.dtype()).unwrap();
        if composed { composed::norm(x, Some(&weight), 1e-5) } else { ops::norm(x, Some(&weight), 1e-5) }
            .unwrap()
    });
    agree("plain norm", &[3, 4], &|x, composed| {
        if composed { composed::norm(x, None, 1e-12) } else { ops::norm(x, None, 1e-12) }.unwrap()
    });
    for window in [None, Some(2)] {
        agree("softmax", &[2, 10, 5], &|x, composed| {
            let step = if composed { composed::causal_softmax } else { ops::causal_softmax };
            step(x, 0.7, window).unwrap()
        });
    }
    for pairs in [RotaryPairs::Neighbours, RotaryPairs::Halves] {
        let angles = Arc::new(Angles::new(&[1.0, 0.3], pairs, 6));
        agree("rotary", &[2, 5, 3, 4], &|x, composed| {
            if composed { composed::rotate(x, &angles) } else { ops::rotate(x, &angles) }.unwrap()
        });
    }
    for activation in [Activation::Silu, Activation::Gelu] {
        for swapped in [false, true] {
            agree("gated", &[7, 3], &|x, composed| {
                let other = (x.detach() + 0.3).unwrap();
                let (gate, up) = if swapped { (&other, x) } else { (x, &other) };
                let step = if composed { composed::gated } else { ops::gated };
                step(gate, up, activation).unwrap()
            });
        }
    }
}

#[test]
fn bfloat16_takes_the_composed_steps() {
    let model = testing::llama();
    let batch = Batch::new(&SEQUENCES);
    let pooled = |dtype: DType| {
        let network = network(&model, 2, dtype);
        let lora = lora(&model, 2, DType::F32);
        let tape = network.record(&batch, &lora, false).unwrap();
        let pooled = numbers(&pool(&tape.states, &batch).unwrap()).unwrap();
        let mut grads = Gradients::default();
        network
            .backward(tape, &Tensor::ones((27, 24), dtype, &Device::Cpu).unwrap(), &lora, &mut grads)
            .unwrap();
        let grad = numbers(grads.of(&lora.layer(0)[0].b).unwrap()).unwrap();
        (pooled, grad)
    };
    let ((exact, exact_grad), (rough, rough_grad)) = (pooled(DType::F32), pooled(DType::BF16));
    let off = farthest(&exact, &rough);
    assert!(off < 0.05, "{off}");
    let largest = exact_grad.iter().fold(0.0_f64, |max, g| max.max(g.abs()));
    let off = farthest(&exact_grad, &rough_grad);
    assert!(off < 0.1 * largest, "{off} of {largest}");
}

#[test]
fn wrong_batches_and_depths_are_errors() {
    let model = testing::llama();
    let layout =
        |depth, language| Layout { depth, positions: 4, language, dtype: DType::F32, device: Device::Cpu };
    assert!(Network::new(&model, &layout(0, false)).is_err());
    assert!(Network::new(&model, &layout(4, false)).is_err());
    assert!(Network::new(&model, &layout(2, true)).is_err());
    let network = Network::new(&model, &layout(2, false)).unwrap();
    assert!(network.states(&Batch::new(&[&[1, 2, 3, 4, 5]]), None).is_err());
    assert!(network.states(&Batch::new(&[&[1, 60]]), None).is_err());
    let states = network.states(&Batch::new(&[&[1, 2]]), None).unwrap();
    assert!(network.log_probabilities(&states, &[1, 2]).is_err());
}

fn meta(layers: usize) -> Meta {
    let (base, data) = (String::new(), Vec::new());
    Meta { version: VERSION, base, rank: 2, alpha: 4.0, layers, seed: 7, data, held_out: None }
}

/// The kernels with the merged weights beside candle with the adapter; in part of the layers, too.
#[test]
fn merged_weights_score_as_the_adapter_does() {
    for (name, layers) in [("llama", 3), ("llama", 2), ("qwen2", 3), ("gemma3", 2)] {
        let model = testing::model(name);
        let lora = lora(&model, layers, DType::F32);
        let merged = merge(&model, &lora.kept(meta(layers), None).unwrap()).unwrap();
        let (own, candle) = (kernel_logprobs(&merged), candle_logprobs(&model, Some(&lora)));
        let off = farthest(&own, &candle);
        assert!(off < 1e-3, "{name}: {off}");
        let moved = farthest(&own, &kernel_logprobs(&model));
        assert!(moved > 0.1, "{name}: {moved}");
    }
}

#[test]
fn an_adapter_of_another_model_is_not_merged() {
    let model = testing::llama();
    let mut shape = model.shape.clone();
    shape.feed_forward += 8;
    let lora = Lora::new(&shape, 1, 2, 4.0, 7, DType::F32, &Device::Cpu).unwrap();
    assert!(merge(&model, &lora.kept(meta(1), None).unwrap()).is_err());
}
