//! Spliced texts through the engine: what its report says of each sentence, beside who wrote it.

use super::Spliced;
use super::measure::{Judged, Sentence};
use crate::eval::cache::StatsCache;
use crate::eval::dataset::Label;
use crate::eval::scoring::{Progress, Scorer, ScoringError, score_texts};
use bonafide_core::detect::logistic;
use bonafide_core::detect::segments::fit::Example;
use bonafide_core::detect::segments::{Reading, Segmenter, nearest};
use bonafide_core::verdict::{BlockReport, Verdict};
use bonafide_kernels::backend::TokenStats;
use std::ops::Range;

/// What came of one text.
#[derive(Debug, Clone, PartialEq)]
pub struct Outcome {
    kind: super::Kind,
    verdict: Verdict,
    /// Scored tokens, author and reported probability of each sentence.
    sentences: Vec<(Range<usize>, Label, Option<f64>)>,
    readings: Vec<Reading>,
}

impl Outcome {
    /// Of a text, its report and what its windows say. A sentence that holds nothing of either author is left out.
    #[must_use]
    pub fn new(text: &Spliced, report: &BlockReport, readings: Vec<Reading>) -> Self {
        let mut end = 0;
        let sentences = report.sentences.iter().filter_map(|sentence| {
            // The scored tokens of the sentences follow each other without a gap.
            let range = end..end + sentence.tokens;
            end = range.end;
            Some((range, text.label(sentence.span)?, sentence.probability))
        });
        Self { kind: text.kind, verdict: report.verdict, sentences: sentences.collect(), readings }
    }

    /// For measuring. With a segmenter it is asked instead of the report, wherever that has a probability.
    #[must_use]
    pub fn judged(&self, segmenter: Option<&Segmenter>) -> Judged {
        let units: Vec<Range<usize>> = self.sentences.iter().map(|(range, ..)| range.clone()).collect();
        let other = segmenter.map(|segmenter| segmenter.smooth(&self.readings, &units).probabilities);
        let sentences = self.sentences.iter().enumerate().map(|(index, (range, label, reported))| {
            let smoothed = match &other {
                Some(other) => reported.and(other.get(index).copied()),
                None => *reported,
            };
            let window = || nearest(&self.readings, range).map(|reading| logistic(reading.log_odds));
            Sentence { label: *label, smoothed, window: smoothed.and_then(|_| window()) }
        });
        Judged { kind: self.kind, verdict: self.verdict, sentences: sentences.collect() }
    }

    /// For fitting; `None` if the text could not be judged.
    #[must_use]
    pub fn example(&self) -> Option<Example> {
        self.sentences.iter().any(|(.., probability)| probability.is_some()).then(|| Example {
            readings: self.readings.clone(),
            sentences: self
                .sentences
                .iter()
                .map(|(range, label, _)| (range.clone(), *label == Label::Ai))
                .collect(),
        })
    }
}

