//! Whose each sentence is: the log-odds of overlapping windows, smoothed over the text.
//!
//! A window of [`SCAN_LENGTH`] tokens says little by itself, and its neighbours share most of its tokens. So the sentences
//! are taken for the units of a hidden Markov model with two states, human and model (Rabiner 1989, "A Tutorial on Hidden
//! Markov Models and Selected Applications in Speech Recognition", for the recursions): each unit speaks for the model by
//! the mean log-odds of the windows nearest to its tokens, and who writes seldom changes from one unit to the next. Since many
//! texts have one author only, the chain is mixed with the two in which nothing ever changes.
//!
//! All windows of a text err alike: a learner's plain sentences look more like a model's than a novelist's, every one of
//! them. Were they taken for independent witnesses, a long text would end up certain of whatever it leans to. So a text has
//! a shift of its own, which is not known: a sum over the places it may have. What remains is what the text's parts say
//! against each other, and as much of its mean as lies beyond usual shifts.

pub mod fit;

use super::{SCAN_STRIDE, logistic};
use serde::{Deserialize, Serialize};
use std::ops::Range;

/// Tokens whose evidence is the log-odds of the windows over them, divided by [`Segmenter::temperature`].
const CHUNK: f64 = SCAN_STRIDE as f64;

/// What a window says.
#[derive(Debug, Clone, PartialEq)]
pub struct Reading {
    /// Its tokens: indices into the scored tokens.
    pub range: Range<usize>,
    /// Log-odds (nats) that a model wrote it, both being equally common. One that is not a number says nothing.
    pub log_odds: f64,
}

/// The window whose middle is nearest to that of `part`, the first of two equally near: what is known of a stretch without
/// smoothing.
#[must_use]
pub fn nearest<'a>(readings: &'a [Reading], part: &Range<usize>) -> Option<&'a Reading> {
    // Twice the middle, which is a whole number.
    let middle = |range: &Range<usize>| range.start.saturating_add(range.end);
    readings.iter().min_by_key(|reading| middle(&reading.range).abs_diff(middle(part)))
}

/// Shifts beyond so many standard deviations are left out.
const FARTHEST: f64 = 2.4;

/// Between the places that a shift may have lie at most so many of its standard deviations.
const WIDEST: f64 = 0.6;

/// Most places on either side of none: enough for a text of 100 000 words.
const MOST_PLACES: f64 = 60.0;

/// How window log-odds become a probability for each sentence. Stored as JSON; call [`Segmenter::validate`] after reading
/// one.
///
/// The mean log-odds of a unit of 32 tokens is normal, about `offset` + shift - `separation`/2 if a human wrote it and about
/// `offset` + shift + `separation`/2 if a model did, with variance `temperature` times `separation`: so a log-odds of x above
/// `offset` + shift makes the unit's own log-odds x / `temperature`. [`fit::fit`] finds all but `prior`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Segmenter {
    /// What the log-odds of 32 tokens are divided by. Three if windows of 96 tokens were independent of each other and as
    /// sure as they say.
    pub temperature: f64,
    /// Log-odds at which a window of a usual text is no more likely a model's than a human's.
    pub offset: f64,
    /// Log-odds are cut to within this of `offset`, so that no single window decides.
    pub clip: f64,
    /// Mean log-odds of models' units above that of humans' in the same text.
    pub separation: f64,
    /// Standard deviation of the texts' own shifts, in log-odds; none if 0.
    pub shift: f64,
    /// Probability that the author changes from one sentence to the next, in a text of two authors and with `prior` 0.5.
    pub switch: f64,
    /// Probability that a sentence is a model's before anything is read.
    pub prior: f64,
    /// Probability that a text has one author only before anything is read.
    pub whole: f64,
}

impl Default for Segmenter {
    /// Not fitted: windows of a head that separates by two nats, with shifts of a quarter of that.
    fn default() -> Self {
        Self {
            temperature: 1.0,
            offset: 0.0,
            clip: 6.0,
            separation: 2.0,
            shift: 0.5,
            switch: 0.1,
            prior: 0.5,
            whole: 0.2,
        }
    }
}

/// A parameter that can't be right.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{field} {problem}")]
pub struct SegmenterError {
    /// Which one.
    pub field: &'static str,
    /// What is wrong with it.
    pub problem: &'static str,
}

/// What smoothing makes of a text.
#[derive(Debug, Clone, PartialEq)]
pub struct Smoothed {
    /// For each unit the posterior probability that it is a model's, from 0 to 1.
    pub probabilities: Vec<f64>,
    /// The likeliest labels of all units together, at the likeliest shift; true: a model's.
    pub labels: Vec<bool>,
    /// Posterior probability that the text has two authors.
    pub mixed: f64,
}

