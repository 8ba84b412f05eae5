//! The steps of a layer, each with its own gradient.
//!
//! candle's gradient of a matrix product always computes both sides, the frozen one too, and what it builds from single
//! operations walks over the numbers many times. So each step here is one operation with a gradient of its own. On the CPU
//! in f32 and f64 it runs as one loop; elsewhere it is composed of candle's operations (`composed`), to which the tests hold
//! the loops.

use super::composed;
use bonafide_kernels::weights::{Activation, RotaryPairs};
use candle_core::backend::BackendStorage;
use candle_core::{
    CpuStorage, CudaStorage, CustomOp1, CustomOp2, CustomOp3, DType, Error, Layout, Result, Shape, Storage,
    Tensor, WithDType,
};
use rayon::prelude::*;
use std::sync::Arc;

/// Whether a step runs as one loop over plain numbers.
fn in_loops(x: &Tensor) -> bool {
    x.device().is_cpu() && matches!(x.dtype(), DType::F32 | DType::F64)
}

/// x W^T with a frozen W of `[out, in]`; x is `[rows, in]`.
pub(super) fn frozen(x: &Tensor, weight: &Tensor) -> Result<Tensor> {
    x.contiguous()?.apply_op1(Frozen { weight: weight.clone(), transposed: true })
}

/// x / sqrt(mean(x^2) + eps) * weight along the last dimension.
pub(super) fn norm(x: &Tensor, weight: Option<&Tensor>, eps: f64) -> Result<Tensor> {
    if !in_loops(x) {
        return composed::norm(x, weight, eps);
    }
    let weight = weight.map(flat).transpose()?.map(Arc::new);
    x.contiguous()?.apply_op1(Norm { weight, eps })
}

/// Softmax of `scale * x` along the last dimension, where row r of `[.., rows, keys]` stands at position `r % keys` and sees
/// the `window` positions up to its own; the rest gets 0.
pub(super) fn causal_softmax(x: &Tensor, scale: f64, window: Option<usize>) -> Result<Tensor> {
    let op = Softmax { scale, window: window.unwrap_or(usize::MAX) };
    if in_loops(x) { x.contiguous()?.apply_op1(op) } else { composed::causal_softmax(x, scale, window) }
}

/// Turns the pairs of each head of x, `[batch, positions, heads, head_dim]`, by their position's angles.
pub(super) fn rotate(x: &Tensor, angles: &Arc<Angles>) -> Result<Tensor> {
    if in_loops(x) {
        return x.contiguous()?.apply_op1(Rotate { angles: Arc::clone(angles), back: false });
    }
    composed::rotate(x, angles)
}

/// activation(gate) * up.
pub(super) fn gated(gate: &Tensor, up: &Tensor, activation: Activation) -> Result<Tensor> {
    if in_loops(gate) {
        return gate.contiguous()?.apply_op2(&up.contiguous()?, Gated { activation });
    }
    composed::gated(gate, up, activation)
}

/// Cosines and sines of the rotary embedding for positions from 0, and which numbers make a pair.
#[derive(Debug)]
pub(super) struct Angles {
    pub(super) cos: Vec<f64>,
    pub(super) sin: Vec<f64>,
    pub(super) half: usize,
    pub(super) pairs: RotaryPairs,
}

impl Angles {
    /// Positions that there are angles for.
    pub(super) fn positions(&self) -> usize {
        self.cos.len().checked_div(self.half).unwrap_or(0)
    }

    /// For so many positions, by the angle per position of each pair.
    pub(super) fn new(rotary: &[f64], pairs: RotaryPairs, positions: usize) -> Self {
        let all = (0..positions).flat_map(|at| rotary.iter().map(move |angle| at as f64 * angle));
        let (cos, sin) = all.map(|angle| (angle.cos(), angle.sin())).unzip();
        Self { cos, sin, half: rotary.len(), pairs }
    }

    fn indices(&self, pair: usize) -> (usize, usize) {
        match self.pairs {
            RotaryPairs::Neighbours => (2 * pair, 2 * pair + 1),
            RotaryPairs::Halves => (pair, pair + self.half),
        }
    }
}

