//! Outcomes of many texts as one report: overall, by each field of the data, and detector by detector.
//!
//! The shape of the JSON is fixed, since programs read it:
//! `{"overall": M, "by": {"domain" | "generator" | "lang" | "kind" | "dataset": {NAME: M}}, "detectors": {NAME: D}}`.
//! In M: `n` texts, of which `n_human` and `n_ai`; `n_scored`, those that got a probability; `auroc`,
//! `tpr_at_fpr_1` and `tpr_at_fpr_5` of the calibrated probability; `fpr` and `tpr`, the shares of human and of
//! models' texts flagged at the shipped thresholds; `unclear`, the share of texts without an answer, and the same of
//! either class. Each has its 95 % interval under its name with `_ci`. What can't be measured is null.
//!
//! * *Flagged* is a verdict `likely_ai`, `declared_ai` or `mixed`: whatever tells a reader that a model had a hand in
//!   it, because to its human author each of them is an accusation.
//! * A text without a probability (too short, an uncalibrated language) counts in `n`, `unclear`, `fpr` and `tpr`, but
//!   has no place in `auroc` and `tpr_at_fpr_*`, nor a detector that had nothing to measure in that detector's.
//! * A value of `generator` or `kind` belongs to one class only, so that its `auroc` and `tpr_at_fpr_*` set the texts
//!   with that value against **all** texts of the other class in the run (a generator against all humans); everything
//!   else in its entry is of its own texts alone.

use super::dataset::{FIELDS, Label, Sample};
use super::metrics::{self, Estimate};
use bonafide_core::verdict::{BlockReport, Verdict};
use serde::Serialize;
use std::collections::BTreeMap;
use std::io::Write;

/// What came of one text.
#[derive(Debug, Clone)]
pub struct Outcome {
    /// Who wrote it.
    pub label: Label,
    /// What it was called.
    pub verdict: Verdict,
    /// The calibrated probability that a model wrote it, if it has one.
    pub probability: Option<f64>,
    /// Each detector's score.
    pub detectors: BTreeMap<String, f64>,
    /// The values it is grouped by: field to value.
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
            detectors: report.detectors.clone(),
            groups,
        }
    }

    fn flagged(&self) -> bool {
        matches!(self.verdict, Verdict::LikelyAi | Verdict::DeclaredAi | Verdict::Mixed)
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
    pub tpr: Option<f64>,
    pub tpr_ci: Option<[f64; 2]>,
    pub unclear: Option<f64>,
    pub unclear_ci: Option<[f64; 2]>,
    pub unclear_human: Option<f64>,
    pub unclear_ai: Option<f64>,
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

/// The whole report.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Report {
    /// All texts.
    pub overall: Metrics,
    /// Field, then value.
    pub by: BTreeMap<&'static str, BTreeMap<String, Metrics>>,
    /// Each zero-shot detector.
    pub detectors: BTreeMap<String, DetectorMetrics>,
}

impl Report {
    /// Measures. `by` has a field only if some text has it, and `dataset` only if there are several.
    #[must_use]
    pub fn of(outcomes: &[Outcome]) -> Self {
        let all: Vec<&Outcome> = outcomes.iter().collect();
        let mut by = BTreeMap::new();
        for field in FIELDS.into_iter().chain(["dataset"]) {
            let mut groups: BTreeMap<String, Vec<&Outcome>> = BTreeMap::new();
            for outcome in outcomes {
                if let Some(value) = outcome.groups.get(field) {
                    groups.entry(value.clone()).or_default().push(outcome);
                }
            }
            if groups.is_empty() || (field == "dataset" && groups.len() < 2) {
                continue;
            }
            let against: &[&Outcome] = if matches!(field, "generator" | "kind") { &all } else { &[] };
            by.insert(field, groups.into_iter().map(|(name, own)| (name, measure(&own, against))).collect());
        }
        Self { overall: measure(&all, &[]), by, detectors: detectors(&all) }
    }
}

fn split(outcomes: &[&Outcome], score: impl Fn(&Outcome) -> Option<f64>) -> [Vec<f64>; 2] {
    let of = |label| outcomes.iter().filter(|o| o.label == label).filter_map(|o| score(o)).collect();
    [of(Label::Human), of(Label::Ai)]
}

