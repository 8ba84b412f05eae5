//! Low-rank adapters (Hu et al. 2021, arXiv 2106.09685): what is added to a frozen matrix W is (alpha / rank) B A, with A of
//! `[rank, in]` and B of `[out, rank]`.

use crate::random::Random;
use bonafide_kernels::weights::{Layer, Linear, Shape};
use candle_core::{DType, Device, Result, Tensor, Var};

/// A matrix of a layer that is adapted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[allow(missing_docs)] // the names of [`Layer`]'s fields
pub enum Projection {
    Query,
    Key,
    Value,
    Output,
    Gate,
    Up,
    Down,
}

impl Projection {
    /// All of them, in the order of their numbers.
    pub const ALL: [Self; 7] =
        [Self::Query, Self::Key, Self::Value, Self::Output, Self::Gate, Self::Up, Self::Down];

    /// The name in files.
    #[must_use]
    pub fn name(self) -> &'static str {
        ["q", "k", "v", "o", "gate", "up", "down"][self as usize]
    }

    /// Its outputs and inputs.
    #[must_use]
    pub fn size(self, shape: &Shape) -> (usize, usize) {
        let (queries, keys) = (shape.heads * shape.head_dim, shape.kv_heads * shape.head_dim);
        match self {
            Self::Query => (queries, shape.dim),
            Self::Key | Self::Value => (keys, shape.dim),
            Self::Output => (shape.dim, queries),
            Self::Gate | Self::Up => (shape.feed_forward, shape.dim),
            Self::Down => (shape.dim, shape.feed_forward),
        }
    }

    /// The matrix in a layer.
    #[must_use]
    pub fn of(self, layer: &Layer) -> &Linear {
        match self {
            Self::Query => &layer.query,
            Self::Key => &layer.key,
            Self::Value => &layer.value,
            Self::Output => &layer.attention_output,
            Self::Gate => &layer.gate,
            Self::Up => &layer.up,
            Self::Down => &layer.down,
        }
    }

    /// The same, to be changed.
    pub fn of_mut(self, layer: &mut Layer) -> &mut Linear {
        match self {
            Self::Query => &mut layer.query,
            Self::Key => &mut layer.key,
            Self::Value => &mut layer.value,
            Self::Output => &mut layer.attention_output,
            Self::Gate => &mut layer.gate,
            Self::Up => &mut layer.up,
            Self::Down => &mut layer.down,
        }
    }
}

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
}

/// The name of a tensor: `layers.{index}.{projection}.{a|b}`.
#[must_use]
pub fn tensor_name(layer: usize, which: Projection, side: &str) -> String {
    format!("layers.{layer}.{}.{side}", which.name())
}
