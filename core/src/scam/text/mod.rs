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
