//! bonafide: the daemon and the command line, as a library.

#![forbid(unsafe_code)]

pub mod access;
pub mod cache;
pub mod chats;
pub mod cli;
pub mod config;
pub mod directory;
pub mod document;
pub mod engine;
pub mod eval;
pub mod generate;
pub mod http;
pub mod keystore;
pub mod model;
pub mod paths;
mod private;
pub mod queue;
pub mod random;
pub mod scam;
pub mod signatures;
pub mod train;
pub mod trust;
pub mod watermark;
pub mod windows;