/// Neighbouring units with the same label.
#[derive(Debug, Clone, PartialEq)]
pub struct Segment {
    /// Which units.
    pub units: Range<usize>,
    /// Whether a model wrote them, in the likeliest labelling.
    pub by_model: bool,
    /// Mean posterior of a token in them, from 0 to 1.
    pub probability: f64,
}

/// What is seen of a unit.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Observed {
    /// Mean log-odds above the offset.
    mean: f64,
    /// Its length in units of 32 tokens.
    weight: f64,
}

/// The model at one shift.
struct Pass {
    /// The shift in standard deviations.
    place: f64,
    /// Its log-probability together with all that is seen, up to a constant.
    weight: f64,
    /// Posterior of each unit given the shift.
    probabilities: Vec<f64>,
    /// Posterior of two authors given the shift.
    mixed: f64,
}

/// Log weights of the two states, human first.
type Pair = [f64; 2];

impl Segmenter {
    /// Checks parameters that came from outside.
    pub fn validate(&self) -> Result<(), SegmenterError> {
        let check = |good: bool, field, problem| good.then_some(()).ok_or(SegmenterError { field, problem });
        let within = |value: f64, low: f64, high: f64| (low..=high).contains(&value);
        check(within(self.temperature, 0.01, 1e4), "temperature", "is not between 0.01 and 10000")?;
        check(within(self.offset, -100.0, 100.0), "offset", "is not between -100 and 100")?;
        check(within(self.clip, 0.01, 100.0), "clip", "is not between 0.01 and 100")?;
        check(within(self.separation, 0.01, 100.0), "separation", "is not between 0.01 and 100")?;
        check(within(self.shift, 0.0, 100.0), "shift", "is not between 0 and 100")?;
        check(within(self.switch, 1e-6, 0.5), "switch", "is not between 0.000001 and 0.5")?;
        check(within(self.prior, 0.01, 0.99), "prior", "is not between 0.01 and 0.99")?;
        check(within(self.whole, 0.0, 0.999), "whole", "is not between 0 and 0.999")?;
        let fastest = 2.0 * self.switch * self.prior.max(1.0 - self.prior);
        check(fastest <= 1.0, "switch", "is too large for this prior: twice their product must not exceed 1")
    }

    /// Smooths windows over units: ranges of scored tokens in order, usually sentences, of which some may be empty.
    ///
    /// Exact: the posteriors are those of the whole model (forward-backward), and the labels are the likeliest sequence of
    /// them at the likeliest shift (Viterbi).
    #[must_use]
    pub fn smooth(&self, readings: &[Reading], units: &[Range<usize>]) -> Smoothed {
        let seen = self.observed(readings, units);
        let passes: Vec<Pass> =
            self.places(&seen).into_iter().filter_map(|place| self.pass(&seen, place)).collect();
        let Some(best) = passes.iter().max_by(|a, b| a.weight.total_cmp(&b.weight)) else {
            return Smoothed { probabilities: Vec::new(), labels: Vec::new(), mixed: 1.0 - self.whole };
        };
        let shares: Vec<f64> = passes.iter().map(|pass| (pass.weight - best.weight).exp()).collect();
        let total: f64 = shares.iter().sum();
        // The mean over the shifts; within 0 and 1 whatever the rounding.
        let mean = |of: &dyn Fn(&Pass) -> f64| {
            let sum: f64 = passes.iter().zip(&shares).map(|(pass, share)| share * of(pass)).sum();
            (sum / total).clamp(0.0, 1.0)
        };
        let of_unit = |unit: usize| mean(&|pass| pass.probabilities.get(unit).copied().unwrap_or(self.prior));
        Smoothed {
            probabilities: (0..units.len()).map(of_unit).collect(),
            labels: self.likeliest(&self.evidence(&seen, best.place)),
            mixed: mean(&|pass| pass.mixed),
        }
    }

    /// What the windows say of each unit: the mean over its tokens of what [`Self::heard`] of each.
    fn observed(&self, readings: &[Reading], units: &[Range<usize>]) -> Vec<Observed> {
        let mut total = (0.0, 0_usize);
        let mut totals = vec![total];
        for value in self.heard(readings, units.iter().map(|unit| unit.end).max().unwrap_or(0)) {
            if let Some(value) = value {
                total = (total.0 + value, total.1 + 1);
            }
            totals.push(total);
        }
        let at = |token: usize| totals.get(token).copied().unwrap_or(total);
        let of = |unit: &Range<usize>| {
            let ((from, before), (to, after)) = (at(unit.start), at(unit.end.max(unit.start)));
            // Tokens that no window covers say nothing.
            let tokens = (after - before) as f64;
            Observed { mean: if tokens > 0.0 { (to - from) / tokens } else { 0.0 }, weight: tokens / CHUNK }
        };
        units.iter().map(of).collect()
    }

