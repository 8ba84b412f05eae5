//! What a text, or the page around it, says itself about how it was made.

pub mod aigc;
pub mod c2pa;
pub mod leftover;
pub mod source;

#[cfg(test)]
mod leftover_tests;
