//! Where a text's sentences begin and end.

use crate::verdict::Span;

/// The sentences of a text, in code points, in order and without overlap; white space at their ends is left out.
#[must_use]
pub fn spans(text: &str) -> Vec<Span> {
    let _ = text;
    Vec::new()
}
