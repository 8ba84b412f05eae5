//! The decoder as candle computes it: differentiable in an adapter's matrices, with its own weights frozen.
//!
//! The backward pass goes layer by layer. Each layer's graph begins at a leaf that holds its input, so the memory of a
//! graph is free as soon as its layer is done, and `recompute` can leave the graphs out of the forward pass and build each
//! one anew (Chen et al. 2016): a third more arithmetic for a twentieth of the memory. What is computed from the last
//! layer's states, a classification or a language model's loss, is not known here: it gives the states' gradient.
//!
//! Sequences of a batch are padded at the end. Attention is causal, so no token sees the padding.

use super::adapter::{Lora, Pair};
use super::ops::{self, Angles};
use crate::model::lora::projection::Projection;
use bonafide_kernels::weights::{Layer, Linear, Matrix, Model, Shape};
use candle_core::{DType, Device, Error, Result, Tensor, TensorId, Var};
use std::collections::HashMap;
use std::sync::Arc;

/// Rows of the output matrix that are multiplied at once: logits are never there for the whole vocabulary.
const VOCAB_CHUNK: usize = 4096;

/// Token sequences of one batch, padded at the end to one width.
#[derive(Debug, Clone)]
pub struct Batch {
    /// `lengths.len() * width` tokens; what stands behind a sequence's length doesn't matter.
    ids: Vec<u32>,
    lengths: Vec<usize>,
    width: usize,
}

impl Batch {
    /// Pads sequences; an empty one counts as one token of padding.
    #[must_use]
    pub fn new(sequences: &[&[u32]]) -> Self {
        let width = sequences.iter().map(|tokens| tokens.len()).max().unwrap_or(0).max(1);
        let mut ids = Vec::with_capacity(sequences.len() * width);
        for tokens in sequences {
            ids.extend_from_slice(tokens);
            ids.resize(ids.len() + width - tokens.len(), 0);
        }
        Self { ids, lengths: sequences.iter().map(|tokens| tokens.len()).collect(), width }
    }

    /// Tokens of each sequence.
    #[must_use]
    pub fn lengths(&self) -> &[usize] {
        &self.lengths
    }

    /// Positions of each sequence, padding included.
    #[must_use]
    pub fn width(&self) -> usize {
        self.width
    }

    /// All tokens, padding included, sequence after sequence.
    #[must_use]
    pub fn ids(&self) -> &[u32] {
        &self.ids
    }
}

/// A frozen matrix and what is added to its product.
struct FrozenLinear {
    weight: Tensor,
    bias: Option<Tensor>,
}

/// A frozen layer; the fields are those of [`Layer`].
struct FrozenLayer {
    linears: [FrozenLinear; 7],
    attention_norm: Tensor,
    query_norm: Option<Tensor>,
    key_norm: Option<Tensor>,
    post_attention_norm: Option<Tensor>,
    feed_forward_norm: Tensor,
    post_feed_forward_norm: Option<Tensor>,
    local: bool,
}

/// The layers of a decoder below some depth, frozen, on a candle device.
pub struct Network {
    shape: Shape,
    embedding: Matrix,
    layers: Vec<FrozenLayer>,
    angles: Arc<Angles>,
    angles_local: Arc<Angles>,
    head: Option<LanguageHead>,
    dtype: DType,
    device: Device,
}

/// The output norm and matrix, in chunks of rows.
struct LanguageHead {
    norm: Tensor,
    chunks: Vec<Tensor>,
}

/// How a [`Network`] is laid out.
#[derive(Debug, Clone)]
pub struct Layout {
    /// Layers that are computed.
    pub depth: usize,
    /// Longest sequence.
    pub positions: usize,
    /// Whether the output matrix is wanted, for token log-probabilities; then `depth` is the number of layers.
    pub language: bool,
    /// Numbers of the products and of what lies between them.
    pub dtype: DType,
    /// Where it is computed.
    pub device: Device,
}

/// Gradients by the variable that they are of.
#[derive(Debug, Default)]
pub struct Gradients(HashMap<TensorId, Tensor>);

impl Gradients {
    /// Adds to a variable's gradient.
    pub fn add(&mut self, var: &Var, grad: &Tensor) -> Result<()> {
        let grad = grad.to_dtype(var.dtype())?.detach();
        let sum = match self.0.get(&var.id()) {
            Some(before) => (before + grad)?,
            None => grad,
        };
        self.0.insert(var.id(), sum);
        Ok(())
    }

