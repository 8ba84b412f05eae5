//! Outcomes of many texts as one report: overall, file by file, by each field of the data, and detector by detector.
//!
//! The shape of the JSON is fixed, since programs read it; fields may be added:
//! `{"overall": M, "by": {"domain" | "generator" | "lang" | "kind" | "dataset": {NAME: M}}, "detectors": {NAME: D},
//! "datasets": {NAME: S}, "reliability": R, "targets": [T]}`, the last only if asked for (see [`super::targets`]); R is
//! that of [`super::reliability`].
//!
//! In M: `n` texts, of which `n_human` and `n_ai`; `n_scored`, those that got a probability; `auroc`,
//! `tpr_at_fpr_1` and `tpr_at_fpr_5` of the calibrated probability; `fpr` and `tpr`, the shares of human and of
//! models' texts flagged at the shipped thresholds; `likely_ai_human`, the share of human texts called just that;
//! `missed`, the share of models' texts called a human's; `unclear`, the share of texts without an answer, and the same of
//! either class; `n_over_100_words` and `unclear_over_100_words`, the same of longer texts; `over_150_words`, the ordering
//! of longer texts alone, with the numbers that it rests on. Each has its 95 % interval under its name with `_ci`. What
//! can't be measured is null.
//!
//! * *Flagged* is a verdict `likely_ai`, `declared_ai` or `mixed`: whatever tells a reader that a model had a hand in
//!   it, because to its human author each of them is an accusation.
//! * *Missed* is `likely_human` or `human_signed`: of the models' texts, what is neither flagged nor missed is unclear.
//! * A text without a probability (too short, an uncalibrated language) counts in `n`, `unclear`, `fpr` and `tpr`, but
//!   has no place in `auroc` and `tpr_at_fpr_*`, nor a detector that had nothing to measure in that detector's.
//! * A value of `generator` or `kind` belongs to one class only, so that its `auroc` and `tpr_at_fpr_*` set the texts
//!   with that value against **all** texts of the other class in the run (a generator against all humans); everything
//!   else in its entry is of its own texts alone. Files differ in topic and length, so that this is a mixture of telling
//!   models and telling files: `same_file` has the fairer numbers, in which each text is compared only with those of the
//!   other class in its own file ([`metrics::auroc_within`], a file counting by the group's texts in it). It is null in
//!   other fields.
//!
//! S has the M of one file as `metrics`; `by`, as above but all within the file; its own `reliability`; and `beside`,
//! `{NAME: D}` of every zero-shot detector and of `calibrated`, the calibrated log-odds. For a fair comparison all of
//! those are measured on the same texts, those with a probability, or on all texts where the file has none such.

use super::dataset::{FIELDS, Label, Sample};
use super::lengths;
use super::metrics::{self, Estimate, Stratum};
use super::reliability::Reliability;
use super::targets::Targets;
use bonafide_core::verdict::{BlockReport, Verdict};
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};

pub use super::tables::{write_markdown, write_table, write_tables};

/// What the calibrated log-odds are called beside the zero-shot detectors.
pub const CALIBRATED: &str = "calibrated";

/// What came of one text.
#[derive(Debug, Clone, PartialEq)]
pub struct Outcome {
    /// Who wrote it.
    pub label: Label,
    /// What it was called.
    pub verdict: Verdict,
    /// The calibrated probability that a model wrote it, if it has one.
    pub probability: Option<f64>,
    /// Number of its words (Unicode word boundaries).
    pub words: usize,
    /// Each detector's score.
    pub detectors: BTreeMap<String, f64>,
    /// The values it is grouped by: field to value; its file's name is its `dataset`.
    pub groups: BTreeMap<&'static str, String>,
}

impl Outcome {
    /// Of a text and its report.
    #[must_use]
    pub fn new(sample: &Sample, report: &BlockReport) -> Self {
        let mut groups: BTreeMap<&'static str, String> =
            FIELDS.iter().filter_map(|&name| Some((name, sample.field(name)?.to_owned()))).collect();
        groups.insert("dataset", sample.dataset.to_string());
        Self {
            label: sample.label,
            verdict: report.verdict,
            probability: report.probability.filter(|p| p.is_finite()),
            words: report.words,
            detectors: report.detectors.clone(),
            groups,
        }
    }

    fn flagged(&self) -> bool {
        matches!(self.verdict, Verdict::LikelyAi | Verdict::DeclaredAi | Verdict::Mixed)
    }

    fn missed(&self) -> bool {
        self.label == Label::Ai && matches!(self.verdict, Verdict::LikelyHuman | Verdict::HumanSigned)
    }

    fn dataset(&self) -> &str {
        self.groups.get("dataset").map_or("", String::as_str)
    }
}

