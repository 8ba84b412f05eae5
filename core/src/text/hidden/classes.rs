//! Which characters can't be seen, and where they have work to do.
//!
//! Most invisible characters are honest: they join the letters of Persian, split the words of Thai, choose the form of an
//! emoji. Only those that do none of this are findings. In doubt a character is honest.

use unicode_normalization::char::is_combining_mark;

/// What sort of character that a reader can't see.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Class {
    /// Spaces without width, joiners and invisible operators.
    ZeroWidth,
    /// Marks that set the direction of writing.
    Bidi,
    /// Tag characters, an invisible copy of ASCII.
    Tag,
    /// Variation selectors, of which there are 256: one for each byte.
    VariationSelector,
    /// Other characters without a glyph.
    Other,
    /// Soft hyphens where no word can break.
    SoftHyphen,
    /// Narrow no-break spaces (U+202F) where no language puts them. They are seen, but not told from other spaces.
    NarrowSpace,
}

/// Longest run of joiners that a script has a use for.
const JOINERS: usize = 2;

/// What is known of the text as a whole.
#[derive(Debug, Clone, Copy)]
pub(super) struct Setting {
    /// It has letters that are written from right to left.
    pub(super) right_to_left: bool,
    /// It is French, which puts narrow spaces before some marks.
    pub(super) french: bool,
}

/// The class of the character at `at` if it is invisible and has no work to do there.
pub(super) fn class_at(chars: &[char], at: usize, setting: Setting) -> Option<Class> {
    let c = *chars.get(at)?;
    let class = class_of(c)?;
    let honest = match c {
        '\u{200B}' => is_word_break(chars, at),
        '\u{200C}' | '\u{200D}' => is_joiner(chars, at),
        // At the start it is a byte order mark, unless it opens a run of selectors.
        '\u{FEFF}' => at == 0 && !next(chars, at).is_some_and(is_selector),
        '\u{200E}' | '\u{200F}' | '\u{061C}' | '\u{202A}'..='\u{202C}' | '\u{2066}'..='\u{2069}' => {
            setting.right_to_left
        }
        '\u{2061}'..='\u{2064}' => is_operator(chars, at),
        '\u{E0000}'..='\u{E007F}' => is_in_flag(chars, at),
        '\u{FE00}'..='\u{FE0F}' | '\u{E0100}'..='\u{E01EF}' => is_variation(chars, at),
        '\u{180B}'..='\u{180F}' => beside(chars, at, is_mongolian),
        '\u{034F}' => beside(chars, at, |c| is_combining_mark(c) || is_right_to_left(c)),
        '\u{00AD}' => {
            previous(chars, at).is_some_and(char::is_alphanumeric) && {
                next(chars, at).is_some_and(|c| c.is_alphabetic() || c.is_whitespace())
            }
        }
        '\u{202F}' => setting.french || is_spacing(chars, at),
        '\u{115F}' | '\u{1160}' => beside(chars, at, is_jamo),
        '\u{1D173}'..='\u{1D17A}' => beside(chars, at, |c| matches!(c, '\u{1D100}'..='\u{1D1FF}')),
        _ => false,
    };
    (!honest).then_some(class)
}

/// The class of a character, wherever it stands; `None` for one that can be seen.
fn class_of(c: char) -> Option<Class> {
    Some(match c {
        '\u{200B}'..='\u{200D}' | '\u{2060}'..='\u{2064}' | '\u{FEFF}' => Class::ZeroWidth,
        '\u{061C}' | '\u{200E}' | '\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}' => {
            Class::Bidi
        }
        '\u{E0000}'..='\u{E007F}' => Class::Tag,
        '\u{FE00}'..='\u{FE0F}' | '\u{E0100}'..='\u{E01EF}' => Class::VariationSelector,
        '\u{034F}'
        | '\u{115F}'
        | '\u{1160}'
        | '\u{180B}'..='\u{180F}'
        | '\u{2065}'
        | '\u{206A}'..='\u{206F}'
        | '\u{3164}'
        | '\u{FFA0}'
        | '\u{FFF9}'..='\u{FFFB}'
        | '\u{1D173}'..='\u{1D17A}'
        | '\u{E0080}'..='\u{E00FF}'
        | '\u{E01F0}'..='\u{E0FFF}' => Class::Other,
        '\u{00AD}' => Class::SoftHyphen,
        '\u{202F}' => Class::NarrowSpace,
        _ => return None,
    })
}