    /// A variable's gradient, if it has one.
    #[must_use]
    pub fn of(&self, var: &Var) -> Option<&Tensor> {
        self.0.get(&var.id())
    }
}

/// A forward pass that can be gone back.
pub struct Tape {
    /// Each layer's input, a leaf.
    inputs: Vec<Var>,
    /// Each layer's output with its graph, unless it is computed anew.
    outputs: Option<Vec<Tensor>>,
    /// The residual stream after the last layer, `[batch * width, dim]`, without a graph.
    pub states: Tensor,
    batch: usize,
}

impl Network {
    /// Dequantises the layers below `layout.depth`, once.
    pub fn new(model: &Model, layout: &Layout) -> Result<Self> {
        let Layout { depth, positions, language, dtype, ref device } = *layout;
        if depth == 0 || depth > model.layers.len() {
            let layers = model.layers.len();
            return Err(Error::Msg(format!("a depth of {depth} in a model of {layers} layers")));
        }
        if language && depth != model.layers.len() {
            return Err(Error::Msg("token log-probabilities need all layers".to_owned()));
        }
        let place = Place { dtype, device };
        let angles = |rotary: &[f64]| Arc::new(Angles::new(rotary, model.shape.pairs, positions));
        Ok(Self {
            layers: model.layers[..depth].iter().map(|layer| place.layer(layer)).collect::<Result<_>>()?,
            angles: angles(&model.shape.rotary),
            angles_local: angles(&model.shape.rotary_local),
            head: language.then(|| place.head(model)).transpose()?,
            embedding: model.embedding.clone(),
            shape: model.shape.clone(),
            dtype,
            device: device.clone(),
        })
    }

    /// Sizes and constants.
    #[must_use]
    pub fn shape(&self) -> &Shape {
        &self.shape
    }

    /// Layers that are computed.
    #[must_use]
    pub fn depth(&self) -> usize {
        self.layers.len()
    }

    /// Where it is computed.
    #[must_use]
    pub fn device(&self) -> &Device {
        &self.device
    }

    /// Type of the numbers.
    #[must_use]
    pub fn dtype(&self) -> DType {
        self.dtype
    }

    /// The residual stream after the last layer, `[batch * width, dim]`, without a graph.
    pub fn states(&self, batch: &Batch, lora: Option<&Lora>) -> Result<Tensor> {
        let mut x = self.embed(batch)?;
        for index in 0..self.layers.len() {
            x = self.layer(index, &x, batch.lengths.len(), Adapted::new(lora, index, false))?.detach();
        }
        Ok(x)
    }

    /// The same, so that [`Network::backward`] can follow. With `recompute` the graphs are built there, one at a time.
    pub fn record(&self, batch: &Batch, lora: &Lora, recompute: bool) -> Result<Tape> {
        let mut x = self.embed(batch)?;
        let sequences = batch.lengths.len();
        let mut inputs = Vec::with_capacity(self.layers.len());
        let mut outputs = (!recompute).then(|| Vec::with_capacity(self.layers.len()));
        for index in 0..self.layers.len() {
            let input = Var::from_tensor(&x)?;
            let from = if index == 0 { x.detach() } else { input.as_tensor().clone() };
            let output = self.layer(index, &from, sequences, Adapted::new(Some(lora), index, !recompute))?;
            x = output.detach();
            inputs.push(input);
            if let Some(outputs) = &mut outputs {
                outputs.push(output);
            }
        }
        Ok(Tape { inputs, outputs, states: x, batch: sequences })
    }

    /// Adds the gradients of the adapter's matrices, given that of the last states.
    pub fn backward(&self, tape: Tape, grad: &Tensor, lora: &Lora, into: &mut Gradients) -> Result<()> {
        let Tape { mut inputs, mut outputs, batch, .. } = tape;
        let mut grad = grad.to_dtype(self.dtype)?.detach();
        while let Some(input) = inputs.pop() {
            let index = inputs.len();
            let output = match &mut outputs {
                Some(outputs) => {
                    outputs.pop().ok_or_else(|| Error::Msg("a tape without its end".to_owned()))?
                }
                None => self.layer(index, input.as_tensor(), batch, Adapted::new(Some(lora), index, true))?,
            };
            let mut grads = output.mul(&grad)?.sum_all()?.backward()?;
            let pairs = (index < lora.layers()).then(|| lora.layer(index));
            for pair in pairs.into_iter().flatten() {
                for var in [&pair.a, &pair.b] {
                    if let Some(grad) = grads.remove(var) {
                        into.add(var, &grad)?;
                    }
                }
            }
            match grads.remove(&input) {
                Some(next) => grad = next.detach(),
                None if index == 0 => {}
                None => return Err(Error::Msg("a layer without a gradient".to_owned())),
            }
        }
        Ok(())
    }