/// How well some texts were told apart; see the module's page.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[allow(missing_docs)]
pub struct Metrics {
    pub n: usize,
    pub n_human: usize,
    pub n_ai: usize,
    pub n_scored: usize,
    pub auroc: Option<f64>,
    pub auroc_ci: Option<[f64; 2]>,
    pub tpr_at_fpr_1: Option<f64>,
    pub tpr_at_fpr_1_ci: Option<[f64; 2]>,
    pub tpr_at_fpr_5: Option<f64>,
    pub tpr_at_fpr_5_ci: Option<[f64; 2]>,
    pub fpr: Option<f64>,
    pub fpr_ci: Option<[f64; 2]>,
    pub likely_ai_human: Option<f64>,
    pub likely_ai_human_ci: Option<[f64; 2]>,
    pub tpr: Option<f64>,
    pub tpr_ci: Option<[f64; 2]>,
    pub missed: Option<f64>,
    pub missed_ci: Option<[f64; 2]>,
    pub unclear: Option<f64>,
    pub unclear_ci: Option<[f64; 2]>,
    pub unclear_human: Option<f64>,
    pub unclear_ai: Option<f64>,
    pub n_over_100_words: usize,
    pub unclear_over_100_words: Option<f64>,
    pub unclear_over_100_words_ci: Option<[f64; 2]>,
    pub over_150_words: Ordering,
    pub same_file: Option<SameFile>,
}

/// How well the probability orders some texts: `n_human` and `n_ai` of them took part.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[allow(missing_docs)]
pub struct Ordering {
    pub n_human: usize,
    pub n_ai: usize,
    pub auroc: Option<f64>,
    pub auroc_ci: Option<[f64; 2]>,
    pub tpr_at_fpr_1: Option<f64>,
    pub tpr_at_fpr_1_ci: Option<[f64; 2]>,
    pub tpr_at_fpr_5: Option<f64>,
    pub tpr_at_fpr_5_ci: Option<[f64; 2]>,
}

impl Ordering {
    fn of(human: &[f64], ai: &[f64]) -> Self {
        let tpr = |rate| metrics::tpr_at(human, ai, rate);
        Self::from([human.len(), ai.len()], metrics::auroc(human, ai), tpr(0.01), tpr(0.05))
    }

    fn within(strata: &[Stratum]) -> Self {
        let both = || strata.iter().filter(|stratum| !stratum.human.is_empty() && !stratum.ai.is_empty());
        let numbers = [both().map(|s| s.human.len()).sum(), both().map(|s| s.ai.len()).sum()];
        let tpr = |rate| metrics::tpr_within(strata, rate);
        Self::from(numbers, metrics::auroc_within(strata), tpr(0.01), tpr(0.05))
    }

    fn from(
        [n_human, n_ai]: [usize; 2],
        area: Option<Estimate>,
        at_1: Option<Estimate>,
        at_5: Option<Estimate>,
    ) -> Self {
        let (auroc, auroc_ci) = parts(area);
        let (tpr_at_fpr_1, tpr_at_fpr_1_ci) = parts(at_1);
        let (tpr_at_fpr_5, tpr_at_fpr_5_ci) = parts(at_5);
        Self { n_human, n_ai, auroc, auroc_ci, tpr_at_fpr_1, tpr_at_fpr_1_ci, tpr_at_fpr_5, tpr_at_fpr_5_ci }
    }
}

/// The texts of a group, each against the other class of its own file.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct SameFile {
    /// All texts with a probability.
    #[serde(flatten)]
    pub all: Ordering,
    /// Those of over 150 words.
    pub over_150_words: Ordering,
}

/// How well one detector alone orders the texts.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[allow(missing_docs)]
pub struct DetectorMetrics {
    pub n: usize,
    pub auroc: Option<f64>,
    pub auroc_ci: Option<[f64; 2]>,
    pub tpr_at_fpr_1: Option<f64>,
    pub tpr_at_fpr_1_ci: Option<[f64; 2]>,
    pub tpr_at_fpr_5: Option<f64>,
    pub tpr_at_fpr_5_ci: Option<[f64; 2]>,
}

/// One file.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Dataset {
    /// All its texts.
    pub metrics: Metrics,
    /// Field, then value; a generator or a kind against the other class of this file.
    pub by: BTreeMap<&'static str, BTreeMap<String, Metrics>>,
    /// The calibrated log-odds and each zero-shot detector, on the same texts.
    pub beside: BTreeMap<String, DetectorMetrics>,
    /// Whether the probabilities say what they claim.
    pub reliability: Option<Reliability>,
}

