//! Telegram Desktop's `result.json`: of one chat, or of an account with all its chats.
//!
//! The form is what the program's own sources write (`Telegram/SourceFiles/export/output/export_output_json.cpp`).

pub(super) mod html;

use super::{At, ChatError, Export, Format, Hint, IMAGE, push};
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::Value;
use std::collections::HashMap;
use std::fmt::Write;

/// A chat. What may be a number or a string, or null, is read as any value.
#[derive(Debug, Deserialize)]
pub(super) struct Chat {
    #[serde(rename = "type")]
    pub(super) kind: Option<Value>,
    pub(super) name: Option<Value>,
    pub(super) id: Option<Value>,
    #[serde(default)]
    pub(super) messages: Vec<Message>,
}

/// The chats of an account.
#[derive(Debug, Deserialize)]
pub(super) struct Chats {
    #[serde(default)]
    list: Vec<Chat>,
}

/// The user, in the export of an account.
#[derive(Debug, Deserialize)]
pub(super) struct Person {
    user_id: Option<Value>,
}

/// A message.
#[derive(Debug, Deserialize)]
pub(super) struct Message {
    #[serde(rename = "type")]
    kind: Option<Value>,
    date: Option<Value>,
    date_unixtime: Option<Value>,
    from: Option<Value>,
    from_id: Option<Value>,
    #[serde(default)]
    text: Text,
    photo: Option<IgnoredAny>,
    file: Option<IgnoredAny>,
    media_type: Option<Value>,
}

/// The words of a message.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Text {
    Whole(String),
    Pieces(Vec<Piece>),
}

impl Default for Text {
    fn default() -> Self {
        Self::Whole(String::new())
    }
}

/// Words with or without a meaning of their own.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Piece {
    Plain(String),
    Marked { text: String, href: Option<String> },
}

/// One chat of an account: the only one with messages, or the one with this name or id.
pub(super) fn all(chats: Chats, person: Option<Person>, wanted: Option<&str>) -> Result<Export, ChatError> {
    let mut chats: Vec<Chat> = chats.list.into_iter().filter(|chat| !chat.messages.is_empty()).collect();
    let at = match wanted {
        Some(wanted) => find(&chats, wanted),
        None if chats.len() < 2 => Some(0),
        None => None,
    };
    if chats.is_empty() {
        return Err(ChatError::Empty);
    }
    let Some(at) = at else { return Err(ChatError::WhichChat { names: titles(&chats) }) };
    let own = person.and_then(|person| word(person.user_id.as_ref())).map(|id| format!("user{id}"));
    export(chats.swap_remove(at), own)
}

/// The only chat of an export.
pub(super) fn one(chat: Chat, wanted: Option<&str>) -> Result<Export, ChatError> {
    match wanted {
        Some(wanted) if find(std::slice::from_ref(&chat), wanted).is_none() => Err(ChatError::OneChat),
        _ => export(chat, None),
    }
}

/// The place of the one chat that is meant.
fn find(chats: &[Chat], wanted: &str) -> Option<usize> {
    let only = |is: &dyn Fn(&Chat) -> bool| {
        let mut found = chats.iter().enumerate().filter(|(_, chat)| is(chat)).map(|(at, _)| at);
        found.next().filter(|_| found.next().is_none())
    };
    let lower = wanted.to_lowercase();
    only(&|chat| word(chat.name.as_ref()).as_deref() == Some(wanted))
        .or_else(|| only(&|chat| word(chat.id.as_ref()).as_deref() == Some(wanted)))
        .or_else(|| only(&|chat| word(chat.name.as_ref()).is_some_and(|name| name.to_lowercase() == lower)))
}

/// What each chat is asked for by: its name, or its id if it has none or shares it.
fn titles(chats: &[Chat]) -> Vec<String> {
    let mut counts: HashMap<String, usize> = HashMap::new();
    for name in chats.iter().filter_map(|chat| word(chat.name.as_ref())) {
        *counts.entry(name).or_default() += 1;
    }
    let title = |chat: &Chat| {
        let name = word(chat.name.as_ref()).filter(|name| counts.get(name) == Some(&1));
        name.or_else(|| word(chat.id.as_ref()))
    };
    chats.iter().filter_map(title).collect()
}

fn export(chat: Chat, own: Option<String>) -> Result<Export, ChatError> {
    let kind = word(chat.kind.as_ref()).unwrap_or_default();
    let hint = match own {
        Some(own) => Hint::OwnId(own),
        None if kind.ends_with("channel") => Hint::Others,
        None if kind == "personal_chat" || kind == "bot_chat" => {
            word(chat.id.as_ref()).map_or(Hint::Nothing, |id| Hint::OtherId(format!("user{id}")))
        }
        None => Hint::Nothing,
    };
    let mut messages = Vec::with_capacity(chat.messages.len());
    for message in chat.messages {
        if word(message.kind.as_ref()).is_some_and(|kind| kind != "message") {
            continue;
        }
        let id = word(message.from_id.as_ref());
        let text = words(&message);
        let at = sent(&message);
        let name = word(message.from.as_ref()).or_else(|| id.clone());
        push(&mut messages, super::Message { name, id, side: None, text, at })?;
    }
    Ok(Export { format: Format::TelegramJson, messages, hint })
}

/// What was sent, and what was written to it.
fn words(message: &Message) -> String {
    let media = match word(message.media_type.as_ref()).as_deref() {
        Some(kind) => media(kind),
        None if message.photo.is_some() => IMAGE,
        None if message.file.is_some() => "[file]",
        None => "",
    };
    let mut text = media.to_owned();
    if !media.is_empty() {
        text.push('\n');
    }
    match &message.text {
        Text::Whole(whole) => text.push_str(whole),
        Text::Pieces(pieces) => {
            for piece in pieces {
                match piece {
                    Piece::Plain(words) | Piece::Marked { text: words, href: None } => text.push_str(words),
                    Piece::Marked { text: words, href: Some(href) } => push_link(&mut text, words, href),
                }
            }
        }
    }
    text.truncate(text.trim_end().len());
    text
}

/// A sign for what is no text.
fn media(kind: &str) -> &'static str {
    match kind {
        "sticker" => "[sticker]",
        "voice_message" | "audio_file" => "[audio]",
        "video_file" | "video_message" | "animation" => "[video]",
        _ => IMAGE,
    }
}

/// Words that lead somewhere, with where if they don't say it.
fn push_link(text: &mut String, words: &str, href: &str) {
    text.push_str(words);
    if words.trim() != href {
        let _ = write!(text, " ({href})");
    }
}

/// When it was sent. The date alone has no zone and is taken for UTC.
fn sent(message: &Message) -> Option<i64> {
    let seconds = word(message.date_unixtime.as_ref()).and_then(|seconds| seconds.parse::<i64>().ok());
    if let Some(seconds) = seconds {
        return seconds.checked_mul(1000);
    }
    let date = word(message.date.as_ref())?;
    serde_json::from_value::<At>(Value::String(format!("{date}Z"))).ok().map(|at| at.0)
}

/// A string, or a number as one.
fn word(value: Option<&Value>) -> Option<String> {
    match value? {
        Value::String(word) if !word.is_empty() => Some(word.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}
