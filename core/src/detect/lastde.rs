//! Lastde: how varied the ups and downs of the log-probabilities are.

use super::Stats;
use super::scores::{mean_logprob, standard_deviation};

/// Length of an orbit: a run of neighbouring values compared with the run one step on.
const ORBIT: usize = 3;

/// Coarse-graining scales, from 1 (the tokens themselves) to this.
const SCALES: usize = 5;

/// Histogram intervals per token.
const INTERVALS_PER_TOKEN: usize = 10;

/// Smallest divisor of [`lastde`], so that a constant sequence stays finite.
const FLOOR: f64 = 0.01;

/// Mean log-probability over the aggregated multiscale diversity entropy, in the manner of Lastde: Xu et al. 2024,
/// "Training-free LLM-generated Text Detection by Mining Token Probability Sequences" (arXiv 2410.06072).
///
/// At each of five scales the log-probabilities are averaged over a moving window, cut into orbits of three, and the
/// cosines between neighbouring orbits counted in 10 n intervals of [-1, 1]; the normalised entropy of that histogram
/// is the scale's diversity. The scales are aggregated as their standard deviation ([`diversity`]), taken as at least
/// 0.01. `None` below ten tokens.
#[must_use]
pub fn lastde(stats: &[Stats]) -> Option<f64> {
    Some(mean_logprob(stats)? / diversity(stats)?.max(FLOOR))
}

/// The divisor of [`lastde`] alone: how much the diversity entropy varies between scales. `None` below ten tokens.
#[must_use]
pub fn diversity(stats: &[Stats]) -> Option<f64> {
    if stats.len() < 2 * SCALES {
        return None;
    }
    let logprobs: Vec<f64> = stats.iter().map(|token| f64::from(token.logprob)).collect();
    let intervals = INTERVALS_PER_TOKEN * logprobs.len();
    let entropies: Vec<f64> = (1..=SCALES)
        .filter_map(|scale| diversity_entropy(&coarse_grained(&logprobs, scale), intervals))
        .collect();
    standard_deviation(&entropies)
}

fn coarse_grained(values: &[f64], scale: usize) -> Vec<f64> {
    values.windows(scale).map(|window| window.iter().sum::<f64>() / scale as f64).collect()
}

/// Entropy of the histogram of cosines between neighbouring orbits, from 0 (all alike) to 1 (as varied as can be).
fn diversity_entropy(values: &[f64], intervals: usize) -> Option<f64> {
    let orbits: Vec<&[f64]> = values.windows(ORBIT).collect();
    if orbits.len() < 2 || intervals < 2 {
        return None;
    }
    let mut cells: Vec<usize> = orbits
        .windows(2)
        .map(|pair| {
            let cosine = cosine(pair[0], pair[1]).clamp(-1.0, 1.0);
            (((cosine + 1.0) / 2.0 * intervals as f64) as usize).min(intervals - 1)
        })
        .collect();
    cells.sort_unstable();
    let total = cells.len() as f64;
    let entropy: f64 = cells
        .chunk_by(|a, b| a == b)
        .map(|cell| cell.len() as f64 / total)
        .map(|share| -share * share.ln())
        .sum();
    Some(entropy / (intervals as f64).ln())
}

fn cosine(a: &[f64], b: &[f64]) -> f64 {
    let product = |x: &[f64], y: &[f64]| x.iter().zip(y).map(|(x, y)| x * y).sum::<f64>();
    let norms = (product(a, a) * product(b, b)).sqrt();
    if norms > 0.0 { product(a, b) / norms } else { 1.0 }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn stats(logprobs: impl IntoIterator<Item = f32>) -> Vec<Stats> {
        logprobs.into_iter().map(|logprob| Stats { logprob, rank: 1, ..Stats::default() }).collect()
    }

    #[test]
    fn a_constant_sequence_has_no_diversity() {
        assert_eq!(diversity_entropy(&[-2.0; 40], 400), Some(0.0));
        assert_eq!(diversity(&stats([-2.0; 40])), Some(0.0));
        assert_eq!(lastde(&stats([-2.0; 40])), Some(-200.0));
    }

    #[test]
    fn two_equal_cells_have_the_entropy_of_a_coin() {
        // 2 1 1 2: the cosines of neighbouring orbits are 0.833, 0.953, 0.889, 0.953, which fall into two cells of 20.
        let values: Vec<f64> = (0..44).map(|i| if i % 4 % 3 == 0 { 2.0 } else { 1.0 }).collect();
        let entropy = diversity_entropy(&values, 20).unwrap();
        let coin = std::f64::consts::LN_2 / 20.0_f64.ln();
        assert!((entropy - coin).abs() < 0.01, "{entropy} {coin}");
    }

    #[test]
    fn too_short_or_all_zero_is_quiet() {
        assert_eq!(lastde(&stats([-1.0; 9])), None);
        assert_eq!(lastde(&stats([0.0; 64])), Some(0.0));
    }
}
