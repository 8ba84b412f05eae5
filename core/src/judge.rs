//! From numbers to a report on one block.

use crate::calibration::Calibration;
use crate::detect::Stats;
use crate::text::scoring::ScoringText;
use crate::verdict::BlockReport;
use std::ops::Range;

/// Fewest words that a verdict is given on.
pub const MIN_WORDS: usize = 40;

/// One token of the scoring text.
#[derive(Debug, Clone, PartialEq)]
pub struct Token {
    /// Where it stands in the scoring text, in bytes.
    pub bytes: Range<usize>,
    /// What the model says of it; `None` for a token without context.
    pub stats: Option<Stats>,
}

/// A block that the model has read.
#[derive(Debug, Clone, Copy)]
pub struct ScoredBlock<'a> {
    /// The caller's name for it.
    pub id: &'a str,
    /// The text as it came.
    pub text: &'a str,
    /// Its scoring form: what was tokenised.
    pub scoring: &'a ScoringText,
    /// The tokens of the scoring form, in order.
    pub tokens: &'a [Token],
}

/// Judges a block. `calibration` is the one that fits the model, if there is one; `with_tokens` puts the per-token
/// values into the report.
#[must_use]
pub fn judge(block: &ScoredBlock<'_>, calibration: Option<&Calibration>, with_tokens: bool) -> BlockReport {
    let _ = (block, calibration, with_tokens);
    unimplemented!()
}