/// The numbers of a tensor on the CPU, in f64.
fn flat(x: &Tensor) -> Result<Vec<f64>> {
    x.flatten_all()?.to_dtype(DType::F64)?.to_vec1()
}

/// f32 or f64.
trait Real: WithDType + std::ops::Neg<Output = Self> {
    fn exp(self) -> Self;
    fn tanh(self) -> Self;
}

impl Real for f32 {
    fn exp(self) -> Self {
        f32::exp(self)
    }
    fn tanh(self) -> Self {
        f32::tanh(self)
    }
}

impl Real for f64 {
    fn exp(self) -> Self {
        f64::exp(self)
    }
    fn tanh(self) -> Self {
        f64::tanh(self)
    }
}

fn part<'a, T: WithDType>(storage: &'a CpuStorage, layout: &Layout) -> Result<&'a [T]> {
    let (from, to) = layout.contiguous_offsets().ok_or(Error::RequiresContiguous { op: "training" })?;
    storage
        .as_slice::<T>()?
        .get(from..to)
        .ok_or_else(|| Error::Msg("a layout outside its storage".to_owned()))
}

/// Calls a generic function with the storage's type of number.
macro_rules! by_type {
    ($storage:expr, $name:expr, $call:ident($($argument:expr),*)) => {
        match $storage {
            CpuStorage::F32(_) => $call::<f32>($($argument),*).map(CpuStorage::F32),
            CpuStorage::F64(_) => $call::<f64>($($argument),*).map(CpuStorage::F64),
            other => Err(Error::UnsupportedDTypeForOp(other.dtype(), $name)),
        }
    };
}

/// A product with a frozen matrix, or with its transpose: each is the other's gradient.
struct Frozen {
    weight: Tensor,
    transposed: bool,
}

impl Frozen {
    /// The weight's layout as the right side of the product, and the product's columns.
    fn side(&self) -> Result<(Layout, usize, usize)> {
        let layout = self.weight.layout();
        let layout = if self.transposed { layout.transpose(0, 1)? } else { layout.clone() };
        let (inner, columns) = layout.shape().dims2()?;
        Ok((layout, inner, columns))
    }

    fn product<S: BackendStorage>(&self, x: &S, weight: &S, layout: &Layout) -> Result<(S, Shape)> {
        let (side, inner, columns) = self.side()?;
        let rows = layout.shape().elem_count() / inner.max(1);
        if layout.shape().dims().last() != Some(&inner) {
            return Err(Error::Msg(format!("rows of {:?} for {inner} inputs", layout.shape())));
        }
        let flat = Layout::contiguous_with_offset((rows, inner), layout.start_offset());
        Ok((x.matmul(weight, (1, rows, columns, inner), &flat, &side)?, Shape::from((rows, columns))))
    }
}

impl CustomOp1 for Frozen {
    fn name(&self) -> &'static str {
        "frozen-product"
    }

    fn cpu_fwd(&self, x: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        match &*self.weight.storage_and_layout().0 {
            Storage::Cpu(weight) => self.product(x, weight, layout),
            _ => Err(Error::Msg("the weights lie on another device".to_owned())),
        }
    }

    fn cuda_fwd(&self, x: &CudaStorage, layout: &Layout) -> Result<(CudaStorage, Shape)> {
        match &*self.weight.storage_and_layout().0 {
            Storage::Cuda(weight) => self.product(x, weight, layout),
            _ => Err(Error::Msg("the weights lie on another device".to_owned())),
        }
    }

    fn bwd(&self, _: &Tensor, _: &Tensor, grad: &Tensor) -> Result<Option<Tensor>> {
        let op = Self { weight: self.weight.clone(), transposed: !self.transposed };
        grad.contiguous()?.apply_op1_no_bwd(&op).map(Some)
    }
}

struct Norm {
    weight: Option<Arc<Vec<f64>>>,
    eps: f64,
}

impl Norm {
    fn row<T: Real>(&self, size: usize) -> Vec<T> {
        match &self.weight {
            Some(weight) => weight.iter().map(|w| T::from_f64(*w)).collect(),
            None => vec![T::one(); size],
        }
    }

