//! Making a calibration from texts of known origin.

use super::conformal::tables;
use super::head::FROM_ZERO;
use super::head::{INPUTS, log_length};
use super::{
    ALPHA_AI, ALPHA_HUMAN, Calibration, FORMAT, Head, LEVELS, Label, Measured, ModelRef, Outcome, Reference,
    Table,
};
use crate::detect::{FEATURES, Features, STATISTICS, Stats, scan};
use std::collections::{BTreeMap, BTreeSet};

mod newton;

/// Penalties that [`choose_penalty`] tries.
const PENALTIES: [f64; 5] = [1e-3, 3e-3, 1e-2, 3e-2, 1e-1];

/// How much harder the weights that depend on the length are held down.
const LENGTH_PENALTY: f64 = 4.0;

/// One text of known origin.
#[derive(Debug, Clone, PartialEq)]
pub struct Sample {
    /// Features of the whole text.
    pub features: Features,
    /// Features of its scanned windows; empty for a short text.
    pub parts: Vec<Features>,
    /// Who wrote it.
    pub label: Label,
    /// The data set it is from: no group's human texts may be accused more often than the target.
    pub group: String,
    /// What it is about within the group; may be empty. Each domain of a label weighs the same in the fit, however many texts
    /// it has: a group counts for as much as it covers, and a narrow one can't turn the head its way.
    pub domain: String,
}

impl Sample {
    /// `None` if the text is too short to have features ([`crate::detect::MIN_TOKENS`]).
    #[must_use]
    pub fn new(stats: &[Stats], label: Label, group: impl Into<String>) -> Option<Self> {
        let features = Features::extract(stats)?;
        let parts = scan(stats).into_iter().map(|window| window.features).collect();
        Some(Self { features, parts, label, group: group.into(), domain: String::new() })
    }

    /// The same, of a domain.
    #[must_use]
    pub fn of_domain(self, domain: impl Into<String>) -> Self {
        Self { domain: domain.into(), ..self }
    }
}

/// What a calibration is made from. The three lists must not share a source document: split them by pair.
#[derive(Debug, Clone)]
pub struct Recipe<'a> {
    /// Name of the calibration.
    pub version: String,
    /// The model that scored the texts.
    pub model: ModelRef,
    /// What tells the probe that read the texts from any other; `None` if none did.
    pub probe: Option<String>,
    /// ISO 639-1 codes of the texts' languages.
    pub languages: Vec<String>,
    /// Names of the data sets.
    pub data: Vec<String>,
    /// Texts that the head is fitted on.
    pub fit: &'a [Sample],
    /// Texts that fill the conformal tables.
    pub conformal: &'a [Sample],
    /// Texts that the error rates are measured on.
    pub held_out: &'a [Sample],
    /// The features that the head weighs.
    pub weighed: Weighed,
    /// Strength of the L2 penalty on standardised weights, relative to the mean loss; see [`choose_penalty`].
    pub penalty: f64,
}

/// The features that a head weighs; the others are there to be compared with, at a weight of 0.
///
/// By default these are few, and each of them means the same everywhere: what is fitted on many that say nearly the same
/// holds on the data sets that it was fitted on, and less elsewhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Weighed([bool; FEATURES.len()]);

impl Weighed {
    /// Names of the features that are weighed if nobody chose.
    pub const DEFAULT: [&'static str; 3] = ["winsorised_logprob", "decline", "probe"];

    /// These; `None` if one of them is none of [`FEATURES`].
    #[must_use]
    pub fn named<'a>(names: impl IntoIterator<Item = &'a str>) -> Option<Self> {
        let mut weighed = [false; FEATURES.len()];
        for name in names {
            weighed[FEATURES.iter().position(|&feature| feature == name)?] = true;
        }
        Some(Self(weighed))
    }

    /// All of them.
    #[must_use]
    pub const fn all() -> Self {
        Self([true; FEATURES.len()])
    }
}

impl Default for Weighed {
    fn default() -> Self {
        Self(FEATURES.map(|feature| Self::DEFAULT.contains(&feature)))
    }
}

/// Why no calibration could be made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FitError {
    /// A list lacks texts of one label.
    #[error("no {label} text among the {list} texts: a calibration needs both human and generated ones")]
    OneSided {
        /// Which list.
        list: &'static str,
        /// Which label.
        label: &'static str,
    },
    /// The equations have no solution.
    #[error("the fit did not converge: {0}")]
    Diverged(String),
}

