//! From detector scores to a probability that means something and to thresholds that keep their promise.
//!
//! A calibration belongs to one model file: it holds a logistic head over the detectors, and the sorted scores of human
//! and generated texts the head was not fitted on. A text's score is compared with those (split conformal prediction,
//! Vovk et al. 2005), so the rate of false accusations is bounded whatever the head's probability is worth.

mod conformal;
mod contrast;
pub mod fit;
mod head;

pub use conformal::{BUCKET_EDGES, Point, Table};
pub use head::Head;

use conformal::{bucket, p_value, pooled_p_value};

use crate::detect::segments::Segmenter;
use crate::detect::{FEATURES, Features, logistic};
use crate::verdict::CalibrationIdentity;
use serde::{Deserialize, Serialize};

/// Version of the file's layout that this code reads and writes.
pub const FORMAT: u32 = 1;

/// Share of human texts that may be called `likely_ai`, unless a calibration says otherwise.
pub const ALPHA_AI: f64 = 0.01;

/// Share of generated texts that may be called `likely_human`, unless a calibration says otherwise. With the generated texts of
/// one data set only, no text is called so.
pub const ALPHA_HUMAN: f64 = 0.05;

/// A feature that a single turn in a text can make ([`head::FROM_ZERO`]) lowers the p-value against human texts to at least the
/// p-value without it, divided by this.
const CONFIRMED: f64 = 10.0;

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
    /// Share of human texts called `likely_ai` or `mixed`: both accuse.
    pub false_positive_rate: f64,
    /// Share of generated texts called `likely_ai` or `mixed`.
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
    /// What tells the trained probe that it was made with, if there was one, from any other.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub probe: Option<String>,
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
    /// How unlike the parts of each human text are, by group and length.
    pub human_contrast: Vec<Table>,
    /// The same of generated texts.
    pub ai_contrast: Vec<Table>,
    /// What is usual for each feature.
    pub reference: Vec<Reference>,
    /// How windows become the probabilities of sentences; the default if it was never fitted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub segmenter: Option<Segmenter>,
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
    /// Its parts are more unlike each other than those of a text by one author, one like a model's and one like a human's.
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
    /// Share of comparable human texts that look at least as much like a model's: the largest over all groups, and no less
    /// than a tenth of what it is without a decline.
    pub p_human: f64,
    /// Share of comparable generated texts, of all groups together, that look at least as much like a human's.
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
    /// Checks a calibration that came from outside; without that, a damaged one gives senseless numbers, but no panic.
    pub fn validate(&self) -> Result<(), CalibrationError> {
        if self.format != FORMAT {
            return Err(CalibrationError::Format { found: self.format });
        }
        self.head.validate()?;
        self.validate_fields()?;
        for (field, tables) in self.tables() {
            for table in tables {
                table.validate(field)?;
            }
        }
        self.reference.iter().try_for_each(Reference::validate)
    }

    fn validate_fields(&self) -> Result<(), CalibrationError> {
        let check = |good: bool, field: &str, problem: &str| {
            let error = || CalibrationError::Field { field: field.to_owned(), problem: problem.to_owned() };
            if good { Ok(()) } else { Err(error()) }
        };
        if let Some(segmenter) = self.segmenter {
            segmenter.validate().map_err(|error| CalibrationError::Field {
                field: format!("segmenter.{}", error.field),
                problem: error.problem.to_owned(),
            })?;
        }
        let is_rate = |rate: f64| (0.0..=1.0).contains(&rate);
        let is_alpha = |alpha: f64| alpha > 0.0 && alpha < 0.5;
        let sha256 = &self.model.sha256;
        check(!self.version.is_empty(), "version", "is empty")?;
        check(
            sha256.len() == 64 && sha256.bytes().all(|byte| byte.is_ascii_hexdigit()),
            "model.sha256",
            "is not 64 hexadecimal digits",
        )?;
        check(
            self.probe.is_some() == self.head.wants_probe(),
            "probe",
            "is named by a calibration that reads none, or the other way round",
        )?;
        check(!self.languages.is_empty(), "languages", "is empty")?;
        check(is_alpha(self.alpha_ai), "alpha_ai", "is not between 0 and 0.5")?;
        check(is_alpha(self.alpha_human), "alpha_human", "is not between 0 and 0.5")?;
        check(!self.human.is_empty(), "human", "has no table, so no text could be compared")?;
        check(!self.ai.is_empty(), "ai", "has no table, so no text could be compared")?;
        let measured = &self.measured;
        for (field, rate) in [
            ("measured.false_positive_rate", measured.false_positive_rate),
            ("measured.true_positive_rate", measured.true_positive_rate),
            ("measured.missed_rate", measured.missed_rate),
            ("measured.unclear_rate", measured.unclear_rate),
            ("measured.mixed_rate", measured.mixed_rate),
        ] {
            check(is_rate(rate), field, "is not between 0 and 1")?;
        }
        Ok(())
    }

    fn tables(&self) -> [(&'static str, &[Table]); 4] {
        [
            ("human", &self.human),
            ("ai", &self.ai),
            ("human_contrast", &self.human_contrast),
            ("ai_contrast", &self.ai_contrast),
        ]
    }

    /// Whether it was made with this very model file.
    #[must_use]
    pub fn fits(&self, model_sha256: &str) -> bool {
        self.model.sha256.eq_ignore_ascii_case(model_sha256)
    }

    /// Whether it has seen a language (ISO 639-1).
    #[must_use]
    pub fn knows(&self, language: &str) -> bool {
        self.languages.iter().any(|known| known == language)
    }

    /// For reports.
    #[must_use]
    pub fn identity(&self) -> CalibrationIdentity {
        CalibrationIdentity {
            version: self.version.clone(),
            languages: self.languages.clone(),
            target_false_positive_rate: self.alpha_ai,
            measured_false_positive_rate: self.measured.false_positive_rate,
        }
    }

    /// How its windows become the probabilities of sentences.
    #[must_use]
    pub fn segmenter(&self) -> Segmenter {
        self.segmenter.unwrap_or_default()
    }

    /// Where a text stands; `parts` are the features of its scanned windows ([`crate::detect::scan`]), which may be empty.
    #[must_use]
    pub fn decide(&self, features: &Features, parts: &[Features]) -> Decision {
        let log_odds = self.head.log_odds(features);
        let probability = logistic(log_odds);
        let bucket = bucket(features.tokens);
        // A text that changes its language, or ends in a list, grows hard to predict too: what a single turn in it adds may
        // confirm what the rest says, but must not accuse by itself.
        let rest = p_value(&self.human, bucket, self.head.log_odds_of_rest(features));
        let p_human = p_value(&self.human, bucket, log_odds).max(rest / CONFIRMED);
        let p_ai = pooled_p_value(&self.ai, bucket, -log_odds);
        let outcome = match (p_human <= self.alpha_ai, p_ai <= self.alpha_human) {
            _ if self.is_mixed(bucket, parts) => Outcome::Mixed,
            (true, false) if probability > 0.5 => Outcome::LikelyAi,
            (false, true) if probability < 0.5 => Outcome::LikelyHuman,
            // Neither is refuted, or both are: then the text is foreign to the calibration.
            _ => Outcome::Unclear,
        };
        Decision { outcome, log_odds, probability, p_human, p_ai }
    }

    /// Whether the parts of a text are more unlike each other than those of texts by one author, human or model, and lie on
    /// both sides.
    ///
    /// Against human texts the level is half of what a verdict on the whole text may spend, for each group of them.
    fn is_mixed(&self, bucket: usize, parts: &[Features]) -> bool {
        let Some(contrast) = self.head.contrast(parts) else { return false };
        contrast.is_divided()
            && p_value(&self.human_contrast, bucket, contrast.value) <= self.alpha_ai / 2.0
            && pooled_p_value(&self.ai_contrast, bucket, contrast.value) <= self.alpha_human
    }

    /// Where a text stands among those of known origin in one feature; `None` for an unknown feature.
    #[must_use]
    pub fn compare(&self, name: &str, features: &Features) -> Option<Comparison> {
        let index = FEATURES.iter().position(|&feature| feature == name)?;
        let reference = self.reference.iter().find(|reference| reference.name == name)?;
        let value = self.head.standardised(features)[index] as f32;
        let human_below = share_below(&reference.human, value);
        let ai_below = share_below(&reference.ai, value);
        let beyond_ai = reference.ai.last().is_some_and(|&last| value > last);
        Some(Comparison { human_at_least: 1.0 - human_below, ai_at_most: ai_below, beyond_ai })
    }
}

