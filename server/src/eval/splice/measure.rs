//! How well each sentence's author is told, by kind of text, smoothed and without smoothing.
//!
//! The shape of the JSON is fixed, since programs read it: `{"overall": M, "by_kind": {KIND: M}}`. In M: `texts`;
//! `sentences_human` and `sentences_ai`; `unscored` sentences, which got no probability and count nowhere else; `verdicts`,
//! the share of the texts that got each; and twice the same, `smoothed` (the report's probabilities) and `window` (that of
//! the nearest window alone):
//!
//! * `auroc`: a model's sentence against a human's. Sentences of one text are not independent, so there is no interval.
//! * `accuracy`, `f1_human`, `f1_ai`: a probability of at least one half calls a sentence a model's.
//! * `open`: share of the sentences between 0.2 and 0.8, which neither colour shows.
//! * `accused_sentences`: share of humans' sentences above 0.8; `accused_texts`: share of the texts with a human's sentence
//!   in which one is.
//! * `boundary_error`: where the author changes, the mean distance in sentences to the nearest place where the call changes,
//!   in texts where it ever does; `boundaries_found`: share of the changes with one within two sentences, all texts counted;
//!   `boundaries_false`: changes of the call for each text that are farther than two sentences from any of the author.
//!
//! What can't be measured is null.

use super::Kind;
use crate::eval::dataset::Label;
use crate::eval::metrics;
use crate::eval::report::write_table;
use bonafide_core::verdict::Verdict;
use serde::Serialize;
use std::collections::BTreeMap;
use std::io::Write;

/// Between this and one minus this a sentence is open.
const TELLING: f64 = 0.8;

/// A change of the call so many sentences from one of the author finds it.
const NEAR: usize = 2;

/// A sentence of known origin with what was made of it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Sentence {
    /// Who wrote it.
    pub label: Label,
    /// The probability, from 0 to 1, that a model did, from the whole text.
    pub smoothed: Option<f64>,
    /// The same from the nearest window alone.
    pub window: Option<f64>,
}

/// A text with what was made of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Judged {
    /// How it was put together.
    pub kind: Kind,
    /// What it was called.
    pub verdict: Verdict,
    /// Its sentences in order.
    pub sentences: Vec<Sentence>,
}

/// How well sentences were told by one kind of probability; see the module's page.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[allow(missing_docs)]
pub struct Calls {
    pub auroc: Option<f64>,
    pub accuracy: Option<f64>,
    pub f1_human: Option<f64>,
    pub f1_ai: Option<f64>,
    pub open: Option<f64>,
    pub accused_sentences: Option<f64>,
    pub accused_texts: Option<f64>,
    pub accused_texts_ci: Option<[f64; 2]>,
    pub boundary_error: Option<f64>,
    pub boundaries_found: Option<f64>,
    pub boundaries_false: Option<f64>,
}

/// Some texts; see the module's page.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[allow(missing_docs)]
pub struct Metrics {
    pub texts: usize,
    pub sentences_human: usize,
    pub sentences_ai: usize,
    pub unscored: usize,
    pub verdicts: BTreeMap<String, f64>,
    pub smoothed: Calls,
    pub window: Calls,
}

/// The whole report.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Report {
    /// All texts.
    pub overall: Metrics,
    /// Kind by kind.
    pub by_kind: BTreeMap<&'static str, Metrics>,
}

impl Report {
    /// Measures.
    #[must_use]
    pub fn of(texts: &[Judged]) -> Self {
        let of = |kind: Kind| texts.iter().filter(|text| text.kind == kind).collect::<Vec<_>>();
        let kinds = Kind::ALL.into_iter().map(|kind| (kind, of(kind))).filter(|(_, own)| !own.is_empty());
        Self {
            overall: measure(&texts.iter().collect::<Vec<_>>()),
            by_kind: kinds.map(|(kind, own)| (kind.name(), measure(&own))).collect(),
        }
    }
}

