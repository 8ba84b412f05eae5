//! From the numbers of single tokens to one finding: which stretch is marked, and how often chance alone does as well.
//!
//! A marked paragraph inside a page of other text disappears in the mean of the whole. So stretches of several lengths are
//! tested too, and the best one's p-value pays for all of them (Bonferroni): half of the level is kept for the whole text,
//! the other half is shared by the stretches.

use super::synthid::{Histogram, Sums};
use super::tail::{self, Cumulants};
use std::ops::Range;
use std::sync::Arc;

/// Fewest scored tokens that anything is said about.
pub const LEAST: usize = 16;
/// The shortest stretch that is tested by itself.
const SHORTEST: usize = 32;
/// Below so many standard deviations a stretch's p-value is not worth an exact reckoning.
const REMARKABLE: f64 = 2.0;

/// A token that tells something.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Item {
    /// Its place among the tokens.
    pub at: usize,
    /// What was seen, for example 1 for a green token.
    pub value: f64,
    /// How much it counts; 1 unless tokens are weighed.
    pub weight: f64,
}

/// The distribution of an item's value in unmarked text.
#[derive(Debug, Clone, PartialEq)]
pub enum Null {
    /// 1 with so much probability, else 0; times the item's weight.
    Coin(f64),
    /// Exponential with mean 1.
    Exponential,
    /// Weighted sums of g-values.
    Tournament(Arc<Histogram>),
}

/// The tokens of a text that tell something of one key, none of them twice.
#[derive(Debug, Clone, PartialEq)]
pub struct Reading {
    /// In the order of the text.
    pub items: Vec<Item>,
    /// What they'd be without the mark.
    pub null: Null,
    /// Whether items differ in weight.
    pub weighted: bool,
}

/// The most remarkable stretch of a text.
#[derive(Debug, Clone, PartialEq)]
pub struct Finding {
    /// How often the best of all tested stretches of an unmarked text is as remarkable: an upper bound.
    pub p: f64,
    /// Standard deviations above the mean of unmarked text.
    pub z: f64,
    /// Tokens that were scored in the stretch.
    pub scored: usize,
    /// Mean value a scored token.
    pub value: f64,
    /// What it would be in unmarked text.
    pub expected: f64,
    /// The stretch, in tokens.
    pub tokens: Range<usize>,
    /// Stretches that were tested.
    pub windows: usize,
}

impl Null {
    fn mean(&self) -> f64 {
        match self {
            Self::Coin(share) => *share,
            Self::Exponential => 1.0,
            Self::Tournament(histogram) => histogram.mean(),
        }
    }

    fn variance(&self) -> f64 {
        match self {
            Self::Coin(share) => share * (1.0 - share),
            Self::Exponential => 1.0,
            Self::Tournament(histogram) => histogram.variance(),
        }
    }
}

/// Sums over the items before each one, so that a stretch costs two looks.
struct Running {
    value: Vec<f64>,
    weight: Vec<f64>,
    square: Vec<f64>,
}

impl Running {
    fn new(items: &[Item]) -> Self {
        let sums = |of: fn(&Item) -> f64| {
            let mut sum = 0.0;
            std::iter::once(0.0)
                .chain(items.iter().map(|item| {
                    sum += of(item);
                    sum
                }))
                .collect()
        };
        Self {
            value: sums(|item| item.value * item.weight),
            weight: sums(|item| item.weight),
            square: sums(|item| item.weight * item.weight),
        }
    }

    fn z(&self, null: &Null, stretch: &Range<usize>) -> f64 {
        let over = |sums: &[f64]| sums[stretch.end] - sums[stretch.start];
        let variance = null.variance() * over(&self.square);
        let above = over(&self.value) - null.mean() * over(&self.weight);
        if variance > 0.0 { above / variance.sqrt() } else { 0.0 }
    }
}

