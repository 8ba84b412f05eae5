//! Slices in, numbers out: the arithmetic of scoring text with a language model.
//!
//! The only crate with `unsafe`. Every fast path stands beside a scalar reference and a test that holds the
//! two together.

pub mod backend;
pub mod cpu;
#[cfg(feature = "cuda")]
pub mod cuda;
pub mod taps;
#[cfg(test)]
mod testing;
pub mod weights;
