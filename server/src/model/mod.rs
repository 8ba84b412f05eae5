//! Language models: which there are, where they are kept, and how they are loaded and run.

mod config;
mod decoder;
pub mod gguf;
pub mod probe;
pub mod progress;
pub mod registry;
mod sources;
pub mod store;
pub mod tokenizer;

pub mod adapter;
pub mod compute;
pub(crate) use decoder::load;
