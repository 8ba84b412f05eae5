//! The canonical form `bonafide-text-1`: the same words give the same bytes (SPEC.md, section 1).
//!
//! What is shown to a reader goes through content management systems, chats and clipboards, all of which change
//! bytes. [`Builder`] takes the text as a walk over a document finds it; [`Stream`] is its canonical form, with the
//! way back to every character.

mod steps;

use super::classes::{is_cjk, is_counted, is_emoji};
use std::ops::Range;
use steps::Item;
use unicode_normalization::char::{canonical_combining_class, decompose_canonical};

pub(super) use steps::is_joiner;

/// The most hazards of a document that are kept apart.
const MAX_HAZARDS: usize = 10_000;
/// The most combining marks in a row (UAX #15, stream-safe text format).
const MAX_MARKS: usize = 30;

/// What could change how a text is read without being seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Hazard {
    /// A bidirectional control character.
    #[error(
        "U+{:04X} changes the order in which words are seen: remove it (it is invisible; pasting as plain text helps)",
        u32::from(*.0)
    )]
    Bidirectional(char),
    /// Another control character.
    #[error("it holds the control character U+{:04X}: remove it", u32::from(*.0))]
    Control(char),
    /// Too many combining marks on one letter.
    #[error("it holds more than {MAX_MARKS} combining marks in a row: remove some")]
    Marks,
    /// Something in a document by which a reader may see other words, or the same in another order.
    #[error("a reader may see other words, or in another order: {0}")]
    Display(&'static str),
}

/// Collects a text as a walk over a document finds it.
#[derive(Debug, Default, Clone)]
pub struct Builder {
    raw: String,
    breaks: Vec<usize>,
    hazards: Vec<(Range<usize>, Hazard)>,
}

impl Builder {
    /// Characters of a text node, as they stand.
    pub fn text(&mut self, text: &str) {
        self.raw.push_str(text);
    }

    /// The end of a line within a block.
    pub fn line_break(&mut self) {
        self.raw.push('\n');
    }

    /// The beginning or the end of a block.
    pub fn block_break(&mut self) {
        if self.raw.is_empty() || self.breaks.last().is_some_and(|&last| last + 1 == self.raw.len()) {
            return;
        }
        self.breaks.push(self.raw.len());
        self.raw.push('\n');
    }

    /// That a part of the text so far, or the place of the next character, may look otherwise to a reader.
    pub fn hazard(&mut self, range: Range<usize>, why: &'static str) {
        // One is enough to spoil a text, and a page can't make us keep any number.
        if self.hazards.len() < MAX_HAZARDS {
            self.hazards.push((range, Hazard::Display(why)));
        } else if let Some((last, _)) = self.hazards.last_mut() {
            last.end = last.end.max(range.end);
        }
    }

    /// Where the next character will stand in the text so far, in bytes.
    #[must_use]
    pub fn position(&self) -> usize {
        self.raw.len()
    }

    /// The text as it was collected, with a line feed for every element that begins or ends a block.
    #[must_use]
    pub fn raw(&self) -> &str {
        &self.raw
    }

    /// Plain text, whose blocks are parted by empty lines.
    pub fn plain(&mut self, text: &str) {
        let mut blank = true;
        for line in text.split_inclusive('\n') {
            let empty = line.chars().all(is_space);
            if empty && !blank {
                // The line brings its own line feed, so that places stay those of the text.
                self.breaks.push(self.raw.len());
            }
            blank = empty;
            self.text(line);
        }
    }

    /// The canonical form of what was collected.
    #[must_use]
    pub fn finish(self) -> Stream {
        self.finish_without(&[])
    }

    /// The same with parts left out, in each of whose places there is a block break. They are in order.
    #[must_use]
    pub(super) fn finish_without(mut self, holes: &[Range<usize>]) -> Stream {
        self.breaks.extend(holes.iter().map(|hole| hole.start));
        self.breaks.sort_unstable();
        Stream::new(self.raw, self.breaks, self.hazards, holes)
    }
}

/// A text in canonical form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stream {
    raw: String,
    text: String,
    blocks: Vec<Range<usize>>,
    pieces: Vec<Piece>,
    /// Places of block breaks in `raw`.
    breaks: Vec<usize>,
    /// Parts of `raw` that were left out.
    holes: Vec<Range<usize>>,
    /// With their places in `raw`, by the first byte.
    hazards: Vec<(Range<usize>, Hazard)>,
    /// How many code points of `raw` stand before each so many bytes.
    counts: Vec<usize>,
}

/// Bytes from one entry of [`Stream::counts`] to the next.
const STRIDE: usize = 1024;

/// Some neighbouring characters of the canonical form and where they came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Piece {
    canonical: usize,
    start: usize,
    end: usize,
    /// Whether its bytes came one from one.
    linear: bool,
}

impl Stream {
    /// The canonical form of plain text.
    #[must_use]
    pub fn of_text(text: &str) -> Self {
        let mut builder = Builder::default();
        builder.plain(text);
        builder.finish()
    }

