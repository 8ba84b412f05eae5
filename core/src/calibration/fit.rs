//! Making a calibration from texts of known origin.

use super::{Calibration, Label, ModelRef};
use crate::detect::{Features, Stats, scan};

/// One text of known origin.
#[derive(Debug, Clone, PartialEq)]
pub struct Sample {
    /// Features of the whole text.
    pub features: Features,
    /// Features of its scanned windows; empty for a short text.
    pub parts: Vec<Features>,
    /// Who wrote it.
    pub label: Label,
    /// The data set it is from. Each pair of group and label weighs the same in the fit, however many texts it has, and
    /// no group's human texts may be accused more often than the target.
    pub group: String,
}

impl Sample {
    /// `None` if the text is too short to have features ([`crate::detect::MIN_TOKENS`]).
    #[must_use]
    pub fn new(stats: &[Stats], label: Label, group: impl Into<String>) -> Option<Self> {
        let features = Features::extract(stats)?;
        let parts = scan(stats).into_iter().map(|window| window.features).collect();
        Some(Self { features, parts, label, group: group.into() })
    }
}

/// What a calibration is made from. The three lists must not share a source document: split them by pair.
#[derive(Debug, Clone)]
pub struct Recipe<'a> {
    /// Name of the calibration.
    pub version: String,
    /// The model that scored the texts.
    pub model: ModelRef,
    /// ISO 639-1 codes of the texts' languages.
    pub languages: Vec<String>,
    /// Names of the data sets.
    pub data: Vec<String>,
    /// Texts that the head is fitted on.
    pub fit: &'a [Sample],
    /// Texts that fill the conformal tables.
    pub conformal: &'a [Sample],
    /// Texts that the error rates are measured on.
    pub held_out: &'a [Sample],
    /// Strength of the L2 penalty on standardised weights, relative to the mean loss; 1e-3 is a good start.
    pub penalty: f64,
}

/// Why no calibration could be made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FitError {
    /// A list lacks texts of one label.
    #[error("no {label} text among the {list} texts: a calibration needs both human and generated ones")]
    OneSided {
        /// Which list.
        list: &'static str,
        /// Which label.
        label: &'static str,
    },
    /// The equations have no solution.
    #[error("the fit did not converge: {0}")]
    Diverged(String),
}

/// Fits the head, fills the tables and measures the error rates.
pub fn calibrate(recipe: &Recipe<'_>) -> Result<Calibration, FitError> {
    let _ = recipe;
    Err(FitError::Diverged(String::from("not built yet")))
}
