//! A model on the CPU.

use super::detect::Instructions;
use super::forward::{Decoder, PackedLayer, PackedLinear, Pass, Workspace};
use super::input::Form;
use super::plan::Plan;
use super::product::{Packed, joint_group, wide};
use super::team::Team;
use super::{head, paired};
use crate::backend::{Backend, BackendError, OperationTime, PackedBatch, TokenStats};
use crate::taps::Taps;
use crate::weights::{Layer, Linear, Matrix, Model};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Tokens that go through the model together. More would not make it faster, and the buffers grow with them.
const CHUNK: usize = 2048;

/// How numbers are held and multiplied.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Precision {
    /// What is fastest on this CPU and stays within the tolerances of ARCHITECTURE.md.
    #[default]
    Auto,
    /// Everything in f32: the reference, several times slower.
    F32,
    /// Products in integers of 8 bits.
    Int8,
    /// Products in bf16, inputs in one part.
    Bf16,
}

/// How to run a model on the CPU.
#[derive(Debug, Clone, Copy, Default)]
pub struct CpuOptions {
    /// Threads; 0 counts as one.
    pub threads: usize,
    /// How numbers are held.
    pub precision: Precision,
    /// Instructions to use instead of the best that there are; must be available.
    pub instructions: Option<Instructions>,
}

/// A decoder on the CPU, perhaps with a second one that it is compared with.
pub struct CpuBackend {
    pub(super) decoder: Decoder,
    observer: Option<Decoder>,
    pub(super) team: Team,
    space: Mutex<[Workspace; 2]>,
    name: String,
}

impl CpuBackend {
    /// Packs a model's matrices. An `observer` is a second model with the same vocabulary: every token then gets a
    /// cross-entropy.
    pub fn new(model: &Model, observer: Option<&Model>, options: CpuOptions) -> Result<Self, BackendError> {
        let instructions = options.instructions.unwrap_or_else(Instructions::best);
        if !instructions.available() {
            return Err(BackendError::Device(format!("this CPU has no {}", instructions.name())));
        }
        if observer.is_some_and(|observer| observer.shape.vocab != model.shape.vocab) {
            return Err(BackendError::Weights("the two models have different vocabularies".to_owned()));
        }
        let team = Team::new(options.threads)?;
        let policy = Policy { precision: options.precision, instructions };
        let decoder = policy.pack(model, &team)?;
        let observer = observer.map(|observer| policy.pack(observer, &team)).transpose()?;
        let name = policy.name();
        Ok(Self { decoder, observer, team, space: Mutex::default(), name })
    }

    /// Memory of the packed matrices.
    #[must_use]
    pub fn packed_bytes(&self) -> usize {
        let of = |decoder: &Decoder| {
            let layers = decoder.layers.iter().flat_map(PackedLayer::linears);
            layers.map(|linear| linear.weight.bytes()).sum::<usize>() + decoder.output.bytes()
        };
        of(&self.decoder) + self.observer.as_ref().map_or(0, of)
    }

    pub(super) fn check_tokens(&self, tokens: &[u32]) -> Result<(), BackendError> {
        let vocab = self.decoder.shape.vocab;
        match tokens.iter().find(|token| **token as usize >= vocab) {
            Some(token) => {
                Err(BackendError::Batch(format!("token {token} is outside a vocabulary of {vocab}")))
            }
            None => Ok(()),
        }
    }