    fn new(
        raw: String,
        breaks: Vec<usize>,
        hazards: Vec<(Range<usize>, Hazard)>,
        holes: &[Range<usize>],
    ) -> Self {
        let items = steps::all(&raw, holes);
        let mut made = Self {
            text: String::with_capacity(raw.len()),
            blocks: Vec::new(),
            pieces: Vec::new(),
            hazards,
            counts: counts(&raw),
            raw,
            breaks: Vec::new(),
            holes: holes.to_vec(),
        };
        let mut places = breaks.iter().copied().peekable();
        let mut marks = 0;
        for &item in &items {
            made.note_hazards(item, &mut marks);
            let at = made.text.len();
            made.push(item);
            if item.c == ' ' {
                continue;
            }
            let mut fresh = made.blocks.is_empty();
            while places.next_if(|&place| place < item.start).is_some() {
                fresh = true;
            }
            match made.blocks.last_mut() {
                Some(block) if !fresh => block.end = made.text.len(),
                _ => made.blocks.push(at..made.text.len()),
            }
        }
        made.hazards.sort_by_key(|(range, _)| range.start);
        made.breaks = breaks;
        made
    }

    /// The canonical form.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The text as it was collected.
    #[must_use]
    pub fn raw(&self) -> &str {
        &self.raw
    }

    /// What stands between block breaks, as ranges of bytes of the canonical form.
    #[must_use]
    pub fn paragraphs(&self) -> &[Range<usize>] {
        &self.blocks
    }

    /// What could change how the text is read, in the order of its places.
    pub fn hazards(&self) -> impl Iterator<Item = Hazard> {
        self.hazards.iter().map(|&(_, hazard)| hazard)
    }

    /// The first hazard in the blocks that a range of the canonical form touches: an override before a quotation turns
    /// its words too.
    pub(super) fn hazard_in(&self, range: &Range<usize>) -> Option<Hazard> {
        self.hazard_near(self.raw_range(range))
    }

    /// The same from the carrier before a range on.
    pub(super) fn hazard_from_carrier(&self, range: &Range<usize>) -> Option<Hazard> {
        let raw = self.raw_range(range);
        let before = self.holes.partition_point(|hole| hole.end <= raw.start).checked_sub(1);
        let start = before.and_then(|before| self.holes.get(before)).map_or(0, |hole| hole.end);
        self.hazard_near(start..raw.end)
    }

    /// The same as far as the carrier behind a range: a block in between may show words that are not counted.
    pub(super) fn hazard_to_carrier(&self, range: &Range<usize>) -> Option<Hazard> {
        let raw = self.raw_range(range);
        let next = self.holes.partition_point(|hole| hole.start < raw.end);
        let end = self.holes.get(next).map_or(self.raw.len(), |hole| hole.start);
        self.hazard_near(raw.start..end)
    }

    fn hazard_near(&self, raw: Range<usize>) -> Option<Hazard> {
        if self.hazards.is_empty() {
            return None;
        }
        let next = self.breaks.partition_point(|&place| place <= raw.start);
        let first = next.checked_sub(1).and_then(|last| self.breaks.get(last)).map_or(0, |&place| place + 1);
        let later = self.breaks.partition_point(|&place| place < raw.end);
        let last = self.breaks.get(later).copied().unwrap_or(self.raw.len());
        let touches = |hazard: &Range<usize>| hazard.start <= last && hazard.end >= first;
        self.hazards.iter().find(|(place, _)| touches(place)).map(|&(_, hazard)| hazard)
    }

    /// Where a place of the collected text is in the canonical form: the first byte that came from there or later.
    #[must_use]
    pub fn canonical_place(&self, raw: usize) -> usize {
        let next = self.pieces.partition_point(|piece| piece.end <= raw);
        match self.pieces.get(next) {
            Some(piece) if piece.linear && raw > piece.start => piece.canonical + (raw - piece.start),
            Some(piece) => piece.canonical,
            None => self.text.len(),
        }
    }

    /// The bytes of the collected text that a range of the canonical form came from.
    #[must_use]
    pub fn raw_range(&self, range: &Range<usize>) -> Range<usize> {
        if range.start >= range.end {
            let at = self.origin(range.start).start;
            return at..at;
        }
        self.origin(range.start).start..self.origin(range.end - 1).end
    }

    /// How many code points of the collected text stand before a byte of it.
    pub(super) fn code_points_before(&self, raw: usize) -> usize {
        let index = (raw / STRIDE).min(self.counts.len().saturating_sub(1));
        let counted = self.counts.get(index).copied().unwrap_or_default();
        let rest = self.raw.as_bytes().get(index * STRIDE..raw.min(self.raw.len())).unwrap_or_default();
        counted + starts(rest)
    }