fn measure(texts: &[&Judged]) -> Metrics {
    let all = || texts.iter().flat_map(|text| &text.sentences);
    let count = |label| all().filter(|sentence| sentence.label == label).count();
    let mut verdicts: BTreeMap<String, f64> = BTreeMap::new();
    for text in texts {
        *verdicts.entry(name(text.verdict).to_owned()).or_default() += 1.0 / texts.len() as f64;
    }
    Metrics {
        texts: texts.len(),
        sentences_human: count(Label::Human),
        sentences_ai: count(Label::Ai),
        unscored: all().filter(|sentence| sentence.smoothed.is_none()).count(),
        verdicts,
        smoothed: calls(texts, |sentence| sentence.smoothed),
        window: calls(texts, |sentence| sentence.window),
    }
}

/// A verdict as the report's JSON has it.
fn name(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::HumanSigned => "human_signed",
        Verdict::LikelyHuman => "likely_human",
        Verdict::Unclear => "unclear",
        Verdict::Mixed => "mixed",
        Verdict::LikelyAi => "likely_ai",
        Verdict::DeclaredAi => "declared_ai",
    }
}

fn calls(texts: &[&Judged], probability: impl Fn(&Sentence) -> Option<f64>) -> Calls {
    let scored: Vec<Vec<(Label, f64)>> = texts
        .iter()
        .map(|text| text.sentences.iter().filter_map(|own| Some((own.label, probability(own)?))).collect())
        .collect();
    let all: Vec<(Label, f64)> = scored.iter().flatten().copied().collect();
    let of = |label| all.iter().filter(move |own| own.0 == label).map(|own| own.1);
    let (human, ai): (Vec<f64>, Vec<f64>) = (of(Label::Human).collect(), of(Label::Ai).collect());
    let hits_ai = ai.iter().filter(|&&p| called(p)).count();
    let hits_human = human.iter().filter(|&&p| !called(p)).count();
    // The harmonic mean of precision and recall, with the hits and errors of one label.
    let wrong = ai.len() - hits_ai + human.len() - hits_human;
    let f1 = |hits: usize, of: usize| (of > 0).then(|| 2.0 * hits as f64 / (2 * hits + wrong) as f64);
    let accused = |own: &(Label, f64)| own.0 == Label::Human && own.1 > TELLING;
    let with_human = scored.iter().filter(|own| own.iter().any(|(label, _)| *label == Label::Human)).count();
    let accused_texts =
        metrics::rate(scored.iter().filter(|own| own.iter().any(accused)).count(), with_human);
    let open = |p: &&(Label, f64)| p.1 > 1.0 - TELLING && p.1 < TELLING;
    let boundaries = Boundaries::of(&scored);
    Calls {
        auroc: metrics::auroc(&human, &ai).map(|area| area.value),
        accuracy: share(hits_ai + hits_human, all.len()),
        f1_human: f1(hits_human, human.len()),
        f1_ai: f1(hits_ai, ai.len()),
        open: share(all.iter().filter(open).count(), all.len()),
        accused_sentences: share(all.iter().filter(|own| accused(own)).count(), human.len()),
        accused_texts: accused_texts.map(|rate| rate.value),
        accused_texts_ci: accused_texts.map(|rate| rate.interval),
        boundary_error: share(boundaries.distance, boundaries.near_any),
        boundaries_found: share(boundaries.found, boundaries.changes),
        boundaries_false: share(boundaries.misplaced, scored.len()),
    }
}

fn called(probability: f64) -> bool {
    probability >= 0.5
}

fn share(hits: usize, of: usize) -> Option<f64> {
    (of > 0).then(|| hits as f64 / of as f64)
}

/// Where authors and calls change, in all texts together.
#[derive(Debug, Default, PartialEq, Eq)]
struct Boundaries {
    /// Changes of the author.
    changes: usize,
    /// Those in texts whose call changes anywhere.
    near_any: usize,
    /// The sum of their distances, in sentences.
    distance: usize,
    /// Changes of the author with one of the call nearby.
    found: usize,
    /// Changes of the call without one of the author nearby.
    misplaced: usize,
}

/// Whether two neighbouring sentences differ.
type Changes = dyn Fn(&[(Label, f64)]) -> bool;

