//! Detectors: functions from per-token statistics to a score.
//!
//! Every detector here is oriented alike: **higher means more like a model's text**. Where a paper has it the
//! other way round, the sign is turned and the function's documentation says so. All logarithms are natural.
//! A function that has nothing to measure returns `None`; none ever returns NaN or an infinity for finite input.

mod features;
mod lastde;
mod scores;
pub mod segments;
mod windows;

pub use features::{FEATURES, Features, MIN_TOKENS, STATISTICS};
pub use lastde::{diversity, lastde};
pub use scores::{
    binoculars, decline, entropy, fast_detectgpt, log_rank, lrr, mean_logprob, min_k, normalised_curvature,
    perplexity, probe, spread, top_share, window_spread, winsorised_logprob,
};
pub use windows::{SCAN_LENGTH, SCAN_STRIDE, Window, cover, scan, stretches};

use std::collections::BTreeMap;

/// What the language model says of one token, given the tokens before it.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Stats {
    /// log p(token | context), in nats.
    pub logprob: f32,
    /// 1 for the likeliest token.
    pub rank: u32,
    /// Entropy of the next-token distribution (nats).
    pub entropy: f32,
    /// Expectation of log p under the model's own distribution (nats).
    pub mean_logprob: f32,
    /// Variance of log p under the model's own distribution (nats squared).
    pub variance: f32,
    /// What a trained probe reads off the model's hidden state here, if there is a probe: its weights times the state.
    pub probe: Option<f32>,
}

impl Stats {
    pub(crate) fn is_finite(&self) -> bool {
        let probe = self.probe.unwrap_or_default();
        [self.logprob, self.entropy, self.mean_logprob, self.variance, probe]
            .iter()
            .all(|value| value.is_finite())
    }

    pub(crate) fn ln_rank(&self) -> f64 {
        f64::from(self.rank.max(1)).ln()
    }
}

/// The logistic function: from log-odds (nats) to a probability.
#[must_use]
pub fn logistic(log_odds: f64) -> f64 {
    1.0 / (1.0 + (-log_odds).exp())
}

/// The names of all detectors that [`detectors`] reports, in a fixed order: zero-shot ones, and last the trained probe.
pub const NAMES: [&str; 18] = [
    "mean_logprob",
    "log_rank",
    "lrr",
    "entropy",
    "top_1",
    "top_10",
    "top_100",
    "top_1000",
    "fast_detectgpt",
    "curvature",
    "spread",
    "window_spread",
    "min_k",
    "diversity",
    "lastde",
    "winsorised_logprob",
    "decline",
    "probe",
];

/// Every detector that can say something about these tokens, by name; higher means more like a model's text.
#[must_use]
pub fn detectors(stats: &[Stats]) -> BTreeMap<String, f64> {
    NAMES.iter().filter_map(|&name| Some((name.to_owned(), detector(name, stats)?))).collect()
}

/// One detector by its name in [`NAMES`]; `None` for an unknown name or too few tokens.
#[must_use]
pub fn detector(name: &str, stats: &[Stats]) -> Option<f64> {
    let score = match name {
        "mean_logprob" => mean_logprob(stats),
        "log_rank" => log_rank(stats),
        "lrr" => lrr(stats),
        "entropy" => entropy(stats),
        "top_1" => top_share(stats, 1),
        "top_10" => top_share(stats, 10),
        "top_100" => top_share(stats, 100),
        "top_1000" => top_share(stats, 1000),
        "fast_detectgpt" => fast_detectgpt(stats),
        "curvature" => normalised_curvature(stats),
        "spread" => spread(stats),
        "window_spread" => window_spread(stats),
        "min_k" => min_k(stats),
        "diversity" => diversity(stats),
        "lastde" => lastde(stats),
        "winsorised_logprob" => winsorised_logprob(stats),
        "decline" => decline(stats),
        "probe" => probe(stats),
        _ => None,
    };
    score.filter(|value| value.is_finite())
}

#[cfg(test)]
mod tests;
