//! The GPU: the same scores from NVIDIA cards with bf16 tensor cores (compute capability 8.0 and later).
//!
//! CUDA is loaded when it is asked for, not linked: one binary builds on machines without CUDA, starts without
//! it, and says why it stays on the CPU. The kernels travel as source and are compiled by NVRTC for the card
//! that is there. Products go through cuBLASLt; what lies between them, attention and the head are kernels of
//! our own (`*.cu`).
//!
//! Weights and what enters a product are bf16, sums and the residual stream f32. That costs about three digits
//! of each activation, less than the 4-bit weights of the models that are scored here do.
//!
//! It scores and does no more: text is generated on the CPU ([`Session`](crate::cpu::Session)).
//!
//! The forward pass sees a device only through the trait `Chip`. In tests an emulator stands in for it, which runs
//! the very kernels on the CPU (`emulator.cpp`), so that they are held to a scalar reference without a GPU.

mod chip;
mod compile;
mod device;
mod forward;
mod head_tiles;
mod library;
mod plan;
mod products;
#[cfg(test)]
mod tests;
mod weights;

use crate::backend::{Backend, BackendError, PackedBatch, TokenStats};
use crate::taps::Taps;
use crate::weights::Model;
use device::CudaChip;
use forward::Forward;
use std::sync::{Mutex, PoisonError};

/// Tokens of one pass: enough to fill a large card with a small model's products.
const BATCH_TOKENS: usize = 16_384;
/// The least to go down to on a card with little memory.
const LEAST_BATCH_TOKENS: usize = 1024;

/// A model on an NVIDIA GPU.
pub struct CudaBackend {
    name: String,
    multiprocessors: usize,
    batch_tokens: usize,
    vocab: usize,
    layers: usize,
    dim: usize,
    state: Mutex<Forward<CudaChip>>,
}

/// The GPUs that [`CudaBackend::new`] can try, by name, or why there is none and what to do about it. Never
/// panics where CUDA is missing.
pub fn available() -> Result<Vec<String>, BackendError> {
    device::list()
}

impl CudaBackend {
    /// Copies the model to the GPU of that number, counted from 0.
    pub fn new(model: &Model, device: usize) -> Result<Self, BackendError> {
        model.check()?;
        let (chip, facts) = CudaChip::open(device, model.shape.head_dim)?;
        let forward = Forward::new(chip, model)?;
        let room = forward.chip().free_bytes()? / 2;
        let mut batch_tokens = BATCH_TOKENS;
        while batch_tokens > LEAST_BATCH_TOKENS && forward.scratch_bytes_for(batch_tokens) > room {
            batch_tokens /= 2;
        }
        Ok(Self {
            name: format!("cuda-bf16 {}", facts.name),
            multiprocessors: facts.multiprocessors,
            batch_tokens,
            vocab: model.shape.vocab,
            layers: model.layers.len(),
            dim: model.shape.dim,
            state: Mutex::new(forward),
        })
    }
}

impl Backend for CudaBackend {
    fn name(&self) -> String {
        self.name.clone()
    }

    fn threads(&self) -> usize {
        self.multiprocessors
    }

    fn preferred_batch_tokens(&self) -> usize {
        self.batch_tokens
    }

    fn pass(
        &self,
        batch: &PackedBatch<'_>,
        taps: Option<&Taps<'_>>,
    ) -> Result<(Vec<TokenStats>, Vec<f32>), BackendError> {
        if let Some(taps) = taps {
            taps.check(batch, self.layers, self.dim)?;
        }
        // Before any work: a batch is scored whole or not at all.
        if let Some(token) = batch.tokens().iter().find(|token| **token as usize >= self.vocab) {
            return Err(BackendError::Batch(format!(
                "token {token} is outside a vocabulary of {}",
                self.vocab
            )));
        }
        // A pass that panicked has left nothing half done: each begins from the tokens.
        let mut forward = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let (mut stats, mut pooled) = (Vec::with_capacity(batch.tokens().len()), Vec::new());
        for piece in plan::pieces(batch.starts(), self.batch_tokens) {
            let own = &batch.starts()[piece.start..=piece.end];
            let (first, last) = (own[0], own[own.len() - 1]);
            let starts: Vec<usize> = own.iter().map(|start| start - first).collect();
            let part = PackedBatch::new(&batch.tokens()[first..last], &starts)?;
            let taps = taps.map(|taps| taps.of(piece));
            let (own, sums) = library::guarded(|| forward.score(&part, taps.as_ref()))?;
            stats.extend(own);
            pooled.extend(sums);
        }
        Ok((stats, pooled))
    }
}
