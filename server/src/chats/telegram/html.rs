//! Telegram Desktop's `messages.html`, which holds what a browser shows.

use super::super::{ChatError, Export, Format, Hint, Message, push};
use super::{media, push_link};
use crate::chats::IMAGE;
use crate::document::html::parse;
use dom_query::NodeRef;
use time::{Date, Month, PrimitiveDateTime, Time, UtcOffset};

/// Whether a text looks like such a page.
pub(in crate::chats) fn looks(text: &str) -> bool {
    let is_page = text.trim_start().starts_with('<');
    is_page && text.contains("class=\"message ") && text.contains("class=\"history\"")
}

/// Reads the pages of a chat.
pub(in crate::chats) fn read(pages: &[String]) -> Result<Export, ChatError> {
    let mut messages = Vec::new();
    let mut title = None;
    for page in pages {
        let document = parse(page, false)?;
        // A message without a name goes on where the same person left off, but not over a page.
        let mut name: Option<String> = None;
        title = title.or_else(|| {
            let header = document.select(".page_header .text.bold");
            header.nodes().first().map(|node| node.text().trim().to_owned())
        });
        for node in document.select(".history > .message.default").nodes() {
            let Some(body) = child(node, "body") else { continue };
            if let Some(said) = child(&body, "from_name") {
                name = Some(said.text().trim().to_owned()).filter(|name| !name.is_empty());
            }
            let at = child(&body, "date").and_then(|date| date.attr("title")).and_then(|title| date(&title));
            // Whose words one forwards, one says.
            let forwarded = child(&body, "forwarded");
            let text = [Some(body), forwarded].into_iter().flatten().map(|body| words(&body));
            let text = text.filter(|text| !text.is_empty()).collect::<Vec<_>>().join("\n");
            push(&mut messages, Message { name: name.clone(), id: None, side: None, text, at })?;
        }
    }
    let hint = title.map_or(Hint::Nothing, Hint::OtherName);
    Ok(Export { format: Format::TelegramHtml, messages, hint })
}

/// The first child of a class.
fn child<'a>(node: &NodeRef<'a>, class: &str) -> Option<NodeRef<'a>> {
    node.children_it(false).find(|child| child.has_class(class))
}

/// What stands in the body of a message.
fn words(body: &NodeRef<'_>) -> String {
    let mut words = String::new();
    if let Some(wrap) = child(body, "media_wrap") {
        words.push_str(announced(&wrap));
        words.push('\n');
    }
    if let Some(text) = child(body, "text") {
        // Lines in the source are the writer's indentation, but in `pre`.
        let mut shown = String::new();
        for node in text.children_it(false) {
            show(&node, &mut shown);
        }
        words.push_str(shown.trim());
    }
    words.trim().to_owned()
}

/// The text of a node, with its line breaks and where its links lead.
fn show(node: &NodeRef<'_>, shown: &mut String) {
    if node.is_text() {
        return shown.push_str(&node.text());
    }
    match node.node_name().as_deref() {
        Some("br") => shown.push('\n'),
        Some("a") => match node.attr("href").filter(|href| href.contains("://")) {
            Some(href) => push_link(shown, &node.text(), &href),
            None => shown.push_str(&node.text()),
        },
        Some(_) if node.children_it(false).any(|child| child.is_element()) => {
            // Bold in a link in a spoiler: what is deeper than any client writes is text.
            for child in node.children_it(false) {
                match child.node_name().as_deref() {
                    Some("br") => shown.push('\n'),
                    _ => shown.push_str(&child.text()),
                }
            }
        }
        Some(_) => shown.push_str(&node.text()),
        None => {}
    }
}

/// A sign for what is no text.
fn announced(wrap: &NodeRef<'_>) -> &'static str {
    let Some(thing) = wrap.children_it(false).find(NodeRef::is_element) else { return IMAGE };
    let is = |class: &str| thing.has_class(class);
    if is("sticker_wrap") {
        media("sticker")
    } else if is("media_voice_message") || is("media_audio_file") {
        media("voice_message")
    } else if is("media_video") || is("video_file_wrap") || is("animated_wrap") {
        media("video_file")
    } else if is("media_file") {
        "[file]"
    } else {
        IMAGE
    }
}

/// Milliseconds since 1970 of `28.09.2026 10:30:05 UTC+02:00`; older versions leave the zone out.
fn date(title: &str) -> Option<i64> {
    let mut words = title.split_whitespace();
    let (day, clock, zone) = (words.next()?, words.next()?, words.next().unwrap_or("UTC+00:00"));
    let mut day = day.splitn(3, '.').map(str::parse::<i32>);
    let (d, m, y) = (day.next()?.ok()?, day.next()?.ok()?, day.next()?.ok()?);
    let month = Month::try_from(u8::try_from(m).ok()?).ok()?;
    let day = Date::from_calendar_date(y, month, u8::try_from(d).ok()?).ok()?;
    let mut clock = clock.splitn(3, ':').map(str::parse::<u8>);
    let (h, m, s) = (clock.next()?.ok()?, clock.next()?.ok()?, clock.next()?.ok()?);
    let time = Time::from_hms(h, m, s).ok()?;
    let zone = zone.strip_prefix("UTC")?;
    let sign: i8 = if zone.starts_with('-') { -1 } else { 1 };
    let mut zone = zone.get(1..)?.splitn(2, ':').map(str::parse::<i8>);
    let (h, m) = (zone.next()?.ok()?, zone.next()?.ok()?);
    let zone = UtcOffset::from_hms(sign.checked_mul(h)?, sign.checked_mul(m)?, 0).ok()?;
    Some(PrimitiveDateTime::new(day, time).assume_offset(zone).unix_timestamp() * 1000)
}

#[cfg(test)]
mod tests {
    use super::date;

    #[test]
    fn dates_are_read_with_their_zone() {
        assert_eq!(date("28.09.2026 10:30:05 UTC+00:00"), Some(1_790_591_405_000));
        assert_eq!(date("28.09.2026 12:30:05 UTC+02:00"), Some(1_790_591_405_000));
        assert_eq!(date("28.09.2026 07:00:05 UTC-03:30"), Some(1_790_591_405_000));
        assert_eq!(date("28.09.2026 10:30:05"), Some(1_790_591_405_000));
        for wrong in
            ["", "28.09.2026", "28.13.2026 10:30:05", "28.09.2026 25:30:05", "28.09.2026 10:30:05 UTC*x"]
        {
            assert_eq!(date(wrong), None, "{wrong}");
        }
    }
}