    /// Natural log-probability of each target under the next-token distribution of its row of states, `[rows, dim]`.
    pub fn log_probabilities(&self, states: &Tensor, targets: &[u32]) -> Result<Vec<f64>> {
        let head = self.head()?;
        let normed = ops::norm(states, Some(&head.norm), f64::from(self.shape.norm_eps))?;
        Ok(self.walk(head, &normed, targets)?.0)
    }

    /// -sum(weight * log-probability) of each row's target, the log-probabilities, and the loss's gradient in the states.
    ///
    /// The logits are there a chunk of the vocabulary at a time, and computed twice.
    pub fn language_loss(
        &self,
        states: &Tensor,
        targets: &[u32],
        weights: &[f64],
    ) -> Result<(f64, Vec<f64>, Tensor)> {
        let head = self.head()?;
        let leaf = Var::from_tensor(states)?;
        let normed = ops::norm(leaf.as_tensor(), Some(&head.norm), f64::from(self.shape.norm_eps))?;
        let flat = normed.detach();
        let (logprobs, totals) = self.walk(head, &flat, targets)?;
        let loss = -logprobs.iter().zip(weights).map(|(p, w)| p * w).sum::<f64>();
        let column = |values: Vec<f64>| -> Result<Tensor> {
            let rows = values.len();
            Tensor::from_vec(values, (rows, 1), &Device::Cpu)?.to_dtype(self.dtype)?.to_device(&self.device)
        };
        let (totals, weight) = (column(totals)?, column(weights.to_vec())?);
        let mut grad = flat.zeros_like()?;
        for (chunk, matrix) in head.chunks.iter().enumerate() {
            let shares = ops::frozen(&flat, matrix)?.broadcast_sub(&totals)?.exp()?.broadcast_mul(&weight)?;
            let own = one_hot(targets, chunk * VOCAB_CHUNK, matrix.dim(0)?, weights);
            let own = Tensor::from_vec(own, shares.shape(), &Device::Cpu)?.to_dtype(self.dtype)?;
            let difference = (shares - own.to_device(&self.device)?)?;
            grad = (grad + difference.matmul(matrix)?)?;
        }
        let mut grads = normed.mul(&grad)?.sum_all()?.backward()?;
        let grad = grads.remove(&leaf).ok_or_else(|| Error::Msg("states without a gradient".to_owned()))?;
        Ok((loss, logprobs, grad))
    }

    /// The targets' log-probabilities, and the logarithm of each row's sum of powers.
    fn walk(&self, head: &LanguageHead, normed: &Tensor, targets: &[u32]) -> Result<(Vec<f64>, Vec<f64>)> {
        if targets.len() != normed.dim(0)? || targets.iter().any(|t| *t as usize >= self.shape.vocab) {
            return Err(Error::Msg("targets that are not those of the states".to_owned()));
        }
        let mut greatest = vec![f64::NEG_INFINITY; targets.len()];
        let mut sums = vec![0.0; targets.len()];
        let mut own = vec![0.0; targets.len()];
        for (chunk, matrix) in head.chunks.iter().enumerate() {
            let logits = ops::frozen(normed, matrix)?;
            let top = logits.max_keepdim(1)?;
            let powers = logits.broadcast_sub(&top)?.exp()?.sum_keepdim(1)?;
            let (top, powers) = (numbers(&top)?, numbers(&powers)?);
            let first = chunk * VOCAB_CHUNK;
            let within: Vec<u32> = targets
                .iter()
                .map(|target| {
                    (*target as usize).checked_sub(first).filter(|at| *at < VOCAB_CHUNK).unwrap_or(0) as u32
                })
                .collect();
            let within = Tensor::from_vec(within, (targets.len(), 1), &self.device)?;
            let chosen = numbers(&logits.gather(&within, 1)?)?;
            for row in 0..targets.len() {
                let higher = greatest[row].max(top[row]);
                sums[row] =
                    sums[row] * (greatest[row] - higher).exp() + powers[row] * (top[row] - higher).exp();
                greatest[row] = higher;
                if targets[row] as usize / VOCAB_CHUNK == chunk {
                    own[row] = chosen[row];
                }
            }
        }
        let totals: Vec<f64> = greatest.iter().zip(&sums).map(|(max, sum)| max + sum.ln()).collect();
        Ok((own.iter().zip(&totals).map(|(own, total)| own - total).collect(), totals))
    }

