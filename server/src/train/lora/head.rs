//! The classification head: one logit from the states of a sequence, and what it says of them.
//!
//! Every position's vector is divided by its root mean square and the positions are averaged, the first left out, because
//! it has read nothing. The mean, with whatever further numbers a caller has of the text, is standardised by a mean and a
//! scale that are fixed before training, and a linear map makes the logit.

use super::model::{Batch, Gradients, numbers};
use super::ops;
use super::optim::{AdamW, Parameter};
use bonafide_core::detect::logistic;
use candle_core::{DType, Device, Error, Result, Tensor, Var};

/// Keeps the root mean square of a row of zeros from dividing by zero.
const NO_ROWS_OF_ZERO: f64 = 1e-12;

/// A scale below this share of 1 is taken for a feature that says nothing.
const LEAST_SCALE: f64 = 1e-6;

/// The head's variables and constants. Features are the pooled states and behind them the further numbers.
#[derive(Debug, Clone)]
pub struct ClassHead {
    /// `[features]`.
    pub weight: Var,
    /// `[1]`.
    pub bias: Var,
    /// What is taken off each feature, `[features]`.
    pub mean: Vec<f64>,
    /// What each feature is then divided by, `[features]`.
    pub scale: Vec<f64>,
}

/// What the loss reads of one sequence.
#[derive(Debug, Clone, Copy)]
pub struct Target<'a> {
    /// 1 for a model's text, 0 for a human's.
    pub label: f64,
    /// How much the sequence counts.
    pub weight: f64,
    /// The further numbers.
    pub extra: &'a [f32],
}

/// Mean over the positions of each sequence, but the first, of x / rms(x): `[sequences, dim]` from `[sequences * width, dim]`.
/// A sequence of one token gives zeros.
pub fn pool(states: &Tensor, batch: &Batch) -> Result<Tensor> {
    let (sequences, width) = (batch.lengths().len(), batch.width());
    let dim = states.dim(1)?;
    let share = |length: usize, at: usize| {
        if (1..length).contains(&at) { 1.0 / (length - 1) as f64 } else { 0.0 }
    };
    let shares: Vec<f64> =
        batch.lengths().iter().flat_map(|length| (0..width).map(move |at| share(*length, at))).collect();
    let shares = Tensor::from_vec(shares, (sequences, 1, width), &Device::Cpu)?
        .to_dtype(states.dtype())?
        .to_device(states.device())?;
    let normed = ops::norm(states, None, NO_ROWS_OF_ZERO)?.reshape((sequences, width, dim))?;
    shares.matmul(&normed)?.reshape((sequences, dim))
}

impl ClassHead {
    /// A head that knows nothing, with the mean and the scale of some rows of features.
    pub fn new(features: &[Vec<f64>], dtype: DType, device: &Device) -> Result<Self> {
        let size = features.first().map(Vec::len).filter(|size| *size > 0);
        let size = size.ok_or_else(|| Error::Msg("no features to standardise by".to_owned()))?;
        let rows = features.len() as f64;
        let mut mean = vec![0.0; size];
        for row in features {
            mean.iter_mut().zip(row).for_each(|(mean, x)| *mean += x / rows);
        }
        let mut scale = vec![0.0; size];
        for row in features {
            scale
                .iter_mut()
                .zip(row)
                .zip(&mean)
                .for_each(|((scale, x), mean)| *scale += (x - mean).powi(2) / rows);
        }
        let spread = |variance: f64| if variance.sqrt() > LEAST_SCALE { variance.sqrt() } else { 1.0 };
        Ok(Self {
            weight: Var::zeros(size, dtype, device)?,
            bias: Var::zeros(1, dtype, device)?,
            mean,
            scale: scale.into_iter().map(spread).collect(),
        })
    }

    /// The variables with their names.
    #[must_use]
    pub fn variables(&self) -> Vec<(String, Var)> {
        vec![("head.weight".to_owned(), self.weight.clone()), ("head.bias".to_owned(), self.bias.clone())]
    }

