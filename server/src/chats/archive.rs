//! Zip files: WhatsApp makes one of a chat with its media, and people pack Telegram's folder.

use super::{ChatError, MAX_BYTES, MAX_PARTS};
use std::io::{Cursor, Read};
use zip::ZipArchive;

/// What of a zip file is the chat.
#[derive(Debug)]
pub(super) struct Unpacked {
    /// Its files, in their order.
    pub(super) parts: Vec<Vec<u8>>,
    /// The name of the file with the messages, if it may tell something.
    pub(super) name: Option<String>,
}

/// Takes the chat out, with all its pages, and nothing else.
pub(super) fn unpack(bytes: &[u8]) -> Result<Unpacked, ChatError> {
    let mut archive = ZipArchive::new(Cursor::new(bytes)).map_err(|_| ChatError::Zip)?;
    let names: Vec<String> = archive.file_names().map(str::to_owned).collect();
    let chosen = choose(&names).ok_or(ChatError::NoChatInZip)?;
    if chosen.len() > MAX_PARTS {
        return Err(ChatError::TooManyParts);
    }
    let mut left = MAX_BYTES;
    let mut parts = Vec::with_capacity(chosen.len());
    for name in &chosen {
        let file = archive.by_name(name).map_err(|_| ChatError::Zip)?;
        let mut part = Vec::new();
        // What the archive says of its sizes is not believed.
        file.take(left as u64 + 1).read_to_end(&mut part).map_err(|_| ChatError::Zip)?;
        left = left.checked_sub(part.len()).ok_or(ChatError::TooLarge)?;
        parts.push(part);
    }
    Ok(Unpacked { parts, name: chosen.first().map(|name| base(name).to_owned()) })
}

/// The files that hold the messages.
fn choose(names: &[String]) -> Option<Vec<&str>> {
    let all = || names.iter().map(String::as_str).filter(|name| !name.contains("__MACOSX/"));
    let texts = || all().filter(|name| name.ends_with(".txt"));
    // Documents that were sent are text files too.
    let of_whatsapp = texts()
        .find(|name| base(name) == "_chat.txt")
        .or_else(|| texts().find(|name| base(name).contains("WhatsApp")))
        .or_else(|| all().find(|name| base(name) == "result.json"));
    if let Some(name) = of_whatsapp {
        return Some(vec![name]);
    }
    let mut pages: Vec<(usize, &str)> = all().filter_map(|name| Some((page(name)?, name))).collect();
    pages.sort_unstable();
    if !pages.is_empty() {
        return Some(pages.into_iter().map(|(_, name)| name).collect());
    }
    let mut rest = texts();
    match (rest.next(), rest.next()) {
        (Some(only), None) => Some(vec![only]),
        _ => None,
    }
}

/// The number of a page: `messages.html` is the first, `messages2.html` the second.
fn page(name: &str) -> Option<usize> {
    match base(name).strip_prefix("messages")?.strip_suffix(".html")? {
        "" => Some(1),
        number => number.parse().ok(),
    }
}

fn base(name: &str) -> &str {
    name.rsplit('/').next().unwrap_or(name)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn chosen(names: &[&str]) -> Option<Vec<String>> {
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        choose(&names).map(|chosen| chosen.into_iter().map(str::to_owned).collect())
    }

    #[test]
    fn the_messages_are_told_from_what_was_sent() {
        for (names, wanted) in [
            (&["notes.txt", "_chat.txt"][..], Some(vec!["_chat.txt"])),
            (&["DOC-1.txt", "WhatsApp Chat with Anna.txt"], Some(vec!["WhatsApp Chat with Anna.txt"])),
            (&["与Anna的WhatsApp聊天记录.txt", "a.txt"], Some(vec!["与Anna的WhatsApp聊天记录.txt"])),
            (
                &["x/messages10.html", "x/messages.html", "x/messages2.html", "x/photos/p.html"],
                Some(vec!["x/messages.html", "x/messages2.html", "x/messages10.html"]),
            ),
            (&["x/result.json", "x/lists.json"], Some(vec!["x/result.json"])),
            (&["__MACOSX/._chat.txt", "chat.txt"], Some(vec!["chat.txt"])),
            (&["a.txt", "b.txt"], None),
            (&["a.jpg"], None),
            (&[], None),
        ] {
            let wanted = wanted.map(|names| names.into_iter().map(str::to_owned).collect::<Vec<_>>());
            assert_eq!(chosen(names), wanted, "{names:?}");
        }
    }
}