    fn head(&self) -> Result<&LanguageHead> {
        self.head.as_ref().ok_or_else(|| Error::Msg("a network without its output matrix".to_owned()))
    }

    fn embed(&self, batch: &Batch) -> Result<Tensor> {
        let Shape { dim, vocab, embedding_scale, .. } = self.shape;
        if batch.width > self.angles.positions() {
            return Err(Error::Msg(format!("a sequence of {} tokens", batch.width)));
        }
        let mut rows = vec![0.0_f32; batch.ids.len() * dim];
        for (id, row) in batch.ids.iter().zip(rows.chunks_exact_mut(dim)) {
            if *id as usize >= vocab {
                return Err(Error::Msg(format!("token {id} is outside a vocabulary of {vocab}")));
            }
            self.embedding.row(*id as usize, row);
            row.iter_mut().for_each(|x| *x *= embedding_scale);
        }
        Tensor::from_vec(rows, (batch.ids.len(), dim), &Device::Cpu)?
            .to_dtype(self.dtype)?
            .to_device(&self.device)
    }

    /// x is `[batch * width, dim]`, and so is the result.
    fn layer(&self, index: usize, x: &Tensor, batch: usize, lora: Option<Adapted<'_>>) -> Result<Tensor> {
        let layer = &self.layers[index];
        let eps = f64::from(self.shape.norm_eps);
        let linear = |which: Projection, x: &Tensor| layer.linears[which as usize].apply(x, which, lora);
        let after = |x: Tensor, norm: &Option<Tensor>| match norm {
            Some(norm) => ops::norm(&x, Some(norm), eps),
            None => Ok(x),
        };

        let input = ops::norm(x, Some(&layer.attention_norm), eps)?;
        let attended = self.attend(layer, batch, &linear, &input)?;
        let attended = linear(Projection::Output, &attended)?;
        let x = (x + after(attended, &layer.post_attention_norm)?)?;

        let input = ops::norm(&x, Some(&layer.feed_forward_norm), eps)?;
        let (gate, up) = (linear(Projection::Gate, &input)?, linear(Projection::Up, &input)?);
        let out = linear(Projection::Down, &ops::gated(&gate, &up, self.shape.activation)?)?;
        &x + after(out, &layer.post_feed_forward_norm)?
    }

    /// `[batch * width, heads * head_dim]`, before the projection back.
    fn attend(
        &self,
        layer: &FrozenLayer,
        batch: usize,
        linear: &dyn Fn(Projection, &Tensor) -> Result<Tensor>,
        input: &Tensor,
    ) -> Result<Tensor> {
        let Shape { heads, kv_heads, head_dim, norm_eps, window, .. } = self.shape;
        let width = input.dim(0)? / batch;
        let (angles, window) = if layer.local { (&self.angles_local, window) } else { (&self.angles, None) };
        let split = |which: Projection, heads: usize, norm: Option<&Tensor>| -> Result<Tensor> {
            let x = linear(which, input)?.reshape((batch, width, heads, head_dim))?;
            match norm {
                Some(norm) => ops::norm(&x, Some(norm), f64::from(norm_eps)),
                None => Ok(x),
            }
        };
        let query = ops::rotate(&split(Projection::Query, heads, layer.query_norm.as_ref())?, angles)?;
        let key = ops::rotate(&split(Projection::Key, kv_heads, layer.key_norm.as_ref())?, angles)?;
        let value = split(Projection::Value, kv_heads, None)?;
        // The query heads that share a key head stand below each other.
        let group = heads / kv_heads * width;
        let query = query.transpose(1, 2)?.contiguous()?.reshape((batch * kv_heads, group, head_dim))?;
        let key = key.transpose(1, 2)?.contiguous()?.reshape((batch * kv_heads, width, head_dim))?;
        let value = value.transpose(1, 2)?.contiguous()?.reshape((batch * kv_heads, width, head_dim))?;
        let scale = 1.0 / (head_dim as f64).sqrt();
        let shares = ops::causal_softmax(&query.matmul(&key.t()?)?, scale, window)?;
        let mixed = shares.matmul(&value)?.reshape((batch, heads, width, head_dim))?;
        mixed.transpose(1, 2)?.contiguous()?.reshape((batch * width, heads * head_dim))
    }
}

/// A layer's part of an adapter.
#[derive(Clone, Copy)]
struct Adapted<'a> {
    pairs: &'a [Pair; 7],
    scale: f64,
    /// Whether a graph is wanted.
    tracked: bool,
}