    /// The same without the parts that were left out.
    pub(super) fn raw_ranges(&self, range: &Range<usize>) -> Vec<Range<usize>> {
        let mut rest = self.raw_range(range);
        let mut ranges = Vec::new();
        let first = self.holes.partition_point(|hole| hole.end <= rest.start);
        for hole in self.holes[first..].iter().take_while(|hole| hole.start < rest.end) {
            let before = self.raw.get(rest.start..hole.start).map_or("", str::trim_end);
            ranges.push(rest.start..rest.start + before.len());
            let after = self.raw.get(hole.end..rest.end).unwrap_or("");
            rest.start = hole.end + after.len() - after.trim_start().len();
        }
        ranges.push(rest);
        ranges.retain(|range| range.start < range.end);
        ranges
    }

    fn origin(&self, byte: usize) -> Range<usize> {
        let index = self.pieces.partition_point(|piece| piece.canonical <= byte);
        let Some(piece) = index.checked_sub(1).and_then(|index| self.pieces.get(index)) else {
            return self.raw.len()..self.raw.len();
        };
        if byte >= self.text.len() {
            return piece.end..piece.end;
        }
        if piece.linear {
            let start = piece.start + (byte - piece.canonical);
            start..start + 1
        } else {
            piece.start..piece.end
        }
    }

    fn push(&mut self, item: Item) {
        let Item { c, start, end } = item;
        let linear = end - start == c.len_utf8();
        match self.pieces.last_mut() {
            Some(last) if linear && last.linear && last.end == start => last.end = end,
            _ => self.pieces.push(Piece { canonical: self.text.len(), start, end, linear }),
        }
        self.text.push(c);
    }

    fn note_hazards(&mut self, item: Item, marks: &mut usize) {
        let c = item.c;
        if c.is_ascii() && !c.is_ascii_control() {
            *marks = 0;
            return;
        }
        if let Some(hazard) = hazard(c) {
            self.hazards.push((item.start..item.end, hazard));
        }
        let mut too_many = false;
        decompose_canonical(c, |part| {
            *marks = if canonical_combining_class(part) == 0 { 0 } else { *marks + 1 };
            too_many |= *marks == MAX_MARKS + 1;
        });
        if too_many {
            self.hazards.push((item.start..item.end, Hazard::Marks));
        }
    }
}

fn counts(raw: &str) -> Vec<usize> {
    let mut count = 0;
    let chunks = raw.as_bytes().chunks(STRIDE).map(|chunk| {
        let before = count;
        count += starts(chunk);
        before
    });
    chunks.collect()
}

/// Number of code points that begin in these bytes of UTF-8.
fn starts(bytes: &[u8]) -> usize {
    bytes.iter().filter(|&&byte| byte & 0xC0 != 0x80).count()
}

/// Number of words of a canonical text (SPEC.md, 1.5).
#[must_use]
pub fn words(canonical: &str) -> u64 {
    let mut count = 0;
    let mut within = false;
    for c in canonical.chars() {
        if is_counted(c) {
            count += 1;
            within = false;
        } else if c == ' ' || is_cjk(c) {
            within = false;
        } else if !within {
            count += 1;
            within = true;
        }
    }
    count
}

/// Whether the text that stands for a picture is an emoji (SPEC.md, 1.1).
#[must_use]
pub fn is_emoji_text(text: &str) -> bool {
    const KEYCAP: char = '\u{20E3}';
    let mut visible = false;
    let mut rest = text.chars();
    while let Some(c) = rest.next() {
        let key = || {
            let mut after = rest.clone();
            matches!((after.next(), after.next()), (Some(KEYCAP), _) | (Some('\u{FE0F}'), Some(KEYCAP)))
        };
        let picture = match c {
            '0'..='9' | '#' | '*' => key(),
            _ => is_emoji(c) || is_picture(c),
        };
        if !picture && !is_joiner(c) && !is_dropped(c) && c != KEYCAP {
            return false;
        }
        visible |= picture;
    }
    visible && text.chars().count() <= 16
}

/// Emoji beyond class E.
fn is_picture(c: char) -> bool {
    matches!(
        c,
        '\u{A9}'
            | '\u{AE}'
            | '\u{203C}'
            | '\u{2049}'
            | '\u{2122}'
            | '\u{2139}'
            | '\u{3030}'
            | '\u{303D}'
            | '\u{3297}'
            | '\u{3299}'
    )
}

/// White space of any kind.
pub(super) fn is_space(c: char) -> bool {
    matches!(c,
        '\t'..='\r' | ' ' | '\u{85}' | '\u{A0}' | '\u{1680}' | '\u{2000}'..='\u{200A}' | '\u{2028}' | '\u{2029}'
        | '\u{202F}' | '\u{205F}' | '\u{3000}')
}

/// Whether the canonical form leaves a character out wherever it stands.
pub(super) fn is_dropped(c: char) -> bool {
    matches!(c,
        '\u{AD}' | '\u{34F}' | '\u{180E}' | '\u{200B}' | '\u{2060}'..='\u{2064}' | '\u{FEFF}'
        | '\u{FE00}'..='\u{FE0F}' | '\u{E0000}'..='\u{E0FFF}')
}

fn hazard(c: char) -> Option<Hazard> {
    match c {
        '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}' => Some(Hazard::Bidirectional(c)),
        _ if c.is_control() && !is_space(c) => Some(Hazard::Control(c)),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