    /// For each token the log-odds, cut to within the clip, of the window whose middle is nearest if it covers the token. The
    /// mean of all windows over the token would reach further and blur the places where the author changes.
    fn heard(&self, readings: &[Reading], tokens: usize) -> Vec<Option<f64>> {
        let mut heard = vec![None; tokens];
        let mut windows: Vec<&Reading> =
            readings.iter().filter(|own| !own.log_odds.is_nan() && !own.range.is_empty()).collect();
        // Twice the middle, which is a whole number.
        let middle = |own: &Reading| own.range.start.saturating_add(own.range.end);
        windows.sort_by_key(|own| middle(own));
        for (index, own) in windows.iter().enumerate() {
            let between = |other: &Reading| middle(own).saturating_add(middle(other)).div_ceil(4);
            let before = index.checked_sub(1).and_then(|index| windows.get(index));
            let from = before.map_or(0, |other| between(other)).max(own.range.start);
            let to = windows.get(index + 1).map_or(tokens, |other| between(other)).min(own.range.end);
            let value = (own.log_odds - self.offset).clamp(-self.clip, self.clip);
            if let Some(own) = heard.get_mut(from..to.min(tokens)) {
                own.fill(Some(value));
            }
        }
        heard
    }

    /// The shifts that are summed over, in standard deviations, evenly spaced: the longer the text, the better its shift is
    /// known for each labelling, and the closer they lie.
    fn places(&self, seen: &[Observed]) -> Vec<f64> {
        if self.shift <= 0.0 {
            return vec![0.0];
        }
        let length: f64 = seen.iter().map(|unit| unit.weight).sum();
        let known = (self.temperature * self.separation / length.max(1.0)).sqrt() / self.shift;
        let side = (FARTHEST / known.min(WIDEST)).ceil().clamp(1.0, MOST_PLACES) as i32;
        (-side..=side).map(|step| FARTHEST * f64::from(step) / f64::from(side)).collect()
    }

    /// Log-odds of each unit at a shift in standard deviations.
    fn evidence(&self, seen: &[Observed], place: f64) -> Vec<f64> {
        let shift = self.shift * place;
        seen.iter().map(|unit| unit.weight * (unit.mean - shift) / self.temperature).collect()
    }

    /// Forward-backward at a shift in standard deviations; `None` without units.
    fn pass(&self, seen: &[Observed], place: f64) -> Option<Pass> {
        let evidence = self.evidence(seen, place);
        let (&first, rest) = evidence.split_first()?;
        let forward = self.forward(first, rest);
        let backward = self.backward(rest);
        let constant = self.constant(&evidence);
        let two = (1.0 - self.whole).ln();
        let probabilities = forward.iter().zip(&backward).map(|(forward, backward)| {
            let of = |state: usize| add(constant[state], two + forward[state] + backward[state]);
            logistic(of(1) - of(0))
        });
        let probabilities = probabilities.collect();
        let chain = forward.last().map_or(f64::NEG_INFINITY, |last| two + add(last[0], last[1]));
        let one = add(constant[0], constant[1]);
        // How far all units lie from both authors, which the log-odds between the two leave out.
        let spread = 2.0 * self.temperature * self.separation;
        let off = |unit: &Observed| unit.weight * (unit.mean - self.shift * place).powi(2) / spread;
        let weight = add(chain, one) - place * place / 2.0 - seen.iter().map(off).sum::<f64>();
        Some(Pass { place, weight, probabilities, mixed: logistic(chain - one) })
    }

    /// Log-probabilities of the first unit's state.
    fn start(&self) -> Pair {
        [(1.0 - self.prior).ln(), self.prior.ln()]
    }

    /// Log-probabilities of the next state, by the state before. The rates keep `prior` the share of a model's units at
    /// every place.
    fn steps(&self) -> [Pair; 2] {
        let (begins, ends) = (2.0 * self.switch * self.prior, 2.0 * self.switch * (1.0 - self.prior));
        [[(1.0 - begins).ln(), begins.ln()], [ends.ln(), (1.0 - ends).ln()]]
    }