/// The whole report.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Report {
    /// All texts.
    pub overall: Metrics,
    /// Field, then value.
    pub by: BTreeMap<&'static str, BTreeMap<String, Metrics>>,
    /// Each zero-shot detector.
    pub detectors: BTreeMap<String, DetectorMetrics>,
    /// Each file by its name, one as well as several.
    pub datasets: BTreeMap<String, Dataset>,
    /// Whether the probabilities say what they claim.
    pub reliability: Option<Reliability>,
    /// The targets, if asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub targets: Option<Vec<Targets>>,
}

type By = BTreeMap<&'static str, BTreeMap<String, Metrics>>;

impl Report {
    /// Measures. `by` has a field only if some text has it, and `dataset` only if there are several.
    #[must_use]
    pub fn of(outcomes: &[Outcome]) -> Self {
        let all: Vec<&Outcome> = outcomes.iter().collect();
        let files = grouped(&all, "dataset");
        let mut by = by_fields(&all);
        for field in ["generator", "kind"] {
            let Some(groups) = by.get_mut(field) else { continue };
            for (name, own) in grouped(&all, field) {
                if let Some(metrics) = groups.get_mut(&name) {
                    metrics.same_file = Some(same_file(&own, &files));
                }
            }
        }
        if files.len() > 1 {
            by.insert("dataset", files.iter().map(|(name, own)| (name.clone(), measure(own, &[]))).collect());
        }
        Self {
            overall: measure(&all, &[]),
            by,
            detectors: detectors(&all),
            datasets: files.iter().map(|(name, own)| (name.clone(), dataset(own))).collect(),
            reliability: reliability(&all),
            targets: None,
        }
    }

    /// The same with its targets.
    #[must_use]
    pub fn with_targets(mut self) -> Self {
        self.targets = Some(Targets::of(&self));
        self
    }
}

/// The texts by the value of a field; those without it are left out.
fn grouped<'a>(outcomes: &[&'a Outcome], field: &str) -> BTreeMap<String, Vec<&'a Outcome>> {
    let mut groups: BTreeMap<String, Vec<&'a Outcome>> = BTreeMap::new();
    for outcome in outcomes {
        if let Some(value) = outcome.groups.get(field) {
            groups.entry(value.clone()).or_default().push(outcome);
        }
    }
    groups
}

fn by_fields(all: &[&Outcome]) -> By {
    let mut by = By::new();
    for field in FIELDS {
        let groups = grouped(all, field);
        if !groups.is_empty() {
            let against = if matches!(field, "generator" | "kind") { all } else { &[] };
            by.insert(field, groups.into_iter().map(|(name, own)| (name, measure(&own, against))).collect());
        }
    }
    by
}

fn dataset(own: &[&Outcome]) -> Dataset {
    let scored: Vec<&Outcome> = own.iter().copied().filter(|o| o.probability.is_some()).collect();
    let compared = if scored.is_empty() { own } else { &scored };
    let mut beside = detectors(compared);
    beside.insert(CALIBRATED.to_owned(), detector(compared, |o| o.probability));
    Dataset { metrics: measure(own, &[]), by: by_fields(own), beside, reliability: reliability(own) }
}

fn reliability(outcomes: &[&Outcome]) -> Option<Reliability> {
    let texts: Vec<(Label, f64)> = outcomes.iter().filter_map(|o| Some((o.label, o.probability?))).collect();
    Reliability::of(&texts)
}

fn split(outcomes: &[&Outcome], score: impl Fn(&Outcome) -> Option<f64>) -> [Vec<f64>; 2] {
    let of = |label| outcomes.iter().filter(|o| o.label == label).filter_map(|o| score(o)).collect();
    [of(Label::Human), of(Label::Ai)]
}

/// Probabilities of a group's own texts of either class; where it lacks a class, those of `against` stand in.
fn scores_of(own: &[&Outcome], against: &[&Outcome]) -> [Vec<f64>; 2] {
    let lacks = |label| !own.iter().any(|o| o.label == label);
    let [mut human, mut ai] = split(own, |o| o.probability);
    let [other_human, other_ai] = split(against, |o| o.probability);
    if lacks(Label::Human) {
        human = other_human;
    } else if lacks(Label::Ai) {
        ai = other_ai;
    }
    [human, ai]
}