    fn score_chunk(
        &self,
        spaces: &mut [Workspace; 2],
        batch: &PackedBatch<'_>,
        taps: Option<&Taps<'_>>,
        stats: &mut Vec<TokenStats>,
        pooled: &mut Vec<f32>,
    ) -> Result<(), BackendError> {
        let plan = Plan::new(batch, &self.decoder.shape, self.decoder.tiles).tapping(batch, taps);
        if plan.targets.is_empty() {
            return Ok(());
        }
        let [space, other] = spaces;
        let workers = self.team.threads();
        self.decoder.reserve(space, &plan, workers);
        let second = self.observer.as_ref().map(|observer| {
            let plan = Plan::new(batch, &observer.shape, observer.tiles);
            observer.reserve(other, &plan, workers);
            (observer, plan)
        });
        let (space, other) = (&*space, &*other);
        self.team.run(|worker| {
            let mut scratch = lock(&space.workers[worker.index]);
            let scratch = &mut *scratch;
            Pass { decoder: &self.decoder, worker, space, plan: &plan, cache: None }.run(scratch);
            // SAFETY: the head's input and the targets' logits were written in an earlier step.
            unsafe {
                let logits = space.target_logits.part(0..plan.targets.len());
                head::walk(
                    worker,
                    &self.decoder.output,
                    &space.head_in,
                    &plan.targets,
                    logits,
                    &mut scratch.logits,
                    &mut scratch.head,
                );
            }
            if let Some((observer, plan)) = &second {
                let mut own = lock(&other.workers[worker.index]);
                Pass { decoder: observer, worker, space: other, plan, cache: None }.run(&mut own);
                let side = |decoder, input| paired::Side { weights: decoder, input };
                let observed = side(&observer.output, &other.head_in);
                let performed = side(&self.decoder.output, &space.head_in);
                let rows = plan.targets.len();
                // SAFETY: both inputs were written in earlier steps.
                unsafe {
                    paired::walk(worker, observed, performed, rows, &mut scratch.logits, &mut scratch.paired);
                }
            }
        })?;
        let shares: Vec<_> = space.workers[..workers].iter().map(lock).collect();
        let first = stats.len();
        // SAFETY: the workers are done.
        let logits = unsafe { space.target_logits.part(0..plan.targets.len()) };
        head::finish(shares.iter().map(|scratch| &scratch.head), logits, stats);
        // SAFETY: as above.
        pooled.extend_from_slice(unsafe { space.pooled.part(0..plan.pooled(self.decoder.shape.dim)) });
        if second.is_some() {
            let cross = paired::finish(shares.iter().map(|scratch| &scratch.paired), plan.targets.len());
            for (stats, cross) in stats[first..].iter_mut().zip(cross) {
                stats.cross_entropy = Some(cross);
            }
        }
        Ok(())
    }
}

impl Backend for CpuBackend {
    fn name(&self) -> String {
        self.name.clone()
    }

    fn threads(&self) -> usize {
        self.team.threads()
    }

    fn pass(
        &self,
        batch: &PackedBatch<'_>,
        taps: Option<&Taps<'_>>,
    ) -> Result<(Vec<TokenStats>, Vec<f32>), BackendError> {
        if let Some(taps) = taps {
            taps.check(batch, self.decoder.layers.len(), self.decoder.shape.dim)?;
        }
        self.check_tokens(batch.tokens())?;
        let mut spaces = lock(&self.space);
        let (mut stats, mut pooled) = (Vec::with_capacity(batch.tokens().len()), Vec::new());
        let mut sequence = 0;
        for (tokens, starts) in chunks(batch) {
            let next = sequence + starts.len() - 1;
            let taps = taps.map(|taps| taps.of(sequence..next));
            let batch = PackedBatch::new(tokens, &starts)?;
            self.score_chunk(&mut spaces, &batch, taps.as_ref(), &mut stats, &mut pooled)?;
            sequence = next;
        }
        Ok((stats, pooled))
    }

    fn each_logits(&self, tokens: &[u32], row: &mut dyn FnMut(usize, &[f32])) -> Result<(), BackendError> {
        if tokens.is_empty() {
            return Ok(());
        }
        self.session(1, tokens.len())?
            .each_logits(&[(0, tokens)], |_, position, logits| row(position, logits))
    }

    fn times(&self) -> Vec<OperationTime> {
        self.team.times()
    }
}

/// Whole sequences, about `CHUNK` tokens at a time.
fn chunks<'a>(batch: &PackedBatch<'a>) -> Vec<(&'a [u32], Vec<usize>)> {
    let mut chunks = Vec::new();
    let (mut from, mut starts) = (0, vec![0]);
    for range in batch.sequences() {
        if range.end - from > CHUNK && starts.len() > 1 {
            chunks.push((&batch.tokens()[from..range.start], std::mem::replace(&mut starts, vec![0])));
            from = range.start;
        }
        starts.push(range.end - from);
    }
    chunks.push((&batch.tokens()[from..], starts));
    chunks
}

/// A worker that panicked leaves numbers without meaning, which the next pass overwrites.
pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Which arithmetic each matrix gets.
#[derive(Clone, Copy)]
struct Policy {
    precision: Precision,
    instructions: Instructions,
}

