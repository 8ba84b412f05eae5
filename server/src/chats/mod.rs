//! Chat exports become turns: who said what, and when.
//!
//! What is read: WhatsApp's exported text, bare or in its zip file; the `result.json` and the `messages.html` of Telegram
//! Desktop; turns as JSON, one a line or in one object; and lines that begin with `me:` or `them:`. Which of them it is, the
//! content says. An export says who spoke, not whose phone it is from: `sides` finds that out, or asks.

mod archive;
mod at;
mod error;
mod json;
mod plain;
mod sides;
mod telegram;
mod whatsapp;

pub use at::{At, shown};
pub use error::ChatError;

use crate::document::read::decode;
use bonafide_core::scam::{Conversation, Report, Setting, Side, Turn};
use std::io::Read;

/// The most bytes that are read from a file or from what a zip file holds.
pub const MAX_BYTES: usize = 100_000_000;
/// The most messages of a chat.
pub const MAX_TURNS: usize = 200_000;
/// The most parts of an export that are read together: Telegram begins a new page every thousand messages.
pub const MAX_PARTS: usize = 1000;

/// Stands for a picture that an export announces and does not hold.
pub const IMAGE: &str = "[image]";

/// A chat as it was exported.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chat {
    /// Its messages, in the order of the export.
    pub turns: Vec<ChatTurn>,
    /// Who wrote how many of them; the one with the most first.
    pub names: Vec<(String, usize)>,
    /// What it was exported as.
    pub format: Format,
}

/// A message of a chat.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChatTurn {
    /// Whose it is.
    pub side: Side,
    /// Who wrote it, if the export says so.
    pub name: Option<String>,
    /// Its words.
    pub text: String,
    /// When it was sent, in milliseconds since 1970. A time without its zone is taken for UTC.
    pub at: Option<i64>,
}

/// What a chat was exported as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// WhatsApp's text.
    WhatsApp,
    /// Telegram Desktop's `result.json`.
    TelegramJson,
    /// Telegram Desktop's `messages.html`.
    TelegramHtml,
    /// A turn a line, as JSON.
    JsonLines,
    /// `{"turns": […]}`.
    Json,
    /// Lines that begin with `me:` or `them:`.
    Plain,
}

impl Format {
    /// Whether its times are points in time. Those of WhatsApp are what the clock on the wall showed.
    #[must_use]
    pub fn knows_zone(self) -> bool {
        self != Self::WhatsApp
    }
}

/// What the user says of an export.
#[derive(Debug, Clone, Copy, Default)]
pub struct Choice<'a> {
    /// Name of the file: WhatsApp's says with whom the chat is.
    pub file: Option<&'a str>,
    /// The user's own name in the chat.
    pub me: Option<&'a str>,
    /// Which chat, where an export holds several.
    pub chat: Option<&'a str>,
}

impl Chat {
    /// What is to be said of it, in a language given as a BCP 47 tag.
    ///
    /// # Errors
    /// See [`bonafide_core::scam::Engine::built_in`].
    pub fn report(&self, setting: Setting, language: &str) -> Result<Report, &'static str> {
        let mut conversation = Conversation::new(setting)?;
        for ChatTurn { side, text, at, .. } in &self.turns {
            conversation.add(Turn { side: *side, text, at: *at });
        }
        Ok(conversation.report(language))
    }
}

/// Reads an export, whichever it is.
///
/// # Errors
/// What it is not, or what it leaves open; each says what to do.
pub fn read(bytes: Vec<u8>, choice: Choice<'_>) -> Result<Chat, ChatError> {
    if bytes.starts_with(b"PK\x03\x04") {
        let unpacked = archive::unpack(&bytes)?;
        let choice = Choice { file: unpacked.name.as_deref().or(choice.file), ..choice };
        return texts(unpacked.parts, choice);
    }
    if bytes.starts_with(b"SQLite format 3\0") {
        return Err(ChatError::Database);
    }
    texts(vec![bytes], choice)
}

/// Reads everything up to [`MAX_BYTES`].
///
/// # Errors
/// `Ok(Err)` if there is more, `Err` if reading fails.
pub fn limited(reader: impl Read) -> std::io::Result<Result<Vec<u8>, ChatError>> {
    let mut bytes = Vec::new();
    reader.take(MAX_BYTES as u64 + 1).read_to_end(&mut bytes)?;
    Ok(if bytes.len() > MAX_BYTES { Err(ChatError::TooLarge) } else { Ok(bytes) })
}

/// Reads the parts of one export.
fn texts(parts: Vec<Vec<u8>>, choice: Choice<'_>) -> Result<Chat, ChatError> {
    let texts = parts.into_iter().map(decode).collect::<Result<Vec<_>, _>>()?;
    let Some(first) = texts.first() else { return Err(ChatError::Empty) };
    let text = first.trim_start_matches('\u{feff}');
    if text.trim().is_empty() {
        return Err(ChatError::Empty);
    }
    let export = export(text, &texts, choice)?;
    // Of many chats `json` has found the one.
    if choice.chat.is_some() && export.format != Format::TelegramJson {
        return Err(ChatError::OneChat);
    }
    sides::settle(export, choice)
}

/// Reads an export by what its first part looks like.
fn export(text: &str, parts: &[String], choice: Choice<'_>) -> Result<Export, ChatError> {
    if whatsapp::begins(text) {
        whatsapp::read(text, choice)
    } else if telegram::html::looks(text) {
        telegram::html::read(parts)
    } else if json::looks(text) {
        json::read(text, choice)
    } else if plain::begins(text) {
        plain::read(text)
    } else if whatsapp::is_within(text) {
        whatsapp::read(text, choice)
    } else {
        Err(ChatError::Unknown)
    }
}

/// A chat as its export has it.
#[derive(Debug)]
struct Export {
    format: Format,
    messages: Vec<Message>,
    hint: Hint,
}

/// A message as an export has it.
#[derive(Debug, Default)]
struct Message {
    /// Who wrote it.
    name: Option<String>,
    /// What else tells who wrote it.
    id: Option<String>,
    /// Whose it is, if the export says so itself.
    side: Option<Side>,
    text: String,
    at: Option<i64>,
}

/// What an export tells of its two sides.
#[derive(Debug, Default, PartialEq, Eq)]
enum Hint {
    #[default]
    Nothing,
    /// Each message has its side.
    Said,
    /// Nobody in it is the user: a channel.
    Others,
    /// The other side has this id; everyone else is the user.
    OtherId(String),
    /// The user has this id.
    OwnId(String),
    /// The other side may be this one of two.
    OtherName(String),
}

/// Adds a message, within bounds. One without words is none.
fn push(messages: &mut Vec<Message>, message: Message) -> Result<(), ChatError> {
    if message.text.trim().is_empty() {
        return Ok(());
    }
    if messages.len() == MAX_TURNS {
        return Err(ChatError::TooManyTurns);
    }
    messages.push(message);
    Ok(())
}

#[cfg(test)]
mod tests;