/// Fits the head, fills the tables and measures the error rates.
pub fn calibrate(recipe: &Recipe<'_>) -> Result<Calibration, FitError> {
    for (list, samples) in
        [("fitting", recipe.fit), ("conformal", recipe.conformal), ("held-out", recipe.held_out)]
    {
        two_sided(list, samples)?;
    }
    let head = fit_head(recipe.fit, recipe.weighed, recipe.penalty)?;
    let mut calibration = Calibration {
        format: FORMAT,
        version: recipe.version.clone(),
        model: recipe.model.clone(),
        probe: recipe.probe.clone(),
        languages: recipe.languages.clone(),
        data: recipe.data.clone(),
        alpha_ai: ALPHA_AI,
        alpha_human: ALPHA_HUMAN,
        human: whole_tables(&head, recipe.conformal, Label::Human, ALPHA_AI),
        ai: whole_tables(&head, recipe.conformal, Label::Ai, ALPHA_HUMAN),
        human_contrast: contrast_tables(&head, recipe.conformal, Label::Human, ALPHA_AI / 2.0),
        ai_contrast: contrast_tables(&head, recipe.conformal, Label::Ai, ALPHA_HUMAN),
        reference: references(&head, recipe.conformal),
        segmenter: None,
        head,
        measured: Measured::default(),
    };
    calibration.measured = measure(&calibration, recipe.held_out);
    Ok(calibration)
}

fn two_sided(list: &'static str, samples: &[Sample]) -> Result<(), FitError> {
    for (label, name) in [(Label::Human, "human"), (Label::Ai, "generated")] {
        if !samples.iter().any(|sample| sample.label == label) {
            return Err(FitError::OneSided { list, label: name });
        }
    }
    Ok(())
}

/// Error rates of a calibration on texts of known origin.
#[must_use]
pub fn measure(calibration: &Calibration, samples: &[Sample]) -> Measured {
    let mut counts: BTreeMap<(bool, u8), usize> = BTreeMap::new();
    for sample in samples {
        let outcome = calibration.decide(&sample.features, &sample.parts).outcome;
        *counts.entry((sample.label == Label::Ai, outcome as u8)).or_default() += 1;
    }
    let count = |ai: bool, outcome: Outcome| counts.get(&(ai, outcome as u8)).copied().unwrap_or(0);
    let ais = samples.iter().filter(|sample| sample.label == Label::Ai).count();
    let humans = samples.len() - ais;
    let share = |count: usize, of: usize| if of == 0 { 0.0 } else { count as f64 / of as f64 };
    let both = |outcome| share(count(false, outcome) + count(true, outcome), samples.len());
    Measured {
        humans,
        ais,
        false_positive_rate: share(count(false, Outcome::LikelyAi) + count(false, Outcome::Mixed), humans),
        true_positive_rate: share(count(true, Outcome::LikelyAi) + count(true, Outcome::Mixed), ais),
        missed_rate: share(count(true, Outcome::LikelyHuman), ais),
        unclear_rate: both(Outcome::Unclear),
        mixed_rate: both(Outcome::Mixed),
    }
}

fn whole_tables(head: &Head, samples: &[Sample], label: Label, alpha: f64) -> Vec<Table> {
    let sign = if label == Label::Human { 1.0 } else { -1.0 };
    let scores = samples.iter().filter(|sample| sample.label == label).map(|sample| {
        (sample.group.as_str(), sample.features.tokens, sign * head.log_odds(&sample.features))
    });
    tables(scores, fewest_for(alpha))
}

fn contrast_tables(head: &Head, samples: &[Sample], label: Label, alpha: f64) -> Vec<Table> {
    let scores = samples.iter().filter(|sample| sample.label == label).filter_map(|sample| {
        let contrast = head.contrast(&sample.parts)?;
        Some((sample.group.as_str(), sample.features.tokens, contrast.value))
    });
    tables(scores, fewest_for(alpha))
}

/// The fewest texts whose table can give a p-value of alpha.
fn fewest_for(alpha: f64) -> usize {
    (1.0 / alpha).ceil() as usize
}