impl Boundaries {
    fn of(texts: &[Vec<(Label, f64)>]) -> Self {
        let mut sums = Self::default();
        for text in texts {
            let places = |changes: &Changes| -> Vec<usize> {
                text.windows(2).enumerate().filter(|(_, pair)| changes(pair)).map(|(at, _)| at).collect()
            };
            let authors = places(&|pair| pair[0].0 != pair[1].0);
            let calls = places(&|pair| called(pair[0].1) != called(pair[1].1));
            let nearest = |at: usize, others: &[usize]| others.iter().map(|other| other.abs_diff(at)).min();
            sums.changes += authors.len();
            for distance in authors.iter().filter_map(|&at| nearest(at, &calls)) {
                sums.near_any += 1;
                sums.distance += distance;
                sums.found += usize::from(distance <= NEAR);
            }
            let strays = calls.iter().filter(|&&at| nearest(at, &authors).is_none_or(|away| away > NEAR));
            sums.misplaced += strays.count();
        }
        sums
    }
}

/// Writes the report as tables for a person: smoothed and window side by side.
pub fn write_tables(report: &Report, out: &mut impl Write) -> std::io::Result<()> {
    let order = Kind::ALL.map(Kind::name);
    let kinds = order.iter().filter_map(|&name| Some((name, report.by_kind.get(name)?)));
    let rows: Vec<(&str, &Metrics)> = kinds.chain([("all", &report.overall)]).collect();
    let header = [
        "sentences",
        "texts",
        "human",
        "ai",
        "by",
        "AUROC",
        "accuracy",
        "F1 human",
        "F1 ai",
        "open",
        "humans' > 0.8",
        "texts with one",
        "seam error",
        "seams found",
        "false seams",
    ];
    let mut cells = Vec::new();
    for (name, m) in &rows {
        for (by, calls) in [("smoothed", &m.smoothed), ("window", &m.window)] {
            let own = [m.texts, m.sentences_human, m.sentences_ai].map(|count| count.to_string());
            let first = if by == "smoothed" { own } else { Default::default() };
            let mut row = vec![if by == "smoothed" { (*name).to_owned() } else { String::new() }];
            row.extend(first);
            row.push(by.to_owned());
            row.extend(
                [calls.auroc, calls.accuracy, calls.f1_human, calls.f1_ai].map(|value| number(value, 3)),
            );
            row.push(percent(calls.open));
            row.push(percent(calls.accused_sentences));
            row.push(match calls.accused_texts_ci {
                Some([low, high]) => {
                    format!("{} [{:.1}, {:.1}]", percent(calls.accused_texts), 100.0 * low, 100.0 * high)
                }
                None => percent(None),
            });
            row.push(number(calls.boundary_error, 2));
            row.push(percent(calls.boundaries_found));
            row.push(number(calls.boundaries_false, 2));
            cells.push(row);
        }
    }
    write_table(&header, &cells, out)?;
    writeln!(out)?;
    let verdicts = ["mixed", "likely_ai", "likely_human", "unclear", "declared_ai"];
    let header: Vec<&str> = ["whole texts"].into_iter().chain(verdicts).collect();
    let row = |(name, m): &(&str, &Metrics)| {
        let share = |verdict: &&str| percent(Some(m.verdicts.get(*verdict).copied().unwrap_or(0.0)));
        std::iter::once((*name).to_owned()).chain(verdicts.iter().map(share)).collect()
    };
    write_table(&header, &rows.iter().map(row).collect::<Vec<_>>(), out)
}

fn number(value: Option<f64>, digits: usize) -> String {
    value.map_or_else(|| "-".to_owned(), |value| format!("{value:.digits$}"))
}

