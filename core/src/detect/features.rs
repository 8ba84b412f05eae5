//! The fixed vector that the calibrated head reads.

use super::{Stats, detector, probe};

/// Fewest scored tokens that make a feature vector: two whole chunks of the burstiness detector.
pub const MIN_TOKENS: usize = 32;

/// The head's inputs, in order; each is a name of [`super::NAMES`].
///
/// Only length-free forms are here (`curvature`, not `fast_detectgpt`; `diversity`, not the unbounded ratio `lastde`), and the length itself is not a feature: a head
/// that knows how long a text is has learned its data set.
pub const FEATURES: [&str; STATISTICS + 1] = [
    "mean_logprob",
    "log_rank",
    "lrr",
    "entropy",
    "top_1",
    "top_10",
    "top_100",
    "top_1000",
    "curvature",
    "spread",
    "window_spread",
    "min_k",
    "diversity",
    "winsorised_logprob",
    "decline",
    "probe",
];

/// Number of the features that need no training: all but the last, the probe's.
pub const STATISTICS: usize = 15;

/// One text's, or one window's, detector scores in the order of [`FEATURES`].
#[derive(Debug, Clone, PartialEq)]
pub struct Features {
    /// The scores; all finite. The probe's is 0 without a probe.
    pub values: [f64; FEATURES.len()],
    /// Number of scored tokens behind them.
    pub tokens: usize,
    /// Length of a stand-alone text whose tokens would have, on average, as much context as these (in tokens).
    ///
    /// Equal to `tokens` for a whole text, longer for a window from the middle: a word is the more predictable the more
    /// the model has read before it, and the head corrects for that.
    pub context: f64,
    /// Whether there was a probe.
    pub probed: bool,
}

impl Features {
    /// The features of a whole text; `None` below [`MIN_TOKENS`] tokens or if a statistic is not finite.
    #[must_use]
    pub fn extract(stats: &[Stats]) -> Option<Self> {
        Self::of_window(stats, 0)
    }

    /// The features of a window that begins after `before` other scored tokens.
    #[must_use]
    pub fn of_window(window: &[Stats], before: usize) -> Option<Self> {
        if window.len() < MIN_TOKENS || !window.iter().all(Stats::is_finite) {
            return None;
        }
        let mut values = [0.0; FEATURES.len()];
        for (value, name) in values.iter_mut().zip(FEATURES).take(STATISTICS) {
            *value = detector(name, window)?;
        }
        let probe = probe(window);
        values[STATISTICS] = probe.unwrap_or_default();
        let context = equivalent_length(before, window.len());
        Some(Self { values, tokens: window.len(), context, probed: probe.is_some() })
    }

    /// One feature by name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<f64> {
        FEATURES.iter().position(|&feature| feature == name).map(|index| self.values[index])
    }
}

/// The length n with (mean of ln t over 1..n) equal to the window's mean of ln t.
///
/// Predictability grows about linearly in the logarithm of the position. The integral of ln t is t ln t - t, so a text
/// of n tokens has mean ln n - 1.
fn equivalent_length(before: usize, length: usize) -> f64 {
    if before == 0 {
        return length as f64;
    }
    let antiderivative = |t: f64| t * t.ln() - t;
    let start = before as f64;
    let end = start + length as f64;
    ((antiderivative(end) - antiderivative(start)) / length as f64 + 1.0).exp()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_window_from_the_middle_counts_as_a_longer_text() {
        assert_eq!(equivalent_length(0, 100), 100.0);
        // The mean of ln t over 1000..2000 is that over 1..4000.
        assert!((equivalent_length(1000, 1000) - 4000.0).abs() < 1.0);
        assert!((equivalent_length(1, 100) - 100.0).abs() < 6.0);
    }

    #[test]
    fn refuses_too_few_and_broken_statistics() {
        let token =
            Stats { logprob: -2.0, rank: 3, entropy: 2.5, mean_logprob: -2.5, variance: 4.0, probe: None };
        assert!(Features::extract(&[token; MIN_TOKENS - 1]).is_none());
        assert!(Features::extract(&[token; MIN_TOKENS]).is_some());
        let mut broken = [token; MIN_TOKENS];
        broken[7].entropy = f32::NAN;
        assert!(Features::extract(&broken).is_none());
    }

    #[test]
    fn names_lead_to_values() {
        let token =
            Stats { logprob: -2.0, rank: 3, entropy: 2.5, mean_logprob: -2.5, variance: 4.0, probe: None };
        let features = Features::extract(&[token; 64]).unwrap();
        assert_eq!(features.get("mean_logprob"), Some(-2.0));
        assert_eq!(features.get("curvature"), Some(0.25));
        assert_eq!(features.get("length"), None);
        assert!(FEATURES.iter().all(|name| super::super::NAMES.contains(name)));
    }
}
