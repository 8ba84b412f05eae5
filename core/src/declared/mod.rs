//! What a text, or the page around it, says itself about how it was made.

pub mod c2pa;
pub mod source;
