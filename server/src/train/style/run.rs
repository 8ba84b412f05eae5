//! Adapts the model to an author's texts, and ranks those that were held out among texts of others.

use super::file::Author;
use super::others::{LEAST_OTHERS, Likeness, Others};
use super::ratio::{examples, followed, network, plain, ratios};
use super::{MOST_TOKENS, StyleError};
use crate::eval::metrics;
use crate::model::lora::file::{Meta, VERSION};
use crate::random::Random;
use crate::train::lora::adapter::Lora;
use crate::train::lora::data::{self, Crops, Example, LEAST_TOKENS, Text, Tokenize};
use crate::train::lora::model::{Batch, Gradients, Network};
use crate::train::lora::noise::Noise;
use crate::train::lora::optim::{AdamW, Parameter, clip};
use crate::train::lora::schedule::Schedule;
use bonafide_kernels::weights::Model;
use candle_core::{DType, Device};
use serde::Serialize;

/// Fewest texts of an author: of fewer, none can be held out and enough be left.
pub const LEAST_OWN: usize = 5;
/// A held-out text counts as found up to this p-value.
pub const FOUND: f64 = 0.05;

/// The share of the author's texts that are held out.
const HELD_OUT: f64 = 0.2;
/// The share of the steps in which the rate rises.
const WARM_UP: f64 = 0.1;
/// The learning rate that is left at the end, as a share of the highest.
const FLOOR: f64 = 0.1;
/// Weight decay.
const DECAY: f64 = 0.01;
/// Longest gradient that is not clipped.
const LONGEST: f64 = 1.0;

/// What a run's course depends on, beside its texts.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Settings {
    /// Rank of the adapter's matrices.
    pub rank: usize,
    /// What B A is multiplied by, times the rank.
    pub alpha: f64,
    /// Layers that are adapted, from the lowest.
    pub layers: usize,
    /// Steps of the optimiser.
    pub steps: u64,
    /// The highest learning rate.
    pub rate: f64,
    /// Tokens of a step, padding included; also the most of a crop.
    pub batch_tokens: usize,
    /// What is drawn by.
    pub seed: u64,
}

impl Default for Settings {
    fn default() -> Self {
        Self { rank: 8, alpha: 16.0, layers: 8, steps: 60, rate: 2e-3, batch_tokens: 512, seed: 0 }
    }
}

/// What a run is given.
pub struct Inputs<'a, T> {
    /// The model that is adapted.
    pub model: &'a Model,
    /// Its tokenizer.
    pub tokenizer: &'a T,
    /// Its name.
    pub name: &'a str,
    /// SHA-256 of its file.
    pub base: &'a str,
    /// The author's name.
    pub author: &'a str,
    /// The author's texts.
    pub own: &'a [String],
    /// Texts of others.
    pub others: &'a [String],
}

/// A step of the optimiser.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Step {
    /// Its number, from 1.
    pub step: u64,
    /// Mean cross-entropy of its tokens, in nats.
    pub loss: f64,
    /// Learning rate.
    pub rate: f64,
    /// Tokens that were predicted.
    pub tokens: usize,
}

/// What a run tells while it goes on.
#[derive(Debug, Clone, Copy)]
pub enum Event {
    /// A step was made.
    Step(Step),
    /// Now so many texts are read under both models.
    Reads(usize),
    /// So many of them were read.
    Read(usize),
}

/// How a run went.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Outcome {
    /// The author's texts that were learned from.
    pub learned: usize,
    /// How the held-out ones compare.
    pub held_out: Vec<Likeness>,
    /// Held-out texts whose p-value is at most [`FOUND`].
    pub found: usize,
    /// Their share, and Wilson's 95 % interval of it.
    pub rate: f64,
    /// The interval's ends.
    pub interval: [f64; 2],
    /// Area under the ROC curve: the chance that a held-out text sounds more like the author than another's does.
    pub auroc: f64,
    /// Texts of others that were read.
    pub others: usize,
    /// Mean of the others' ratios, of as many tokens as were read.
    pub others_ratio: f64,
    /// Mean of the held-out texts' ratios, likewise.
    pub held_out_ratio: f64,
    /// The steps.
    pub steps: Vec<Step>,
}