/// Of a group's own texts; where it lacks a class, that of `against` stands in for the ordering.
fn measure(own: &[&Outcome], against: &[&Outcome]) -> Metrics {
    let count = |label: Option<Label>, holds: &dyn Fn(&Outcome) -> bool| {
        own.iter().filter(|o| label.is_none_or(|label| o.label == label) && holds(o)).count()
    };
    let (n_human, n_ai) = (count(Some(Label::Human), &|_| true), count(Some(Label::Ai), &|_| true));
    let unclear = |o: &Outcome| o.verdict == Verdict::Unclear;
    let [mut human, mut ai] = split(own, |o| o.probability);
    let [other_human, other_ai] = split(against, |o| o.probability);
    if n_human == 0 {
        human = other_human;
    } else if n_ai == 0 {
        ai = other_ai;
    }
    let (auroc, auroc_ci) = parts(metrics::auroc(&human, &ai));
    let (tpr_at_fpr_1, tpr_at_fpr_1_ci) = parts(metrics::tpr_at(&human, &ai, 0.01));
    let (tpr_at_fpr_5, tpr_at_fpr_5_ci) = parts(metrics::tpr_at(&human, &ai, 0.05));
    let (fpr, fpr_ci) = parts(metrics::rate(count(Some(Label::Human), &Outcome::flagged), n_human));
    let (tpr, tpr_ci) = parts(metrics::rate(count(Some(Label::Ai), &Outcome::flagged), n_ai));
    let (share, unclear_ci) = parts(metrics::rate(count(None, &unclear), own.len()));
    Metrics {
        n: own.len(),
        n_human,
        n_ai,
        n_scored: count(None, &|o| o.probability.is_some()),
        auroc,
        auroc_ci,
        tpr_at_fpr_1,
        tpr_at_fpr_1_ci,
        tpr_at_fpr_5,
        tpr_at_fpr_5_ci,
        fpr,
        fpr_ci,
        tpr,
        tpr_ci,
        unclear: share,
        unclear_ci,
        unclear_human: parts(metrics::rate(count(Some(Label::Human), &unclear), n_human)).0,
        unclear_ai: parts(metrics::rate(count(Some(Label::Ai), &unclear), n_ai)).0,
    }
}

fn detectors(all: &[&Outcome]) -> BTreeMap<String, DetectorMetrics> {
    let names: std::collections::BTreeSet<&String> = all.iter().flat_map(|o| o.detectors.keys()).collect();
    let measure = |name: &String| {
        let [human, ai] = split(all, |o| o.detectors.get(name).copied().filter(|score| score.is_finite()));
        let (auroc, auroc_ci) = parts(metrics::auroc(&human, &ai));
        let (tpr_at_fpr_1, tpr_at_fpr_1_ci) = parts(metrics::tpr_at(&human, &ai, 0.01));
        let (tpr_at_fpr_5, tpr_at_fpr_5_ci) = parts(metrics::tpr_at(&human, &ai, 0.05));
        let n = human.len() + ai.len();
        DetectorMetrics { n, auroc, auroc_ci, tpr_at_fpr_1, tpr_at_fpr_1_ci, tpr_at_fpr_5, tpr_at_fpr_5_ci }
    };
    names.into_iter().map(|name| (name.clone(), measure(name))).collect()
}

fn parts(estimate: Option<Estimate>) -> (Option<f64>, Option<[f64; 2]>) {
    (estimate.map(|e| e.value), estimate.map(|e| e.interval))
}

/// Writes the report as tables for a person.
pub fn write_tables(report: &Report, out: &mut impl Write) -> std::io::Result<()> {
    let header =
        ["", "human", "ai", "AUROC", "TPR@1%FPR", "TPR@5%FPR", "FPR shipped", "TPR shipped", "unclear"];
    let mut rows = vec![row("all", &report.overall)];
    for (field, groups) in &report.by {
        rows.push(vec![format!("by {field}")]);
        rows.extend(groups.iter().map(|(name, metrics)| row(&format!("  {name}"), metrics)));
    }
    write_table(&header, &rows, out)?;
    writeln!(out)?;
    let header = ["detector", "texts", "AUROC", "TPR@1%FPR", "TPR@5%FPR"];
    let rows: Vec<Vec<String>> = report
        .detectors
        .iter()
        .map(|(name, m)| {
            vec![
                name.clone(),
                m.n.to_string(),
                area(m.auroc, m.auroc_ci),
                percent(m.tpr_at_fpr_1, m.tpr_at_fpr_1_ci),
                percent(m.tpr_at_fpr_5, m.tpr_at_fpr_5_ci),
            ]
        })
        .collect();
    write_table(&header, &rows, out)
}

fn row(name: &str, m: &Metrics) -> Vec<String> {
    vec![
        name.to_owned(),
        m.n_human.to_string(),
        m.n_ai.to_string(),
        area(m.auroc, m.auroc_ci),
        percent(m.tpr_at_fpr_1, m.tpr_at_fpr_1_ci),
        percent(m.tpr_at_fpr_5, m.tpr_at_fpr_5_ci),
        percent(m.fpr, m.fpr_ci),
        percent(m.tpr, m.tpr_ci),
        percent(m.unclear, None),
    ]
}

fn area(value: Option<f64>, interval: Option<[f64; 2]>) -> String {
    match (value, interval) {
        (Some(value), Some([low, high])) => format!("{value:.3} [{low:.3}, {high:.3}]"),
        _ => "-".to_owned(),
    }
}

