//! A training run of a detector: from texts to an adapter, with an account of how it went.
//!
//! First the head alone is fitted to the frozen model's pooled states of some crops; then adapter and head move together.
//! Every so often the domain that is held out is measured, and what did best there is what comes out.

use super::adapter::Lora;
use super::checkpoint::{self, CheckpointError, Further};
use super::data::{self, Crops, Example, Text, Tokenize};
use super::head::{ClassHead, Target, pool};
use super::model::{Batch, Gradients, Layout, Network, numbers};
use super::noise::Noise;
use super::optim::{AdamW, Parameter, clip};
use super::schedule::Schedule;
use crate::eval::metrics;
use crate::model::lora::file::{Adapter, Meta, VERSION};
use crate::random::Random;
use bonafide_kernels::weights::Model;
use candle_core::{DType, Device};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::path::Path;

/// Steps by which the head is fitted alone.
const HEAD_STEPS: usize = 200;
/// The L2 penalty of that: there are more features than texts.
const HEAD_PENALTY: f64 = 0.1;
/// The learning rate that is left at the end, as a share of the highest.
const FLOOR: f64 = 0.1;

/// Numbers in which the network is computed. Adapters are always in f32.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum Numbers {
    /// 32-bit floating point
    #[default]
    F32,
    /// bfloat16, for GPUs; slow on CPUs
    Bf16,
}

/// What a run's course depends on, beside its texts.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Settings {
    /// Rank of the adapter's matrices.
    pub rank: usize,
    /// What B A is multiplied by, times the rank.
    pub alpha: f64,
    /// Layers that are computed and adapted.
    pub depth: usize,
    /// The highest learning rate of the adapter.
    pub rate: f64,
    /// That of the head, as a multiple.
    pub head_rate: f64,
    /// The share of the steps in which the rate rises.
    pub warm_up: f64,
    /// Weight decay.
    pub decay: f64,
    /// Longest gradient that is not clipped.
    pub clip: f64,
    /// Times that each text is seen, unless `steps` says otherwise.
    pub epochs: f64,
    /// Steps of the optimiser.
    pub steps: Option<u64>,
    /// Tokens of a batch, padding included.
    pub batch_tokens: usize,
    /// Batches of a step.
    pub accumulate: usize,
    /// Most tokens of a sequence.
    pub max_tokens: usize,
    /// Crops that standardise the features and fit the head before the first step.
    pub warm_texts: usize,
    /// Steps between two measurements.
    pub evaluate_every: u64,
    /// Measurements without a better one, after which the run ends.
    pub patience: usize,
    /// Steps between two checkpoints.
    pub checkpoint_every: u64,
    /// What is drawn by.
    pub seed: u64,
    /// Damage to the texts.
    pub noise: Noise,
    /// Numbers of the network.
    pub dtype: Numbers,
    /// Whether graphs are built anew in the backward pass: less memory, more time.
    pub recompute: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            rank: 8,
            alpha: 16.0,
            depth: 20,
            rate: 2e-4,
            head_rate: 5.0,
            warm_up: 0.06,
            decay: 0.01,
            clip: 1.0,
            epochs: 2.0,
            steps: None,
            batch_tokens: 2048,
            accumulate: 2,
            max_tokens: 512,
            warm_texts: 256,
            evaluate_every: 50,
            patience: 6,
            checkpoint_every: 50,
            seed: 0,
            noise: Noise::default(),
            dtype: Numbers::F32,
            recompute: false,
        }
    }
}

/// A step of the optimiser.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Step {
    /// Its number, from 1.
    pub step: u64,
    /// Weighted mean binary cross-entropy (nats) of its crops.
    pub loss: f64,
    /// Learning rate.
    pub rate: f64,
    /// Length of the gradient before it was clipped.
    pub norm: f64,
    /// Tokens, padding not counted.
    pub tokens: u64,
}

/// A measurement on the domain that is held out.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Measurement {
    /// Steps made before it.
    pub step: u64,
    /// Area under the ROC curve.
    pub auroc: f64,
    /// Weighted mean binary cross-entropy (nats).
    pub loss: f64,
}

