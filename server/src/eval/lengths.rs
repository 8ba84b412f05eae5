//! Lengths in words from which numbers are given apart: short texts say little, and a rate that counts them measures
//! the data's lengths as well.

use super::report::Outcome;

/// The share without an answer is also given of texts with more words than this.
pub const DECIDED_OVER: usize = 100;

/// The ordering is also given of texts with more words than this.
pub const ORDERED_OVER: usize = 150;

/// The texts with more words than `words`; all of them if that is `None`.
pub(super) fn over<'a>(texts: &[&'a Outcome], words: Option<usize>) -> Vec<&'a Outcome> {
    texts.iter().copied().filter(|text| words.is_none_or(|words| text.words > words)).collect()
}
