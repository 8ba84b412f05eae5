//! A text without its hidden characters, and the way back.

use super::{Class, Scanner};
use crate::verdict::Span;
use std::ops::Range;

/// Longest stretch without a place noted, in bytes: what one look-up may have to count through.
const STRETCH: usize = 256;

/// A text without the characters that can't be seen and have no work to do.
///
/// Soft hyphens and a byte order mark go as well, honest or not, because they are no part of the words. Narrow spaces stay.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Visible {
    text: String,
    /// Places in both texts, in order; at least every [`STRETCH`] bytes and after every gap.
    places: Vec<Place>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Place {
    /// Byte in the visible text.
    visible: usize,
    /// Byte in the original.
    byte: usize,
    /// Code point in the original.
    code_point: usize,
}

impl Visible {
    /// Takes the hidden characters out of a text.
    #[must_use]
    pub fn new(original: &str) -> Self {
        let scanner = Scanner::new(original);
        let mut text = String::with_capacity(original.len());
        let mut places: Vec<Place> = Vec::new();
        let mut gap = true;
        for (code_point, (byte, c)) in original.char_indices().enumerate() {
            let hidden = scanner.class_at(code_point).is_some_and(|class| class != Class::NarrowSpace);
            if hidden || c == '\u{AD}' || (c == '\u{FEFF}' && code_point == 0) {
                gap = true;
                continue;
            }
            if gap || places.last().is_none_or(|place| text.len() - place.visible >= STRETCH) {
                places.push(Place { visible: text.len(), byte, code_point });
                gap = false;
            }
            text.push(c);
        }
        Self { text, places }
    }

    /// What is left to see.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Where the character at a byte of the visible text stands in the original, in bytes. An offset past the end gives
    /// the end of the last visible character.
    #[must_use]
    pub fn byte(&self, visible: usize) -> usize {
        self.position(visible).byte
    }

    /// Where a part of the visible text, in bytes, stands in the original, in code points. Hidden characters inside the
    /// part belong to it, those at its edges don't.
    #[must_use]
    pub fn span(&self, bytes: Range<usize>) -> Span {
        let end = self.floor(bytes.end);
        let start = self.floor(bytes.start.min(end));
        let last = self.text[start..end].chars().next_back().map_or(start, |c| end - c.len_utf8());
        let first = self.position(start).code_point;
        let past = if end > start { self.position(last).code_point + 1 } else { first };
        Span { start: first, end: past }
    }

    /// The nearest boundary of a character at or before an offset.
    fn floor(&self, offset: usize) -> usize {
        let mut offset = offset.min(self.text.len());
        while !self.text.is_char_boundary(offset) {
            offset -= 1;
        }
        offset
    }

    fn position(&self, visible: usize) -> Place {
        let visible = self.floor(visible);
        let following = self.places.partition_point(|place| place.visible <= visible);
        let Some(place) = following.checked_sub(1).and_then(|index| self.places.get(index)) else {
            return Place { visible, byte: 0, code_point: 0 };
        };
        let between = &self.text[place.visible..visible];
        Place {
            visible,
            byte: place.byte + between.len(),
            code_point: place.code_point + between.chars().count(),
        }
    }
}
