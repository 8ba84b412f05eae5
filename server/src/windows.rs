//! Cuts long token sequences into overlapping windows and joins their statistics.
//!
//! A window's first tokens are context for the rest: they were counted by the window before. So every token
//! is counted once, with at least `overlap` tokens of context if the text has them.

use std::ops::Range;

/// Tokens in a window, at most.
pub const WINDOW: usize = 1024;
/// Tokens that a window repeats from the one before, as context.
pub const OVERLAP: usize = 256;

/// A stretch of a token sequence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stretch {
    /// Its tokens, context included.
    pub tokens: Range<usize>,
    /// First token that this stretch counts.
    pub counts_from: usize,
}

/// Cuts `len` tokens. `window` must exceed `overlap`; else the overlap shrinks.
#[must_use]
pub fn cut(len: usize, window: usize, overlap: usize) -> Vec<Stretch> {
    let window = window.max(2);
    let overlap = overlap.min(window - 1).max(1);
    if len == 0 {
        return Vec::new();
    }
    let mut stretches = vec![Stretch { tokens: 0..len.min(window), counts_from: 0 }];
    let mut end = len.min(window);
    while end < len {
        let start = end - overlap;
        let counts_from = end;
        end = len.min(start + window);
        stretches.push(Stretch { tokens: start..end, counts_from });
    }
    stretches
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn every_token_is_counted_once_with_its_context(len in 0_usize..5000, window in 2_usize..600, overlap in 0_usize..700) {
            let stretches = cut(len, window, overlap);
            let counted: Vec<usize> = stretches.iter().flat_map(|s| s.counts_from..s.tokens.end).collect();
            prop_assert_eq!(counted, (0..len).collect::<Vec<_>>());
            for stretch in &stretches {
                prop_assert!(stretch.tokens.len() <= window);
                let context = stretch.counts_from - stretch.tokens.start;
                let expected = overlap.min(window - 1).max(1);
                prop_assert!(stretch.counts_from == 0 || context == expected);
            }
        }
    }
}