impl<'a> Adapted<'a> {
    fn new(lora: Option<&'a Lora>, layer: usize, tracked: bool) -> Option<Self> {
        let lora = lora?;
        (layer < lora.layers()).then(|| Self { pairs: lora.layer(layer), scale: lora.scale(), tracked })
    }
}

impl FrozenLinear {
    /// x W^T + bias + scale * (x A^T) B^T (Hu et al. 2021).
    fn apply(&self, x: &Tensor, which: Projection, lora: Option<Adapted<'_>>) -> Result<Tensor> {
        let out = ops::frozen(x, &self.weight)?;
        let out = match &self.bias {
            Some(bias) => out.broadcast_add(bias)?,
            None => out,
        };
        let Some(Adapted { pairs, scale, tracked }) = lora else { return Ok(out) };
        let matrix = |var: &Var| -> Result<Tensor> {
            let tensor = if tracked { var.as_tensor().clone() } else { var.as_detached_tensor() };
            tensor.to_dtype(x.dtype())?.t()
        };
        let pair = &pairs[which as usize];
        let narrow = (x.matmul(&matrix(&pair.a)?)? * scale)?;
        out + narrow.matmul(&matrix(&pair.b)?)?
    }
}

/// Where weights go, in which numbers.
#[derive(Clone, Copy)]
struct Place<'a> {
    dtype: DType,
    device: &'a Device,
}

impl Place<'_> {
    fn matrix(self, matrix: &Matrix, rows: std::ops::Range<usize>) -> Result<Tensor> {
        let (count, cols) = (rows.len(), matrix.cols());
        let mut values = vec![0.0_f32; count * cols];
        for (row, out) in rows.zip(values.chunks_exact_mut(cols)) {
            matrix.row(row, out);
        }
        Tensor::from_vec(values, (count, cols), &Device::Cpu)?.to_dtype(self.dtype)?.to_device(self.device)
    }

    fn vector(self, values: &[f32]) -> Result<Tensor> {
        Tensor::new(values, &Device::Cpu)?.to_dtype(self.dtype)?.to_device(self.device)
    }

    fn linear(self, linear: &Linear) -> Result<FrozenLinear> {
        let weight = self.matrix(&linear.weight, 0..linear.weight.rows())?;
        Ok(FrozenLinear { weight, bias: linear.bias.as_deref().map(|bias| self.vector(bias)).transpose()? })
    }

    fn layer(self, layer: &Layer) -> Result<FrozenLayer> {
        let linear = |which: Projection| self.linear(which.of(layer));
        let norm = |norm: &Option<Vec<f32>>| norm.as_deref().map(|norm| self.vector(norm)).transpose();
        let [query, key, value, output, gate, up, down] = Projection::ALL.map(linear);
        Ok(FrozenLayer {
            linears: [query?, key?, value?, output?, gate?, up?, down?],
            attention_norm: self.vector(&layer.attention_norm)?,
            query_norm: norm(&layer.query_norm)?,
            key_norm: norm(&layer.key_norm)?,
            post_attention_norm: norm(&layer.post_attention_norm)?,
            feed_forward_norm: self.vector(&layer.feed_forward_norm)?,
            post_feed_forward_norm: norm(&layer.post_feed_forward_norm)?,
            local: layer.local,
        })
    }

    fn head(self, model: &Model) -> Result<LanguageHead> {
        let vocab = model.shape.vocab;
        let starts = (0..vocab).step_by(VOCAB_CHUNK);
        let chunks = starts.map(|from| self.matrix(&model.output, from..(from + VOCAB_CHUNK).min(vocab)));
        Ok(LanguageHead { norm: self.vector(&model.output_norm)?, chunks: chunks.collect::<Result<_>>()? })
    }
}

/// Each row's weight at its target, where that lies in the chunk.
fn one_hot(targets: &[u32], first: usize, size: usize, weights: &[f64]) -> Vec<f64> {
    let mut own = vec![0.0; targets.len() * size];
    for (row, (target, weight)) in targets.iter().zip(weights).enumerate() {
        if let Some(at) = (*target as usize).checked_sub(first).filter(|at| *at < size) {
            own[row * size + at] = *weight;
        }
    }
    own
}

/// The numbers of a tensor, row by row, in f64.
pub(super) fn numbers(x: &Tensor) -> Result<Vec<f64>> {
    x.flatten_all()?.to_dtype(DType::F64)?.to_device(&Device::Cpu)?.to_vec1()
}