    fn inverse<T: Real>(&self, x: &[T]) -> f64 {
        let square: f64 = x.iter().map(|x| x.to_f64() * x.to_f64()).sum();
        1.0 / (square / x.len() as f64 + self.eps).sqrt()
    }
}

fn last(layout: &Layout) -> Result<usize> {
    layout.shape().dims().last().copied().filter(|size| *size > 0).ok_or(Error::Msg("no numbers".to_owned()))
}

fn norm_forward<T: Real>(op: &Norm, x: &CpuStorage, layout: &Layout) -> Result<Vec<T>> {
    let size = last(layout)?;
    let x = part::<T>(x, layout)?;
    let weight = op.row::<T>(size);
    let mut out = vec![T::zero(); x.len()];
    out.par_chunks_mut(size).zip(x.par_chunks(size)).for_each(|(out, x)| {
        let inverse = T::from_f64(op.inverse(x));
        for ((out, x), w) in out.iter_mut().zip(x).zip(&weight) {
            *out = *x * inverse * *w;
        }
    });
    Ok(out)
}

fn norm_backward<T: Real>(
    op: &Norm,
    x: &CpuStorage,
    layout: &Layout,
    grad: &CpuStorage,
    grad_layout: &Layout,
) -> Result<Vec<T>> {
    let size = last(layout)?;
    let (x, grad) = (part::<T>(x, layout)?, part::<T>(grad, grad_layout)?);
    let weight = op.row::<T>(size);
    let mut out = vec![T::zero(); x.len()];
    let rows = out.par_chunks_mut(size).zip(x.par_chunks(size)).zip(grad.par_chunks(size));
    rows.for_each(|((out, x), grad)| {
        let inverse = op.inverse(x);
        let all = x.iter().zip(grad).zip(&weight);
        let along: f64 = all.map(|((x, g), w)| (*x * *g * *w).to_f64()).sum();
        let back = T::from_f64(along / size as f64 * inverse * inverse);
        let inverse = T::from_f64(inverse);
        for (((out, x), g), w) in out.iter_mut().zip(x).zip(grad).zip(&weight) {
            *out = inverse * (*g * *w - *x * back);
        }
    });
    Ok(out)
}

impl CustomOp1 for Norm {
    fn name(&self) -> &'static str {
        "norm"
    }

    fn cpu_fwd(&self, x: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        Ok((by_type!(x, "norm", norm_forward(self, x, layout))?, layout.shape().clone()))
    }

    fn bwd(&self, x: &Tensor, _: &Tensor, grad: &Tensor) -> Result<Option<Tensor>> {
        let op = NormBack(Self { weight: self.weight.clone(), eps: self.eps });
        x.apply_op2_no_bwd(&grad.contiguous()?, &op).map(Some)
    }
}

struct NormBack(Norm);

impl CustomOp2 for NormBack {
    fn name(&self) -> &'static str {
        "norm-back"
    }

    fn cpu_fwd(
        &self,
        x: &CpuStorage,
        l: &Layout,
        g: &CpuStorage,
        gl: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        Ok((by_type!(x, "norm-back", norm_backward(&self.0, x, l, g, gl))?, l.shape().clone()))
    }
}

#[derive(Clone, Copy)]
struct Softmax {
    scale: f64,
    window: usize,
}

impl Softmax {
    /// What a row of the scores sees.
    fn seen(&self, row: usize, keys: usize) -> std::ops::Range<usize> {
        let at = row % keys;
        (at + 1).saturating_sub(self.window)..at + 1
    }
}

fn softmax_forward<T: Real>(op: Softmax, x: &CpuStorage, layout: &Layout) -> Result<Vec<T>> {
    let keys = last(layout)?;
    let x = part::<T>(x, layout)?;
    let scale = T::from_f64(op.scale);
    let mut out = vec![T::zero(); x.len()];
    out.par_chunks_mut(keys).zip(x.par_chunks(keys)).enumerate().for_each(|(row, (out, x))| {
        let seen = op.seen(row, keys);
        let (out, x) = (&mut out[seen.clone()], &x[seen]);
        let greatest =
            x.iter().fold(T::from_f64(f64::NEG_INFINITY), |max, x| if *x > max { *x } else { max });
        let mut sum = T::zero();
        for (out, x) in out.iter_mut().zip(x) {
            *out = (scale * (*x - greatest)).exp();
            sum += *out;
        }
        let share = T::one() / sum;
        out.iter_mut().for_each(|out| *out *= share);
    });
    Ok(out)
}

