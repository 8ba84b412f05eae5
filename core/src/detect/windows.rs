//! Scores of parts of a text, so that a mixed one shows where.

use super::{Features, MIN_TOKENS, Stats};
use std::ops::Range;

/// Tokens in one scanned window: the shortest stretch that the head can say something about.
pub const SCAN_LENGTH: usize = 96;

/// Tokens between the starts of neighbouring scanned windows.
pub const SCAN_STRIDE: usize = 32;

/// A stretch of tokens with its features.
#[derive(Debug, Clone, PartialEq)]
pub struct Window {
    /// Indices into the scored tokens.
    pub range: Range<usize>,
    /// Its features.
    pub features: Features,
}

/// The stretches in which a text of so many scored tokens is read: [`SCAN_LENGTH`] tokens, [`SCAN_STRIDE`] apart from its
/// start, and one that ends with it. A shorter text is one stretch; none below [`MIN_TOKENS`].
#[must_use]
pub fn stretches(tokens: usize) -> Vec<Range<usize>> {
    if tokens < MIN_TOKENS {
        return Vec::new();
    }
    let length = SCAN_LENGTH.min(tokens);
    let last = tokens - length;
    (0..last).step_by(SCAN_STRIDE).chain([last]).map(|start| start..start + length).collect()
}

/// The windows of all [`stretches`].
#[must_use]
pub fn cover(stats: &[Stats]) -> Vec<Window> {
    let window = |range: Range<usize>| {
        let features = Features::of_window(stats.get(range.clone())?, range.start)?;
        Some(Window { range, features })
    };
    stretches(stats.len()).into_iter().filter_map(window).collect()
}

/// The same; empty if the text does not hold two windows that don't overlap: it has no parts then.
#[must_use]
pub fn scan(stats: &[Stats]) -> Vec<Window> {
    if stats.len() < 2 * SCAN_LENGTH { Vec::new() } else { cover(stats) }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use proptest::prelude::*;

    fn stats(count: usize) -> Vec<Stats> {
        vec![
            Stats { logprob: -2.0, rank: 3, entropy: 2.5, mean_logprob: -2.5, variance: 4.0, probe: None };
            count
        ]
    }

    #[test]
    fn a_short_text_has_no_parts() {
        assert!(scan(&stats(2 * SCAN_LENGTH - 1)).is_empty());
        assert!(cover(&stats(MIN_TOKENS - 1)).is_empty());
        assert_eq!(cover(&stats(SCAN_LENGTH + 4)).len(), 2);
    }

    proptest! {
        #[test]
        fn the_scan_covers_every_token(count in 192_usize..900) {
            let windows = scan(&stats(count));
            prop_assert_eq!(windows.first().unwrap().range.start, 0);
            prop_assert_eq!(windows.last().unwrap().range.end, count);
            for pair in windows.windows(2) {
                prop_assert!(pair[1].range.start > pair[0].range.start);
                prop_assert!(pair[1].range.start <= pair[0].range.end);
            }
        }
    }
}
