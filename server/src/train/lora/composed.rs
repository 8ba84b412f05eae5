//! The steps of [`super::ops`] made of candle's operations, for every device and type of number.

use super::ops::{Angles, GELU_CUBE, GELU_SLOPE, frozen};
use bonafide_kernels::weights::{Activation, RotaryPairs};
use candle_core::{D, DType, Device, Result, Tensor};

/// The sum of squares in f32 at least.
pub(super) fn norm(x: &Tensor, weight: Option<&Tensor>, eps: f64) -> Result<Tensor> {
    let wide = if x.dtype() == DType::F64 { x.clone() } else { x.to_dtype(DType::F32)? };
    let scale = (wide.sqr()?.mean_keepdim(D::Minus1)? + eps)?.sqrt()?;
    let normed = wide.broadcast_div(&scale)?;
    let normed = match weight {
        Some(weight) => normed.broadcast_mul(&weight.to_dtype(normed.dtype())?)?,
        None => normed,
    };
    normed.to_dtype(x.dtype())
}

pub(super) fn causal_softmax(x: &Tensor, scale: f64, window: Option<usize>) -> Result<Tensor> {
    let (rows, keys) = (x.dim(D::Minus2)?, x.dim(D::Minus1)?);
    let window = window.unwrap_or(usize::MAX);
    let hidden = |at: usize, key: usize| key > at || at - key >= window;
    let mask: Vec<f32> = (0..rows)
        .flat_map(|row| (0..keys).map(move |key| (row % keys, key)))
        .map(|(at, key)| if hidden(at, key) { -1e9 } else { 0.0 })
        .collect();
    let wide = if x.dtype() == DType::F64 { DType::F64 } else { DType::F32 };
    let mask = Tensor::from_vec(mask, (rows, keys), x.device())?.to_dtype(wide)?;
    let scores = (x.to_dtype(wide)? * scale)?.broadcast_add(&mask)?;
    // A constant shift has no gradient.
    let greatest = scores.max_keepdim(D::Minus1)?.detach();
    let powers = scores.broadcast_sub(&greatest)?.exp()?;
    powers.broadcast_div(&powers.sum_keepdim(D::Minus1)?)?.to_dtype(x.dtype())
}

/// x cos + (x P) sin, where P moves each number to its partner's place, negated where the turn subtracts.
pub(super) fn rotate(x: &Tensor, angles: &Angles) -> Result<Tensor> {
    let (batch, positions, heads, size) = x.dims4()?;
    let mut swap = vec![0.0_f32; size * size];
    let (mut cos, mut sin) = (vec![0.0; positions * size], vec![0.0; positions * size]);
    for pair in 0..angles.half {
        let (a, b) = match angles.pairs {
            RotaryPairs::Neighbours => (2 * pair, 2 * pair + 1),
            RotaryPairs::Halves => (pair, pair + angles.half),
        };
        swap[b * size + a] = -1.0;
        swap[a * size + b] = 1.0;
        for at in 0..positions {
            let (c, s) = (angles.cos[at * angles.half + pair], angles.sin[at * angles.half + pair]);
            (cos[at * size + a], cos[at * size + b]) = (c, c);
            (sin[at * size + a], sin[at * size + b]) = (s, s);
        }
    }
    let table = |values: Vec<f64>| {
        Tensor::from_vec(values, (1, positions, 1, size), &Device::Cpu)?
            .to_dtype(x.dtype())?
            .to_device(x.device())
    };
    let swap = Tensor::from_vec(swap, (size, size), &Device::Cpu)?.to_dtype(x.dtype())?;
    let rows = x.reshape((batch * positions * heads, size))?;
    let swapped = frozen(&rows, &swap.t()?.contiguous()?.to_device(x.device())?)?;
    let swapped = swapped.reshape(x.shape())?;
    x.broadcast_mul(&table(cos)?)? + swapped.broadcast_mul(&table(sin)?)?
}

pub(super) fn gated(gate: &Tensor, up: &Tensor, activation: Activation) -> Result<Tensor> {
    let active = match activation {
        Activation::Silu => gate.silu()?,
        Activation::Gelu => {
            let inner = ((gate.sqr()? * GELU_CUBE)? + 1.0)?.mul(gate)?;
            ((inner * GELU_SLOPE)?.tanh()? + 1.0)?.mul(&(gate * 0.5)?)?
        }
    };
    active.mul(up)
}
