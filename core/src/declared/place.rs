//! Where a part of a text stands: at its start, at its end, in code, after a line that announces an example.

use crate::text::hidden::is_selector;
use std::ops::Range;

/// A text and what decides whether a part of it can speak for all of it.
pub(super) struct Ground<'a> {
    text: &'a str,
    /// From the first word to the last, in bytes.
    words: Range<usize>,
    fences: Vec<Range<usize>>,
}

impl<'a> Ground<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        let start = text.len() - text.trim_start_matches(is_nothing).len();
        let end = text.trim_end_matches(is_nothing).len().max(start);
        Self { text, words: start..end, fences: fences(text) }
    }

    /// Whether nothing stands before a part.
    pub(super) fn at_start(&self, part: &Range<usize>) -> bool {
        part.start <= self.words.start
    }

    /// Whether nothing stands after a part.
    pub(super) fn at_end(&self, part: &Range<usize>) -> bool {
        part.end >= self.words.end
    }

    /// Whether it is an example: in a block of code, or what stands before it ends with a colon.
    pub(super) fn shown(&self, part: &Range<usize>) -> bool {
        let before = self.text.get(..part.start).unwrap_or_default();
        let fence = self.fences.partition_point(|fence| fence.end <= part.start);
        let fenced = self.fences.get(fence).is_some_and(|fence| fence.contains(&part.start));
        fenced || before.trim_end_matches(is_nothing).ends_with([':', '：'])
    }

    /// Whether a part is at an edge and no example.
    pub(super) fn speaks(&self, part: &Range<usize>) -> bool {
        (self.at_start(part) || self.at_end(part)) && !self.shown(part)
    }

    /// Whether a part has its lines for itself, and these are not indented as code is.
    pub(super) fn has_lines(&self, part: &Range<usize>) -> bool {
        let before = self.text.get(..part.start).and_then(|before| before.rsplit('\n').next());
        let after = self.text.get(part.end..).and_then(|after| after.split('\n').next());
        let before = before.unwrap_or_default();
        before.chars().all(is_nothing)
            && !is_indented(before)
            && after.unwrap_or_default().chars().all(is_nothing)
    }
}

/// Whether a line begins as a block of code does in Markdown.
pub(super) fn is_indented(line: &str) -> bool {
    line.starts_with("    ") || line.trim_start_matches(' ').starts_with('\t')
}

/// What no reader sees at the edge of a text.
pub(super) fn is_nothing(c: char) -> bool {
    c.is_whitespace() || c == '\u{FEFF}' || is_selector(c)
}

/// Blocks of code between lines of backticks or tildes. One without an end goes on to the end of the text; what closes one
/// is not part of it.
fn fences(text: &str) -> Vec<Range<usize>> {
    let mut fences = Vec::new();
    let mut open: Option<(char, usize, usize)> = None;
    let mut at = 0;
    for line in text.split_inclusive('\n') {
        let start = at;
        at += line.len();
        let bare = line.trim_matches(is_nothing);
        let Some(mark) = bare.chars().next().filter(|mark| matches!(mark, '`' | '~')) else { continue };
        let length = bare.chars().take_while(|&c| c == mark).count();
        if length < 3 {
            continue;
        }
        match open {
            None => open = Some((mark, length, start)),
            Some((by, least, begin)) if by == mark && length >= least && bare.len() == length => {
                fences.push(begin..start);
                open = None;
            }
            Some(_) => {}
        }
    }
    fences.extend(open.map(|(_, _, begin)| begin..text.len().max(begin + 1)));
    fences
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fences_open_and_close() {
        let inside = |text: &str, part: &str| {
            let at = text.find(part).unwrap_or_default();
            fences(text).iter().any(|fence| fence.contains(&at))
        };
        assert!(inside("a\n```rust\nX\n```\nb", "X"));
        assert!(!inside("a\n```rust\nb\n```\nX", "X"));
        assert!(inside("````\n```\nX\n````", "X"));
        assert!(inside("~~~\n```\nX", "X"));
        assert!(!inside("a ``` b\nX", "X"));
        assert!(!inside("```\na\n```\u{FEFF}\u{FE00}", "\u{FEFF}"));
    }

    #[test]
    fn a_colon_announces() {
        let text = "Like this:\n\nX";
        let part = text.len() - 1..text.len();
        assert!(Ground::new(text).shown(&part) && !Ground::new(text).speaks(&part));
        assert!(Ground::new("X").speaks(&(0..1)) && Ground::new("X y\n").speaks(&(0..1)));
        assert!(Ground::new("a\n  X\nb").has_lines(&(4..5)) && !Ground::new("a\n    X").has_lines(&(6..7)));
        assert!(!Ground::new("X y").has_lines(&(0..1)));
    }
}
