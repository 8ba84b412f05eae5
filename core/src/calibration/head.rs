//! The logistic head over the detectors.

use super::CalibrationError;
use super::contrast::Contrast;
use crate::detect::{FEATURES, Features, STATISTICS, logistic};
use serde::{Deserialize, Serialize};

/// Length in tokens at which the length corrections are nil.
const REFERENCE_LENGTH: f64 = 160.0;

/// Standardised features are cut here: beyond, they are noise or foreign to the calibration, not stronger evidence.
const LIMIT: f64 = 5.0;

/// Number of the head's inputs: each feature, and each again times the logarithm of the length.
pub(super) const INPUTS: usize = 2 * FEATURES.len();

/// Logistic regression on length-adjusted, standardised features.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Head {
    /// Names of the features: [`FEATURES`], or without the last if there was no probe. Those that it was told to leave out
    /// are among them, with a weight of 0.
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

/// Features that are 0 for nearly all texts, at any length. What is usual for the others at a length would be all that a head
/// could learn of those texts: their length. So their mean counts as 0 at every length.
pub(super) const FROM_ZERO: [&str; 1] = ["decline"];

impl Head {
    /// Log-odds that a model wrote the text, human and generated texts being equally common.
    #[must_use]
    pub fn log_odds(&self, features: &Features) -> f64 {
        let inputs = self.inputs(features);
        let (plain, by_length) = inputs.split_at(FEATURES.len());
        let weigh = |weights: &[f64], inputs: &[f64]| -> f64 {
            weights.iter().zip(inputs).map(|(weight, input)| weight * input).sum()
        };
        self.bias + weigh(&self.weights, plain) + weigh(&self.length_weights, by_length)
    }

    /// The log-odds without what a single turn in a text says ([`FROM_ZERO`]): those of a window, which may lie across one.
    #[must_use]
    pub fn log_odds_of_rest(&self, features: &Features) -> f64 {
        let mut rest = features.clone();
        for (value, name) in rest.values.iter_mut().zip(FEATURES) {
            if FROM_ZERO.contains(&name) {
                *value = 0.0;
            }
        }
        self.log_odds(&rest)
    }

    /// Whether it reads a probe: without one it must not be used.
    #[must_use]
    pub fn wants_probe(&self) -> bool {
        self.features.len() > STATISTICS
    }

    /// The same as a probability, from 0 to 1.
    #[must_use]
    pub fn probability(&self, features: &Features) -> f64 {
        logistic(self.log_odds(features))
    }

    /// The features as distances from what is expected at this length, in standard deviations, within +-5; 0 for one that
    /// the head doesn't read.
    #[must_use]
    pub fn standardised(&self, features: &Features) -> [f64; FEATURES.len()] {
        let length = log_length(features.context, 32.0..1280.0);
        let mut standardised = [0.0; FEATURES.len()];
        let usual = self.mean.iter().zip(&self.slope).zip(&self.scale);
        for ((out, value), ((mean, slope), scale)) in standardised.iter_mut().zip(features.values).zip(usual)
        {
            *out = ((value - mean - slope * length) / scale).clamp(-LIMIT, LIMIT);
        }
        standardised
    }

    /// What the weights apply to: the standardised features, and the same times the logarithm of the length.
    pub(super) fn inputs(&self, features: &Features) -> [f64; INPUTS] {
        let standardised = self.standardised(features);
        let length = log_length(features.tokens as f64, 40.0..640.0);
        let mut inputs = [0.0; INPUTS];
        for (index, value) in standardised.into_iter().enumerate() {
            inputs[index] = value;
            inputs[index + FEATURES.len()] = value * length;
        }
        inputs
    }

    /// How unlike the parts of a text are, by the features of its windows in order.
    pub(super) fn contrast(&self, parts: &[Features]) -> Option<Contrast> {
        Contrast::of(&parts.iter().map(|part| self.log_odds_of_rest(part)).collect::<Vec<_>>())
    }

    pub(super) fn validate(&self) -> Result<(), CalibrationError> {
        if self.features != FEATURES && self.features != FEATURES[..STATISTICS] {
            return Err(CalibrationError::Features {
                found: self.features.clone(),
                expected: FEATURES.map(str::to_owned).to_vec(),
            });
        }
        let lists = [
            ("head.mean", &self.mean),
            ("head.slope", &self.slope),
            ("head.scale", &self.scale),
            ("head.weights", &self.weights),
            ("head.length_weights", &self.length_weights),
        ];
        for (field, list) in lists {
            if list.len() != self.features.len() {
                return Err(damaged(
                    field,
                    format!("has {} numbers instead of {}", list.len(), self.features.len()),
                ));
            }
            if !list.iter().all(|value| value.is_finite()) {
                return Err(damaged(field, String::from("holds something that is not a number")));
            }
        }
        if self.scale.iter().any(|&scale| scale <= 0.0) {
            return Err(damaged("head.scale", String::from("holds a number that is not positive")));
        }
        if !self.bias.is_finite() {
            return Err(damaged("head.bias", String::from("is not a number")));
        }
        Ok(())
    }
}

fn damaged(field: &str, problem: String) -> CalibrationError {
    CalibrationError::Field { field: field.to_owned(), problem }
}

/// Natural logarithm of a length over 160 tokens; lengths outside the range count as its ends.
pub(super) fn log_length(tokens: f64, range: std::ops::Range<f64>) -> f64 {
    (tokens.clamp(range.start, range.end) / REFERENCE_LENGTH).ln()
}