/// Of a group's own texts; where it lacks a class, that of `against` stands in for the ordering.
fn measure(own: &[&Outcome], against: &[&Outcome]) -> Metrics {
    let count = |label: Option<Label>, holds: &dyn Fn(&Outcome) -> bool| {
        own.iter().filter(|o| label.is_none_or(|label| o.label == label) && holds(o)).count()
    };
    let (n_human, n_ai) = (count(Some(Label::Human), &|_| true), count(Some(Label::Ai), &|_| true));
    let unclear = |o: &Outcome| o.verdict == Verdict::Unclear;
    let likely_ai = |o: &Outcome| o.verdict == Verdict::LikelyAi;
    let [human, ai] = scores_of(own, against);
    let ordering = Ordering::of(&human, &ai);
    let long = Some(lengths::ORDERED_OVER);
    let [long_human, long_ai] = scores_of(&lengths::over(own, long), &lengths::over(against, long));
    let for_unclear = lengths::over(own, Some(lengths::DECIDED_OVER));
    let (fpr, fpr_ci) = parts(metrics::rate(count(Some(Label::Human), &Outcome::flagged), n_human));
    let (likely_ai_human, likely_ai_human_ci) =
        parts(metrics::rate(count(Some(Label::Human), &likely_ai), n_human));
    let (tpr, tpr_ci) = parts(metrics::rate(count(Some(Label::Ai), &Outcome::flagged), n_ai));
    let (missed, missed_ci) = parts(metrics::rate(count(None, &Outcome::missed), n_ai));
    let (share, unclear_ci) = parts(metrics::rate(count(None, &unclear), own.len()));
    let (unclear_over_100_words, unclear_over_100_words_ci) =
        parts(metrics::rate(for_unclear.iter().filter(|o| unclear(o)).count(), for_unclear.len()));
    Metrics {
        n: own.len(),
        n_human,
        n_ai,
        n_scored: count(None, &|o| o.probability.is_some()),
        auroc: ordering.auroc,
        auroc_ci: ordering.auroc_ci,
        tpr_at_fpr_1: ordering.tpr_at_fpr_1,
        tpr_at_fpr_1_ci: ordering.tpr_at_fpr_1_ci,
        tpr_at_fpr_5: ordering.tpr_at_fpr_5,
        tpr_at_fpr_5_ci: ordering.tpr_at_fpr_5_ci,
        fpr,
        fpr_ci,
        likely_ai_human,
        likely_ai_human_ci,
        tpr,
        tpr_ci,
        missed,
        missed_ci,
        unclear: share,
        unclear_ci,
        unclear_human: parts(metrics::rate(count(Some(Label::Human), &unclear), n_human)).0,
        unclear_ai: parts(metrics::rate(count(Some(Label::Ai), &unclear), n_ai)).0,
        n_over_100_words: for_unclear.len(),
        unclear_over_100_words,
        unclear_over_100_words_ci,
        over_150_words: Ordering::of(&long_human, &long_ai),
        same_file: None,
    }
}

/// A group's texts file by file, each beside the other class of the file; a file counts by the group's texts in it.
fn same_file(own: &[&Outcome], files: &BTreeMap<String, Vec<&Outcome>>) -> SameFile {
    let ordering = |words: Option<usize>| {
        let mut parts: BTreeMap<&str, Vec<&Outcome>> = BTreeMap::new();
        for outcome in lengths::over(own, words) {
            parts.entry(outcome.dataset()).or_default().push(outcome);
        }
        let strata: Vec<Stratum> = parts
            .into_iter()
            .map(|(name, part)| {
                let weight = part.iter().filter(|o| o.probability.is_some()).count() as f64;
                let whole = files.get(name).map_or(&[][..], Vec::as_slice);
                let [human, ai] = scores_of(&part, &lengths::over(whole, words));
                Stratum { human, ai, weight }
            })
            .collect();
        Ordering::within(&strata)
    };
    SameFile { all: ordering(None), over_150_words: ordering(Some(lengths::ORDERED_OVER)) }
}

fn detectors(all: &[&Outcome]) -> BTreeMap<String, DetectorMetrics> {
    let names: BTreeSet<&String> = all.iter().flat_map(|o| o.detectors.keys()).collect();
    let measure = |name: &String| detector(all, |o| o.detectors.get(name).copied());
    names.into_iter().map(|name| (name.clone(), measure(name))).collect()
}

fn detector(texts: &[&Outcome], score: impl Fn(&Outcome) -> Option<f64>) -> DetectorMetrics {
    let [human, ai] = split(texts, |o| score(o).filter(|score| score.is_finite()));
    let n = human.len() + ai.len();
    let Ordering { auroc, auroc_ci, tpr_at_fpr_1, tpr_at_fpr_1_ci, tpr_at_fpr_5, tpr_at_fpr_5_ci, .. } =
        Ordering::of(&human, &ai);
    DetectorMetrics { n, auroc, auroc_ci, tpr_at_fpr_1, tpr_at_fpr_1_ci, tpr_at_fpr_5, tpr_at_fpr_5_ci }
}

fn parts(estimate: Option<Estimate>) -> (Option<f64>, Option<[f64; 2]>) {
    (estimate.map(|e| e.value), estimate.map(|e| e.interval))
}

#[cfg(test)]
pub(super) mod tests;