/// Where a text stands in one feature.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Comparison {
    /// Share of human texts that are at least as much like a model's in this.
    pub human_at_least: f64,
    /// Share of generated texts that are at most as much like a model's in this.
    pub ai_at_most: f64,
    /// Whether it lies beyond all generated texts.
    pub beyond_ai: bool,
}

impl Reference {
    fn validate(&self) -> Result<(), CalibrationError> {
        let error = |problem: &str| CalibrationError::Field {
            field: format!("reference (feature '{}')", self.name),
            problem: problem.to_owned(),
        };
        if !FEATURES.contains(&self.name.as_str()) {
            return Err(error("is no feature of this program"));
        }
        for levels in [&self.human, &self.ai] {
            if levels.len() != LEVELS {
                return Err(error("does not have 201 levels"));
            }
            let rises = levels.windows(2).all(|pair| pair[0] <= pair[1]);
            if !rises || !levels.iter().all(|level| level.is_finite()) {
                return Err(error("has levels that do not rise"));
            }
        }
        Ok(())
    }
}

/// Number of quantiles in a [`Reference`].
const LEVELS: usize = 201;

/// Share of the texts behind equally spaced quantiles that lie below a value.
fn share_below(levels: &[f32], value: f32) -> f64 {
    if levels.len() < 2 {
        return 0.5;
    }
    let below = levels.partition_point(|&level| level < value);
    let steps = (levels.len() - 1) as f64;
    match (below.checked_sub(1).and_then(|index| levels.get(index)), levels.get(below)) {
        (None, _) => 0.0,
        (_, None) => 1.0,
        (Some(&low), Some(&high)) => ((below - 1) as f64 + f64::from((value - low) / (high - low))) / steps,
    }
}

#[cfg(test)]
pub(crate) mod tests;