    /// Logits, `[sequences]`, of pooled states with the further numbers.
    fn logits(&self, pooled: &Tensor, targets: &[Target<'_>]) -> Result<Tensor> {
        let (dtype, device) = (self.weight.dtype(), self.weight.device());
        let constant = |values: &[f64]| Tensor::new(values, &Device::Cpu)?.to_dtype(dtype)?.to_device(device);
        let extra: Vec<f64> = targets.iter().flat_map(|target| target.extra).map(|x| f64::from(*x)).collect();
        let mut features = pooled.to_dtype(dtype)?;
        if !extra.is_empty() {
            let size = extra.len() / targets.len();
            let extra = constant(&extra)?.reshape((targets.len(), size))?;
            features = Tensor::cat(&[&features, &extra], 1)?;
        }
        let standard =
            features.broadcast_sub(&constant(&self.mean)?)?.broadcast_div(&constant(&self.scale)?)?;
        let size = self.mean.len();
        standard.matmul(&self.weight.reshape((size, 1))?)?.broadcast_add(&self.bias)?.flatten_all()
    }

    /// Log-odds of each sequence, from the last states.
    pub fn scores(&self, states: &Tensor, batch: &Batch, targets: &[Target<'_>]) -> Result<Vec<f64>> {
        numbers(&self.logits(&pool(states, batch)?, targets)?)
    }

    /// The sum of the sequences' weighted binary cross-entropies (nats), and its gradient in the states; adds those of the
    /// head's variables.
    pub fn loss(
        &self,
        states: &Tensor,
        batch: &Batch,
        targets: &[Target<'_>],
        into: &mut Gradients,
    ) -> Result<(f64, Tensor)> {
        let leaf = Var::from_tensor(states)?;
        let logits = self.logits(&pool(leaf.as_tensor(), batch)?, targets)?;
        let (loss, slope) = cross_entropy(&logits, targets)?;
        let mut grads = logits.mul(&slope)?.sum_all()?.backward()?;
        for var in [&self.weight, &self.bias] {
            if let Some(grad) = grads.remove(var) {
                into.add(var, &grad)?;
            }
        }
        let grad = match grads.remove(&leaf) {
            Some(grad) => grad,
            None => states.zeros_like()?,
        };
        Ok((loss, grad))
    }

    /// Fits the head alone to rows of features of the frozen model, by full gradients of the mean loss and half the
    /// `penalty` times the squared length of the weights: adapters that begin behind a head
    /// which already separates distort the states less (Kumar et al. 2022, arXiv 2202.10054).
    pub fn fit(
        &self,
        features: &[Vec<f64>],
        targets: &[Target<'_>],
        steps: usize,
        penalty: f64,
    ) -> Result<()> {
        let (rows, size) = (features.len(), self.mean.len());
        let targets: Vec<Target<'_>> =
            targets.iter().map(|target| Target { extra: &[], ..*target }).collect();
        let total: f64 = targets.iter().map(|target| target.weight).sum();
        let flat: Vec<f64> = features.iter().flatten().copied().collect();
        let flat = Tensor::from_vec(flat, (rows, size), &Device::Cpu)?
            .to_dtype(self.weight.dtype())?
            .to_device(self.weight.device())?;
        let parameters = vec![
            Parameter { name: String::new(), var: self.weight.clone(), decays: true, rate: 1.0 },
            Parameter { name: String::new(), var: self.bias.clone(), decays: false, rate: 1.0 },
        ];
        let mut optimiser = AdamW::new(parameters, 0.0)?;
        for _ in 0..steps {
            let logits = self.logits(&flat, &targets)?;
            let (_, slope) = cross_entropy(&logits, &targets)?;
            let grads = (logits.mul(&slope)?.sum_all()? / total)?.backward()?;
            let mut into = Gradients::default();
            for var in [&self.weight, &self.bias] {
                if let Some(grad) = grads.get(var) {
                    into.add(var, grad)?;
                }
            }
            into.add(&self.weight, &(self.weight.as_detached_tensor() * penalty)?)?;
            optimiser.step(&into, 1e-2, 1.0)?;
        }
        Ok(())
    }
}

/// sum(weight * (softplus(z) - label z)), and the gradient in the logits: weight * (sigmoid(z) - label).
fn cross_entropy(logits: &Tensor, targets: &[Target<'_>]) -> Result<(f64, Tensor)> {
    let values = numbers(logits)?;
    let each = || values.iter().zip(targets);
    let softplus = |z: f64| z.max(0.0) + (-z.abs()).exp().ln_1p();
    let loss = each().map(|(z, target)| target.weight * (softplus(*z) - target.label * z)).sum();
    let grad: Vec<f64> = each().map(|(z, target)| target.weight * (logistic(*z) - target.label)).collect();
    Ok((loss, Tensor::new(grad, &Device::Cpu)?.to_dtype(logits.dtype())?.to_device(logits.device())?))
}