fn references(head: &Head, samples: &[Sample]) -> Vec<Reference> {
    let levels = |label: Label, index: usize| -> Vec<f32> {
        let mut values: Vec<f32> = samples
            .iter()
            .filter(|sample| sample.label == label)
            .map(|sample| head.standardised(&sample.features)[index] as f32)
            .collect();
        values.sort_by(f32::total_cmp);
        let last = values.len().saturating_sub(1);
        (0..LEVELS).filter_map(|level| values.get(level * last / (LEVELS - 1)).copied()).collect()
    };
    head.features
        .iter()
        .enumerate()
        .map(|(index, name)| Reference {
            name: name.clone(),
            human: levels(Label::Human, index),
            ai: levels(Label::Ai, index),
        })
        .collect()
}

/// Fits the head by penalised logistic regression; both labels weigh the same, and so do the domains of a label.
pub fn fit_head(samples: &[Sample], weighed: Weighed, penalty: f64) -> Result<Head, FitError> {
    two_sided("fitting", samples)?;
    let weights = cell_weights(samples);
    let mut head = standardise(samples, &weights);
    let weighed = |at: usize| weighed.0[at % FEATURES.len()];
    let read = |sample: &Sample| -> [f64; INPUTS] {
        let inputs = head.inputs(&sample.features);
        std::array::from_fn(|at| if weighed(at) { inputs[at] } else { 0.0 })
    };
    let inputs: Vec<[f64; INPUTS]> = samples.iter().map(read).collect();
    let labels: Vec<bool> = samples.iter().map(|sample| sample.label == Label::Ai).collect();
    let says = |at: usize| inputs.iter().any(|inputs| inputs[at] != 0.0);
    let penalties = std::array::from_fn(|at| match (says(at), at < FEATURES.len()) {
        // Whatever is positive keeps at 0 what has no say.
        (false, _) => 1.0,
        (true, true) => penalty,
        (true, false) => penalty * LENGTH_PENALTY,
    });
    let (solution, bias) = newton::fit(&inputs, &labels, &weights, &penalties).map_err(FitError::Diverged)?;
    let features = head.features.len();
    head.weights = solution[..features].to_vec();
    head.length_weights = solution[FEATURES.len()..][..features].to_vec();
    head.bias = bias;
    Ok(head)
}

/// A weight for each sample, such that both labels sum to one half and the domains of a label weigh alike.
fn cell_weights(samples: &[Sample]) -> Vec<f64> {
    fn cell(sample: &Sample) -> (bool, &str, &str) {
        (sample.label == Label::Ai, &sample.group, &sample.domain)
    }
    let mut counts: BTreeMap<(bool, &str, &str), usize> = BTreeMap::new();
    for sample in samples {
        *counts.entry(cell(sample)).or_default() += 1;
    }
    let domains = |ai: bool| counts.keys().filter(|key| key.0 == ai).count() as f64;
    let domains = [domains(false), domains(true)];
    samples
        .iter()
        .map(|sample| {
            let count = counts.get(&cell(sample)).copied().unwrap_or(1);
            0.5 / domains[usize::from(sample.label == Label::Ai)] / count as f64
        })
        .collect()
}

/// A head without weights: what is usual for each feature at each length.
///
/// The slopes come from within the cells of group and label, so that a data set whose generated texts are longer
/// doesn't teach the head that long means generated.
fn standardise(samples: &[Sample], weights: &[f64]) -> Head {
    let lengths: Vec<f64> =
        samples.iter().map(|sample| log_length(sample.features.context, 32.0..1280.0)).collect();
    let probed = samples.iter().all(|sample| sample.features.probed);
    let features = if probed { FEATURES.len() } else { STATISTICS };
    let mut head = Head {
        features: FEATURES[..features].iter().map(|&name| name.to_owned()).collect(),
        mean: Vec::new(),
        slope: Vec::new(),
        scale: Vec::new(),
        weights: vec![0.0; features],
        length_weights: vec![0.0; features],
        bias: 0.0,
    };
    let total: f64 = weights.iter().sum();
    let mean = |values: &[f64]| {
        values.iter().zip(weights).map(|(value, weight)| value * weight).sum::<f64>() / total
    };
    let centred_lengths = centred(samples, weights, &lengths);
    let length_variance = mean(&centred_lengths.iter().map(|length| length * length).collect::<Vec<_>>());
    for (index, name) in FEATURES.into_iter().enumerate().take(features) {
        let values: Vec<f64> = samples.iter().map(|sample| sample.features.values[index]).collect();
        if FROM_ZERO.contains(&name) {
            let squares: Vec<f64> = values.iter().map(|value| value * value).collect();
            head.mean.push(0.0);
            head.slope.push(0.0);
            head.scale.push(mean(&squares).sqrt().max(1e-6));
            continue;
        }
        let products: Vec<f64> = centred(samples, weights, &values)
            .iter()
            .zip(&centred_lengths)
            .map(|(value, length)| value * length)
            .collect();
        let slope = if length_variance > 1e-6 { mean(&products) / length_variance } else { 0.0 };
        let rest: Vec<f64> =
            values.iter().zip(&lengths).map(|(value, length)| value - slope * length).collect();
        let centre = mean(&rest);
        let variance = mean(&rest.iter().map(|value| (value - centre).powi(2)).collect::<Vec<_>>());
        head.mean.push(centre);
        head.slope.push(slope);
        head.scale.push(variance.sqrt().max(1e-6));
    }
    head
}