fn softmax_backward<T: Real>(
    op: Softmax,
    shares: &CpuStorage,
    layout: &Layout,
    grad: &CpuStorage,
    grad_layout: &Layout,
) -> Result<Vec<T>> {
    let keys = last(layout)?;
    let (shares, grad) = (part::<T>(shares, layout)?, part::<T>(grad, grad_layout)?);
    let scale = T::from_f64(op.scale);
    let mut out = vec![T::zero(); shares.len()];
    let rows = out.par_chunks_mut(keys).zip(shares.par_chunks(keys)).zip(grad.par_chunks(keys));
    rows.enumerate().for_each(|(row, ((out, p), g))| {
        let seen = op.seen(row, keys);
        let (out, p, g) = (&mut out[seen.clone()], &p[seen.clone()], &g[seen]);
        let mut mean = T::zero();
        for (p, g) in p.iter().zip(g) {
            mean += *p * *g;
        }
        for ((out, p), g) in out.iter_mut().zip(p).zip(g) {
            *out = scale * *p * (*g - mean);
        }
    });
    Ok(out)
}

impl CustomOp1 for Softmax {
    fn name(&self) -> &'static str {
        "causal-softmax"
    }

    fn cpu_fwd(&self, x: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        Ok((by_type!(x, "causal-softmax", softmax_forward(*self, x, layout))?, layout.shape().clone()))
    }

    fn bwd(&self, _: &Tensor, shares: &Tensor, grad: &Tensor) -> Result<Option<Tensor>> {
        shares.apply_op2_no_bwd(&grad.contiguous()?, &SoftmaxBack(*self)).map(Some)
    }
}

struct SoftmaxBack(Softmax);

impl CustomOp2 for SoftmaxBack {
    fn name(&self) -> &'static str {
        "causal-softmax-back"
    }

    fn cpu_fwd(
        &self,
        p: &CpuStorage,
        l: &Layout,
        g: &CpuStorage,
        gl: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        Ok((by_type!(p, "causal-softmax-back", softmax_backward(self.0, p, l, g, gl))?, l.shape().clone()))
    }
}

struct Rotate {
    angles: Arc<Angles>,
    back: bool,
}

fn turn<T: Real>(op: &Rotate, x: &CpuStorage, layout: &Layout) -> Result<Vec<T>> {
    let (_, positions, heads, size) = layout.shape().dims4()?;
    let half = op.angles.half;
    if size != 2 * half || positions * half > op.angles.cos.len() {
        return Err(Error::Msg(format!("no angles for {positions} positions of {size} numbers")));
    }
    let x = part::<T>(x, layout)?;
    let mut out = vec![T::zero(); x.len()];
    let row = heads * size;
    out.par_chunks_mut(row).zip(x.par_chunks(row)).enumerate().for_each(|(row, (out, x))| {
        let at = row % positions * half;
        for pair in 0..half {
            let (cos, sin) = (op.angles.cos[at + pair], op.angles.sin[at + pair]);
            let (cos, sin) = (T::from_f64(cos), T::from_f64(if op.back { -sin } else { sin }));
            let (first, second) = op.angles.indices(pair);
            for head in (0..heads * size).step_by(size) {
                let (a, b) = (x[head + first], x[head + second]);
                out[head + first] = a * cos - b * sin;
                out[head + second] = a * sin + b * cos;
            }
        }
    });
    Ok(out)
}

impl CustomOp1 for Rotate {
    fn name(&self) -> &'static str {
        "rotary"
    }

    fn cpu_fwd(&self, x: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        Ok((by_type!(x, "rotary", turn(self, x, layout))?, layout.shape().clone()))
    }

    fn bwd(&self, _: &Tensor, _: &Tensor, grad: &Tensor) -> Result<Option<Tensor>> {
        let op = Self { angles: Arc::clone(&self.angles), back: !self.back };
        grad.contiguous()?.apply_op1_no_bwd(&op).map(Some)
    }
}

