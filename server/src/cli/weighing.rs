//! What the head of a calibration weighs, and how hard it is held down.

use super::numbers::non_negative;
use crate::eval::calibrate::{self, Text};
use bonafide_core::calibration::fit::{FitError, Weighed};
use bonafide_core::detect::FEATURES;
use clap::builder::PossibleValuesParser;

/// Options of the head.
#[derive(Debug, clap::Args)]
pub struct Weighing {
    /// The features that the head weighs. Few that mean the same everywhere hold on texts from elsewhere; the probe counts
    /// only where there is one.
    #[arg(long, value_delimiter = ',', value_name = "NAME", default_values_t = Weighed::DEFAULT.map(str::to_owned),
        value_parser = PossibleValuesParser::new(FEATURES))]
    features: Vec<String>,
    /// Strength of the L2 penalty on the head's weights; else the one that serves texts of a data set best that the
    /// head was not fitted on.
    #[arg(long, value_parser = non_negative)]
    penalty: Option<f64>,
}

impl Weighing {
    /// The features.
    pub(super) fn features(&self) -> Weighed {
        Weighed::named(self.features.iter().map(String::as_str)).unwrap_or_default()
    }

    /// The penalty, chosen by the texts unless the user did.
    pub(super) fn penalty(&self, texts: &[Text]) -> Result<f64, FitError> {
        self.penalty.map_or_else(|| calibrate::choose_penalty(texts, self.features()), Ok)
    }
}
