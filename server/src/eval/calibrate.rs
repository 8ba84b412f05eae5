//! From scored texts to a calibration, and to an honest account of it.
//!
//! Each text is scored once, up to [`MAX_TOKENS`]. A causal model's statistics of a prefix are the prefix of its
//! statistics, so that one pass gives training texts of every length: for each range of lengths of the conformal
//! tables below the text's own, one prefix whose length is spread evenly (by logarithm) over that range. No text has
//! more than one sample in a range, so that the samples of one table are independent.
//!
//! Texts are split by source document (`pair`, or else the text itself): some fit the head, others fill the conformal
//! tables, and the rest, which took part in nothing, measure. There each text counts once, at one of its lengths, so that
//! the intervals are those of independent texts.
//!
//! The number that a data set's own held-out texts give flatters: texts from elsewhere differ in more ways. So
//! [`leave_one_out`] makes a calibration without each data set in turn and measures it on that one.

use super::dataset::{Label, Sample as Labelled, hash};
use super::metrics::{self, Estimate};
use bonafide_core::calibration::fit::{FitError, Recipe, Sample, calibrate};
use bonafide_core::calibration::{self, BUCKET_EDGES, Calibration, ModelRef, Outcome};
use bonafide_core::detect::Stats;
use bonafide_core::judge::MIN_WORDS;
use bonafide_core::text::words;
use rayon::prelude::*;
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};

/// Tokens of a text that are scored: what the longest table's texts have at least, and half as much again.
pub const MAX_TOKENS: usize = 512;

/// Scored tokens of the shortest prefix: about as many as [`MIN_WORDS`] words have, the fewest that get a verdict.
pub const MIN_PREFIX: usize = 52;

/// What a text takes part in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Part {
    /// Fitting the head.
    Fit,
    /// Filling the conformal tables.
    Conformal,
    /// Measuring.
    HeldOut,
}

/// The part of a source document. Tables need most texts: a p-value below 1 % takes a hundred humans of each length.
#[must_use]
pub fn part(group: u64, seed: u64) -> Part {
    match hash(&[b"part", &group.to_le_bytes(), &seed.to_le_bytes()]) % 100 {
        0..35 => Part::Fit,
        35..80 => Part::Conformal,
        _ => Part::HeldOut,
    }
}

/// One text at all its lengths.
#[derive(Debug, Clone)]
pub struct Text {
    /// Its samples, at most one for each range of lengths, shortest first.
    pub samples: Vec<Sample>,
    /// What it takes part in.
    pub part: Part,
    /// Which of its samples measures, by a hash.
    pub measures: usize,
}

impl Text {
    /// `None` if the text is too short for a verdict, or a statistic is not finite.
    #[must_use]
    pub fn new(labelled: &Labelled, stats: &[Stats], seed: u64) -> Option<Self> {
        if words::count(&labelled.text) < MIN_WORDS {
            return None;
        }
        let label = match labelled.label {
            Label::Human => calibration::Label::Human,
            Label::Ai => calibration::Label::Ai,
        };
        let own = hash(&[b"length", &seed.to_le_bytes(), labelled.text.as_bytes()]);
        let samples: Vec<Sample> = lengths(stats.len(), own)
            .into_iter()
            .filter_map(|length| Sample::new(&stats[..length], label, &*labelled.dataset))
            .collect();
        let measures = (own >> 32) as usize % samples.len().max(1);
        let part = part(labelled.group(), seed);
        (!samples.is_empty()).then_some(Self { samples, part, measures })
    }

    fn human(&self) -> bool {
        self.samples.iter().any(|sample| sample.label == calibration::Label::Human)
    }

    fn dataset(&self) -> &str {
        self.samples.first().map_or("", |sample| &sample.group)
    }
}

/// The whole length and, for each range of lengths below its own, one length of that range.
fn lengths(whole: usize, random: u64) -> Vec<usize> {
    let mut lengths = Vec::new();
    let mut low = MIN_PREFIX;
    for (index, &edge) in BUCKET_EDGES.iter().enumerate() {
        if whole < edge {
            break;
        }
        // Ten bits for each range: a number from 0 to 1.
        let at = ((random >> (10 * index)) & 1023) as f64 / 1024.0;
        let length = low as f64 * (edge as f64 / low as f64).powf(at);
        lengths.push(length as usize);
        low = edge;
    }
    lengths.push(whole);
    lengths
}