fn percent(value: Option<f64>) -> String {
    value.map_or_else(|| "-".to_owned(), |value| format!("{:.1} %", 100.0 * value))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;

    /// Sentences from a string: `h` and `a` by author, and the probabilities in tenths.
    fn judged(kind: Kind, verdict: Verdict, labels: &str, smoothed: &str, window: &str) -> Judged {
        let tenths = |c: char| c.to_digit(10).map(|tenths| f64::from(tenths) / 10.0);
        let each = labels.chars().zip(smoothed.chars().zip(window.chars()));
        let sentences = each.map(|(label, (smoothed, window))| Sentence {
            label: if label == 'a' { Label::Ai } else { Label::Human },
            smoothed: tenths(smoothed),
            window: tenths(window),
        });
        Judged { kind, verdict, sentences: sentences.collect() }
    }

    fn report() -> Report {
        Report::of(&[
            judged(Kind::Human, Verdict::LikelyHuman, "hhhh", "1111", "1911"),
            judged(Kind::Human, Verdict::Unclear, "hhhh", "3331", "3591"),
            judged(Kind::Continued, Verdict::Mixed, "hhhhaaaah", "111199991", "191191991"),
            judged(Kind::Continued, Verdict::Unclear, "hhhhaa", "1-1111", "111111"),
        ])
    }

    #[test]
    fn sentences_are_counted_by_kind() {
        let report = report();
        let continued = &report.by_kind["continued"];
        assert_eq!((continued.texts, continued.sentences_human, continued.sentences_ai), (2, 9, 6));
        assert_eq!((continued.unscored, continued.smoothed.open), (1, Some(0.0)));
        // Of 14 sentences with a probability the two of the last text are called wrongly.
        assert_eq!(continued.smoothed.accuracy, Some(12.0 / 14.0));
        assert_eq!(continued.smoothed.f1_ai, Some(8.0 / 10.0));
        assert_eq!(continued.smoothed.f1_human, Some(16.0 / 18.0));
        assert_eq!(continued.smoothed.auroc, Some((4.0 + 2.0 * 0.5) / 6.0));
        let human = &report.by_kind["human"];
        assert_eq!(
            (human.smoothed.auroc, human.smoothed.f1_ai, human.smoothed.f1_human),
            (None, None, Some(1.0))
        );
        assert_eq!((human.smoothed.accused_texts, human.window.accused_texts), (Some(0.0), Some(1.0)));
        assert_eq!((human.smoothed.open, human.window.accused_sentences), (Some(3.0 / 8.0), Some(2.0 / 8.0)));
        assert_eq!(report.overall.texts, 4);
        assert!(!report.by_kind.contains_key("ai"));
    }

    #[test]
    fn verdicts_are_shares_of_the_texts() {
        let report = report();
        let verdicts = |kind: &str| &report.by_kind[kind].verdicts;
        assert_eq!(verdicts("continued")["mixed"], 0.5);
        assert_eq!(verdicts("human").keys().collect::<Vec<_>>(), ["likely_human", "unclear"]);
    }

    #[test]
    fn boundaries_are_compared_with_the_nearest_call() {
        let text = |labels: &str, calls: &str| -> Vec<(Label, f64)> {
            let one = judged(Kind::Continued, Verdict::Mixed, labels, calls, calls);
            one.sentences.iter().map(|own| (own.label, own.smoothed.unwrap())).collect()
        };
        let sums = Boundaries::of(&[
            text("hhhhaaaa", "11999999"),
            text("hhhhhhhhaa", "9911111111"),
            text("hhaa", "1111"),
        ]);
        assert_eq!(sums, Boundaries { changes: 3, near_any: 2, distance: 8, found: 1, misplaced: 1 });
        let continued = &report().by_kind["continued"].smoothed;
        assert_eq!((continued.boundary_error, continued.boundaries_found), (Some(0.0), Some(2.0 / 3.0)));
    }

    #[test]
    fn the_tables_show_both_and_the_json_has_its_shape() {
        let report = report();
        let mut out = Vec::new();
        write_tables(&report, &mut out).unwrap();
        let text = String::from_utf8(out).unwrap();
        assert!(text.contains("continued") && text.contains("window") && text.contains("50.0 %"), "{text}");
        let json = serde_json::to_value(&report).unwrap();
        assert!(json["by_kind"]["human"]["smoothed"]["auroc"].is_null());
        for key in ["auroc", "accuracy", "f1_human", "f1_ai", "open", "accused_texts", "boundary_error"] {
            assert!(json["overall"]["window"].get(key).is_some(), "{key}");
        }
    }

    #[test]
    fn no_text_at_all_is_no_number() {
        let report = Report::of(&[]);
        assert_eq!(report.overall, Metrics::default());
        write_tables(&report, &mut Vec::new()).unwrap();
    }
}
