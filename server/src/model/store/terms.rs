//! Consent to a model's own terms of use, remembered so that it is asked for once.

use super::digest::write_whole;
use super::{ModelError, failed};
use crate::model::registry::Entry;
use crate::paths::Paths;
use std::path::PathBuf;

/// Whether the terms as they now stand were accepted. Always so for a model without terms of its own.
#[must_use]
pub fn accepted(paths: &Paths, entry: &Entry) -> bool {
    let Some(terms) = &entry.terms else { return true };
    std::fs::read(record(paths, entry)).is_ok_and(|text| text == terms.note.as_bytes())
}

/// Records that the user accepted the terms. The record is the text that was shown, so that a new text is
/// shown again.
pub fn accept(paths: &Paths, entry: &Entry) -> Result<(), ModelError> {
    let Some(terms) = &entry.terms else { return Ok(()) };
    let path = record(paths, entry);
    write_whole(&path, terms.note.as_bytes()).map_err(failed("writing", &path))
}

fn record(paths: &Paths, entry: &Entry) -> PathBuf {
    paths.config.join("accepted-terms").join(&entry.name)
}