/// What a calibration is called and made with.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Its name.
    pub version: String,
    /// The model that scored.
    pub model: ModelRef,
    /// ISO 639-1 codes.
    pub languages: Vec<String>,
    /// Strength of the L2 penalty.
    pub penalty: f64,
}

/// Fits on the texts' own parts.
pub fn fit(texts: &[Text], settings: &Settings) -> Result<Calibration, FitError> {
    let of = |wanted| texts.iter().filter(move |text| text.part == wanted);
    let all = |wanted| of(wanted).flat_map(|text| text.samples.iter().cloned()).collect::<Vec<_>>();
    let once: Vec<Sample> = of(Part::HeldOut).map(|text| text.samples[text.measures].clone()).collect();
    run(&all(Part::Fit), &all(Part::Conformal), &once, datasets(texts), settings)
}

fn run(
    fit: &[Sample],
    conformal: &[Sample],
    held_out: &[Sample],
    data: Vec<String>,
    settings: &Settings,
) -> Result<Calibration, FitError> {
    calibrate(&Recipe {
        version: settings.version.clone(),
        model: settings.model.clone(),
        languages: settings.languages.clone(),
        data,
        fit,
        conformal,
        held_out,
        penalty: settings.penalty,
    })
}

/// The data sets' names, in order.
#[must_use]
pub fn datasets(texts: &[Text]) -> Vec<String> {
    texts.iter().map(|text| text.dataset().to_owned()).collect::<BTreeSet<_>>().into_iter().collect()
}

/// What a calibration did on texts that took no part in it.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[allow(missing_docs)]
pub struct Measured {
    pub humans: usize,
    pub ais: usize,
    pub auroc: Option<f64>,
    pub auroc_ci: Option<[f64; 2]>,
    /// Share of humans called `likely_ai` or `mixed`.
    pub fpr: Option<f64>,
    pub fpr_ci: Option<[f64; 2]>,
    /// Share of models' texts called `likely_ai` or `mixed`.
    pub tpr: Option<f64>,
    pub tpr_ci: Option<[f64; 2]>,
    /// Share of models' texts called `likely_human`.
    pub missed: Option<f64>,
    /// Share of all that stayed `unclear`.
    pub unclear: Option<f64>,
}

/// Measures a calibration on samples; they should be of different texts.
#[must_use]
pub fn measure<'a>(calibration: &Calibration, samples: impl IntoIterator<Item = &'a Sample>) -> Measured {
    let samples: Vec<&Sample> = samples.into_iter().collect();
    let decisions: Vec<_> = samples
        .par_iter()
        .map(|sample| (sample.label, calibration.decide(&sample.features, &sample.parts)))
        .collect();
    let scores = |label| -> Vec<f64> {
        decisions.iter().filter(|(own, _)| *own == label).map(|(_, decision)| decision.log_odds).collect()
    };
    let (human, ai) = (scores(calibration::Label::Human), scores(calibration::Label::Ai));
    let count = |label: Option<calibration::Label>, outcomes: &[Outcome]| {
        let matches = |(own, decision): &&(calibration::Label, calibration::Decision)| {
            label.is_none_or(|label| label == *own) && outcomes.contains(&decision.outcome)
        };
        decisions.iter().filter(matches).count()
    };
    let flagged = [Outcome::LikelyAi, Outcome::Mixed];
    let value = |estimate: Option<Estimate>| estimate.map(|e| e.value);
    let interval = |estimate: Option<Estimate>| estimate.map(|e| e.interval);
    let auroc = metrics::auroc(&human, &ai);
    let fpr = metrics::rate(count(Some(calibration::Label::Human), &flagged), human.len());
    let tpr = metrics::rate(count(Some(calibration::Label::Ai), &flagged), ai.len());
    let missed = metrics::rate(count(Some(calibration::Label::Ai), &[Outcome::LikelyHuman]), ai.len());
    let unclear = metrics::rate(count(None, &[Outcome::Unclear]), samples.len());
    Measured {
        humans: human.len(),
        ais: ai.len(),
        auroc: value(auroc),
        auroc_ci: interval(auroc),
        fpr: value(fpr),
        fpr_ci: interval(fpr),
        tpr: value(tpr),
        tpr_ci: interval(tpr),
        missed: value(missed),
        unclear: value(unclear),
    }
}

