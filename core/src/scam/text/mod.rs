//! What a message is read as: its characters folded to plain ones, its words, numbers and links, and what was done to
//! keep filters from reading it.

pub(super) mod disguise;
pub(super) mod fold;
pub(super) mod stem;
pub(super) mod tokens;

#[cfg(test)]
mod tests;

pub(super) use disguise::Watch;
pub(super) use tokens::{Kind, Token, Tokens};

/// What was done to a message so that filters don't read it as people do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Evasion {
    /// Characters that can't be seen stand inside words.
    Invisible,
    /// Letters of another script, or ornamental ones, stand for Latin letters.
    Homoglyph,
    /// A word is spelled around a filter: spaced out, with digits for letters, with a character that only sounds alike.
    Spelling,
}

/// FNV-1a of 64 bits: the same on every machine, for what is trained is kept by it.
/// <https://datatracker.ietf.org/doc/html/draft-eastlake-fnv>
pub(super) fn hash(bytes: &[u8]) -> u64 {
    bytes
        .iter()
        .fold(0xCBF2_9CE4_8422_2325, |sum, byte| (sum ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01B3))
}

/// Spreads the bits of a hash (the finaliser of SplitMix64), so that any of them can choose a place in a table.
pub(super) fn spread(mut sum: u64) -> u64 {
    sum = (sum ^ (sum >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    sum = (sum ^ (sum >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    sum ^ (sum >> 31)
}
