//! What the outcomes of many conversations add up to.

use super::outcome::{BY_TURN, Outcome};
use crate::eval::metrics::{auroc, rate, threshold_at};
use bonafide_core::scam::Risk;
use serde::Serialize;
use std::collections::BTreeMap;
use std::io::{self, Write};

/// The rates of false alarms at which recall is given.
pub const RATES: [f64; 2] = [0.01, 0.001];

/// What is said of a group of conversations or messages.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Group {
    /// Conversations or messages with the label `scam`.
    pub scams: usize,
    /// And `benign`.
    pub benign: usize,
    /// Area under the ROC curve of the highest probability, within the group; absent if it has one label only.
    pub auroc: Option<f64>,
    /// Share of scams above the probability that 1 % and 0.1 % of the honest ones of the same form and language reach, all
    /// files together. With fewer than 1000 honest ones the second rests on the very highest of them.
    pub recall: [Option<f64>; 2],
    /// Share of scams for which `danger` was given at any turn.
    pub danger: Option<f64>,
    /// Share of scams for which `caution` or `danger` was.
    pub caution: Option<f64>,
    /// Share of honest ones for which `danger` was given at any turn.
    pub false_danger: Option<f64>,
    /// Share of honest ones for which `caution` or `danger` was.
    pub false_caution: Option<f64>,
    /// Median share of a scam's turns that were read before `danger`, where it came and the scam has more than one turn.
    pub share_before_danger: Option<f64>,
    /// Share of scams above the probability of 1 % false alarms by turn 3, 5 and 10.
    pub recall_by_turn: [Option<f64>; BY_TURN.len()],
    /// Share of scams for which `danger` came before money or access was handed over, where the data set says when that was.
    pub in_time: Option<f64>,
    /// How many of them.
    pub with_money_turn: usize,
}

/// The report on some files.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Report {
    /// The model's name.
    pub model: String,
    /// `conversations` and `messages`, and each with its language.
    pub all: BTreeMap<String, Group>,
    /// By file.
    pub by_source: BTreeMap<String, Group>,
    /// By kind and language.
    pub by_kind: BTreeMap<String, Group>,
}

impl Report {
    /// Adds up.
    #[must_use]
    pub fn of(model: &str, outcomes: &[Outcome]) -> Self {
        let thresholds = thresholds(outcomes);
        let group = |key: &dyn Fn(&Outcome) -> Vec<String>| {
            let mut groups: BTreeMap<String, Vec<&Outcome>> = BTreeMap::new();
            for outcome in outcomes {
                for key in key(outcome) {
                    groups.entry(key).or_default().push(outcome);
                }
            }
            groups.into_iter().map(|(name, of)| (name, add_up(&of, &thresholds))).collect::<BTreeMap<_, _>>()
        };
        Self {
            model: model.to_owned(),
            all: group(&|outcome| {
                let form = if outcome.message { "messages" } else { "conversations" };
                vec![form.to_owned(), format!("{form} {}", outcome.lang)]
            }),
            by_source: group(&|outcome| vec![outcome.source.clone()]),
            by_kind: group(&|outcome| vec![format!("{} {}", outcome.lang, outcome.kind)]),
        }
    }
}

type Form = (bool, String);

fn form(outcome: &Outcome) -> Form {
    (outcome.message, outcome.lang.clone())
}

/// For each form and language the probabilities that shares of the honest ones reach; where there are none, those of all.
fn thresholds(outcomes: &[Outcome]) -> BTreeMap<Form, [Option<f64>; 2]> {
    let all: Vec<f64> =
        outcomes.iter().filter(|outcome| !outcome.scam).map(|outcome| outcome.score).collect();
    let mut honest: BTreeMap<Form, Vec<f64>> = BTreeMap::new();
    for outcome in outcomes {
        let scores = honest.entry(form(outcome)).or_default();
        if !outcome.scam {
            scores.push(outcome.score);
        }
    }
    let set = |scores: Vec<f64>| {
        let scores = if scores.is_empty() { &all } else { &scores };
        RATES.map(|rate| threshold_at(scores, rate))
    };
    honest.into_iter().map(|(form, scores)| (form, set(scores))).collect()
}

fn share(of: &[&Outcome], hits: impl Fn(&Outcome) -> bool) -> Option<f64> {
    rate(of.iter().filter(|outcome| hits(outcome)).count(), of.len()).map(|estimate| estimate.value)
}