impl Policy {
    fn name(self) -> String {
        let form = match self.form(&[]) {
            Form::F32 => return "cpu-f32".to_owned(),
            Form::Int8 { .. } => "int8",
            Form::Bf16 { parts: 1 } => "bf16",
            Form::Bf16 { .. } => "bf16x2",
        };
        format!("cpu-{form}-{}", self.instructions.name())
    }

    fn form(self, parts: &[&Matrix]) -> Form {
        match self.precision {
            Precision::F32 => Form::F32,
            Precision::Int8 => Form::Int8 { group: joint_group(parts) },
            Precision::Bf16 => Form::Bf16 { parts: 1 },
            Precision::Auto => match self.instructions {
                // Without instructions of its own an 8-bit product is slower than one in f32.
                Instructions::Scalar => Form::F32,
                // Nor are pairs of wide codes faster.
                Instructions::Avx2 if wide(parts) => Form::F32,
                Instructions::Avx2 | Instructions::Avx512Vnni | Instructions::Avx512Bf16 => {
                    Form::Int8 { group: joint_group(parts) }
                }
                // With one part a text's mean comes too near the tolerance (BENCHMARKS.md).
                Instructions::Amx => Form::Bf16 { parts: 2 },
            },
        }
    }

    fn pack(self, model: &Model, team: &Team) -> Result<Decoder, BackendError> {
        model.check()?;
        let layers = model.layers.iter().map(|layer| self.layer(layer, team)).collect::<Result<_, _>>()?;
        let output = self.matrix(&[&model.output], team)?;
        Ok(Decoder {
            shape: model.shape.clone(),
            embedding: model.embedding.clone(),
            layers,
            output_norm: model.output_norm.clone(),
            output,
            tiles: self.tiles(model),
        })
    }

    /// Attention in tiles goes with products in tiles.
    fn tiles(self, model: &Model) -> bool {
        #[cfg(all(target_arch = "x86_64", target_os = "linux"))]
        return self.instructions == Instructions::Amx
            && matches!(self.form(&[]), Form::Bf16 { .. })
            && super::attention::amx::PackedHeads::fits(model.shape.head_dim);
        #[cfg(not(all(target_arch = "x86_64", target_os = "linux")))]
        return {
            let _ = model;
            false
        };
    }

    fn matrix(self, parts: &[&Matrix], team: &Team) -> Result<Packed, BackendError> {
        Packed::pack(parts, self.form(parts), self.instructions, team)
    }

    fn linear(self, linear: &Linear, team: &Team) -> Result<PackedLinear, BackendError> {
        Ok(PackedLinear { weight: self.matrix(&[&linear.weight], team)?, bias: linear.bias.clone() })
    }

    fn layer(self, layer: &Layer, team: &Team) -> Result<PackedLayer, BackendError> {
        let parts = [&layer.query, &layer.key, &layer.value];
        let weights = parts.map(|linear| &linear.weight);
        let bias = parts.iter().any(|linear| linear.bias.is_some()).then(|| {
            let of =
                |linear: &&Linear| linear.bias.clone().unwrap_or_else(|| vec![0.0; linear.weight.rows()]);
            parts.iter().flat_map(of).collect()
        });
        // Gate and up share their input, so they must want it in the same form.
        let form = self.form(&[&layer.gate.weight, &layer.up.weight]);
        let gated = |linear: &Linear| -> Result<PackedLinear, BackendError> {
            let weight = Packed::pack(&[&linear.weight], form, self.instructions, team)?;
            Ok(PackedLinear { weight, bias: linear.bias.clone() })
        };
        Ok(PackedLayer {
            attention_norm: layer.attention_norm.clone(),
            query_key_value: PackedLinear { weight: self.matrix(&weights, team)?, bias },
            query_norm: layer.query_norm.clone(),
            key_norm: layer.key_norm.clone(),
            attention_output: self.linear(&layer.attention_output, team)?,
            post_attention_norm: layer.post_attention_norm.clone(),
            feed_forward_norm: layer.feed_forward_norm.clone(),
            gate: gated(&layer.gate)?,
            up: gated(&layer.up)?,
            down: self.linear(&layer.down, team)?,
            post_feed_forward_norm: layer.post_feed_forward_norm.clone(),
            local: layer.local,
        })
    }
}

impl PackedLayer {
    fn linears(&self) -> impl Iterator<Item = &PackedLinear> {
        [&self.query_key_value, &self.attention_output, &self.gate, &self.up, &self.down].into_iter()
    }
}
