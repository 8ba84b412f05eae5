//! The table of paragraphs (SPEC.md, 2.1): what lets a quoted paragraph be found wherever it stands.

use super::statement::{MAX_PARAGRAPHS, is_hex, sha256};
use crate::hex::hex;
use serde::{Deserialize, Serialize};
use std::ops::Range;

/// Bytes under an anchor.
pub(super) const WINDOW: usize = 32;
const MULTIPLIER: u64 = 0x9E37_79B9_7F4A_7C15;

/// One paragraph of the author's.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct Paragraph {
    /// Its first byte in the canonical form.
    pub start: u64,
    /// Its bytes.
    pub length: u64,
    /// SHA-256 of them, in hexadecimal.
    pub sha256: String,
    /// Rolling hash of the 32 bytes from `start` on, in hexadecimal; absent if the text ends before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub anchor: Option<String>,
}

impl Paragraph {
    /// One past its last byte.
    pub(super) fn end(&self) -> u64 {
        self.start.saturating_add(self.length)
    }

    /// The anchor as a number.
    pub(super) fn anchor_value(&self) -> Option<u64> {
        u64::from_str_radix(self.anchor.as_deref()?, 16).ok()
    }
}

/// The table for a canonical text that is cut so.
pub(super) fn table(text: &str, pieces: &[Range<usize>]) -> Vec<Paragraph> {
    pieces
        .iter()
        .map(|piece| Paragraph {
            start: piece.start as u64,
            length: piece.len() as u64,
            sha256: sha256(text.as_bytes().get(piece.clone()).unwrap_or_default()),
            anchor: text
                .as_bytes()
                .get(piece.start..piece.start.saturating_add(WINDOW))
                .map(|window| hex(&rolling(window).to_be_bytes())),
        })
        .collect()
}

/// The table with one entry.
pub(super) fn whole(text: &str) -> Vec<Paragraph> {
    table(text, std::slice::from_ref(&(0..text.len())))
}

/// Whether a table keeps the rules: from the first byte to the last, with nothing or one space between.
pub(super) fn is_table(paragraphs: &[Paragraph], length: u64) -> bool {
    let mut at = 0;
    for (index, paragraph) in paragraphs.iter().enumerate() {
        let gap = paragraph.start.checked_sub(at);
        let follows = if index == 0 { gap == Some(0) } else { matches!(gap, Some(0 | 1)) };
        let reaches = paragraph.start.saturating_add(WINDOW as u64) <= length;
        let anchored = match &paragraph.anchor {
            Some(anchor) => reaches && is_hex(anchor, 16),
            None => !reaches,
        };
        let sound = paragraph.length > 0 && paragraph.end() <= length && is_hex(&paragraph.sha256, 64);
        if !(follows && anchored && sound) {
            return false;
        }
        at = paragraph.end();
    }
    (1..=MAX_PARAGRAPHS).contains(&paragraphs.len()) && at == length
}

/// The hash of a window.
pub(super) fn rolling(window: &[u8]) -> u64 {
    window.iter().fold(0, |hash, &byte| hash.wrapping_mul(MULTIPLIER).wrapping_add(u64::from(byte)))
}

/// The hash of every window of a text, by the place of its first byte.
pub(super) fn windows(text: &[u8]) -> impl Iterator<Item = u64> {
    const TOP: u64 = power(MULTIPLIER, WINDOW as u32 - 1);
    let mut hash = text.get(..WINDOW).map_or(0, rolling);
    text.windows(WINDOW).enumerate().map(move |(at, window)| {
        let here = hash;
        if let Some(&next) = text.get(at + WINDOW) {
            let without = hash.wrapping_sub(u64::from(window[0]).wrapping_mul(TOP));
            hash = without.wrapping_mul(MULTIPLIER).wrapping_add(u64::from(next));
        }
        here
    })
}

const fn power(base: u64, exponent: u32) -> u64 {
    let mut made: u64 = 1;
    let mut left = exponent;
    while left > 0 {
        made = made.wrapping_mul(base);
        left -= 1;
    }
    made
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_table_is_held_to_its_rules() {
        let text = "A first paragraph that is long enough. And a second.";
        let good = table(text, &[0..38, 39..52]);
        assert!(is_table(&good, 52) && is_table(&whole(text), 52));
        assert!(good[0].anchor.is_some() && good[1].anchor.is_none());
        type Change = fn(&mut Vec<Paragraph>);
        let wrong: [Change; 9] = [
            |table| table.clear(),
            |table| table[0].start = 1,
            |table| table[1].start = 41,
            |table| table[1].length = 12,
            |table| table[0].length = u64::MAX,
            |table| table[0].anchor = None,
            |table| table[1].anchor = Some("0".repeat(16)),
            |table| table[0].sha256.make_ascii_uppercase(),
            |table| table[1].length = 0,
        ];
        for (index, change) in wrong.into_iter().enumerate() {
            let mut table = good.clone();
            change(&mut table);
            assert!(!is_table(&table, 52), "{index}");
        }
    }

    proptest! {
        #[test]
        fn rolling_is_the_same_as_afresh(text in proptest::collection::vec(any::<u8>(), 0..200)) {
            let rolled: Vec<u64> = windows(&text).collect();
            let afresh: Vec<u64> = text.windows(WINDOW).map(rolling).collect();
            prop_assert_eq!(rolled, afresh);
        }
    }
}
