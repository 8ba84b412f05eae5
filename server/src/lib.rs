//! bonafide: the daemon and the command line, as a library.

#![forbid(unsafe_code)]

pub mod cli;
pub mod document;
pub mod engine;
pub mod eval;
pub mod model;
pub mod paths;
pub mod windows;
