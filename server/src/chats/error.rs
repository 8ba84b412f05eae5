//! Why a chat can't be read.

use super::{MAX_BYTES, MAX_PARTS, MAX_TURNS};
use crate::document::DocumentError;
use std::fmt::Write;

/// Why a chat can't be read. Every message says what to do.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ChatError {
    /// No messages.
    #[error("there are no messages in it: give a chat export")]
    Empty,
    /// None of the forms that are read.
    #[error(
        "this is no chat that can be read: give WhatsApp's exported chat (.txt or .zip), Telegram Desktop's result.json or \
         messages.html, JSON with a \"turns\" list, or lines that begin with `them:` and `me:`"
    )]
    Unknown,
    /// JSON of another shape.
    #[error(
        "this JSON is no chat that can be read: give Telegram Desktop's result.json, {{\"turns\": [{{\"side\": \"them\", \
         \"text\": \"…\"}}, …]}}, or one such turn a line"
    )]
    UnknownJson,
    /// JSON that is none.
    #[error("the JSON is broken at line {line}, column {column}: export the chat again")]
    BrokenJson {
        /// From 1.
        line: usize,
        /// From 1.
        column: usize,
    },
    /// A turn that is none.
    #[error(
        "line {line} is no turn: write {{\"side\": \"them\", \"text\": \"…\"}} with \"me\" or \"them\", and an \"at\" in RFC 3339 \
         or in milliseconds if you like"
    )]
    Turn {
        /// From 1.
        line: usize,
    },
    /// A data set.
    #[error("these are {count} conversations: give one of them")]
    SeveralConversations {
        /// How many.
        count: usize,
    },
    /// More bytes than are read.
    #[error("the chat is larger than {} MB: export it without media, or give a part of it", MAX_BYTES / 1_000_000)]
    TooLarge,
    /// More messages than are read.
    #[error(
        "the chat has more than {MAX_TURNS} messages: give the part that matters, for example the last months"
    )]
    TooManyTurns,
    /// More pages than are read.
    #[error("the export has more than {MAX_PARTS} pages: export a shorter time")]
    TooManyParts,
    /// A zip file that can't be unpacked.
    #[error("the ZIP file can't be unpacked: export the chat again, or give the file with its messages")]
    Zip,
    /// A zip file without a chat.
    #[error(
        "there is no chat in this ZIP file: give WhatsApp's exported chat, or Telegram Desktop's result.json or messages.html"
    )]
    NoChatInZip,
    /// The database of a messenger.
    #[error(
        "this is a database, not a chat export: in WhatsApp choose \"Export chat\" in the chat's menu; in Telegram Desktop \
         \"Export chat history\""
    )]
    Database,
    /// No order of day, month and year fits all lines.
    #[error("the dates don't fit together (line {line}): give WhatsApp's export as it came")]
    Dates {
        /// The first that does not fit, from 1.
        line: usize,
    },
    /// Nothing says who the user is.
    #[error("who of them are you? Say --me \"NAME\": {}", listed(names))]
    WhoIsMe {
        /// Who wrote how many messages.
        names: Vec<(String, usize)>,
    },
    /// The name is nobody's.
    #[error(
        "nobody in this chat, or not one alone, is called \"{me}\": say --me with one of {}",
        listed(names)
    )]
    NoSuchName {
        /// What was said.
        me: String,
        /// Who wrote how many messages.
        names: Vec<(String, usize)>,
    },
    /// A name where none is needed.
    #[error("this chat says itself which messages are yours: leave --me out")]
    SaysItself,
    /// Several chats, and none or none of them chosen.
    #[error("this export has several chats: say --chat with one of {}", quoted(names))]
    WhichChat {
        /// What they are called.
        names: Vec<String>,
    },
    /// One chat, and another is asked for.
    #[error("this export has one chat only: leave --chat out")]
    OneChat,
    /// What is no text, or not in UTF-8.
    #[error(transparent)]
    Document(#[from] DocumentError),
}

/// The most names that an error lists.
const MOST: usize = 20;

fn quoted(names: &[String]) -> String {
    list(names.iter().map(|name| format!("\"{name}\"")), names.len())
}

fn listed(names: &[(String, usize)]) -> String {
    list(names.iter().map(|(name, count)| format!("\"{name}\" ({count})")), names.len())
}

fn list(items: impl Iterator<Item = String>, count: usize) -> String {
    let mut line = items.take(MOST).collect::<Vec<_>>().join(", ");
    if count > MOST {
        let _ = write!(line, ", … ({} more)", count - MOST);
    }
    line
}