/// How a run went.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct History {
    /// Its steps.
    pub steps: Vec<Step>,
    /// Its measurements, the first before any step.
    pub measurements: Vec<Measurement>,
}

impl History {
    /// The measurement with the highest area, the first of equals; ties are broken by the lower loss.
    #[must_use]
    pub fn best(&self) -> Option<Measurement> {
        let better =
            |a: &Measurement, b: &Measurement| a.auroc > b.auroc || a.auroc == b.auroc && a.loss < b.loss;
        self.measurements.iter().copied().reduce(|best, next| if better(&next, &best) { next } else { best })
    }

    /// Measurements since the best one.
    fn since_best(&self) -> usize {
        let best = self.best().map_or(0, |best| best.step);
        self.measurements.iter().filter(|measurement| measurement.step > best).count()
    }
}

/// What a run is given.
pub struct Inputs<'a, T> {
    /// The model that is adapted.
    pub model: &'a Model,
    /// Its tokenizer.
    pub tokenizer: &'a T,
    /// SHA-256 of its file.
    pub base: &'a str,
    /// Names of the data sets that are learned from.
    pub data: Vec<String>,
    /// The name of the domain or data set that is held out.
    pub held_out: &'a str,
    /// Texts to learn from.
    pub learn: &'a [Text],
    /// Texts of the domain that is held out.
    pub measure: &'a [Text],
    /// Where it is computed.
    pub device: Device,
    /// Where checkpoints go, if any are wanted.
    pub checkpoint: Option<&'a Path>,
    /// Whether to go on from the checkpoint.
    pub resume: bool,
}

/// What a run tells while it goes on.
#[derive(Debug, Clone, Copy)]
pub enum Event {
    /// So many steps there will be at most, and so many were made before.
    Begins(u64, u64),
    /// A step was made.
    Step(Step),
    /// The held-out domain was measured.
    Measured(Measurement),
}

/// Why a run failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TrainError {
    /// The arithmetic failed.
    #[error("the training failed: {0}")]
    Arithmetic(#[from] candle_core::Error),
    /// The texts or the options can't be trained with.
    #[error("{0}")]
    Input(String),
    /// The checkpoint can't be used.
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
}

/// Where a run stands, beside its parameters.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct State {
    epoch: u64,
    batch: usize,
    history: History,
    mean: Vec<f64>,
    scale: Vec<f64>,
}

/// What is trained.
struct Trained {
    network: Network,
    lora: Lora,
    head: ClassHead,
}

/// The parts of a run that don't change.
struct Run<'a, T> {
    inputs: &'a Inputs<'a, T>,
    settings: &'a Settings,
    crops: Crops,
}

/// Trains an adapter with its head, and gives it as it was when it did best.
pub fn train<T: Tokenize>(
    inputs: &Inputs<'_, T>,
    settings: &Settings,
    watch: &mut dyn FnMut(Event),
) -> Result<(Adapter, History), TrainError> {
    check(inputs, settings)?;
    let crops = Crops { max_tokens: settings.max_tokens, noise: settings.noise, seed: settings.seed };
    Run { inputs, settings, crops }.go(watch)
}

fn check<T>(inputs: &Inputs<'_, T>, settings: &Settings) -> Result<(), TrainError> {
    let wrong = |what: &str| Err(TrainError::Input(what.to_owned()));
    let layers = inputs.model.layers.len();
    if !(1..layers).contains(&settings.depth) {
        // Scoring pools states below the last layer only.
        return wrong(&format!("--depth must be from 1 to {}: the model has {layers} layers", layers - 1));
    }
    let of = |texts: &[Text]| {
        let ais = texts.iter().filter(|text| text.label > 0.5).count();
        ais > 0 && ais < texts.len()
    };
    if !of(inputs.learn) || !of(inputs.measure) {
        return wrong("texts of humans and of models are needed, to learn from and to measure: add data");
    }
    if settings.rank == 0 || settings.accumulate == 0 || settings.max_tokens < data::LEAST_TOKENS {
        return wrong("the rank and the batches of a step must be at least 1, and a sequence's tokens 32");
    }
    if settings.batch_tokens < settings.max_tokens {
        return wrong("--batch-tokens must be at least --max-tokens");
    }
    let extras = |texts: &[Text]| texts.iter().map(|text| text.extra.len()).collect::<Vec<_>>();
    let counts = [extras(inputs.learn), extras(inputs.measure)].concat();
    if counts.iter().any(|count| Some(count) != counts.first()) {
        return wrong("all texts need as many further numbers");
    }
    Ok(())
}