    /// Log-probability of the units up to each, with its state.
    fn forward(&self, first: f64, rest: &[f64]) -> Vec<Pair> {
        let (start, steps, seen) = (self.start(), self.steps(), emission(first));
        let mut now = [start[0] + seen[0], start[1] + seen[1]];
        let mut all = vec![now];
        for &log_odds in rest {
            let seen = emission(log_odds);
            let into = |state: usize| seen[state] + add(now[0] + steps[0][state], now[1] + steps[1][state]);
            now = [into(0), into(1)];
            all.push(now);
        }
        all
    }

    /// Log-probability of the units after each, given its state.
    fn backward(&self, rest: &[f64]) -> Vec<Pair> {
        let steps = self.steps();
        let mut now = [0.0, 0.0];
        let mut all = vec![now];
        for &log_odds in rest.iter().rev() {
            let seen = emission(log_odds);
            let out = |step: &Pair| add(step[0] + seen[0] + now[0], step[1] + seen[1] + now[1]);
            now = [out(&steps[0]), out(&steps[1])];
            all.push(now);
        }
        all.reverse();
        all
    }

    /// Log weights of the texts with one author only.
    fn constant(&self, evidence: &[f64]) -> Pair {
        let (whole, start) = (self.whole.ln(), self.start());
        let sum = |state: usize| evidence.iter().map(|&log_odds| emission(log_odds)[state]).sum::<f64>();
        [whole + start[0] + sum(0), whole + start[1] + sum(1)]
    }

    /// Viterbi's path through the chain, unless one author for all is likelier.
    fn likeliest(&self, evidence: &[f64]) -> Vec<bool> {
        let Some((&first, rest)) = evidence.split_first() else { return Vec::new() };
        let constant = self.constant(evidence);
        let (start, steps, seen) = (self.start(), self.steps(), emission(first));
        let mut best = [start[0] + seen[0], start[1] + seen[1]];
        // The weight of never changing.
        let mut staying = best;
        // For each unit but the first and each of its states, whether the one before is a model's.
        let mut before: Vec<[bool; 2]> = Vec::with_capacity(rest.len());
        for &log_odds in rest {
            let seen = emission(log_odds);
            let from = |state: usize| best[1] + steps[1][state] > best[0] + steps[0][state];
            let came = [from(0), from(1)];
            let into = |state: usize| {
                let previous = usize::from(came[state]);
                best[previous] + steps[previous][state] + seen[state]
            };
            best = [into(0), into(1)];
            staying = [staying[0] + steps[0][0] + seen[0], staying[1] + steps[1][1] + seen[1]];
            before.push(came);
        }
        let two = (1.0 - self.whole).ln();
        let one = [0, 1].map(|state| add(constant[state], two + staying[state]));
        let by_model = one[1] > one[0];
        if one[usize::from(by_model)] >= two + best[0].max(best[1]) {
            return vec![by_model; rest.len() + 1];
        }
        let mut label = best[1] > best[0];
        let mut labels = vec![label];
        for came in before.iter().rev() {
            label = came[usize::from(label)];
            labels.push(label);
        }
        labels.reverse();
        labels
    }
}

impl Smoothed {
    /// The text between the places where the author changes, in the likeliest labelling; `units` are those smoothed over.
    #[must_use]
    pub fn segments(&self, units: &[Range<usize>]) -> Vec<Segment> {
        let mut segments = Vec::new();
        let mut start = 0;
        for run in self.labels.chunk_by(|a, b| a == b) {
            let own = start..start + run.len();
            start = own.end;
            let weighed = self.probabilities.iter().zip(units).skip(own.start).take(own.len());
            // An empty unit counts a little, so that a segment of empty ones has a mean.
            let (sum, tokens) = weighed.fold((0.0, 0.0), |(sum, tokens), (probability, unit)| {
                let weight = (unit.len() as f64).max(1e-6);
                (sum + weight * probability, tokens + weight)
            });
            let by_model = run.first().copied().unwrap_or_default();
            segments.push(Segment { units: own, by_model, probability: sum / tokens.max(1e-6) });
        }
        segments
    }
}

/// Log weights of a unit under either author; only their difference counts.
fn emission(log_odds: f64) -> Pair {
    [-log_odds / 2.0, log_odds / 2.0]
}

/// ln(exp a + exp b), also if one or both are minus infinity.
fn add(a: f64, b: f64) -> f64 {
    let (low, high) = if a < b { (a, b) } else { (b, a) };
    if low == f64::NEG_INFINITY { high } else { high + (low - high).exp().ln_1p() }
}

#[cfg(test)]
mod tests;
