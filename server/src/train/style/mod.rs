//! Whether a text sounds like one author: the language model adapted to the author's texts, beside the model as it is.
//!
//! [`run`](mod@run) adapts the lowest layers by a language model's loss. What a text gets is the likelihood ratio of both models, the
//! mean over its tokens of log p(adapted) - log p(base), in nats (`ratio`). How remarkable that is, texts of other authors
//! tell, which nothing was fitted to: `others` ranks the text among them at one length. [`file`](mod@file) is what is kept,
//! and [`texts`] reads what an author wrote.
//!
//! The ratio tells subject from style as little as a reader of three pages does: an adapter learns what the author writes
//! about, too. And the others are people: of a model that was told to imitate the author, the p-value says nothing.

pub mod file;
mod others;
mod ratio;
pub mod run;
pub mod texts;

pub use others::{LEAST_OTHERS, Likeness};
pub use ratio::Reader;

use crate::model::lora::file::AdapterError;
use std::path::Path;

/// Most tokens of a text that are read.
pub const MOST_TOKENS: usize = 512;

/// Why an author's adapter can't be made or used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StyleError {
    /// The texts or the options can't be used.
    #[error("{0}")]
    Input(String),
    /// A name that no file can have everywhere.
    #[error(
        "an author's name has at most 64 letters, digits, `-`, `_`, `.` and single spaces, begins with a letter or a digit \
         and ends with neither a space nor a point: {0:?}"
    )]
    Name(String),
    /// Nobody of this name was learned.
    #[error("no adapter for the author {name:?} is here: {}", list(.known))]
    Unknown {
        /// The name.
        name: String,
        /// Those there are.
        known: Vec<String>,
    },
    /// It was made for another model.
    #[error(
        "the author {name:?} was learned with the model {model}: score with `--model {model}`, or learn the author anew with \
         this model by `bonafide train style`"
    )]
    OtherModel {
        /// The author.
        name: String,
        /// The model's name.
        model: String,
    },
    /// The file is damaged.
    #[error("the author's file {path} can't be used: {reason}; make it anew with `bonafide train style`")]
    Unusable {
        /// The file.
        path: String,
        /// What is wrong with it.
        reason: String,
    },
    /// Reading or writing failed.
    #[error("{path}: {source}")]
    Io {
        /// The file or folder.
        path: String,
        /// What the system said.
        source: std::io::Error,
    },
    /// The arithmetic failed.
    #[error("the model could not be computed: {0}")]
    Arithmetic(#[from] candle_core::Error),
    /// The adapter does not fit.
    #[error(transparent)]
    Adapter(#[from] AdapterError),
}

fn list(names: &[String]) -> String {
    if names.is_empty() {
        return "make one with `bonafide train style --author NAME --texts … --others …`".to_owned();
    }
    format!("there are {}; `bonafide train style` makes another", names.join(", "))
}

fn io(path: &Path, source: std::io::Error) -> StyleError {
    StyleError::Io { path: path.display().to_string(), source }
}