impl Reading {
    /// The most remarkable stretch; `None` if too few tokens tell anything.
    #[must_use]
    pub fn best(&self) -> Option<Finding> {
        let all = self.items.len();
        if all < LEAST {
            return None;
        }
        let running = Running::new(&self.items);
        let whole = 0..all;
        let whole_p = self.p(&whole, running.z(&self.null, &whole));
        let mut windows = 0;
        let mut best = (1.0, whole.clone());
        for size in window_sizes(all) {
            for first in (0..=all - size).step_by(size / 4) {
                windows += 1;
                let stretch = first..first + size;
                let z = running.z(&self.null, &stretch);
                if z >= REMARKABLE {
                    let p = self.p(&stretch, z);
                    if p < best.0 {
                        best = (p, stretch);
                    }
                }
            }
        }
        let (p, stretch) = if windows == 0 {
            (whole_p, whole)
        } else {
            let (of_whole, of_stretch) = (2.0 * whole_p, 2.0 * best.0 * windows as f64);
            if of_stretch < of_whole { (of_stretch, best.1) } else { (of_whole, whole) }
        };
        Some(self.finding(&running, p.min(1.0), stretch, windows + 1))
    }

    /// The greatest z over all stretches, however short, and the stretch (WinMax, Kirchenbauer et al. 2023,
    /// arXiv 2306.04634). It is no p-value: chance makes a greater one of every longer text.
    #[must_use]
    pub fn winmax(&self) -> Option<(f64, Range<usize>)> {
        let running = Running::new(&self.items);
        let mut best: Option<(f64, Range<usize>)> = None;
        // The reference leaves out the whole text itself.
        for size in 1..self.items.len() {
            for first in 0..=self.items.len() - size {
                let stretch = first..first + size;
                let z = running.z(&self.null, &stretch);
                if best.as_ref().is_none_or(|(most, _)| z > *most) {
                    best = Some((z, stretch));
                }
            }
        }
        best
    }

    /// How often chance alone makes as much of one stretch.
    fn p(&self, stretch: &Range<usize>, z: f64) -> f64 {
        let items = &self.items[stretch.clone()];
        let sum: f64 = items.iter().map(|item| item.value * item.weight).sum();
        match &self.null {
            // Sums have steps, and the approximation is for those that have none: it takes the middle of the step.
            Null::Coin(share) if self.weighted => {
                let step = items.iter().map(|item| item.weight).fold(f64::INFINITY, f64::min);
                tail::saddlepoint(&Coins { items, share: *share }, sum - 0.5 * step)
            }
            Null::Coin(share) => tail::binomial(sum.round() as u64, items.len() as u64, *share),
            Null::Exponential => tail::gamma(items.len() as u64, sum),
            Null::Tournament(_) if z < REMARKABLE => tail::normal(z),
            Null::Tournament(histogram) => {
                let sums = Sums { of: histogram, count: items.len() };
                tail::saddlepoint(&sums, sum - 0.5 * histogram.step())
            }
        }
    }

    fn finding(&self, running: &Running, p: f64, stretch: Range<usize>, windows: usize) -> Finding {
        let shown = self.extent(&stretch);
        let of = |sums: &[f64]| sums[stretch.end] - sums[stretch.start];
        let weight = of(&running.weight);
        Finding {
            p,
            z: running.z(&self.null, &stretch),
            scored: stretch.len(),
            value: if weight > 0.0 { of(&running.value) / weight } else { 0.0 },
            expected: self.null.mean(),
            tokens: self.items[shown.start].at..self.items[shown.end - 1].at + 1,
            windows,
        }
    }

    /// How far the mark seems to reach: the stretch where most lies above the middle between marked and unmarked text, if
    /// that meets the one that was tested.
    fn extent(&self, stretch: &Range<usize>) -> Range<usize> {
        let items = &self.items[stretch.clone()];
        let weight: f64 = items.iter().map(|item| item.weight).sum();
        let marked = items.iter().map(|item| item.value * item.weight).sum::<f64>() / weight.max(1e-12);
        let middle = 0.5 * (marked + self.null.mean());
        let (mut best, mut best_sum) = (stretch.clone(), f64::NEG_INFINITY);
        let (mut first, mut sum) = (0, 0.0);
        for (at, item) in self.items.iter().enumerate() {
            if sum < 0.0 {
                (first, sum) = (at, 0.0);
            }
            sum += (item.value - middle) * item.weight;
            if sum > best_sum {
                (best, best_sum) = (first..at + 1, sum);
            }
        }
        if best.start < stretch.end && stretch.start < best.end { best } else { stretch.clone() }
    }
}