/// Variation selectors of both ranges.
pub(crate) fn is_selector(c: char) -> bool {
    matches!(c, '\u{FE00}'..='\u{FE0F}' | '\u{E0100}'..='\u{E01EF}')
}

fn previous(chars: &[char], at: usize) -> Option<char> {
    at.checked_sub(1).and_then(|at| chars.get(at)).copied()
}

fn next(chars: &[char], at: usize) -> Option<char> {
    chars.get(at + 1).copied()
}

fn beside(chars: &[char], at: usize, is: impl Fn(char) -> bool) -> bool {
    previous(chars, at).is_some_and(&is) || next(chars, at).is_some_and(&is)
}

/// A zero-width space between letters of a script that puts no spaces between words.
fn is_word_break(chars: &[char], at: usize) -> bool {
    beside(chars, at, is_south_east_asian)
}

/// A joiner or non-joiner beside a letter that it shapes, or a joiner between emoji.
fn is_joiner(chars: &[char], at: usize) -> bool {
    let joins = |c: &&char| matches!(c, '\u{200C}' | '\u{200D}');
    let before = chars[..at].iter().rev().take(JOINERS).take_while(joins).count();
    let after = chars[at + 1..].iter().take(JOINERS).take_while(joins).count();
    if before + 1 + after > JOINERS {
        return false;
    }
    let left = chars[..at - before].iter().rev().copied().take(8).find(|&c| !is_modifier(c));
    let right = chars.get(at + after + 1).copied();
    left.is_some_and(is_shaped)
        || right.is_some_and(is_shaped)
        || (chars[at] == '\u{200D}' && left.is_some_and(is_emoji) && right.is_some_and(is_emoji))
}

/// What may stand between a letter or an emoji and its joiner.
fn is_modifier(c: char) -> bool {
    (is_combining_mark(c) && !is_shaped(c))
        || is_selector(c)
        || matches!(c, '\u{1F3FB}'..='\u{1F3FF}' | '\u{E0020}'..='\u{E007F}')
}

/// An invisible operator alone inside a formula, as browsers copy them.
fn is_operator(chars: &[char], at: usize) -> bool {
    let solid = |c: Option<char>| c.is_some_and(|c| !c.is_whitespace() && class_of(c).is_none());
    solid(previous(chars, at)) && solid(next(chars, at))
}

/// In a flag such as Scotland's: a black flag, three to six letters and digits, and the end tag.
fn is_in_flag(chars: &[char], at: usize) -> bool {
    const LONGEST: usize = 7;
    let is_tag = |c: char| matches!(c, '\u{E0030}'..='\u{E0039}' | '\u{E0061}'..='\u{E007A}');
    let back = chars[..at].iter().rev().take(LONGEST).take_while(|&&c| is_tag(c)).count();
    let first = at - back;
    let length = chars[first..].iter().take(LONGEST).take_while(|&&c| is_tag(c)).count();
    (3..LONGEST).contains(&length)
        && first + length >= at
        && previous(chars, first) == Some('\u{1F3F4}')
        && chars.get(first + length) == Some(&'\u{E007F}')
}

/// One selector after a character that has variants.
fn is_variation(chars: &[char], at: usize) -> bool {
    let Some(base) = previous(chars, at).filter(|_| !next(chars, at).is_some_and(is_selector)) else {
        return false;
    };
    match chars[at] {
        '\u{FE0E}' | '\u{FE0F}' => is_emoji(base) || base.is_ascii_digit() || matches!(base, '#' | '*'),
        '\u{FE00}'..='\u{FE0D}' => has_variants(base),
        _ => is_ideograph(base),
    }
}