impl<T: Tokenize> Run<'_, T> {
    fn go(&self, watch: &mut dyn FnMut(Event)) -> Result<(Adapter, History), TrainError> {
        let settings = self.settings;
        let resumed = self.inputs.resume.then_some(self.inputs.checkpoint).flatten();
        let mut examples = self.examples(0)?;
        let mut batches = self.batches(&examples, 0);
        let steps = settings.steps.unwrap_or_else(|| {
            (settings.epochs * batches.len() as f64 / settings.accumulate as f64).round().max(1.0) as u64
        });
        let warm_up = (settings.warm_up * steps as f64).ceil() as u64;
        let schedule = Schedule { rate: settings.rate, warm_up, steps, floor: FLOOR };
        let whole = self.whole()?;

        let mut trained = self.begin(resumed.is_none())?;
        let mut optimiser = AdamW::new(self.parameters(&trained), settings.decay)?;
        let mut state = State {
            epoch: 0,
            batch: 0,
            history: History::default(),
            mean: trained.head.mean.clone(),
            scale: trained.head.scale.clone(),
        };
        let mut best = Further::new();
        let config = self.config(steps);
        if let Some(path) = resumed {
            (state, best) = checkpoint::resume(path, &config, &mut optimiser)?;
            (trained.head.mean, trained.head.scale) = (state.mean.clone(), state.scale.clone());
            if state.epoch > 0 {
                examples = self.examples(state.epoch)?;
                batches = self.batches(&examples, state.epoch);
            }
        }
        watch(Event::Begins(steps, optimiser.steps()));
        if state.history.measurements.is_empty() {
            self.measure(&trained, &whole, &optimiser, &mut state.history, &mut best, watch)?;
        }
        while optimiser.steps() < steps && state.history.since_best() < settings.patience {
            let mut taken = Vec::with_capacity(settings.accumulate);
            while taken.len() < settings.accumulate {
                if state.batch >= batches.len() {
                    (state.epoch, state.batch) = (state.epoch + 1, 0);
                    examples = self.examples(state.epoch)?;
                    batches = self.batches(&examples, state.epoch);
                }
                taken.push(batches[state.batch].iter().map(|at| examples[*at].clone()).collect());
                state.batch += 1;
            }
            let step = self.step(&trained, &mut optimiser, &taken, &schedule)?;
            state.history.steps.push(step);
            watch(Event::Step(step));
            if step.step.is_multiple_of(settings.evaluate_every.max(1)) || step.step == steps {
                self.measure(&trained, &whole, &optimiser, &mut state.history, &mut best, watch)?;
            }
            if let Some(path) = self.inputs.checkpoint
                && step.step.is_multiple_of(settings.checkpoint_every.max(1))
            {
                checkpoint::save(path, &config, &state, &optimiser, &best)?;
            }
        }
        for parameter in optimiser.parameters() {
            if let Some(value) = best.get(&parameter.name) {
                parameter
                    .var
                    .set(&value.to_dtype(parameter.var.dtype())?.to_device(parameter.var.device())?)?;
            }
        }
        Ok((self.adapter(&trained)?, state.history))
    }

    fn adapter(&self, trained: &Trained) -> Result<Adapter, TrainError> {
        let meta = Meta {
            version: VERSION,
            base: self.inputs.base.to_owned(),
            rank: self.settings.rank,
            alpha: self.settings.alpha,
            layers: self.settings.depth,
            seed: self.settings.seed,
            data: self.inputs.data.clone(),
            held_out: Some(self.inputs.held_out.to_owned()),
        };
        Ok(trained.lora.kept(meta, Some(&trained.head))?)
    }

    /// A hash of all that the run's course depends on.
    fn config(&self, steps: u64) -> String {
        let mut hash = Sha256::new();
        let Settings { checkpoint_every: _, .. } = self.settings;
        let settings = Settings { checkpoint_every: 0, ..self.settings.clone() };
        hash.update(serde_json::to_string(&settings).unwrap_or_default());
        hash.update(format!("{steps} {} {}", self.inputs.base, env!("CARGO_PKG_VERSION")));
        for (side, texts) in [("learn", self.inputs.learn), ("measure", self.inputs.measure)] {
            hash.update(format!("{side} {}", texts.len()));
            for text in texts {
                hash.update(text.text.as_bytes());
                hash.update(format!("{} {} {:?}", text.label, text.weight, text.extra));
            }
        }
        hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
    }

    fn examples(&self, epoch: u64) -> Result<Vec<Example>, TrainError> {
        let made =
            self.crops.epoch(self.inputs.learn, self.inputs.tokenizer, epoch).map_err(TrainError::Input)?;
        if made.is_empty() { Err(TrainError::Input("no text holds two tokens".to_owned())) } else { Ok(made) }
    }

    fn batches(&self, examples: &[Example], epoch: u64) -> Vec<Vec<usize>> {
        let seed = [self.settings.seed, epoch].map(u64::to_le_bytes).concat();
        data::batches(examples, self.settings.batch_tokens, Some(&seed))
    }

    /// The held-out texts from their beginnings, in batches.
    fn whole(&self) -> Result<Vec<Vec<Example>>, TrainError> {
        let Inputs { measure, tokenizer, .. } = self.inputs;
        let made = data::whole(measure, *tokenizer, self.settings.max_tokens).map_err(TrainError::Input)?;
        let batches = data::batches(&made, self.settings.batch_tokens, None);
        Ok(batches.into_iter().map(|batch| batch.into_iter().map(|at| made[at].clone()).collect()).collect())
    }

    /// The frozen network, a fresh adapter, and a head; fitted, unless a checkpoint will say what it is.
    fn begin(&self, fitted: bool) -> Result<Trained, TrainError> {
        let Settings { depth, rank, alpha, seed, max_tokens, dtype, .. } = *self.settings;
        let Inputs { model, device, learn, .. } = self.inputs;
        let dtype = if dtype == Numbers::Bf16 { DType::BF16 } else { DType::F32 };
        let layout = Layout { depth, positions: max_tokens, language: false, dtype, device: device.clone() };
        let network = Network::new(model, &layout)?;
        let lora = Lora::new(&model.shape, depth, rank, alpha, seed, DType::F32, device)?;
        if !fitted {
            let size = model.shape.dim + learn.first().map_or(0, |text| text.extra.len());
            let head = ClassHead::new(&[vec![0.0; size]], DType::F32, device)?;
            return Ok(Trained { network, lora, head });
        }
        // Crops that no epoch makes; a fixed number of each label, where there are so many.
        let mut order: Vec<usize> = (0..learn.len()).collect();
        Random::new(&[b"warm", &seed.to_le_bytes()]).shuffle(&mut order);
        let half = self.settings.warm_texts.div_ceil(2).max(1);
        let side = |ai: bool| order.iter().filter(move |at| (learn[**at].label > 0.5) == ai).take(half);
        let chosen: Vec<Text> = side(false).chain(side(true)).map(|at| learn[*at].clone()).collect();
        let made = self.crops.epoch(&chosen, self.inputs.tokenizer, u64::MAX).map_err(TrainError::Input)?;
        let (mut rows, mut targets) = (Vec::new(), Vec::new());
        for batch in data::batches(&made, self.settings.batch_tokens, None) {
            let sequences: Vec<&[u32]> = batch.iter().map(|at| made[*at].tokens.as_slice()).collect();
            let packed = Batch::new(&sequences);
            let pooled = numbers(&pool(&network.states(&packed, None)?, &packed)?)?;
            for (at, pooled) in batch.iter().zip(pooled.chunks_exact(model.shape.dim)) {
                let text = &chosen[made[*at].text];
                rows.push(pooled.iter().copied().chain(text.extra.iter().map(|x| f64::from(*x))).collect());
                targets.push(target(text));
            }
        }
        let head = ClassHead::new(&rows, DType::F32, device)?;
        head.fit(&rows, &targets, HEAD_STEPS, HEAD_PENALTY)?;
        Ok(Trained { network, lora, head })
    }

    fn parameters(&self, trained: &Trained) -> Vec<Parameter> {
        let adapter = trained.lora.variables().into_iter().map(|(name, var)| (name, var, 1.0));
        let head =
            trained.head.variables().into_iter().map(|(name, var)| (name, var, self.settings.head_rate));
        adapter
            .chain(head)
            .map(|(name, var, rate)| Parameter { decays: name != "head.bias", name, var, rate })
            .collect()
    }

    fn step(
        &self,
        trained: &Trained,
        optimiser: &mut AdamW,
        taken: &[Vec<Example>],
        schedule: &Schedule,
    ) -> Result<Step, TrainError> {
        let (mut grads, mut loss, mut weight, mut tokens) = (Gradients::default(), 0.0, 0.0, 0);
        let Trained { network, lora, head } = trained;
        for examples in taken {
            let (batch, targets) = self.pack(self.inputs.learn, examples);
            let tape = network.record(&batch, lora, self.settings.recompute)?;
            let (own, grad) = head.loss(&tape.states, &batch, &targets, &mut grads)?;
            network.backward(tape, &grad, lora, &mut grads)?;
            loss += own;
            weight += targets.iter().map(|target| target.weight).sum::<f64>();
            tokens += batch.lengths().iter().sum::<usize>() as u64;
        }
        let norm = optimiser.norm(&grads)? / weight;
        if !norm.is_finite() {
            let step = optimiser.steps() + 1;
            return Err(TrainError::Input(format!(
                "the gradient of step {step} is not finite: lower --lr, or use --dtype f32"
            )));
        }
        let rate = schedule.at(optimiser.steps());
        optimiser.step(&grads, rate, clip(norm, self.settings.clip) / weight)?;
        Ok(Step { step: optimiser.steps(), loss: loss / weight, rate, norm, tokens })
    }

    fn pack<'a>(&self, texts: &'a [Text], examples: &[Example]) -> (Batch, Vec<Target<'a>>) {
        let sequences: Vec<&[u32]> = examples.iter().map(|example| example.tokens.as_slice()).collect();
        (Batch::new(&sequences), examples.iter().map(|example| target(&texts[example.text])).collect())
    }

    /// Measures the held-out domain, and keeps the parameters if they are the best so far.
    fn measure(
        &self,
        trained: &Trained,
        whole: &[Vec<Example>],
        optimiser: &AdamW,
        history: &mut History,
        best: &mut Further,
        watch: &mut dyn FnMut(Event),
    ) -> Result<(), TrainError> {
        let (mut human, mut ai, mut loss, mut weight) = (Vec::new(), Vec::new(), 0.0, 0.0);
        for examples in whole {
            let (batch, targets) = self.pack(self.inputs.measure, examples);
            let states = trained.network.states(&batch, Some(&trained.lora))?;
            for (score, target) in trained.head.scores(&states, &batch, &targets)?.into_iter().zip(&targets) {
                let side = if target.label > 0.5 { &mut ai } else { &mut human };
                side.push(score);
                let margin = if target.label > 0.5 { score } else { -score };
                loss += target.weight * ((-margin).max(0.0) + (-margin.abs()).exp().ln_1p());
                weight += target.weight;
            }
        }
        let auroc = metrics::auroc(&human, &ai).map_or(0.5, |estimate| estimate.value);
        let measurement = Measurement { step: optimiser.steps(), auroc, loss: loss / weight };
        history.measurements.push(measurement);
        watch(Event::Measured(measurement));
        if history.best() == Some(measurement) {
            for parameter in optimiser.parameters() {
                best.insert(parameter.name.clone(), parameter.var.as_tensor().copy()?.detach());
            }
        }
        Ok(())
    }
}

fn target(text: &Text) -> Target<'_> {
    Target { label: text.label, weight: text.weight, extra: &text.extra }
}

#[cfg(test)]
mod tests;
