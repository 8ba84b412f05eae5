//! From detector scores to a probability that means something and to thresholds that keep their promise.
//!
//! A calibration belongs to one model file: it holds a logistic head over the detectors, and the sorted scores of human
//! and generated texts the head was not fitted on. A text's score is compared with those (split conformal prediction,
//! Vovk et al. 2005), so the rate of false accusations is bounded whatever the head's probability is worth.

mod conformal;
pub mod fit;
mod head;

pub use conformal::{BUCKET_EDGES, Point, Table};
pub use head::Head;

use crate::detect::Features;
use crate::verdict::CalibrationIdentity;
use serde::{Deserialize, Serialize};

/// Version of the file's layout that this code reads and writes.
pub const FORMAT: u32 = 1;

/// Share of human texts that may be called `likely_ai`, unless a calibration says otherwise.
pub const ALPHA_AI: f64 = 0.01;

/// Share of generated texts that may be called `likely_human`, unless a calibration says otherwise.
pub const ALPHA_HUMAN: f64 = 0.05;

/// Who wrote a text of known origin.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Label {
    /// A human being.
    Human,
    /// A language model.
    Ai,
}

/// Which model file a calibration is for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ModelRef {
    /// Name in the registry, or the file's name: for people.
    pub name: String,
    /// SHA-256 of the file in hexadecimal: what decides.
    pub sha256: String,
}

/// What the thresholds did on texts that took no part in setting them.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Measured {
    /// Number of human texts.
    pub humans: usize,
    /// Number of generated texts.
    pub ais: usize,
    /// Share of human texts called `likely_ai`.
    pub false_positive_rate: f64,
    /// Share of generated texts called `likely_ai`.
    pub true_positive_rate: f64,
    /// Share of generated texts called `likely_human`.
    pub missed_rate: f64,
    /// Share of all texts that stayed `unclear`.
    pub unclear_rate: f64,
    /// Share of all texts called `mixed`.
    pub mixed_rate: f64,
}

/// Quantiles of one feature, length-adjusted, for comparison in sentences such as "more even than 97 % of human texts".
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Reference {
    /// The feature.
    pub name: String,
    /// Standardised values of human texts at 201 equally spaced levels from 0 to 1, rising.
    pub human: Vec<f32>,
    /// The same for generated texts.
    pub ai: Vec<f32>,
}

/// Everything that turns a model's statistics into verdicts. Stored as JSON; call [`Calibration::validate`] after
/// reading one.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Calibration {
    /// Layout of the file: [`FORMAT`].
    pub format: u32,
    /// Name of this calibration, for reports.
    pub version: String,
    /// The model it was made with.
    pub model: ModelRef,
    /// ISO 639-1 codes of the languages it has seen.
    pub languages: Vec<String>,
    /// Names of the data sets it was made from.
    pub data: Vec<String>,
    /// See [`ALPHA_AI`].
    pub alpha_ai: f64,
    /// See [`ALPHA_HUMAN`].
    pub alpha_human: f64,
    /// The logistic head.
    pub head: Head,
    /// Log-odds of human texts, by group and length.
    pub human: Vec<Table>,
    /// Minus the log-odds of generated texts, by group and length.
    pub ai: Vec<Table>,
    /// The highest log-odds of any window of each human text, by length.
    pub human_parts: Vec<Table>,
    /// Minus the lowest log-odds of any window of each generated text, by length.
    pub ai_parts: Vec<Table>,
    /// What is usual for each feature.
    pub reference: Vec<Reference>,
    /// Error rates on held-out texts.
    pub measured: Measured,
}

/// What a calibration makes of a text's numbers, before length, language and form are considered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// More like a model's than all but the allowed share of human texts.
    LikelyAi,
    /// More like a human's than all but the allowed share of generated texts.
    LikelyHuman,
    /// Some part is too much like a model's for a human text, some part too little for a generated one.
    Mixed,
    /// None of these.
    Unclear,
}

/// A text's standing under a calibration.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Decision {
    /// What follows from the numbers.
    pub outcome: Outcome,
    /// Log-odds that a model wrote it, both being equally common beforehand.
    pub log_odds: f64,
    /// The same as a probability.
    pub probability: f64,
    /// Share of comparable human texts that look at least as much like a model's: the largest over all groups.
    pub p_human: f64,
    /// Share of comparable generated texts that look at least as much like a human's: the largest over all groups.
    pub p_ai: f64,
}

/// Why a calibration can't be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CalibrationError {
    /// Another version of the file's layout.
    #[error(
        "the calibration file has format {found}, this program reads format {FORMAT}: make it again with `bonafide calibrate`"
    )]
    Format {
        /// What the file says.
        found: u32,
    },
    /// The head reads other features than this program computes.
    #[error(
        "the calibration file was made for the features {found:?}, this program computes {expected:?}: make it again with `bonafide calibrate`"
    )]
    Features {
        /// What the file says.
        found: Vec<String>,
        /// What this program computes.
        expected: Vec<String>,
    },
    /// A field's value can't be right.
    #[error("the calibration file is damaged: {field} {problem}")]
    Field {
        /// Where in the file.
        field: String,
        /// What is wrong.
        problem: String,
    },
}

impl Calibration {
    /// Checks a calibration that came from outside.
    pub fn validate(&self) -> Result<(), CalibrationError> {
        if self.format != FORMAT {
            return Err(CalibrationError::Format { found: self.format });
        }
        Ok(())
    }

    /// Whether it was made with this very model file.
    #[must_use]
    pub fn fits(&self, model_sha256: &str) -> bool {
        self.model.sha256.eq_ignore_ascii_case(model_sha256)
    }

    /// For reports.
    #[must_use]
    pub fn identity(&self) -> CalibrationIdentity {
        CalibrationIdentity {
            version: self.version.clone(),
            target_false_positive_rate: self.alpha_ai,
            measured_false_positive_rate: self.measured.false_positive_rate,
        }
    }

    /// Where a text stands; `parts` are the features of its scanned windows ([`crate::detect::scan`]), which may be empty.
    #[must_use]
    pub fn decide(&self, features: &Features, parts: &[Features]) -> Decision {
        let _ = parts;
        let log_odds = self.head.log_odds(features);
        Decision {
            outcome: Outcome::Unclear,
            log_odds,
            probability: self.head.probability(features),
            p_human: 1.0,
            p_ai: 1.0,
        }
    }
}