/// Characters with standardised variants: formulas, quotation marks, punctuation and ideographs of East Asia, and some
/// scripts.
fn has_variants(c: char) -> bool {
    is_ideograph(c)
        || matches!(u32::from(c),
            0x30 | 0x2018..=0x201D | 0x2190..=0x22FF | 0x2300..=0x23FF | 0x2600..=0x27BF | 0x2A00..=0x2AFF
            | 0x1000..=0x109F | 0x3001..=0x303F | 0xA840..=0xA87F | 0xAA60..=0xAA7F | 0xFF00..=0xFF65
            | 0x10AC0..=0x10AFF | 0x13000..=0x143FF)
}

/// A narrow space in a number, before a unit, beside French marks or in Mongolian.
fn is_spacing(chars: &[char], at: usize) -> bool {
    let (left, right) = (previous(chars, at), next(chars, at));
    let number = |c: char| c.is_numeric();
    let abbreviation = left == Some('.') && right.is_some_and(char::is_alphabetic);
    beside(chars, at, number)
        || beside(chars, at, is_mongolian)
        || abbreviation
        || right.is_some_and(|c| {
            matches!(c, ';' | ':' | '!' | '?' | '»' | '›' | '%' | '‰' | '€' | '$' | '°' | '–' | '—')
        })
        || left.is_some_and(|c| matches!(c, '«' | '‹' | '§' | '№' | '–' | '—'))
}

/// Scripts that are written from right to left.
pub(super) fn is_right_to_left(c: char) -> bool {
    matches!(u32::from(c),
        0x05BE..=0x08FF | 0xFB1D..=0xFDFF | 0xFE70..=0xFEFC | 0x10800..=0x10FFF | 0x1E800..=0x1EFFF)
}

/// Scripts whose letters change their form beside a joiner or a non-joiner.
fn is_shaped(c: char) -> bool {
    matches!(u32::from(c),
        0x0590..=0x08FF | 0x0900..=0x0DFF | 0x0F00..=0x109F | 0x1700..=0x18AF | 0x1900..=0x1CFF | 0xA800..=0xAAFF
        | 0xABC0..=0xABFF | 0xFB1D..=0xFDFF | 0xFE70..=0xFEFC | 0x10A00..=0x10FFF | 0x11000..=0x11FFF
        | 0x1E900..=0x1E95F)
}

fn is_south_east_asian(c: char) -> bool {
    matches!(u32::from(c),
        0x0E00..=0x109F | 0x1780..=0x17FF | 0x1900..=0x1AAF | 0x1B00..=0x1BFF | 0xA980..=0xA9FF | 0xAA00..=0xAADF)
}

fn is_mongolian(c: char) -> bool {
    matches!(u32::from(c), 0x1800..=0x18AF | 0x11660..=0x1166F)
}

fn is_jamo(c: char) -> bool {
    matches!(u32::from(c), 0x1100..=0x11FF | 0xA960..=0xA97F | 0xD7B0..=0xD7FF)
}

fn is_ideograph(c: char) -> bool {
    matches!(u32::from(c), 0x3005..=0x3007 | 0x3400..=0x4DBF | 0x4E00..=0x9FFF | 0xF900..=0xFAFF | 0x20000..=0x3FFFF)
}

/// Characters that are drawn as emoji or may be.
fn is_emoji(c: char) -> bool {
    matches!(u32::from(c),
        0xA9 | 0xAE | 0x203C | 0x2049 | 0x20E3 | 0x2122 | 0x2139 | 0x2190..=0x21FF | 0x2300..=0x23FF | 0x24C2
        | 0x25A0..=0x27BF | 0x2900..=0x297F | 0x2B00..=0x2BFF | 0x3030 | 0x303D | 0x3297 | 0x3299
        | 0x1F000..=0x1FAFF)
}