#[derive(Clone, Copy)]
struct Gated {
    activation: Activation,
}

/// The square root of 2 / pi, of GELU's tanh form.
pub(super) const GELU_SLOPE: f64 = 0.797_884_560_802_865_4;
pub(super) const GELU_CUBE: f64 = 0.044_715;

/// The activation and its slope.
fn activate<T: Real>(activation: Activation, x: T) -> (T, T) {
    let one = T::one();
    match activation {
        Activation::Silu => {
            let share = one / (one + (-x).exp());
            let value = x * share;
            (value, share + value * (one - share))
        }
        Activation::Gelu => {
            let (slope, cube) = (T::from_f64(GELU_SLOPE), T::from_f64(GELU_CUBE));
            let half = T::from_f64(0.5);
            let tanh = (slope * (x + cube * x * x * x)).tanh();
            let inner = slope * (one + T::from_f64(3.0) * cube * x * x);
            (half * x * (one + tanh), half * (one + tanh) + half * x * (one - tanh * tanh) * inner)
        }
    }
}

/// Numbers that one task of an elementwise loop takes.
const STRETCH: usize = 4096;

fn gated_forward<T: Real>(
    op: Gated,
    g: &CpuStorage,
    gl: &Layout,
    u: &CpuStorage,
    ul: &Layout,
) -> Result<Vec<T>> {
    let (gate, up) = (part::<T>(g, gl)?, part::<T>(u, ul)?);
    let mut out = vec![T::zero(); gate.len()];
    let parts = out.par_chunks_mut(STRETCH).zip(gate.par_chunks(STRETCH)).zip(up.par_chunks(STRETCH));
    parts.for_each(|((out, gate), up)| {
        for ((out, g), u) in out.iter_mut().zip(gate).zip(up) {
            *out = activate(op.activation, *g).0 * *u;
        }
    });
    Ok(out)
}

impl CustomOp2 for Gated {
    fn name(&self) -> &'static str {
        "gated"
    }

    fn cpu_fwd(
        &self,
        g: &CpuStorage,
        gl: &Layout,
        u: &CpuStorage,
        ul: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        Ok((by_type!(g, "gated", gated_forward(*self, g, gl, u, ul))?, gl.shape().clone()))
    }

    fn bwd(
        &self,
        gate: &Tensor,
        up: &Tensor,
        _: &Tensor,
        grad: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>)> {
        let grad = grad.contiguous()?;
        let of_gate = gate.apply_op3_no_bwd(up, &grad, &GatedBack(*self))?;
        // up's gradient is gated like up itself.
        let of_up = gate.apply_op2_no_bwd(&grad, self)?;
        Ok((Some(of_gate), Some(of_up)))
    }
}

struct GatedBack(Gated);

fn gated_backward<T: Real>(op: Gated, inputs: [(&CpuStorage, &Layout); 3]) -> Result<Vec<T>> {
    let [gate, up, grad] = inputs.map(|(storage, layout)| part::<T>(storage, layout));
    let (gate, up, grad) = (gate?, up?, grad?);
    let mut out = vec![T::zero(); gate.len()];
    let inputs = gate.par_chunks(STRETCH).zip(up.par_chunks(STRETCH)).zip(grad.par_chunks(STRETCH));
    out.par_chunks_mut(STRETCH).zip(inputs).for_each(|(out, ((gate, up), grad))| {
        for (((out, g), u), d) in out.iter_mut().zip(gate).zip(up).zip(grad) {
            *out = activate(op.activation, *g).1 * *u * *d;
        }
    });
    Ok(out)
}

impl CustomOp3 for GatedBack {
    fn name(&self) -> &'static str {
        "gated-back"
    }

    fn cpu_fwd(
        &self,
        g: &CpuStorage,
        gl: &Layout,
        u: &CpuStorage,
        ul: &Layout,
        d: &CpuStorage,
        dl: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        Ok((
            by_type!(g, "gated-back", gated_backward(self.0, [(g, gl), (u, ul), (d, dl)]))?,
            gl.shape().clone(),
        ))
    }
}
