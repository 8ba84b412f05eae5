//! The scoring form of a text: what the language model is shown.
//!
//! Line breaks, curly quotes and zero-width characters tell which editor a text went through, not who wrote it. In most
//! data sets they give the label away all the same, and a detector that sees them learns them. So they are folded before
//! the model reads the text, and a map leads back from every byte to the author's own characters:
//!
//! - white space of any kind and length becomes one space; none is left at the ends;
//! - characters that nobody sees (zero-width, bidirectional controls, tags, other control characters) are dropped,
//!   as are variation selectors unless they belong to an emoji; zero-width joiner and non-joiner stay, because emoji,
//!   Persian and the Indic scripts need them;
//! - curly quotes, typographic hyphens and the ellipsis become ASCII; an em dash, or two hyphens in its place, becomes
//!   " - ";
//! - each grapheme cluster is brought into Unicode's composed form (NFC).

use crate::verdict::Span;
use std::ops::Range;
use unicode_normalization::char::is_combining_mark;
use unicode_normalization::{IsNormalized, UnicodeNormalization, is_nfc_quick};
use unicode_segmentation::UnicodeSegmentation;

/// Most characters in one piece of the map, which bounds the work of a look-up.
const PIECE: u32 = 64;

/// A text as the model is shown it, with the way back to the original.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScoringText {
    text: String,
    pieces: Vec<Piece>,
}

/// Some neighbouring characters of the scoring text and where they came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Piece {
    /// First byte in the scoring text.
    byte: usize,
    /// Code points of the original.
    start: u32,
    end: u32,
    /// Whether its characters came one from one; otherwise all of them came from all of the range.
    linear: bool,
}

/// A folded character and the code points it came from.
#[derive(Debug, Clone, Copy)]
struct Item {
    c: char,
    start: u32,
    end: u32,
}

impl ScoringText {
    /// Folds a text. Folding the result again changes nothing.
    #[must_use]
    pub fn new(original: &str) -> Self {
        let items = Folder::fold(original);
        let folded: String = items.iter().map(|item| item.c).collect();
        let mut made = Self { text: String::with_capacity(folded.len()), pieces: Vec::new() };
        if is_nfc_quick(folded.chars()) == IsNormalized::Yes {
            items.iter().for_each(|&item| made.push(item));
        } else {
            made.compose(&folded, &items);
        }
        made
    }

    /// The folded text.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Where a byte range of the folded text came from, in code points of the original.
    ///
    /// The range may begin or end inside a character (tokens of byte-level vocabularies do): it is widened to whole
    /// characters. A range outside the text is cut to it; an empty one gives an empty span.
    #[must_use]
    pub fn original_span(&self, bytes: Range<usize>) -> Span {
        let start = bytes.start.min(self.text.len());
        let end = bytes.end.min(self.text.len());
        let first = self.origin(start).start;
        if start >= end {
            return Span { start: first, end: first };
        }
        Span { start: first, end: self.origin(end - 1).end }
    }

    /// The code points behind the character that holds a byte; behind the end of the text, its last one's end.
    fn origin(&self, byte: usize) -> Span {
        let index = self.pieces.partition_point(|piece| piece.byte <= byte);
        let Some(piece) = index.checked_sub(1).and_then(|index| self.pieces.get(index)) else {
            return Span { start: 0, end: 0 };
        };
        if byte >= self.text.len() {
            return Span { start: piece.end as usize, end: piece.end as usize };
        }
        if !piece.linear {
            return Span { start: piece.start as usize, end: piece.end as usize };
        }
        let within =
            self.text.as_bytes()[piece.byte..=byte].iter().filter(|&&b| is_char_start(b)).count() - 1;
        let start = piece.start as usize + within;
        Span { start, end: start + 1 }
    }

    fn push(&mut self, item: Item) {
        let single = item.end - item.start == 1;
        match self.pieces.last_mut() {
            Some(last)
                if single && last.linear && last.end == item.start && last.end - last.start < PIECE =>
            {
                last.end += 1;
            }
            // Several characters from one, as the three dots of an ellipsis, need a piece each.
            _ => {
                self.pieces.push(Piece {
                    byte: self.text.len(),
                    start: item.start,
                    end: item.end,
                    linear: single,
                });
            }
        }
        self.text.push(item.c);
    }