/// Scores the texts in packed batches; `judge` makes the report and the readings from a plan and its statistics, and
/// `told` hears how far it is.
pub fn judge_all<S: Scorer, E: From<ScoringError>>(
    scorer: &S,
    cache: Option<&StatsCache>,
    texts: &[Spliced],
    told: &mut dyn FnMut(Progress),
    mut judge: impl FnMut(&S::Plan, &[Vec<TokenStats>]) -> (BlockReport, Vec<Reading>),
) -> Result<Vec<Outcome>, E> {
    let contents: Vec<&str> = texts.iter().map(|text| text.text.as_str()).collect();
    let mut outcomes = Vec::with_capacity(texts.len());
    score_texts::<_, E>(scorer, cache, &contents, told, &mut |index, plan, stats| {
        let (report, readings) = judge(plan, stats);
        outcomes.push(Outcome::new(&texts[index], &report, readings));
        Ok(())
    })?;
    Ok(outcomes)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::super::measure::Report;
    use super::super::{Kind, make};
    use super::*;
    use crate::engine::{EngineError, Window};
    use crate::eval::dataset::Sample;
    use bonafide_core::text::sentences;
    use bonafide_core::verdict::SentenceReport;
    use std::collections::BTreeMap;

    /// One token a byte; the statistics give back the byte.
    struct Bytes;

    impl Scorer for Bytes {
        type Plan = Vec<Window>;

        fn plan(&self, text: &str) -> Result<Vec<Window>, EngineError> {
            Ok(vec![Window { tokens: text.bytes().map(u32::from).collect(), skip: 0, lens: 0 }])
        }

        fn windows<'a>(&self, plan: &'a Vec<Window>) -> &'a [Window] {
            plan
        }

        fn score_windows(&self, windows: &[&Window]) -> Result<Vec<Vec<TokenStats>>, EngineError> {
            let one = |&token: &u32| TokenStats { logprob: token as f32, ..TokenStats::default() };
            Ok(windows.iter().map(|window| window.tokens.iter().skip(1).map(one).collect()).collect())
        }
    }

    /// Windows of 48 bytes say by the share of capital letters who writes; the report has nothing but sentences.
    fn judge(
        plan: &[Window],
        stats: &[Vec<TokenStats>],
        segmenter: &Segmenter,
    ) -> (BlockReport, Vec<Reading>) {
        let text: String = plan[0].tokens.iter().map(|&token| char::from(token as u8)).collect();
        assert_eq!(stats[0].len() + 1, text.len());
        let read = |start: usize| {
            let range = start..(start + 48).min(stats[0].len());
            let window = &stats[0][range.clone()];
            let capitals = window.iter().filter(|token| (65.0..91.0).contains(&token.logprob)).count();
            Reading { range, log_odds: if capitals > window.len() / 3 { 3.0 } else { -3.0 } }
        };
        let readings: Vec<Reading> = (0..stats[0].len()).step_by(16).map(read).collect();
        let spans = sentences::spans(&text);
        let mut starts: Vec<usize> = spans.iter().map(|span| span.start.saturating_sub(1)).collect();
        starts.push(stats[0].len());
        let units: Vec<Range<usize>> = starts.windows(2).map(|pair| pair[0]..pair[1]).collect();
        let smoothed = segmenter.smooth(&readings, &units).probabilities;
        let mut report = bonafide_core::judge::unread("x", &text);
        report.sentences = spans
            .iter()
            .zip(units)
            .zip(smoothed)
            .map(|((&span, unit), probability)| SentenceReport {
                span,
                tokens: unit.len(),
                mean_logprob: None,
                probability: Some(probability),
            })
            .collect();
        (report, readings)
    }

    fn outcomes(segmenter: &Segmenter) -> Vec<Outcome> {
        let sample = |label, unit: &str, line| Sample {
            text: unit.repeat(12),
            label,
            dataset: "set".into(),
            line,
            fields: BTreeMap::new(),
        };
        let samples = [
            sample(Label::Human, "This is what a person would write here. ", 1),
            sample(Label::Ai, "THIS IS WHAT A MACHINE WOULD WRITE HERE. ", 2),
        ];
        let texts = make(&samples, None, 4).texts;
        let told = &mut |_| {};
        judge_all::<_, ScoringError>(&Bytes, None, &texts, told, |plan, stats| judge(plan, stats, segmenter))
            .unwrap()
    }

    #[test]
    fn texts_with_plain_marks_are_told_apart_sentence_by_sentence() {
        let segmenter = Segmenter { temperature: 1.0, ..Segmenter::default() };
        let outcomes = outcomes(&segmenter);
        let judged: Vec<Judged> = outcomes.iter().map(|outcome| outcome.judged(None)).collect();
        assert_eq!(judged.iter().map(|text| text.kind).collect::<Vec<_>>(), Kind::ALL);
        let report = Report::of(&judged);
        assert_eq!((report.overall.texts, report.overall.unscored), (5, 0));
        assert!(report.overall.smoothed.accuracy.unwrap() > 0.95, "{report:#?}");
        assert!(report.by_kind["continued"].smoothed.boundaries_found.unwrap() > 0.99);
        assert_eq!(report.by_kind["human"].smoothed.accused_texts, Some(0.0));
        assert_eq!(report.by_kind["human"].verdicts["unclear"], 1.0);
        // The same segmenter asked again says the same.
        let again: Vec<Judged> = outcomes.iter().map(|outcome| outcome.judged(Some(&segmenter))).collect();
        assert_eq!(again, judged);
        let other = Segmenter { offset: 6.0, ..segmenter };
        let human: Vec<Judged> = outcomes.iter().map(|outcome| outcome.judged(Some(&other))).collect();
        assert_eq!(Report::of(&human).overall.smoothed.f1_ai, Some(0.0));
    }

    #[test]
    fn what_was_not_judged_is_not_measured_and_teaches_nothing() {
        let mut outcome = outcomes(&Segmenter::default()).swap_remove(2);
        assert!(outcome.example().unwrap().sentences.iter().any(|(_, by_model)| *by_model));
        outcome.sentences.iter_mut().for_each(|(.., probability)| *probability = None);
        assert!(outcome.example().is_none());
        let judged = outcome.judged(Some(&Segmenter::default()));
        assert!(judged.sentences.iter().all(|own| own.smoothed.is_none() && own.window.is_none()));
    }
}
