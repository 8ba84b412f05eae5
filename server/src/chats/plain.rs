//! Lines that begin with `me:` or `them:`, as one writes down a talk.

use super::{ChatError, Export, Format, Hint, Message, push};
use bonafide_core::scam::Side;

/// What stands before a message, in small letters.
const MARKS: &[(&str, Side)] =
    &[("them", Side::Them), ("me", Side::Me), ("对方", Side::Them), ("對方", Side::Them), ("我", Side::Me)];

/// Whether the first line with words has such a mark.
pub(super) fn begins(text: &str) -> bool {
    text.lines().find(|line| !line.trim().is_empty()).is_some_and(|line| marked(line).is_some())
}

/// Reads the lines; one without a mark goes on with the message before it.
pub(super) fn read(text: &str) -> Result<Export, ChatError> {
    let mut messages = Vec::new();
    let mut open = Message::default();
    for line in text.lines() {
        if let Some((side, rest)) = marked(line) {
            push(&mut messages, std::mem::take(&mut open))?;
            open = Message { side: Some(side), text: rest.to_owned(), ..Message::default() };
        } else {
            open.text.push('\n');
            open.text.push_str(line.trim_end());
        }
    }
    push(&mut messages, open)?;
    for message in &mut messages {
        message.text.truncate(message.text.trim_end().len());
    }
    Ok(Export { format: Format::Plain, messages, hint: Hint::Said })
}

/// The side and the words of a line that begins a message.
fn marked(line: &str) -> Option<(Side, &str)> {
    let (mark, rest) = line.split_once([':', '：'])?;
    let mark = mark.trim().to_lowercase();
    let (_, side) = MARKS.iter().find(|(known, _)| *known == mark)?;
    Some((*side, rest.trim()))
}
