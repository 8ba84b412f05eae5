//! Watermarks.

pub mod greens;
pub mod random;
pub mod tail;
