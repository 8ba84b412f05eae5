//! The random number generators that watermarks are keyed with, bit for bit as the reference libraries draw from them.
//!
//! A watermark seeds a generator from a key and a few tokens, and draws from it to favour some tokens. Whoever looks for
//! the mark must draw the same numbers, so these are not ours to choose.

pub mod bank;
pub mod mersenne;
pub mod numpy;

pub use bank::Bank;
pub use mersenne::Mersenne;
