//! Which messages are the user's.

use super::{Chat, ChatError, ChatTurn, Choice, Export, Hint, Message};
use bonafide_core::scam::Side;
use std::collections::HashMap;

/// Gives each message its side: from the user's word, from what the export tells, or else it asks.
pub(super) fn settle(export: Export, choice: Choice<'_>) -> Result<Chat, ChatError> {
    let Export { format, messages, hint } = export;
    if messages.is_empty() {
        return Err(ChatError::Empty);
    }
    let names = names(&messages);
    let judge = judge(&messages, &names, hint, choice.me)?;
    let turns = messages.into_iter().map(|message| ChatTurn {
        side: message.side.unwrap_or_else(|| if judge.is_mine(&message) { Side::Me } else { Side::Them }),
        name: message.name,
        text: message.text,
        at: message.at,
    });
    let turns = turns.collect();
    Ok(Chat { turns, names, format })
}

/// How the user's messages are told from the others'.
enum Judge {
    Nobody,
    Named(String),
    NotNamed(String),
    Id(String),
    NotId(String),
}

impl Judge {
    fn is_mine(&self, message: &Message) -> bool {
        let is = |own: &Option<String>, other: &str| own.as_deref() == Some(other);
        match self {
            Self::Nobody => false,
            Self::Named(name) => is(&message.name, name),
            Self::NotNamed(name) => !is(&message.name, name),
            Self::Id(id) => is(&message.id, id),
            Self::NotId(id) => !is(&message.id, id),
        }
    }
}

fn judge(
    messages: &[Message],
    names: &[(String, usize)],
    hint: Hint,
    me: Option<&str>,
) -> Result<Judge, ChatError> {
    if let Some(me) = me {
        if hint == Hint::Said {
            return Err(ChatError::SaysItself);
        }
        return named(names, me)
            .map(Judge::Named)
            .ok_or_else(|| ChatError::NoSuchName { me: me.to_owned(), names: names.to_vec() });
    }
    let any =
        |test: &dyn Fn(&str) -> bool| messages.iter().any(|message| message.id.as_deref().is_some_and(test));
    match hint {
        Hint::Said | Hint::Others => return Ok(Judge::Nobody),
        // Older exports have ids of another kind in their messages.
        Hint::OtherId(id) if any(&|own| own.starts_with("user")) => return Ok(Judge::NotId(id)),
        Hint::OwnId(id) if any(&|own| own == id) => return Ok(Judge::Id(id)),
        Hint::OtherName(other) if names.len() == 2 && names.iter().any(|(name, _)| *name == other) => {
            return Ok(Judge::NotNamed(other));
        }
        _ => {}
    }
    // Who exports a chat in which one person speaks wants to know about that person.
    if names.len() < 2 { Ok(Judge::Nobody) } else { Err(ChatError::WhoIsMe { names: names.to_vec() }) }
}

/// The name that is meant, if it is one alone.
fn named(names: &[(String, usize)], me: &str) -> Option<String> {
    if names.iter().any(|(name, _)| name == me) {
        return Some(me.to_owned());
    }
    let plain = |name: &str| name.trim().to_lowercase();
    let mut alike = names.iter().filter(|(name, _)| plain(name) == plain(me));
    match (alike.next(), alike.next()) {
        (Some((name, _)), None) => Some(name.clone()),
        _ => None,
    }
}

/// Who wrote how many messages.
fn names(messages: &[Message]) -> Vec<(String, usize)> {
    let mut counts: HashMap<&str, usize> = HashMap::new();
    for name in messages.iter().filter_map(|message| message.name.as_deref()) {
        *counts.entry(name).or_default() += 1;
    }
    let mut names: Vec<_> = counts.into_iter().map(|(name, count)| (name.to_owned(), count)).collect();
    names.sort_unstable_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
    names
}
