//! Language models: which there are, where they are kept, and how they are loaded and run.

mod config;
mod decoder;
pub mod gguf;
pub mod lora;
pub mod opinion;
pub mod probe;
pub mod progress;
pub mod registry;
mod sources;
pub mod store;
pub(crate) mod tensors;
pub mod tokenizer;
pub mod trained;

pub mod adapter;
pub mod compute;
pub(crate) use decoder::load;