/// Each value minus the mean of its cell.
fn centred(samples: &[Sample], weights: &[f64], values: &[f64]) -> Vec<f64> {
    let mut sums: BTreeMap<(&str, bool), (f64, f64)> = BTreeMap::new();
    for ((sample, weight), value) in samples.iter().zip(weights).zip(values) {
        let sum = sums.entry((sample.group.as_str(), sample.label == Label::Ai)).or_default();
        sum.0 += weight * value;
        sum.1 += weight;
    }
    let mean = |sample: &Sample| {
        let key = (sample.group.as_str(), sample.label == Label::Ai);
        sums.get(&key).map_or(0.0, |sum| sum.0 / sum.1)
    };
    samples.iter().zip(values).map(|(sample, value)| value - mean(sample)).collect()
}

/// The penalty under which a head fitted on all groups but one tells that one's texts apart best, on average over the
/// groups: what matters is a text from elsewhere. With fewer than two two-sided groups, the middle one.
pub fn choose_penalty(samples: &[Sample], weighed: Weighed) -> Result<f64, FitError> {
    let mut best = (f64::NEG_INFINITY, PENALTIES[PENALTIES.len() / 2]);
    for penalty in PENALTIES {
        let scores = left_out(samples, weighed, penalty)?;
        let mean = scores.values().sum::<f64>() / scores.len() as f64;
        if mean > best.0 + 1e-4 {
            best = (mean, penalty);
        }
    }
    Ok(best.1)
}

/// For each group with texts of both labels, the AUROC on it of a head fitted on all the others.
pub fn left_out(
    samples: &[Sample],
    weighed: Weighed,
    penalty: f64,
) -> Result<BTreeMap<String, f64>, FitError> {
    let groups: BTreeSet<&str> = samples.iter().map(|sample| sample.group.as_str()).collect();
    let mut scores = BTreeMap::new();
    for group in groups {
        let (own, others): (Vec<&Sample>, Vec<&Sample>) =
            samples.iter().partition(|sample| sample.group == group);
        let others: Vec<Sample> = others.into_iter().cloned().collect();
        if two_sided("fitting", &others).is_err() {
            continue;
        }
        let head = fit_head(&others, weighed, penalty)?;
        let scored: Vec<(f64, bool)> =
            own.iter().map(|sample| (head.log_odds(&sample.features), sample.label == Label::Ai)).collect();
        if let Some(auroc) = auroc(&scored) {
            scores.insert(group.to_owned(), auroc);
        }
    }
    Ok(scores)
}

/// Area under the ROC curve of scores with their labels (true: generated), ties counting half; `None` if one label is
/// absent. It is the Mann-Whitney statistic: the chance that a generated text scores above a human one.
#[must_use]
pub fn auroc(scored: &[(f64, bool)]) -> Option<f64> {
    let mut sorted = scored.to_vec();
    sorted.sort_by(|a, b| a.0.total_cmp(&b.0));
    let (mut humans, mut ais, mut wins) = (0.0, 0.0, 0.0);
    for ties in sorted.chunk_by(|a, b| a.0 == b.0) {
        let tied_ais = ties.iter().filter(|tie| tie.1).count() as f64;
        let tied_humans = ties.len() as f64 - tied_ais;
        wins += tied_ais * (humans + tied_humans / 2.0);
        humans += tied_humans;
        ais += tied_ais;
    }
    (humans > 0.0 && ais > 0.0).then(|| wins / (humans * ais))
}