/// The account of a calibration, stored beside it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Account {
    /// The calibration's name.
    pub version: String,
    /// Version of the program that made it.
    pub program: String,
    /// The command that made it.
    pub command: String,
    /// The model file.
    pub model: ModelRef,
    /// What it was made from.
    pub data: Vec<DatasetAccount>,
    /// On held-out texts of the same data sets, each once.
    pub held_out: Measured,
    /// The same by the texts' number of scored tokens; here each text counts once in each range.
    pub held_out_by_tokens: BTreeMap<String, Measured>,
    /// The same by data set, each text once.
    pub held_out_by_dataset: BTreeMap<String, Measured>,
    /// On each data set, by a calibration made without it; absent with fewer than two data sets.
    pub left_out: BTreeMap<String, Measured>,
}

/// What is known of a data set, and what was used of it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct DatasetAccount {
    /// The file's name without `.jsonl`.
    pub name: String,
    /// Where it is from, as far as is known.
    pub origin: String,
    /// Its licence, as far as is known.
    pub licence: String,
    /// Human texts in each part.
    pub human: BTreeMap<Part, usize>,
    /// Models' texts in each part.
    pub ai: BTreeMap<Part, usize>,
}

/// Held-out texts by number of tokens, each text once in each range.
#[must_use]
pub fn measure_by_tokens(calibration: &Calibration, texts: &[Text]) -> BTreeMap<String, Measured> {
    let held_out: Vec<&Sample> =
        texts.iter().filter(|t| t.part == Part::HeldOut).flat_map(|t| &t.samples).collect();
    let starts = [0].into_iter().chain(BUCKET_EDGES);
    let ends = BUCKET_EDGES.into_iter().chain([usize::MAX]);
    let name = |start: usize, end: usize| match end {
        usize::MAX => format!("{start} and more"),
        _ => format!("{start:03} to {:03}", end - 1),
    };
    starts
        .zip(ends)
        .map(|(start, end)| {
            let inside = held_out.iter().copied().filter(|s| (start..end).contains(&s.features.tokens));
            (name(start, end), measure(calibration, inside))
        })
        .collect()
}

/// Held-out texts by data set, each text once.
#[must_use]
pub fn measure_by_dataset(calibration: &Calibration, texts: &[Text]) -> BTreeMap<String, Measured> {
    let of = |name: &str| {
        let own = texts.iter().filter(|t| t.part == Part::HeldOut && t.dataset() == name);
        measure(calibration, own.map(|text| &text.samples[text.measures]))
    };
    datasets(texts).into_iter().map(|name| (name.clone(), of(&name))).collect()
}

/// Each data set measured, all its texts once, by a calibration made without it.
pub fn leave_one_out(texts: &[Text], settings: &Settings) -> Result<BTreeMap<String, Measured>, FitError> {
    let names = datasets(texts);
    if names.len() < 2 {
        return Ok(BTreeMap::new());
    }
    names
        .into_iter()
        .map(|name| {
            let left_out = name.as_str();
            let of = |wanted| {
                let others = texts.iter().filter(move |t| t.part == wanted && t.dataset() != left_out);
                others.flat_map(|text| text.samples.iter().cloned()).collect::<Vec<_>>()
            };
            // Nothing of the data set left out was fitted on, so that all of its parts may measure.
            let own: Vec<Sample> =
                texts.iter().filter(|t| t.dataset() == name).map(|t| t.samples[t.measures].clone()).collect();
            let calibration = run(&of(Part::Fit), &of(Part::Conformal), &own, Vec::new(), settings)?;
            let measured = measure(&calibration, &own);
            Ok((name, measured))
        })
        .collect()
}

/// Counts of the texts used, by data set, label and part.
#[must_use]
pub fn count(texts: &[Text]) -> Vec<DatasetAccount> {
    let mut accounts: BTreeMap<&str, DatasetAccount> = BTreeMap::new();
    for text in texts {
        let account = accounts.entry(text.dataset()).or_default();
        account.name = text.dataset().to_owned();
        let counts = if text.human() { &mut account.human } else { &mut account.ai };
        *counts.entry(text.part).or_default() += 1;
    }
    accounts.into_values().collect()
}
