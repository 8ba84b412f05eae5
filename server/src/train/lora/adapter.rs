//! Low-rank adapters (Hu et al. 2021, arXiv 2106.09685): what is added to a frozen matrix W is (alpha / rank) B A, with A of
//! `[rank, in]` and B of `[out, rank]`.

use super::head::ClassHead;
use super::model::numbers;
use crate::model::lora::file::{Adapter, LinearHead, LowRank, Meta};
use crate::model::lora::projection::{Projection, tensor_name};
use crate::random::Random;
use bonafide_kernels::weights::Shape;
use candle_core::{DType, Device, Result, Tensor, Var};

/// What is trained of one matrix.
#[derive(Debug, Clone)]
pub struct Pair {
    /// `[rank, in]`.
    pub a: Var,
    /// `[out, rank]`.
    pub b: Var,
}

/// The matrices of an adapter as variables: all seven of each of the lowest layers.
#[derive(Debug, Clone)]
pub struct Lora {
    layers: Vec<[Pair; 7]>,
    scale: f64,
}

impl Lora {
    /// A fresh adapter, which changes nothing: A uniform as Kaiming has it with a = sqrt 5 (within 1 / sqrt(in)), B zero.
    pub fn new(
        shape: &Shape,
        layers: usize,
        rank: usize,
        alpha: f64,
        seed: u64,
        dtype: DType,
        device: &Device,
    ) -> Result<Self> {
        let mut random = Random::new(&[b"adapter", &seed.to_le_bytes()]);
        let mut pair = |which: Projection| -> Result<Pair> {
            let (outputs, inputs) = which.size(shape);
            let bound = 1.0 / (inputs as f64).sqrt();
            let values: Vec<f64> = (0..rank * inputs).map(|_| bound * (2.0 * random.unit() - 1.0)).collect();
            let a = Tensor::from_vec(values, (rank, inputs), &Device::Cpu)?.to_dtype(dtype)?;
            let b = Var::zeros((outputs, rank), dtype, device)?;
            Ok(Pair { a: Var::from_tensor(&a.to_device(device)?)?, b })
        };
        let mut made = Vec::with_capacity(layers);
        for _ in 0..layers {
            let [q, k, v, o, gate, up, down] = Projection::ALL.map(&mut pair);
            made.push([q?, k?, v?, o?, gate?, up?, down?]);
        }
        Ok(Self { layers: made, scale: alpha / rank as f64 })
    }

    /// Layers that are adapted, from the lowest.
    #[must_use]
    pub fn layers(&self) -> usize {
        self.layers.len()
    }

    /// The pairs of a layer, in the order of [`Projection::ALL`].
    #[must_use]
    pub fn layer(&self, index: usize) -> &[Pair; 7] {
        &self.layers[index]
    }

    /// alpha / rank.
    #[must_use]
    pub fn scale(&self) -> f64 {
        self.scale
    }

    /// The variables with their names, in one order always.
    #[must_use]
    pub fn variables(&self) -> Vec<(String, Var)> {
        let mut all = Vec::with_capacity(self.layers.len() * 14);
        for (index, layer) in self.layers.iter().enumerate() {
            for (which, pair) in Projection::ALL.iter().zip(layer) {
                for (side, var) in [("a", &pair.a), ("b", &pair.b)] {
                    all.push((tensor_name(index, *which, side), var.clone()));
                }
            }
        }
        all
    }

    /// The same as numbers, as a file keeps them; a language model's adapter has no head.
    pub fn kept(&self, meta: Meta, head: Option<&ClassHead>) -> Result<Adapter> {
        let mut layers = Vec::with_capacity(self.layers.len());
        for layer in &self.layers {
            let pair = |which: Projection| -> Result<LowRank> {
                let Pair { a, b } = &layer[which as usize];
                let (outputs, inputs) = (b.dim(0)?, a.dim(1)?);
                Ok(LowRank { a: single(a.as_tensor())?, b: single(b.as_tensor())?, outputs, inputs })
            };
            let [q, k, v, o, gate, up, down] = Projection::ALL.map(pair);
            layers.push([q?, k?, v?, o?, gate?, up?, down?]);
        }
        let narrow = |values: &[f64]| values.iter().map(|x| *x as f32).collect();
        let head = match head {
            Some(head) => Some(LinearHead {
                weight: single(head.weight.as_tensor())?,
                bias: single(head.bias.as_tensor())?.first().copied().unwrap_or(0.0),
                mean: narrow(&head.mean),
                scale: narrow(&head.scale),
            }),
            None => None,
        };
        Ok(Adapter { meta, layers, head })
    }
}

fn single(tensor: &Tensor) -> Result<Vec<f32>> {
    Ok(numbers(tensor)?.into_iter().map(|x| x as f32).collect())
}
