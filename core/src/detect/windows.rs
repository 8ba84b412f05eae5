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

/// All windows of [`SCAN_LENGTH`] tokens, [`SCAN_STRIDE`] apart, and one that ends with the text.
///
/// Empty if the text does not hold two windows that don't overlap: it has no parts then.
#[must_use]
pub fn scan(stats: &[Stats]) -> Vec<Window> {
    if stats.len() < 2 * SCAN_LENGTH {
        return Vec::new();
    }
    let last = stats.len() - SCAN_LENGTH;
    (0..last)
        .step_by(SCAN_STRIDE)
        .chain([last])
        .filter_map(|start| window(stats, start..start + SCAN_LENGTH))
        .collect()
}

/// The window of about [`SCAN_LENGTH`] tokens around `part`, moved inward at the text's ends; `part` itself if it is
/// longer. `None` if there are fewer than [`MIN_TOKENS`] tokens or `part` doesn't lie in the text.
#[must_use]
pub fn around(stats: &[Stats], part: Range<usize>) -> Option<Window> {
    if part.start > part.end || part.end > stats.len() || stats.len() < MIN_TOKENS {
        return None;
    }
    if part.len() >= SCAN_LENGTH {
        return window(stats, part);
    }
    let length = SCAN_LENGTH.min(stats.len());
    let middle = part.start + part.len() / 2;
    let start = middle.saturating_sub(length / 2).min(stats.len() - length);
    window(stats, start..start + length)
}

fn window(stats: &[Stats], range: Range<usize>) -> Option<Window> {
    let features = Features::of_window(&stats[range.clone()], range.start)?;
    Some(Window { range, features })
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
        assert!(around(&stats(MIN_TOKENS - 1), 0..4).is_none());
    }

    #[test]
    fn a_window_stays_inside_the_text() {
        let stats = stats(300);
        assert_eq!(around(&stats, 0..10).unwrap().range, 0..96);
        assert_eq!(around(&stats, 290..300).unwrap().range, 204..300);
        assert_eq!(around(&stats, 140..160).unwrap().range, 102..198);
        assert_eq!(around(&stats, 50..250).unwrap().range, 50..250);
        assert_eq!(around(&stats, 290..301), None);
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