fn percent(value: Option<f64>, interval: Option<[f64; 2]>) -> String {
    match (value, interval) {
        (Some(value), Some([low, high])) => {
            format!("{:.1} % [{:.1}, {:.1}]", 100.0 * value, 100.0 * low, 100.0 * high)
        }
        (Some(value), None) => format!("{:.1} %", 100.0 * value),
        _ => "-".to_owned(),
    }
}

/// The first column to the left, all others to the right.
pub fn write_table(header: &[&str], rows: &[Vec<String>], out: &mut impl Write) -> std::io::Result<()> {
    let header: Vec<String> = header.iter().map(|&cell| cell.to_owned()).collect();
    let width = |cell: &String| cell.chars().count();
    let mut widths = vec![0; header.len()];
    for row in std::iter::once(&header).chain(rows) {
        for (column, cell) in widths.iter_mut().zip(row) {
            *column = (*column).max(width(cell));
        }
    }
    for row in std::iter::once(&header).chain(rows) {
        let mut line = String::new();
        for (index, (cell, column)) in row.iter().zip(&widths).enumerate() {
            let padding = " ".repeat(column - width(cell));
            let (before, after) = if index == 0 { ("", padding.as_str()) } else { (padding.as_str(), "") };
            line.push_str(&format!("{}{before}{cell}{after}", if index == 0 { "" } else { "  " }));
        }
        writeln!(out, "{}", line.trim_end())?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;

    fn outcome(label: Label, probability: Option<f64>, verdict: Verdict, generator: &str) -> Outcome {
        Outcome {
            label,
            verdict,
            probability,
            detectors: probability.map(|p| ("entropy".to_owned(), -p)).into_iter().collect(),
            groups: [("generator", generator.to_owned()), ("dataset", "one".to_owned())].into(),
        }
    }

    fn report() -> Report {
        Report::of(&[
            outcome(Label::Human, Some(0.1), Verdict::LikelyHuman, "human"),
            outcome(Label::Human, Some(0.6), Verdict::Mixed, "human"),
            outcome(Label::Human, None, Verdict::Unclear, "human"),
            outcome(Label::Ai, Some(0.9), Verdict::LikelyAi, "a"),
            outcome(Label::Ai, Some(0.3), Verdict::Unclear, "b"),
        ])
    }

    #[test]
    fn overall_counts_and_rates() {
        let m = report().overall;
        assert_eq!((m.n, m.n_human, m.n_ai, m.n_scored), (5, 3, 2, 4));
        assert_eq!((m.auroc, m.fpr, m.tpr, m.unclear), (Some(0.75), Some(1.0 / 3.0), Some(0.5), Some(0.4)));
        assert_eq!((m.unclear_human, m.unclear_ai), (Some(1.0 / 3.0), Some(0.5)));
        assert_eq!(m.tpr_at_fpr_1, Some(0.5));
    }

    #[test]
    fn a_generator_is_set_against_all_humans() {
        let by = report().by;
        let generators = &by["generator"];
        assert_eq!((generators["a"].auroc, generators["b"].auroc), (Some(1.0), Some(0.5)));
        assert_eq!((generators["a"].n, generators["a"].fpr, generators["a"].tpr), (1, None, Some(1.0)));
        assert_eq!((generators["human"].auroc, generators["human"].tpr), (Some(0.75), None));
        assert!(!by.contains_key("dataset") && !by.contains_key("domain"));
    }

    #[test]
    fn the_json_has_the_fixed_shape_and_null_for_an_absent_class() {
        let lonely = Report::of(&[outcome(Label::Ai, Some(0.9), Verdict::LikelyAi, "a")]);
        let json = serde_json::to_value(&lonely).unwrap();
        for key in
            ["n", "auroc", "tpr_at_fpr_1", "tpr_at_fpr_5", "fpr", "tpr", "unclear", "auroc_ci", "fpr_ci"]
        {
            assert!(json["overall"].get(key).is_some(), "{key}");
        }
        assert!(json["overall"]["auroc"].is_null() && json["overall"]["fpr"].is_null());
        assert_eq!(json["overall"]["tpr"], 1.0);
        assert!(json["detectors"]["entropy"]["auroc"].is_null());
        assert_eq!(json["by"]["generator"]["a"]["n"], 1);
    }

    #[test]
    fn a_detector_is_measured_where_it_has_a_value() {
        let detectors = report().detectors;
        assert_eq!((detectors["entropy"].n, detectors["entropy"].auroc), (4, Some(0.25)));
    }

    #[test]
    fn tables_are_aligned() {
        let mut out = Vec::new();
        let rows = [vec!["é".to_owned(), "1".to_owned()], vec!["by x".to_owned()]];
        write_table(&["", "number"], &rows, &mut out).unwrap();
        assert_eq!(String::from_utf8(out).unwrap(), "      number\né          1\nby x\n");
        let mut out = Vec::new();
        write_tables(&report(), &mut out).unwrap();
        let text = String::from_utf8(out).unwrap();
        assert!(text.contains("0.750 [") && text.contains("  a ") && text.contains("entropy"), "{text}");
    }
}
