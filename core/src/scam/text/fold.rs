//! Characters folded to plain ones: lower case, half width, no accents, simplified Chinese.

use crate::text::hidden;
use std::sync::OnceLock;
use unicode_normalization::char::decompose_compatible;

/// A plain character with the place of the one that it came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Plain {
    pub(crate) c: char,
    /// Code points before it in the message.
    pub(crate) at: u32,
    /// It was an ornamental letter (bold, circled, …).
    pub(crate) ornamental: bool,
}

/// A message's plain characters.
#[derive(Debug, Default)]
pub(crate) struct Folded {
    pub(crate) chars: Vec<Plain>,
    /// Where characters that can't be seen stood inside words.
    pub(crate) invisible: Vec<u32>,
}

/// Pairs of a traditional and a simplified character. From OpenCC's table TSCharacters (Apache-2.0), single characters of
/// the basic plane, the first choice of each.
#[cfg(feature = "scam-data")]
pub(crate) const PAIRS: &str = include_str!("simplified.txt");

const FIRST_HAN: u32 = 0x4E00;
const LAST_HAN: u32 = 0x9FFF;

/// By character, from the first Han one: what it is simplified to.
static SIMPLIFIED: OnceLock<Vec<char>> = OnceLock::new();

/// Lets characters be simplified by these pairs, once for all: what was read by one table can't be compared with what was
/// read by another.
///
/// # Errors
/// Another table is used already.
pub(crate) fn simplify(pairs: &str) -> Result<(), String> {
    let table = table(pairs);
    #[cfg(feature = "scam-data")]
    let used = simplified();
    #[cfg(not(feature = "scam-data"))]
    let used = SIMPLIFIED.get_or_init(|| table.clone()).as_slice();
    if used == table {
        Ok(())
    } else {
        Err("the scam data are of another version than those in use: start anew".to_owned())
    }
}

#[cfg(feature = "scam-data")]
fn simplified() -> &'static [char] {
    SIMPLIFIED.get_or_init(|| table(PAIRS))
}

/// Nothing before [`simplify`], which comes before all reading.
#[cfg(not(feature = "scam-data"))]
fn simplified() -> &'static [char] {
    SIMPLIFIED.get().map_or(&[], Vec::as_slice)
}

fn table(pairs: &str) -> Vec<char> {
    let mut table: Vec<char> = (FIRST_HAN..=LAST_HAN).filter_map(char::from_u32).collect();
    for line in pairs.lines() {
        let mut chars = line.chars();
        while let (Some(from), Some(to)) = (chars.next(), chars.next()) {
            if let Some(place) = table.get_mut((from as usize).wrapping_sub(FIRST_HAN as usize)) {
                *place = to;
            }
        }
    }
    table
}

/// Whether a character is written without spaces between words, and is a token of its own.
pub(crate) fn is_han(c: char) -> bool {
    matches!(c, '\u{3400}'..='\u{4DBF}' | '\u{4E00}'..='\u{9FFF}' | '\u{3041}'..='\u{30FF}' | '\u{20000}'..='\u{323AF}' | '〇')
}

/// Folds a message.
pub(crate) fn fold(text: &str) -> Folded {
    if text.is_ascii() {
        let chars = text.bytes().enumerate().map(|(at, byte)| Plain {
            c: byte.to_ascii_lowercase() as char,
            at: at as u32,
            ornamental: false,
        });
        return Folded { chars: chars.collect(), invisible: Vec::new() };
    }
    let mut hidden = hidden_places(text).into_iter().peekable();
    let mut folded = Folded { chars: Vec::with_capacity(text.len() / 2), invisible: Vec::new() };
    // A hidden run that has a word's character before it; it counts once one follows too.
    let mut pending: Option<u32> = None;
    for (at, c) in text.chars().enumerate() {
        let at = at as u32;
        if hidden.next_if_eq(&at).is_some() {
            if folded.chars.last().is_some_and(|last| last.c.is_alphanumeric()) {
                pending.get_or_insert(at);
            }
            continue;
        }
        if is_ignored(c) {
            continue;
        }
        if let Some(place) = pending.take()
            && c.is_alphanumeric()
        {
            folded.invisible.push(place);
        }
        push(c, at, &mut folded.chars);
    }
    folded
}

/// Code points that can't be seen and have no work to do.
fn hidden_places(text: &str) -> Vec<u32> {
    // Most messages have none: looking is cheaper than scanning.
    if !text
        .chars()
        .any(|c| is_ignored(c) || matches!(c, '\u{AD}' | '\u{34F}' | '\u{115F}' | '\u{1160}' | '\u{3164}'))
    {
        return Vec::new();
    }
    let spaces = |run: &hidden::Run| run.class != hidden::Class::NarrowSpace;
    let places = |run: hidden::Run| (run.span.start..run.span.end).map(|at| at as u32);
    hidden::runs(text).into_iter().filter(spaces).flat_map(places).collect()
}

/// Characters without a glyph of their own, wherever they stand.
fn is_ignored(c: char) -> bool {
    matches!(c,
        '\u{200B}'..='\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2060}'..='\u{206F}' | '\u{FEFF}' | '\u{FE00}'..='\u{FE0F}'
        | '\u{E0000}'..='\u{E01EF}' | '\u{AD}')
}

fn push(c: char, at: u32, chars: &mut Vec<Plain>) {
    if c.is_ascii() {
        return chars.push(Plain { c: c.to_ascii_lowercase(), at, ornamental: false });
    }
    let code = c as u32;
    if (FIRST_HAN..=LAST_HAN).contains(&code) {
        let c = simplified().get((code - FIRST_HAN) as usize).copied().unwrap_or(c);
        return chars.push(Plain { c, at, ornamental: false });
    }
    if matches!(c, '\u{AC00}'..='\u{D7A3}') {
        // Hangul syllables stay whole.
        return chars.push(Plain { c, at, ornamental: false });
    }
    let ornamental = is_ornamental(c);
    if let Some(letter) = squared(c) {
        return chars.push(Plain { c: letter, at, ornamental });
    }
    decompose_compatible(c, |part| {
        // Accents and stacked marks on Latin letters.
        if matches!(part, '\u{300}'..='\u{36F}') {
            return;
        }
        for c in part.to_lowercase() {
            chars.push(Plain { c, at, ornamental });
        }
    });
}

/// Letters of mathematics and letters in circles and brackets: alphabets that nobody writes words in.
fn is_ornamental(c: char) -> bool {
    matches!(c, '\u{1D400}'..='\u{1D7FF}' | '\u{24B6}'..='\u{24E9}' | '\u{249C}'..='\u{24B5}' | '\u{1F110}'..='\u{1F189}')
}

/// Letters in squares, which have no decomposition.
fn squared(c: char) -> Option<char> {
    let code = c as u32;
    let first = [0x1F130, 0x1F150, 0x1F170].into_iter().find(|first| (*first..first + 26).contains(&code))?;
    char::from_u32('a' as u32 + code - first)
}
