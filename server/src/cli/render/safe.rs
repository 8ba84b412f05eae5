//! Text from strangers, made safe and visible for a terminal.

use bonafide_core::text::hidden::{self, Class};
use std::borrow::Cow;

/// Which characters are shown by their number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Hidden {
    /// Those that can't be seen.
    Unseen,
    /// Narrow spaces as well, which look like other spaces.
    All,
}

/// Hidden characters of a run that are shown one by one; the rest is counted.
const SHOWN: usize = 4;

/// Text that is safe to write to a terminal: control characters become a visible sign (ECMA-48 sequences can do anything
/// from retitling the window to typing answers), and what can't be seen or reorders the line (UAX #9) becomes its number.
pub fn clean(text: &str) -> Cow<'_, str> {
    if text.is_ascii() && !text.contains(is_control) {
        return Cow::Borrowed(text);
    }
    let cleaned = pieces(text, Hidden::Unseen).concat();
    if cleaned == text { Cow::Borrowed(text) } else { Cow::Owned(cleaned) }
}

/// A text in pieces that must not be cut: characters, and signs for what is no character to a reader.
pub(super) fn pieces(text: &str, which: Hidden) -> Vec<Cow<'_, str>> {
    let mut runs = hidden::runs(text)
        .into_iter()
        .filter(|run| which == Hidden::All || run.class != Class::NarrowSpace)
        .peekable();
    let mut pieces = Vec::with_capacity(text.len());
    let mut run_length = 0;
    let mut chars = text.char_indices().enumerate().peekable();
    while let Some((index, (byte, c))) = chars.next() {
        while runs.next_if(|run| run.span.end <= index).is_some() {}
        let in_run = runs.peek().is_some_and(|run| run.span.start <= index);
        if in_run || reorders(c) || c == '\u{feff}' {
            run_length += 1;
            if run_length <= SHOWN {
                pieces.push(Cow::Owned(format!("⟨U+{:04X}⟩", u32::from(c))));
            }
            continue;
        }
        pieces.extend(rest_of_run(&mut run_length));
        match c {
            '\r' if chars.peek().is_some_and(|(_, (_, next))| *next == '\n') => {}
            c if is_control(c) || matches!(c, '\u{2028}' | '\u{2029}') => {
                pieces.push(Cow::Borrowed("\u{fffd}"));
            }
            c => pieces.push(Cow::Borrowed(&text[byte..byte + c.len_utf8()])),
        }
    }
    pieces.extend(rest_of_run(&mut run_length));
    pieces
}

/// How many more hidden characters there were, now that the run is over.
fn rest_of_run(run_length: &mut usize) -> Option<Cow<'static, str>> {
    let more = std::mem::take(run_length).saturating_sub(SHOWN);
    (more > 0).then(|| Cow::Owned(format!("⟨+{more}⟩")))
}

fn is_control(c: char) -> bool {
    c.is_control() && !matches!(c, '\n' | '\t')
}

/// Marks that make a line read in another order than it is written, wherever they stand.
fn reorders(c: char) -> bool {
    matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// On one line; of a long text its first and its last words.
pub(super) fn elide(pieces: &[Cow<'_, str>]) -> String {
    const LONGEST: usize = 60;
    const FIRST: usize = 36;
    const LAST: usize = 20;
    let width = |pieces: &[Cow<'_, str>]| pieces.iter().map(|piece| piece.chars().count()).sum::<usize>();
    let line = |pieces: &[Cow<'_, str>]| pieces.concat().split_whitespace().collect::<Vec<_>>().join(" ");
    if width(pieces) <= LONGEST {
        return line(pieces);
    }
    let is_space = |piece: &Cow<'_, str>| piece.chars().all(char::is_whitespace);
    let fits = |pieces: &mut dyn Iterator<Item = &Cow<'_, str>>, most: usize| {
        let mut width = 0;
        pieces
            .take_while(|piece| {
                width += piece.chars().count();
                width <= most
            })
            .count()
    };
    // At a space if there is one not far away.
    let head = fits(&mut pieces.iter(), FIRST);
    let head = (head / 2..=head).rev().find(|&end| pieces.get(end).is_some_and(is_space)).unwrap_or(head);
    let tail = pieces.len() - fits(&mut pieces.iter().rev(), LAST);
    let middle = pieces.len() - (pieces.len() - tail) / 2;
    let tail = (tail.max(1)..middle).find(|&start| is_space(&pieces[start - 1])).unwrap_or(tail);
    let (head, tail) = (line(&pieces[..head]), line(&pieces[tail.max(head)..]));
    format!("{head} … {tail}")
}