/// Lengths of stretches that are tested besides a whole of `all`.
pub(super) fn window_sizes(all: usize) -> impl Iterator<Item = usize> {
    std::iter::successors(Some(SHORTEST), |size| Some(size * 2)).take_while(move |size| *size < all)
}

/// Coins of different weights.
struct Coins<'a> {
    items: &'a [Item],
    share: f64,
}

impl Cumulants for Coins<'_> {
    fn at(&self, s: f64) -> [f64; 3] {
        let mut sums = [0.0; 3];
        for Item { weight, .. } in self.items {
            // ln(1 - q + q e^x), without an overflow for a great x.
            let x = s * weight;
            let scaled = self.share + (1.0 - self.share) * (-x).exp();
            let tilted = self.share / scaled;
            sums[0] += x + scaled.ln();
            sums[1] += weight * tilted;
            sums[2] += weight * weight * tilted * (1.0 - tilted);
        }
        sums
    }

    fn most(&self) -> f64 {
        self.items.iter().map(|item| item.weight).sum()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use crate::watermark::scheme::{Flavour, SynthId};
    use crate::watermark::synthid::SynthIdReader;

    fn reading(values: impl Iterator<Item = (f64, f64)>, null: Null, weighted: bool) -> Reading {
        let items = values.enumerate().map(|(at, (value, weight))| Item { at, value, weight });
        Reading { items: items.collect(), null, weighted }
    }

    fn bit(set: bool) -> (f64, f64) {
        (f64::from(u8::from(set)), 1.0)
    }

    #[test]
    fn sums_with_steps_are_not_taken_for_smooth_ones() {
        // One layer and equal weights are coins, whose tails are known.
        let one =
            SynthId { keys: vec![5], ngram: 5, flavour: Flavour::Original, table_seed: 0, history: 1024 };
        let null = SynthIdReader::new(&one).null().clone();
        for (count, hits) in [(32, 29), (100, 73), (100, 80), (400, 260)] {
            let exact = tail::binomial(hits, count, 0.5);
            let values = || (0..count).map(|at| bit(at < hits));
            for reading in [
                reading(values(), Null::Tournament(null.clone()), false),
                reading(values(), Null::Coin(0.5), true),
            ] {
                let all = 0..count as usize;
                let own = reading.p(&all, Running::new(&reading.items).z(&reading.null, &all));
                // So far out on so short a stretch it errs to the safe side.
                assert!((0.97..1.25).contains(&(own / exact)), "{count} {hits}: {own} {exact}");
            }
        }
    }

    #[test]
    fn the_best_stretch_pays_for_all() {
        let plain = reading((0..200).map(|at| bit(at % 2 == 1)), Null::Coin(0.5), false);
        let found = plain.best().unwrap();
        assert!(found.p > 0.9, "{found:?}");
        let marked = (0..200).map(|at| bit((80..120).contains(&at) || at % 2 == 0));
        let found = reading(marked, Null::Coin(0.5), false).best().unwrap();
        assert!(found.p < 1e-6 && found.tokens.start >= 70 && found.tokens.end <= 130, "{found:?}");
        // The stretch alone, times the stretches tested, times two.
        let alone = tail::binomial(32, 32, 0.5);
        assert!((found.p / (2.0 * alone * (found.windows - 1) as f64) - 1.0).abs() < 1e-9, "{found:?}");
        assert!(reading((0..15).map(|_| bit(true)), Null::Coin(0.5), false).best().is_none());
    }
}
