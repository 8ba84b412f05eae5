//! The report sentence by sentence.

use super::layout::Layout;
use super::messages::{self, Extreme};
use super::{Case, TELLING};
use crate::calibration::Calibration;
use crate::detect::segments::Reading;
use crate::detect::{Stats, Window, cover, mean_logprob};
use crate::verdict::{Evidence, SentenceReport};
use std::ops::Range;

/// Most sentences named in the evidence.
const NAMED_SENTENCES: usize = 3;

/// What a text's windows say: what the probabilities of its sentences are smoothed from. Empty below
/// [`crate::detect::MIN_TOKENS`] tokens.
#[must_use]
pub fn readings(stats: &[Stats], calibration: &Calibration) -> Vec<Reading> {
    read(&cover(stats), calibration)
}

fn read(windows: &[Window], calibration: &Calibration) -> Vec<Reading> {
    let read = |window: &Window| Reading {
        range: window.range.clone(),
        log_odds: calibration.head.log_odds_of_rest(&window.features),
    };
    windows.iter().map(read).collect()
}

/// Each sentence, with the smoothed probability that a model wrote it if the text can be judged.
pub(super) fn sentences(layout: &Layout, stats: &[Stats], case: Option<&Case<'_>>) -> Vec<SentenceReport> {
    let units: Vec<Range<usize>> = layout.sentences().map(|(_, range)| range).collect();
    let smoothed = case.map(|case| {
        // The windows of a long text are known already.
        let readings = match case.windows.as_slice() {
            [] => readings(stats, case.calibration),
            windows => read(windows, case.calibration),
        };
        case.calibration.segmenter().smooth(&readings, &units).probabilities
    });
    let probability = |index: usize| smoothed.as_ref()?.get(index).copied();
    layout
        .sentences()
        .enumerate()
        .map(|(index, (span, range))| {
            let own = stats.get(range).unwrap_or_default();
            SentenceReport {
                span,
                tokens: own.len(),
                mean_logprob: mean_logprob(own).filter(|mean| mean.is_finite()),
                probability: probability(index).filter(|value| !own.is_empty() && value.is_finite()),
            }
        })
        .collect()
}

/// The most telling sentences.
pub(super) fn named(sentences: &[SentenceReport], extreme: Extreme) -> Vec<Evidence> {
    let mut telling: Vec<(f64, &SentenceReport)> = sentences
        .iter()
        .filter_map(|sentence| {
            let probability = sentence.probability?;
            let towards = if extreme == Extreme::Ai { probability } else { 1.0 - probability };
            (towards > TELLING).then_some((towards, sentence))
        })
        .collect();
    telling.sort_by(|a, b| b.0.total_cmp(&a.0));
    telling
        .into_iter()
        .take(NAMED_SENTENCES)
        .map(|(_, sentence)| messages::sentence(sentence, extreme))
        .collect()
}
