//! Text before any number: what the model is shown, and how a text falls into sentences and words.

pub mod hidden;
pub mod language;
pub mod prose;
pub mod scoring;
pub mod sentences;
pub mod words;

#[cfg(test)]
mod tests;
