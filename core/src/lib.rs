//! Evidence about who made a text: pure functions from text, tokens and numbers to verdicts.
//!
//! No I/O, no clock, no threads, no unsafe; the same code runs natively and in WASM.

#![forbid(unsafe_code)]

pub mod calibration;
mod codes;
pub mod declared;
pub mod detect;
pub mod hash;
pub mod hex;
pub mod judge;
pub mod scam;
pub mod signature;
pub mod text;
pub mod verdict;
pub mod watermark;
