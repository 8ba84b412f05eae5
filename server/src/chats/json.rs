//! JSON: Telegram's export, turns one a line, or a conversation.

use super::telegram;
use super::{At, ChatError, Choice, Export, Format, Hint, Message, push};
use bonafide_core::scam::Side;
use serde::Deserialize;
use serde_json::error::Category;
use serde_json::{Deserializer, Error, Value};

/// A turn as a program writes it.
#[derive(Debug, Deserialize)]
struct TurnLine {
    #[serde(alias = "from")]
    side: Side,
    text: String,
    at: Option<At>,
    name: Option<String>,
}

/// What an object may be, by its members.
#[derive(Debug, Deserialize)]
struct Whole {
    turns: Option<Vec<TurnLine>>,
    #[serde(alias = "from")]
    side: Option<Value>,
    // Telegram's. They stand here and are not flattened into this, for that would hold all of an export twice.
    #[serde(rename = "type")]
    kind: Option<Value>,
    name: Option<Value>,
    id: Option<Value>,
    messages: Option<Vec<telegram::Message>>,
    chats: Option<telegram::Chats>,
    personal_information: Option<telegram::Person>,
}

/// Whether a text looks like JSON.
pub(super) fn looks(text: &str) -> bool {
    text.trim_start().starts_with(['{', '['])
}

/// Reads JSON of any of these shapes.
pub(super) fn read(text: &str, choice: Choice<'_>) -> Result<Export, ChatError> {
    if text.trim_start().starts_with('[') {
        let turns = serde_json::from_str(text).map_err(wrong)?;
        return export(Format::Json, turns);
    }
    let mut values = Deserializer::from_str(text).into_iter::<Whole>();
    let wrong = |error: Error| match wrong(error) {
        // Turns have none.
        ChatError::Turn { .. } if text.contains("\"messages\"") => ChatError::UnknownJson,
        error => error,
    };
    let first = values.next().ok_or(ChatError::Empty)?.map_err(wrong)?;
    let rest = text.get(values.byte_offset()..).unwrap_or_default();
    match first {
        Whole { turns: Some(turns), .. } if rest.trim().is_empty() => export(Format::Json, turns),
        Whole { turns: Some(_), .. } => {
            let count = text.lines().filter(|line| !line.trim().is_empty()).count();
            Err(ChatError::SeveralConversations { count })
        }
        Whole { side: Some(_), .. } => lines(text),
        Whole { chats: Some(chats), personal_information: person, .. } => {
            telegram::all(chats, person, choice.chat)
        }
        Whole { messages: Some(messages), kind, name, id, .. } => {
            telegram::one(telegram::Chat { kind, name, id, messages }, choice.chat)
        }
        _ => Err(ChatError::UnknownJson),
    }
}

fn lines(text: &str) -> Result<Export, ChatError> {
    let turn = |(index, line): (usize, &str)| {
        serde_json::from_str(line).map_err(|_| ChatError::Turn { line: index + 1 })
    };
    let lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
    export(Format::JsonLines, lines.map(turn).collect::<Result<_, _>>()?)
}

fn export(format: Format, turns: Vec<TurnLine>) -> Result<Export, ChatError> {
    let mut messages = Vec::with_capacity(turns.len());
    for TurnLine { side, text, at, name } in turns {
        push(&mut messages, Message { name, id: None, side: Some(side), text, at: at.map(|at| at.0) })?;
    }
    Ok(Export { format, messages, hint: Hint::Said })
}

fn wrong(error: Error) -> ChatError {
    match error.classify() {
        Category::Data => ChatError::Turn { line: error.line() },
        _ => ChatError::BrokenJson { line: error.line(), column: error.column() },
    }
}