    /// Composes cluster by cluster, so that the map stays right to within one.
    fn compose(&mut self, folded: &str, items: &[Item]) {
        let mut rest = items;
        for cluster in folded.graphemes(true) {
            let (own, others) = rest.split_at(cluster.chars().count().min(rest.len()));
            rest = others;
            let composed: String = cluster.nfc().collect();
            if composed == cluster {
                own.iter().for_each(|&item| self.push(item));
            } else if let (Some(first), Some(last)) = (own.first(), own.last()) {
                self.pieces.push(Piece {
                    byte: self.text.len(),
                    start: first.start,
                    end: last.end,
                    linear: false,
                });
                self.text.push_str(&composed);
            }
        }
    }
}

/// Whether a byte of UTF-8 begins a character.
fn is_char_start(byte: u8) -> bool {
    byte & 0xC0 != 0x80
}

/// White space that waits for a visible character.
#[derive(Debug, Clone, Copy)]
struct Space {
    start: u32,
    end: u32,
    /// Whether it is the blank that follows an em dash's hyphen, not one of the original.
    synthetic: bool,
}

/// Hyphens that wait for what follows, because two of them stand for an em dash.
type Hyphens = Vec<(u32, u32)>;

#[derive(Debug, Default)]
struct Folder {
    items: Vec<Item>,
    space: Option<Space>,
    hyphens: Hyphens,
}

impl Folder {
    fn fold(original: &str) -> Vec<Item> {
        let mut folder = Self::default();
        let mut chars = original.chars().enumerate().peekable();
        while let Some((index, c)) = chars.next() {
            let start = u32::try_from(index).unwrap_or(u32::MAX - 1);
            if is_variation_selector(c) {
                let next = chars.peek().map(|&(_, next)| next);
                if !folder.selects(next) {
                    continue;
                }
            } else if is_invisible(c) {
                continue;
            }
            folder.take(c, start);
        }
        folder.flush_hyphens(None);
        folder.items
    }

    fn take(&mut self, c: char, start: u32) {
        let end = start + 1;
        if matches!(c, '-' | '\u{2010}'..='\u{2013}' | '\u{2212}') {
            self.hyphens.push((start, end));
            return;
        }
        self.flush_hyphens(Some(c));
        match c {
            _ if c.is_whitespace() || c == '\u{2800}' => self.blank(start, end),
            '\u{2014}' | '\u{2015}' | '\u{2E3A}' | '\u{2E3B}' => self.em_dash(start, end),
            '\u{2018}'..='\u{201B}' | '\u{2032}' => self.emit('\'', start, end),
            '\u{201C}'..='\u{201F}' | '\u{2033}' => self.emit('"', start, end),
            '\u{2026}' => (0..3).for_each(|_| self.emit('.', start, end)),
            _ => self.emit(c, start, end),
        }
    }

    /// Whether a variation selector here belongs to an emoji; `next` is the character that follows it.
    fn selects(&self, next: Option<char>) -> bool {
        if self.space.is_some() || !self.hyphens.is_empty() {
            return false;
        }
        match self.items.last() {
            Some(Item { c: '0'..='9' | '#' | '*', .. }) => next == Some('\u{20E3}'),
            Some(item) => takes_emoji_selector(item.c),
            None => false,
        }
    }

    fn emit(&mut self, c: char, start: u32, end: u32) {
        if let Some(space) = self.space.take() {
            // A text doesn't begin with a space.
            if !self.items.is_empty() {
                self.items.push(Item { c: ' ', start: space.start, end: space.end });
            }
        }
        self.items.push(Item { c, start, end });
    }

    fn blank(&mut self, start: u32, end: u32) {
        self.space = Some(match self.space {
            Some(space) if !space.synthetic => Space { end, ..space },
            _ => Space { start, end, synthetic: false },
        });
    }

    fn em_dash(&mut self, start: u32, end: u32) {
        match self.space {
            // A dash of several characters is one dash.
            Some(Space { synthetic: true, .. }) => return,
            Some(_) => {}
            None => self.space = Some(Space { start, end, synthetic: true }),
        }
        self.emit('-', start, end);
        self.space = Some(Space { start, end, synthetic: true });
    }

