//! Documents with the statements in them, for verifying and for signing.

use super::read::Format;
use super::{DocumentError, html};
use bonafide_core::signature::page::Page;

/// The pages of a document: one, and for plain text one more for each quoted part that holds a statement.
///
/// # Errors
/// [`DocumentError::TooDeep`] and [`DocumentError::TooComplex`].
pub fn pages(text: &str, format: Format) -> Result<Vec<Page>, DocumentError> {
    match format {
        Format::Text => Ok(Page::of_text(text.strip_prefix('\u{feff}').unwrap_or(text))),
        Format::Html => Ok(vec![html::signed_page(text)?]),
        Format::Markdown => Ok(vec![html::signed_page_of_markdown(text)?]),
    }
}

/// Whether a side file beside a document of this kind speaks of all of it.
#[must_use]
pub fn is_all_text(format: Format) -> bool {
    format != Format::Html
}