fn add_up(of: &[&Outcome], thresholds: &BTreeMap<Form, [Option<f64>; 2]>) -> Group {
    let (scams, benign): (Vec<&Outcome>, Vec<&Outcome>) =
        of.iter().copied().partition(|outcome| outcome.scam);
    let scores = |of: &[&Outcome]| of.iter().map(|outcome| outcome.score).collect::<Vec<_>>();
    let above = |outcome: &Outcome, score: f64, at: usize| {
        thresholds
            .get(&form(outcome))
            .and_then(|thresholds| thresholds[at])
            .is_some_and(|least| score > least)
    };
    let mut shares: Vec<f64> = scams
        .iter()
        .filter(|outcome| outcome.turns > 1)
        .filter_map(|outcome| outcome.danger.map(|turn| turn as f64 / outcome.turns as f64))
        .collect();
    shares.sort_by(f64::total_cmp);
    let longer: Vec<&Outcome> = scams.iter().copied().filter(|outcome| outcome.turns > 1).collect();
    let with_money: Vec<&Outcome> =
        scams.iter().copied().filter(|outcome| outcome.money_turn.is_some()).collect();
    Group {
        scams: scams.len(),
        benign: benign.len(),
        auroc: auroc(&scores(&benign), &scores(&scams)).map(|estimate| estimate.value),
        recall: [0, 1].map(|at| share(&scams, |outcome| above(outcome, outcome.score, at))),
        danger: share(&scams, |outcome| outcome.risk == Risk::Danger),
        caution: share(&scams, |outcome| outcome.risk >= Risk::Caution),
        false_danger: share(&benign, |outcome| outcome.risk == Risk::Danger),
        false_caution: share(&benign, |outcome| outcome.risk >= Risk::Caution),
        share_before_danger: shares.get(shares.len() / 2).copied(),
        recall_by_turn: [0, 1, 2].map(|at| share(&longer, |outcome| above(outcome, outcome.score_by[at], 0))),
        in_time: share(&with_money, |outcome| outcome.in_time() == Some(true)),
        with_money_turn: with_money.len(),
    }
}

/// Prints tables.
///
/// # Errors
/// The output can't be written.
pub fn write_tables(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    let width = [&report.all, &report.by_source, &report.by_kind]
        .iter()
        .flat_map(|groups| groups.keys())
        .map(|name| name.chars().count())
        .max()
        .unwrap_or(0)
        .clamp(12, 48);
    for (title, groups) in
        [("all", &report.all), ("by file", &report.by_source), ("by kind and language", &report.by_kind)]
    {
        writeln!(
            out,
            "{title:<width$}  scam benign  AUROC  recall at 1% 0.1%   danger caution   honest: danger caution   \
             read  by turn 3   5  10  in time"
        )?;
        for (name, group) in groups {
            let name: String = name.chars().take(width).collect();
            let percent = |value: Option<f64>| match value {
                Some(value) => format!("{:.1}", 100.0 * value),
                None => "-".to_owned(),
            };
            writeln!(
                out,
                "{name:<width$} {:>5} {:>6}  {:>5}        {:>5} {:>5}   {:>6} {:>7}           {:>6} {:>7}  {:>5}     {:>5} {:>5} {:>5}    {:>5}",
                group.scams,
                group.benign,
                group.auroc.map_or_else(|| "-".to_owned(), |value| format!("{value:.3}")),
                percent(group.recall[0]),
                percent(group.recall[1]),
                percent(group.danger),
                percent(group.caution),
                percent(group.false_danger),
                percent(group.false_caution),
                percent(group.share_before_danger),
                percent(group.recall_by_turn[0]),
                percent(group.recall_by_turn[1]),
                percent(group.recall_by_turn[2]),
                percent(group.in_time),
            )?;
        }
        writeln!(out)?;
    }
    writeln!(
        out,
        "Shares in per cent. Recall: above the probability that so many of the honest ones of the same form and language"
    )?;
    writeln!(
        out,
        "reach, all files together. Read: median share of turns read before `danger`. In time: `danger` before money moved."
    )
}

/// Prints the honest ones that were warned of and the scams that were not.
///
/// # Errors
/// The output can't be written.
pub fn write_mistakes(outcomes: &[Outcome], out: &mut dyn Write) -> io::Result<()> {
    for outcome in outcomes {
        let risk = match outcome.risk {
            Risk::None if outcome.scam => "none",
            Risk::Caution if outcome.scam => "caution",
            Risk::Caution => "CAUTION",
            Risk::Danger if !outcome.scam => "DANGER",
            _ => continue,
        };
        let label = if outcome.scam { "scam" } else { "benign" };
        writeln!(
            out,
            "{label} {risk} p={:.3} {} {} ({} turns): {}",
            outcome.score,
            outcome.source,
            outcome.id,
            outcome.turns,
            outcome.codes.join(" ")
        )?;
    }
    Ok(())
}
