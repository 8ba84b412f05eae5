//! The logistic head over the detectors.

use crate::detect::Features;
use serde::{Deserialize, Serialize};

/// Logistic regression on length-adjusted, standardised features.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Head {
    /// Names of the features: [`crate::detect::FEATURES`].
    pub features: Vec<String>,
    /// Expected value of each feature at a length of 160 tokens.
    pub mean: Vec<f64>,
    /// How each feature's expected value changes with the natural logarithm of the length.
    pub slope: Vec<f64>,
    /// Standard deviation of each feature about its expected value.
    pub scale: Vec<f64>,
    /// Weights of the standardised features.
    pub weights: Vec<f64>,
    /// Further weights of the standardised features, times the logarithm of the length: a long text's numbers say more
    /// than a short one's.
    pub length_weights: Vec<f64>,
    /// Log-odds of an average text.
    pub bias: f64,
}

impl Head {
    /// Log-odds that a model wrote the text, human and generated texts being equally common.
    #[must_use]
    pub fn log_odds(&self, features: &Features) -> f64 {
        let _ = features;
        0.0
    }

    /// The same as a probability, from 0 to 1.
    #[must_use]
    pub fn probability(&self, features: &Features) -> f64 {
        1.0 / (1.0 + (-self.log_odds(features)).exp())
    }
}