/// Learns an author.
pub fn train<T: Tokenize>(
    inputs: &Inputs<'_, T>,
    settings: &Settings,
    watch: &mut dyn FnMut(Event),
) -> Result<(Author, Outcome), StyleError> {
    check(inputs, settings)?;
    let (learn, held_out) = split(inputs.own, settings.seed);
    let network = network(inputs.model)?;
    let lora = fresh(inputs.model, settings)?;
    let steps = adapt(&network, &lora, &learn, inputs.tokenizer, settings, watch)?;

    watch(Event::Reads(held_out.len() + inputs.others.len()));
    let mut read = |texts: &[String]| -> Result<Vec<Vec<f64>>, StyleError> {
        let examples = examples(texts, inputs.tokenizer)?;
        ratios(&network, &lora, &examples, &mut |done| watch(Event::Read(done)))
    };
    let (own, of_others) = (read(&held_out)?, read(inputs.others)?);
    let others = Others::new(&of_others);
    if others.shortest().is_none() {
        return Err(few(of_others.len()));
    }
    let held_out: Vec<Likeness> =
        own.iter().filter_map(|ratios| others.place(inputs.author, ratios)).collect();
    let found = held_out.iter().filter(|likeness| likeness.p_value <= FOUND).count();
    let share = metrics::rate(found, held_out.len()).ok_or_else(|| {
        StyleError::Input("no text that was held out is long enough to be compared".to_owned())
    })?;
    let outcome = Outcome {
        learned: learn.len(),
        found,
        rate: share.value,
        interval: share.interval,
        auroc: held_out.iter().map(area).sum::<f64>() / held_out.len() as f64,
        others: of_others.len(),
        others_ratio: mean(&of_others),
        held_out_ratio: mean(&own),
        held_out,
        steps,
    };
    let meta = Meta {
        version: VERSION,
        base: inputs.base.to_owned(),
        rank: settings.rank,
        alpha: settings.alpha,
        layers: settings.layers,
        seed: settings.seed,
        data: Vec::new(),
        held_out: None,
    };
    let adapter = lora.kept(meta, None)?;
    let author = Author { name: inputs.author.to_owned(), model: inputs.name.to_owned(), adapter, others };
    Ok((author, outcome))
}

fn check<T>(inputs: &Inputs<'_, T>, settings: &Settings) -> Result<(), StyleError> {
    let wrong = |what: String| Err(StyleError::Input(what));
    super::file::check_name(inputs.author)?;
    if inputs.own.len() < LEAST_OWN {
        let count = inputs.own.len();
        return wrong(format!(
            "--texts: there are {count} texts of 40 words or more, and at least {LEAST_OWN} are needed, some to learn from \
             and some to hold out: add texts, or cut long ones into files of their own"
        ));
    }
    if inputs.others.len() < LEAST_OTHERS {
        return Err(few(inputs.others.len()));
    }
    let deepest = inputs.model.layers.len();
    if settings.layers == 0 || settings.layers > deepest || settings.rank == 0 {
        return wrong(format!("--layers must be from 1 to {deepest} with this model, and --rank at least 1"));
    }
    if !(LEAST_TOKENS..=MOST_TOKENS).contains(&settings.batch_tokens) {
        return wrong(format!("a step has from {LEAST_TOKENS} to {MOST_TOKENS} tokens"));
    }
    Ok(())
}

fn few(count: usize) -> StyleError {
    StyleError::Input(format!(
        "--others: {count} texts of 40 words or more are not enough: at least {LEAST_OTHERS} are needed, because the least \
         p-value among n of them is 1 / (n + 1), and that is to be below 0.05; add texts of other authors"
    ))
}

/// What is learned from, and what is held out.
fn split(own: &[String], seed: u64) -> (Vec<Text>, Vec<String>) {
    let mut order: Vec<usize> = (0..own.len()).collect();
    Random::new(&[b"held out of an author", &seed.to_le_bytes()]).shuffle(&mut order);
    let held = ((own.len() as f64 * HELD_OUT).round() as usize).max(1);
    let (held, learn) = order.split_at(held.min(order.len()));
    (learn.iter().map(|at| plain(&own[*at])).collect(), held.iter().map(|at| own[*at].clone()).collect())
}

