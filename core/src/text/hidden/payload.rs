//! What a run of hidden characters says, if it says something.

use super::Class;

/// How a hidden message is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Encoding {
    /// Tag characters: ASCII, moved to U+E0000.
    Tags,
    /// Variation selectors: a byte each.
    VariationSelectors,
    /// Two characters without width as 0 and 1.
    Bits,
}

impl Encoding {
    /// A stable name for programs and translators.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Tags => "tags",
            Self::VariationSelectors => "variation_selectors",
            Self::Bits => "bits",
        }
    }
}

/// A hidden message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Payload {
    /// How it was written.
    pub encoding: Encoding,
    /// Its bytes.
    pub bytes: Vec<u8>,
    /// Its bytes as text, if they are printable text.
    pub text: Option<String>,
}

/// Fewest characters of a message; less is chance.
const SHORTEST: usize = 3;
/// Fewest bytes that count as a message although they are no text.
const SHORTEST_BINARY: usize = 8;
/// Most hidden characters read as bits.
const LONGEST: usize = 1 << 16;

/// Decodes one run of hidden characters of one class.
pub(super) fn decode(class: Class, run: &[char]) -> Option<Payload> {
    match class {
        Class::Tag => tags(run),
        Class::VariationSelector => selectors(run),
        Class::ZeroWidth => bits(run, SHORTEST),
        _ => None,
    }
}

fn tags(run: &[char]) -> Option<Payload> {
    let bytes: Vec<u8> = run
        .iter()
        .filter_map(|&c| u8::try_from(u32::from(c).checked_sub(0xE0000)?).ok())
        .filter(|byte| matches!(byte, b' '..=b'~'))
        .collect();
    let text = printable(&bytes).filter(|text| text.len() >= SHORTEST)?;
    Some(Payload { encoding: Encoding::Tags, bytes, text: Some(text) })
}

fn selectors(run: &[char]) -> Option<Payload> {
    let bytes: Vec<u8> = run.iter().filter_map(|&c| byte_of(c)).collect();
    let text = printable(&bytes).filter(|text| text.chars().count() >= SHORTEST);
    // One selector again and again is a slip of some editor.
    let varied = bytes.iter().any(|&byte| Some(&byte) != bytes.first());
    (text.is_some() || (varied && bytes.len() >= SHORTEST_BINARY)).then_some(Payload {
        encoding: Encoding::VariationSelectors,
        bytes,
        text,
    })
}

/// The byte that a variation selector stands for.
pub(crate) fn byte_of(c: char) -> Option<u8> {
    match u32::from(c) {
        code @ 0xFE00..=0xFE0F => u8::try_from(code - 0xFE00).ok(),
        code @ 0xE0100..=0xE01EF => u8::try_from(code - 0xE0100 + 16).ok(),
        _ => None,
    }
}

/// The variation selector that stands for a byte.
pub(crate) fn selector_of(byte: u8) -> char {
    let code = if byte < 16 { 0xFE00 + u32::from(byte) } else { 0xE0100 + u32::from(byte) - 16 };
    char::from_u32(code).unwrap_or('\u{FE00}')
}

/// Reads characters without width as bits, with the usual pair first; the other characters separate.
pub(super) fn bits(run: &[char], shortest: usize) -> Option<Payload> {
    const SYMBOLS: [char; 5] = ['\u{200B}', '\u{200C}', '\u{200D}', '\u{2060}', '\u{FEFF}'];
    // Fewer could not hold the shortest message.
    if run.len() < shortest * 6 || run.len() > LONGEST || run.iter().any(|c| !SYMBOLS.contains(c)) {
        return None;
    }
    let present: Vec<char> = SYMBOLS.into_iter().filter(|symbol| run.contains(symbol)).collect();
    let pairs = present.iter().flat_map(|&zero| present.iter().map(move |&one| (zero, one)));
    pairs.filter(|(zero, one)| zero != one).find_map(|(zero, one)| {
        let text = message(run, zero, one).filter(|text| text.chars().count() >= shortest)?;
        Some(Payload { encoding: Encoding::Bits, bytes: text.clone().into_bytes(), text: Some(text) })
    })
}

fn message(run: &[char], zero: char, one: char) -> Option<String> {
    let groups: Vec<Vec<bool>> = run
        .split(|&c| c != zero && c != one)
        .filter(|group| !group.is_empty())
        .map(|group| group.iter().map(|&c| c == one).collect())
        .collect();
    let value = |bits: &[bool]| bits.iter().fold(0_u32, |value, &bit| value << 1 | u32::from(bit));
    let bytes = || {
        if groups.iter().any(|group| group.len() % 8 != 0) {
            return None;
        }
        let bytes: Option<Vec<u8>> = groups
            .iter()
            .flat_map(|group| group.chunks(8))
            .map(|bits| u8::try_from(value(bits)).ok())
            .collect();
        printable(&bytes?)
    };
    let code_points = || {
        if groups.len() < 2 || groups.iter().any(|group| group.len() > 21) {
            return None;
        }
        let text: Option<String> = groups.iter().map(|group| char::from_u32(value(group))).collect();
        printable(text?.as_bytes())
    };
    bytes().or_else(code_points)
}

/// The bytes as text, if nothing in it is a control character or itself invisible.
fn printable(bytes: &[u8]) -> Option<String> {
    let text = std::str::from_utf8(bytes).ok()?;
    let visible = |c: char| (!c.is_control() || matches!(c, '\n' | '\r' | '\t')) && !is_unassigned(c);
    (text.chars().all(visible) && text.chars().any(|c| !c.is_whitespace())).then(|| text.to_owned())
}

/// Private use, non-characters and default ignorables: no sane message has them.
fn is_unassigned(c: char) -> bool {
    matches!(u32::from(c),
        0x200B..=0x200F | 0x202A..=0x202E | 0x2060..=0x206F | 0xE000..=0xF8FF | 0xFDD0..=0xFDEF | 0xFFF0..=0xFFFF
        | 0x1FFFE | 0x1FFFF | 0x40000..)
}