    /// `next` is what follows the hyphens: two before a word and after a blank begin a command-line flag, not a clause.
    fn flush_hyphens(&mut self, next: Option<char>) {
        let hyphens = std::mem::take(&mut self.hyphens);
        if let [(start, _), (_, end)] = hyphens[..] {
            let after_blank = self.space.is_some() || self.items.is_empty();
            // Marks are letters to Rust, but composing may reorder them.
            let before_word = next.is_some_and(|c| c.is_alphanumeric() && !is_combining_mark(c));
            if !(after_blank && before_word) {
                self.em_dash(start, end);
                return;
            }
        }
        for (start, end) in hyphens {
            self.emit('-', start, end);
        }
    }
}

fn is_variation_selector(c: char) -> bool {
    matches!(c, '\u{FE00}'..='\u{FE0F}')
}

/// Characters without any picture or width that carry no meaning in plain prose.
fn is_invisible(c: char) -> bool {
    matches!(u32::from(c),
        0x00AD | 0x034F | 0x061C | 0x115F | 0x1160 | 0x17B4 | 0x17B5 | 0x180B..=0x180F
        | 0x200B | 0x200E | 0x200F | 0x202A..=0x202E | 0x2060..=0x206F | 0x3164
        | 0xFEFF | 0xFFA0 | 0xFFF0..=0xFFFC | 0x1BCA0..=0x1BCA3 | 0x1D173..=0x1D17A | 0xE0000..=0xE0FFF)
        || (c.is_control() && !c.is_whitespace())
}

