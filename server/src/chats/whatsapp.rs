//! WhatsApp's exported text, as Android and iOS write it, in the phone's language and with its order of day and month.
//!
//! ```text
//! 28/09/2026, 10:30 - Anna: text          Android
//! [28.09.26, 10:30:05] Anna: text         iOS
//! ```
//!
//! The form is nowhere laid down. What is known here is what exports look like; what is not known is kept as text.

mod own;
mod stamp;

use super::{ChatError, Choice, Export, Format, Hint, Message, push};
use stamp::{Head, Style};

/// Lines that are looked at to see whether a text is an export.
const LOOKED_AT: usize = 200;

/// Marks that the program puts around names and lines, without a meaning here.
const MARKS: [char; 6] = ['\u{200e}', '\u{200f}', '\u{202a}', '\u{202b}', '\u{202c}', '\u{feff}'];

/// Whether the first line with words begins a message.
pub(super) fn begins(text: &str) -> bool {
    text.lines().find(|line| !line.trim().is_empty()).is_some_and(|line| stamp::head(line).is_some())
}

/// Whether lines further down do, as in a part that someone cut out.
pub(super) fn is_within(text: &str) -> bool {
    text.lines().take(LOOKED_AT).filter(|line| stamp::head(line).is_some()).count() >= 2
}

/// A message or a notice, with the line on which it begins.
struct Entry<'a> {
    line: usize,
    head: Head,
    /// What stands behind the time, and the lines after it.
    rest: &'a str,
    more: Vec<&'a str>,
}

/// Reads an export.
pub(super) fn read(text: &str, choice: Choice<'_>) -> Result<Export, ChatError> {
    let entries = entries(text);
    let stamps: Vec<_> = entries.iter().map(|entry| (entry.line, entry.head)).collect();
    let order = stamp::order(&stamps).map_err(|line| ChatError::Dates { line })?;
    let mut messages = Vec::with_capacity(entries.len());
    let mut notice = None;
    for Entry { head, rest, more, .. } in entries {
        // A line that names nobody tells of the chat itself.
        let Some((name, said)) = speaker(rest) else { continue };
        let mut said = said.to_owned();
        for line in more {
            said.push('\n');
            said.push_str(line);
        }
        if own::is_encryption_notice(&said) {
            notice = notice.or(Some(name));
            continue;
        }
        let Some(text) = own::without(&said) else { continue };
        push(&mut messages, Message { name: Some(name), id: None, side: None, text, at: head.at(order) })?;
    }
    let hint = choice.file.and_then(|file| of_file(file, &messages)).or(notice);
    let hint = hint.map_or(Hint::Nothing, Hint::OtherName);
    Ok(Export { format: Format::WhatsApp, messages, hint })
}

/// Lines into entries. Only a line of the first one's form begins another: messages may quote exports of other chats.
fn entries(text: &str) -> Vec<Entry<'_>> {
    let mut entries: Vec<Entry<'_>> = Vec::new();
    let mut form: Option<Style> = None;
    for (index, line) in text.lines().enumerate() {
        match stamp::head(line) {
            Some((head, rest)) if form.is_none_or(|form| form == head.style) => {
                form = Some(head.style);
                entries.push(Entry { line: index + 1, head, rest, more: Vec::new() });
            }
            _ => {
                if let Some(open) = entries.last_mut() {
                    open.more.push(line);
                }
            }
        }
    }
    entries
}

/// Name and words of a line behind its time. The name of somebody who is in nobody's address book has a tilde.
fn speaker(rest: &str) -> Option<(String, &str)> {
    let (name, said) = match rest.split_once(": ") {
        Some(parts) => parts,
        None => (rest.trim_end().strip_suffix([':', '：'])?, ""),
    };
    let name = name.replace(MARKS, "");
    let name = name.trim().trim_start_matches(['~', '\u{202f}', '\u{a0}']).trim();
    (!name.is_empty() && !name.contains('\n')).then(|| (name.to_owned(), said))
}

/// The other side, if a file's name tells it: `WhatsApp Chat with Anna.txt`.
fn of_file(file: &str, messages: &[Message]) -> Option<String> {
    let stem = file.rsplit(['/', '\\']).next()?;
    let stem = stem.strip_suffix(".txt").or_else(|| stem.strip_suffix(".zip")).unwrap_or(stem);
    if !stem.contains("WhatsApp") {
        return None;
    }
    let ends = |name: &str| {
        let before = stem.strip_suffix(name)?;
        // The end of another name is no name; in Chinese nothing stands between.
        before.chars().next_back().filter(|last| !last.is_alphanumeric() || !last.is_ascii())
    };
    let name = messages.iter().filter_map(|message| message.name.as_deref()).find(|name| {
        ends(name).is_some() || stem.strip_prefix('与').is_some_and(|rest| rest.starts_with(*name))
    });
    name.map(str::to_owned)
}

#[cfg(test)]
mod tests;
