//! Fitting a [`Segmenter`] to texts whose sentences are of known origin.

use super::{Reading, Segmenter};
use std::ops::Range;

/// Below this change of every parameter, on its own scale, the search ends.
const FINEST: f64 = 0.02;

/// Probabilities count as at least this far from certainty, so that one sentence can't outweigh all others.
const FLOOR: f64 = 1e-4;

/// A text of which the origin of each sentence is known.
#[derive(Debug, Clone, PartialEq)]
pub struct Example {
    /// What its windows say.
    pub readings: Vec<Reading>,
    /// The scored tokens of each sentence, in order, and whether a model wrote it.
    pub sentences: Vec<(Range<usize>, bool)>,
}

/// No text teaches anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the smoothing needs sentences by humans and sentences by models to be fitted on")]
pub struct OneSided;

/// Mean negative log-likelihood (nats) of the sentences' labels, human and models' sentences counting the same in sum.
///
/// Sentences without tokens don't count. `None` if either kind is absent.
#[must_use]
pub fn loss(segmenter: &Segmenter, examples: &[Example]) -> Option<f64> {
    // The sum and the number, human first.
    let mut sums = [(0.0, 0_usize); 2];
    for example in examples {
        let units: Vec<Range<usize>> = example.sentences.iter().map(|(range, _)| range.clone()).collect();
        let smoothed = segmenter.smooth(&example.readings, &units);
        for ((range, by_model), probability) in example.sentences.iter().zip(smoothed.probabilities) {
            if range.is_empty() {
                continue;
            }
            let right = if *by_model { probability } else { 1.0 - probability };
            let (sum, count) = &mut sums[usize::from(*by_model)];
            *sum -= right.clamp(FLOOR, 1.0).ln();
            *count += 1;
        }
    }
    let mean = |(sum, count): (f64, usize)| (count > 0).then(|| sum / count as f64);
    Some(f64::midpoint(mean(sums[0])?, mean(sums[1])?))
}

/// The temperature, offset, clip and switch with the least [`loss`], from those of `start` on; `prior` and `whole` are kept.
///
/// A pattern search (Hooke and Jeeves 1961, "Direct Search Solution of Numerical and Statistical Problems"): each
/// parameter in turn a step up or down, and half the step where neither helps. It gives the same result each time.
pub fn fit(start: &Segmenter, examples: &[Example]) -> Result<Segmenter, OneSided> {
    let mut best = *start;
    let mut least = loss(&best, examples).ok_or(OneSided)?;
    let mut step = 0.64;
    while step >= FINEST {
        let mut better = false;
        for (parameter, sign) in (0..4).flat_map(|parameter| [(parameter, 1.0), (parameter, -1.0)]) {
            let tried = moved(best, parameter, sign * step);
            let loss = loss(&tried, examples).ok_or(OneSided)?;
            if loss < least - 1e-9 {
                (best, least, better) = (tried, loss, true);
            }
        }
        if !better {
            step /= 2.0;
        }
    }
    Ok(best)
}

/// One parameter a step further on its own scale, within what is sensible.
fn moved(mut segmenter: Segmenter, parameter: usize, step: f64) -> Segmenter {
    let by_factor = |value: f64, low: f64, high: f64| (value * step.exp()).clamp(low, high);
    match parameter {
        0 => segmenter.temperature = by_factor(segmenter.temperature, 0.1, 100.0),
        1 => segmenter.offset = (segmenter.offset + step).clamp(-10.0, 10.0),
        2 => segmenter.clip = by_factor(segmenter.clip, 0.5, 50.0),
        _ => segmenter.switch = by_factor(segmenter.switch, 1e-3, 0.3),
    }
    segmenter
}