fn fresh(model: &Model, settings: &Settings) -> Result<Lora, StyleError> {
    let Settings { layers, rank, alpha, seed, .. } = *settings;
    Ok(Lora::new(&model.shape, layers, rank, alpha, seed, DType::F32, &Device::Cpu)?)
}

fn adapt<T: Tokenize>(
    network: &Network,
    lora: &Lora,
    learn: &[Text],
    tokenizer: &T,
    settings: &Settings,
    watch: &mut dyn FnMut(Event),
) -> Result<Vec<Step>, StyleError> {
    let crops = Crops { max_tokens: settings.batch_tokens, noise: Noise::NONE, seed: settings.seed };
    let variables = lora.variables().into_iter();
    let parameters = variables.map(|(name, var)| Parameter { name, var, decays: true, rate: 1.0 });
    let mut optimiser = AdamW::new(parameters.collect(), DECAY)?;
    let warm_up = (WARM_UP * settings.steps as f64).ceil() as u64;
    let schedule = Schedule { rate: settings.rate, warm_up, steps: settings.steps, floor: FLOOR };
    let mut steps = Vec::new();
    for epoch in 0_u64.. {
        let examples = crops.epoch(learn, tokenizer, epoch).map_err(StyleError::Input)?;
        if examples.is_empty() {
            return Err(StyleError::Input("--texts: no text holds two tokens".to_owned()));
        }
        let seed = [settings.seed, epoch].map(u64::to_le_bytes).concat();
        for batch in data::batches(&examples, settings.batch_tokens, Some(&seed)) {
            if optimiser.steps() >= settings.steps {
                return Ok(steps);
            }
            let chosen: Vec<&Example> = batch.iter().map(|at| &examples[*at]).collect();
            let rate = schedule.at(optimiser.steps());
            let (loss, tokens) = step(network, lora, &chosen, &mut optimiser, rate)?;
            let made = Step { step: optimiser.steps(), loss, rate, tokens };
            steps.push(made);
            watch(Event::Step(made));
        }
    }
    Ok(steps)
}

/// One step; the mean loss of its tokens, and how many there are.
fn step(
    network: &Network,
    lora: &Lora,
    examples: &[&Example],
    optimiser: &mut AdamW,
    rate: f64,
) -> Result<(f64, usize), StyleError> {
    let sequences: Vec<&[u32]> = examples.iter().map(|example| example.tokens.as_slice()).collect();
    let batch = Batch::new(&sequences);
    let (rows, tokens) = followed(&batch);
    // Ends of sequences and padding predict nothing.
    let mut targets = vec![0; batch.ids().len()];
    let mut weights = vec![0.0; batch.ids().len()];
    for (row, token) in rows.iter().zip(&tokens) {
        (targets[*row as usize], weights[*row as usize]) = (*token, 1.0);
    }
    let tape = network.record(&batch, lora, false)?;
    let (loss, _, grad) = network.language_loss(&tape.states, &targets, &weights)?;
    let mut grads = Gradients::default();
    network.backward(tape, &grad, lora, &mut grads)?;
    let count = tokens.len() as f64;
    let norm = optimiser.norm(&grads)? / count;
    if !norm.is_finite() {
        let step = optimiser.steps() + 1;
        return Err(StyleError::Input(format!("the gradient of step {step} is not finite: lower --lr")));
    }
    optimiser.step(&grads, rate, clip(norm, LONGEST) / count)?;
    Ok((loss / count, tokens.len()))
}

/// The share of the others that a text has a higher ratio than.
fn area(likeness: &Likeness) -> f64 {
    let others = likeness.others as f64;
    (others + 1.0) * (1.0 - likeness.p_value) / others
}

/// The mean over texts of the mean over tokens.
fn mean(texts: &[Vec<f64>]) -> f64 {
    let each = texts.iter().map(|ratios| ratios.iter().sum::<f64>() / ratios.len().max(1) as f64);
    each.sum::<f64>() / texts.len().max(1) as f64
}

#[cfg(test)]
mod tests;