/// Characters outside the keycaps that Unicode's emoji-variation-sequences.txt lists, widened to blocks where all
/// neighbours are symbols.
fn takes_emoji_selector(c: char) -> bool {
    matches!(u32::from(c),
        0xA9 | 0xAE | 0x203C | 0x2049 | 0x2122 | 0x2139 | 0x2194..=0x2199 | 0x21A9..=0x21AA | 0x231A..=0x231B
        | 0x2328 | 0x23CF | 0x23E9..=0x23F3 | 0x23F8..=0x23FA | 0x24C2 | 0x25AA..=0x25AB | 0x25B6 | 0x25C0
        | 0x25FB..=0x25FE | 0x2600..=0x27BF | 0x2934..=0x2935 | 0x2B05..=0x2B07 | 0x2B1B..=0x2B1C | 0x2B50 | 0x2B55
        | 0x3030 | 0x303D | 0x3297 | 0x3299 | 0x1F000..=0x1FAFF)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn folded(original: &str) -> String {
        ScoringText::new(original).text().to_owned()
    }

    fn slice(original: &str, span: Span) -> String {
        original.chars().skip(span.start).take(span.end - span.start).collect()
    }

    #[test]
    fn white_space_of_any_kind_is_one_space() {
        assert_eq!(folded("  a\u{A0}\u{2003}b\r\n\r\n\tc \u{200B} d\u{3000}\n"), "a b c d");
        assert_eq!(folded(" \n\t\u{FEFF} "), "");
    }

    #[test]
    fn what_nobody_sees_is_dropped() {
        assert_eq!(
            folded("so\u{AD}ft ze\u{200B}ro\u{2060} \u{FEFF}mark\u{FE01} t\u{E0041}\u{E0101}ag \u{202E}x\0"),
            "soft zero mark tag x"
        );
    }

    #[test]
    fn emoji_keep_their_sequences() {
        for emoji in ["❤\u{FE0F}", "👩\u{200D}❤\u{FE0F}\u{200D}👨", "1\u{FE0F}\u{20E3}", "👍🏽", "🇩🇪"]
        {
            assert_eq!(folded(emoji), emoji);
        }
        assert_eq!(folded("a\u{FE0F} 1\u{FE0F} ❤\u{FE0F}\u{FE0F}"), "a 1 ❤\u{FE0F}");
    }

    #[test]
    fn typography_becomes_ascii() {
        assert_eq!(folded("“It’s ‘so’”… 3–4, −5"), "\"It's 'so'\"... 3-4, -5");
        assert_eq!(
            folded("word—word, word -- word, word--word ——— end——"),
            "word - word, word - word, word - word - end -"
        );
        assert_eq!(folded("run --all or ---- i--"), "run --all or ---- i -");
    }

    #[test]
    fn letters_are_composed() {
        assert_eq!(folded("cafe\u{301} e\u{200B}\u{301}"), "café é");
        assert_eq!(folded("––\u{F71}\u{338}"), "- \u{338}\u{F71}");
    }

    #[test]
    fn the_map_leads_back() {
        let original = "\u{FEFF}  Cafe\u{301}\r\n\r\n“sure”… a—b";
        let scoring = ScoringText::new(original);
        assert_eq!(scoring.text(), "Café \"sure\"... a - b");
        let back = |part: &str| {
            let start = scoring.text().find(part).unwrap_or_default();
            slice(original, scoring.original_span(start..start + part.len()))
        };
        assert_eq!(back("Café"), "Cafe\u{301}");
        assert_eq!(back("é "), "e\u{301}\r\n\r\n");
        assert_eq!(back("\"sure\""), "“sure”");
        assert_eq!(back("."), "…");
        assert_eq!(back("..."), "…");
        assert_eq!(back("- b"), "—b");
        assert_eq!(back("b"), "b");
    }

    #[test]
    fn a_range_inside_a_character_is_widened() {
        let scoring = ScoringText::new("a🎉b");
        assert_eq!(scoring.original_span(2..3), Span { start: 1, end: 2 });
        assert_eq!(scoring.original_span(3..6), Span { start: 1, end: 3 });
        assert_eq!(scoring.original_span(6..900), Span { start: 3, end: 3 });
        let backwards = Range { start: 900, end: 2 };
        assert_eq!(scoring.original_span(backwards), Span { start: 3, end: 3 });
        assert_eq!(ScoringText::new("").original_span(0..4), Span { start: 0, end: 0 });
    }

    #[test]
    fn large_odd_texts_take_no_time() {
        for unit in ["a", "\u{301}", "-", "\u{FE0F}", "é", "🎉", "—", "\u{202E}ش"] {
            let text = unit.repeat(300_000);
            let scoring = ScoringText::new(&text);
            let all = scoring.original_span(0..scoring.text().len());
            assert!(all.end <= text.chars().count());
        }
    }

    /// Strings in which the special cases are common.
    fn odd_text() -> impl Strategy<Value = String> {
        let special = prop::sample::select(vec![
            '-',
            '—',
            '–',
            ' ',
            '\n',
            '\u{A0}',
            '\u{200B}',
            '\u{301}',
            '\u{FE0F}',
            '❤',
            '1',
            '\u{20E3}',
            'e',
            'a',
            '…',
            '’',
            '“',
            '\u{AD}',
            '\u{200D}',
            '👩',
            '\u{1100}',
            '\u{1161}',
            '\u{11A8}',
            '\u{0F71}',
            '\u{0F72}',
            '\u{0344}',
            '\u{2329}',
            '字',
            '\u{E0041}',
            '\u{338}',
            '=',
            '\u{0915}',
            '\u{093C}',
            '\u{600}',
        ]);
        prop::collection::vec(prop_oneof![4 => special, 1 => any::<char>()], 0..40)
            .prop_map(String::from_iter)
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(1000))]
        #[test]
        fn folding_twice_is_folding_once(text in odd_text()) {
            let once = folded(&text);
            prop_assert_eq!(&folded(&once), &once);
        }

        #[test]
        fn spans_rise_and_stay_inside(text in odd_text()) {
            let scoring = ScoringText::new(&text);
            let length = text.chars().count();
            let mut last = Span { start: 0, end: 0 };
            for (byte, c) in scoring.text().char_indices() {
                let span = scoring.original_span(byte..byte + c.len_utf8());
                prop_assert!(span.start < span.end && span.end <= length);
                prop_assert!(span.start >= last.start && span.end >= last.end);
                last = span;
            }
        }

        #[test]
        fn a_character_that_stayed_leads_to_itself(text in odd_text()) {
            let scoring = ScoringText::new(&text);
            for (byte, c) in scoring.text().char_indices().filter(|(_, c)| c.is_ascii_alphanumeric()) {
                let origin = slice(&text, scoring.original_span(byte..byte + c.len_utf8()));
                prop_assert!(origin.contains(c), "{:?} from {:?}", c, origin);
            }
        }

        #[test]
        fn plain_text_is_left_alone(text in "[a-zA-Z0-9,.!?']{1,12}( [a-zA-Z0-9,.!?']{1,12}){0,20}") {
            prop_assert_eq!(folded(&text), text);
        }
    }
}
