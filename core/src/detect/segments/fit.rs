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

/// All parameters but `prior` with the least [`loss`]; `start` gives the prior, and the search sets out from the rest of it and
/// from the means of the sentences.
///
/// A pattern search (Hooke and Jeeves 1961, "Direct Search Solution of Numerical and Statistical Problems"): each
/// parameter in turn a step up or down, and half the step where neither helps. It gives the same result each time. The share
/// of texts by one author among the examples enters the fit: let it be no smaller than where the segmenter will be used.
pub fn fit(start: &Segmenter, examples: &[Example]) -> Result<Segmenter, OneSided> {
    let mut best = *start;
    let mut least = loss(&best, examples).ok_or(OneSided)?;
    if let Some(guess) = from_means(start, examples) {
        let loss = loss(&guess, examples).ok_or(OneSided)?;
        if loss < least {
            (best, least) = (guess, loss);
        }
    }
    let mut step = 0.64;
    while step >= FINEST {
        let mut better = false;
        for (parameter, sign) in (0..PARAMETERS).flat_map(|parameter| [(parameter, 1.0), (parameter, -1.0)]) {
            let tried = moved(best, parameter, sign * step);
            let loss = loss(&tried, examples).ok_or(OneSided)?;
            if loss < least - 1e-7 {
                (best, least, better) = (tried, loss, true);
            }
        }
        if !better {
            step /= 2.0;
        }
    }
    Ok(best)
}

/// Offset, separation and temperature from the means and the variance of the sentences; `None` if models' sentences don't
/// lie above humans'.
fn from_means(start: &Segmenter, examples: &[Example]) -> Option<Segmenter> {
    // Weight, sum and sum of squares, human first.
    let mut sums = [[0.0; 3]; 2];
    let uncut = Segmenter { offset: 0.0, clip: MOST, ..*start };
    for example in examples {
        let units: Vec<Range<usize>> = example.sentences.iter().map(|(range, _)| range.clone()).collect();
        for (seen, (_, by_model)) in uncut.observed(&example.readings, &units).iter().zip(&example.sentences)
        {
            let own = [1.0, seen.mean, seen.mean * seen.mean].map(|value| seen.weight * value);
            let sums = &mut sums[usize::from(*by_model)];
            sums.iter_mut().zip(own).for_each(|(sum, own)| *sum += own);
        }
    }
    let [human, ai] =
        sums.map(|[weight, sum, squares]| (sum / weight, squares / weight - (sum / weight).powi(2)));
    let separation = ai.0 - human.0;
    // Also false if a side is absent.
    (separation > 0.05).then(|| Segmenter {
        offset: f64::midpoint(human.0, ai.0).clamp(-MOST, MOST),
        separation: separation.min(MOST),
        temperature: (f64::midpoint(human.1, ai.1) / separation).clamp(0.05, 100.0),
        shift: separation / 4.0,
        ..*start
    })
}

/// Number of parameters that [`moved`] knows.
const PARAMETERS: usize = 7;

/// No log-odds parameter leaves this range.
const MOST: f64 = 50.0;

/// One parameter a step further on its own scale, within what is sensible.
fn moved(mut segmenter: Segmenter, parameter: usize, step: f64) -> Segmenter {
    let by_factor = |value: f64, low: f64, high: f64| (value * step.exp()).clamp(low, high);
    match parameter {
        0 => segmenter.temperature = by_factor(segmenter.temperature, 0.05, 100.0),
        // On the scale of what it is compared with.
        1 => {
            segmenter.offset = (segmenter.offset + step * segmenter.separation.min(2.0)).clamp(-MOST, MOST);
        }
        2 => segmenter.clip = by_factor(segmenter.clip, 0.5, MOST),
        3 => segmenter.separation = by_factor(segmenter.separation, 0.05, MOST),
        4 => segmenter.shift = by_factor(segmenter.shift, 0.01, MOST),
        5 => segmenter.switch = by_factor(segmenter.switch, 1e-3, 0.3),
        _ => segmenter.whole = by_factor(segmenter.whole, 0.02, 0.95),
    }
    segmenter
}
