//! The scalar reference: the same model in double precision, token by token, with all logits.

use crate::backend::{PackedBatch, TokenStats};
use crate::weights::{Activation, Layer, Linear, Matrix, Model, RotaryPairs, Shape};

/// Statistics of a token, and all logits they come from.
pub(super) struct Expected {
    pub(super) stats: TokenStats,
    pub(super) logits: Vec<f64>,
    pub(super) target: usize,
}

pub(super) fn score(model: &Model, batch: &PackedBatch<'_>) -> Vec<Expected> {
    let mut all = Vec::new();
    for sequence in batch.sequences() {
        let tokens = &batch.tokens()[sequence];
        let states = states(model, tokens);
        for (state, &target) in states.iter().zip(tokens.iter().skip(1)) {
            all.push(expected(matrix(&model.output, state), target as usize));
        }
    }
    all
}

fn expected(logits: Vec<f64>, target: usize) -> Expected {
    let max = logits.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let log_z = max + logits.iter().map(|x| (x - max).exp()).sum::<f64>().ln();
    let mean: f64 = logits.iter().map(|x| (x - log_z).exp() * (x - log_z)).sum();
    let variance: f64 = logits.iter().map(|x| (x - log_z).exp() * (x - log_z - mean).powi(2)).sum();
    let stats = TokenStats {
        logprob: (logits[target] - log_z) as f32,
        rank: 1 + logits.iter().filter(|x| **x > logits[target]).count() as u32,
        entropy: -mean as f32,
        mean_logprob: mean as f32,
        variance: variance as f32,
        cross_entropy: None,
        projection: None,
    };
    Expected { stats, logits, target }
}

fn matrix(matrix: &Matrix, x: &[f64]) -> Vec<f64> {
    let mut row = vec![0.0; matrix.cols()];
    (0..matrix.rows())
        .map(|index| {
            matrix.row(index, &mut row);
            row.iter().zip(x).map(|(w, x)| f64::from(*w) * x).sum()
        })
        .collect()
}

fn linear(linear: &Linear, x: &[f64]) -> Vec<f64> {
    let mut y = matrix(&linear.weight, x);
    for (y, bias) in y.iter_mut().zip(linear.bias.iter().flatten()) {
        *y += f64::from(*bias);
    }
    y
}

fn norm(x: &[f64], weight: Option<&Vec<f32>>, eps: f32) -> Vec<f64> {
    let Some(weight) = weight else { return x.to_vec() };
    let square = x.iter().map(|x| x * x).sum::<f64>() / x.len() as f64;
    x.iter().zip(weight).map(|(x, w)| x / (square + f64::from(eps)).sqrt() * f64::from(*w)).collect()
}

fn rotate(head: &mut [f64], frequencies: &[f64], position: usize, pairs: RotaryPairs) {
    let half = head.len() / 2;
    for (pair, frequency) in frequencies.iter().enumerate() {
        let (first, second) = match pairs {
            RotaryPairs::Neighbours => (2 * pair, 2 * pair + 1),
            RotaryPairs::Halves => (pair, pair + half),
        };
        let (sine, cosine) = (position as f64 * frequency).sin_cos();
        let (x, y) = (head[first], head[second]);
        head[first] = x * cosine - y * sine;
        head[second] = x * sine + y * cosine;
    }
}

fn states(model: &Model, tokens: &[u32]) -> Vec<Vec<f64>> {
    let shape = &model.shape;
    let mut row = vec![0.0; shape.dim];
    let mut x: Vec<Vec<f64>> = tokens
        .iter()
        .map(|&token| {
            model.embedding.row(token as usize, &mut row);
            row.iter().map(|x| f64::from(*x) * f64::from(shape.embedding_scale)).collect()
        })
        .collect();
    for layer in &model.layers {
        let normed: Vec<_> = x.iter().map(|x| norm(x, Some(&layer.attention_norm), shape.norm_eps)).collect();
        let attended = attention(shape, layer, &normed);
        for (x, attended) in x.iter_mut().zip(attended) {
            let out = linear(&layer.attention_output, &attended);
            add(x, &norm(&out, layer.post_attention_norm.as_ref(), shape.norm_eps));
            let normed = norm(x, Some(&layer.feed_forward_norm), shape.norm_eps);
            let (gate, up) = (linear(&layer.gate, &normed), linear(&layer.up, &normed));
            let gated: Vec<f64> =
                gate.iter().zip(up).map(|(gate, up)| activate(*gate, shape.activation) * up).collect();
            let out = linear(&layer.down, &gated);
            add(x, &norm(&out, layer.post_feed_forward_norm.as_ref(), shape.norm_eps));
        }
    }
    x.iter().map(|x| norm(x, Some(&model.output_norm), shape.norm_eps)).collect()
}

fn add(x: &mut [f64], y: &[f64]) {
    for (x, y) in x.iter_mut().zip(y) {
        *x += y;
    }
}

fn activate(x: f64, activation: Activation) -> f64 {
    match activation {
        Activation::Silu => x / (1.0 + (-x).exp()),
        Activation::Gelu => {
            0.5 * x * (1.0 + ((2.0 / std::f64::consts::PI).sqrt() * (x + 0.044_715 * x.powi(3))).tanh())
        }
    }
}

fn attention(shape: &Shape, layer: &Layer, x: &[Vec<f64>]) -> Vec<Vec<f64>> {
    let local = layer.local && shape.window.is_some();
    let window = if local { shape.window.unwrap_or(usize::MAX) } else { usize::MAX };
    let frequencies = if local { &shape.rotary_local } else { &shape.rotary };
    let heads = |linear_of: &Linear, weight: Option<&Vec<f32>>, turned: bool| -> Vec<Vec<Vec<f64>>> {
        x.iter()
            .enumerate()
            .map(|(position, x)| {
                let y = linear(linear_of, x);
                y.chunks(shape.head_dim)
                    .map(|head| {
                        let mut head = norm(head, weight, shape.norm_eps);
                        if turned {
                            rotate(&mut head, frequencies, position, shape.pairs);
                        }
                        head
                    })
                    .collect()
            })
            .collect()
    };
    let queries = heads(&layer.query, layer.query_norm.as_ref(), true);
    let keys = heads(&layer.key, layer.key_norm.as_ref(), true);
    let values = heads(&layer.value, None, false);
    let group = shape.heads / shape.kv_heads;
    (0..x.len())
        .map(|query| {
            let mut mixed = Vec::new();
            for head in 0..shape.heads {
                let seen = (query + 1).saturating_sub(window)..query + 1;
                let scores: Vec<f64> = seen
                    .clone()
                    .map(|key| {
                        let (q, k) = (&queries[query][head], &keys[key][head / group]);
                        q.iter().zip(k).map(|(q, k)| q * k).sum::<f64>() / (shape.head_dim as f64).sqrt()
                    })
                    .collect();
                let max = scores.iter().copied().fold(f64::NEG_INFINITY, f64::max);
                let sum: f64 = scores.iter().map(|score| (score - max).exp()).sum();
                let mut out = vec![0.0; shape.head_dim];
                for (score, key) in scores.iter().zip(seen) {
                    for (out, value) in out.iter_mut().zip(&values[key][head / group]) {
                        *out += (score - max).exp() / sum * value;
                    }
                }
                mixed.extend(out);
            }
            mixed
        })
        .collect()
}
