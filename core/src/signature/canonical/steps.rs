//! The six steps of SPEC.md, 1.2, over characters that remember where they came from.

use super::{is_dropped, is_space};
use crate::signature::classes::{is_cjk, is_emoji, is_joining, is_word};
use std::ops::Range;
use unicode_normalization::char::canonical_combining_class;
use unicode_normalization::{IsNormalized, UnicodeNormalization, is_nfc_quick};

const ZWNJ: char = '\u{200C}';
const ZWJ: char = '\u{200D}';
/// Canonical combining class of a virama.
const VIRAMA: u8 = 9;

/// A character on its way and the bytes that it came from.
#[derive(Debug, Clone, Copy)]
pub(super) struct Item {
    pub(super) c: char,
    pub(super) start: usize,
    pub(super) end: usize,
}

/// All of them, on a text without some parts, which are in order.
pub(super) fn all(raw: &str, holes: &[Range<usize>]) -> Vec<Item> {
    hyphens(&spaces(joiners(compose(fold(raw, holes)))))
}

/// Steps 1 and 2.
fn fold(raw: &str, holes: &[Range<usize>]) -> Vec<Item> {
    let mut items = Vec::with_capacity(raw.len());
    let mut holes = holes.iter().peekable();
    let mut resume = 0;
    for (start, c) in raw.char_indices() {
        while let Some(hole) = holes.next_if(|hole| hole.start <= start) {
            items.push(Item { c: ' ', start: hole.start, end: hole.end });
            resume = hole.end;
        }
        if start < resume {
            continue;
        }
        let end = start + c.len_utf8();
        let mut push = |c| items.push(Item { c, start, end });
        match c {
            '!'..='~' => push(c),
            _ if is_space(c) => push(' '),
            _ if is_dropped(c) => {}
            '\u{2018}'..='\u{201B}' | '\u{2032}' => push('\''),
            '\u{201C}'..='\u{201F}' | '\u{2033}' => push('"'),
            '\u{2010}'..='\u{2015}' | '\u{2212}' => push('-'),
            '\u{2026}' => (0..3).for_each(|_| push('.')),
            '\u{FB00}'..='\u{FB06}' => ligature(c).chars().for_each(push),
            _ => push(c),
        }
    }
    items
}

/// The letters of a ligature, which copies of a PDF hold.
fn ligature(c: char) -> &'static str {
    match c {
        '\u{FB00}' => "ff",
        '\u{FB01}' => "fi",
        '\u{FB02}' => "fl",
        '\u{FB03}' => "ffi",
        '\u{FB04}' => "ffl",
        _ => "st",
    }
}

/// Step 3: NFC, stretch by stretch, so that the way back stays right to within one.
fn compose(items: Vec<Item>) -> Vec<Item> {
    if is_nfc_quick(items.iter().map(|item| item.c)) == IsNormalized::Yes {
        return items;
    }
    // Nothing composes across a starter that is never the second half of a composition.
    let begins = |item: &Item| {
        canonical_combining_class(item.c) == 0 && is_nfc_quick(std::iter::once(item.c)) == IsNormalized::Yes
    };
    let mut made = Vec::with_capacity(items.len());
    let mut rest = items.as_slice();
    while !rest.is_empty() {
        let length = rest.iter().skip(1).position(begins).map_or(rest.len(), |next| next + 1);
        let (stretch, others) = rest.split_at(length);
        rest = others;
        let chars = || stretch.iter().map(|item| item.c);
        if is_nfc_quick(chars()) == IsNormalized::Yes {
            made.extend_from_slice(stretch);
        } else if let (Some(first), Some(last)) = (stretch.first(), stretch.last()) {
            let (start, end) = (first.start, last.end);
            made.extend(chars().nfc().map(|c| Item { c, start, end }));
        }
    }
    made
}

/// Step 4.
fn joiners(items: Vec<Item>) -> Vec<Item> {
    if !items.iter().any(|item| is_joiner(item.c)) {
        return items;
    }
    let mut made: Vec<Item> = Vec::with_capacity(items.len());
    // The last starter, whether a virama stands between it and the joiner, and whether one stands anywhere before the
    // next starter: marks may change places when a joiner between them goes, so no rule looks at one mark's place.
    let mut base = None;
    let mut virama = false;
    let mut any_virama = false;
    let mut next = 0;
    let mut starter = 0;
    for (index, &item) in items.iter().enumerate() {
        if is_joiner(item.c) {
            if next <= index {
                next = (index..items.len()).find(|&at| !is_joiner(items[at].c)).unwrap_or(items.len());
            }
            if starter <= index {
                let marks = items[index..]
                    .iter()
                    .take_while(|item| is_joiner(item.c) || canonical_combining_class(item.c) != 0);
                any_virama = virama;
                starter = index;
                for mark in marks {
                    any_virama |= canonical_combining_class(mark.c) == VIRAMA;
                    starter += 1;
                }
            }
            let after = items.get(next).map(|item| item.c);
            let formed = if item.c == ZWJ { any_virama } else { virama };
            if !base.is_some_and(|base| joins(base, formed, item.c, after)) {
                continue;
            }
        }
        match canonical_combining_class(item.c) {
            0 => (base, virama) = (Some(item.c), false),
            class => virama |= class == VIRAMA,
        }
        made.push(item);
    }
    if made.len() == items.len() { made } else { compose(made) }
}

/// Whether a character joins those beside it or parts them (ZWJ, ZWNJ).
pub(in crate::signature) fn is_joiner(c: char) -> bool {
    matches!(c, ZWJ | ZWNJ)
}

fn joins(base: char, virama: bool, joiner: char, after: Option<char>) -> bool {
    if is_joiner(base) || base == ' ' {
        return false;
    }
    // The Sinhala virama composes with these, and then there is none.
    let virama = virama && !matches!(base, '\u{DCF}' | '\u{DD9}' | '\u{DDC}');
    let joining_after = after.is_some_and(|c| is_joining(c) && canonical_combining_class(c) == 0);
    if joiner == ZWJ {
        virama || is_joining(base) || joining_after || (is_emoji(base) && after.is_some_and(is_emoji))
    } else {
        virama || (is_joining(base) && joining_after)
    }
}

/// Step 5.
fn spaces(items: Vec<Item>) -> Vec<Item> {
    let mut made: Vec<Item> = Vec::with_capacity(items.len());
    let mut waiting: Option<Item> = None;
    for item in items {
        if item.c == ' ' {
            waiting = Some(waiting.map_or(item, |space| Item { end: item.end, ..space }));
            continue;
        }
        if let (Some(space), Some(before)) = (waiting.take(), made.last()) {
            let kept = canonical_combining_class(item.c) != 0 || !(is_cjk(before.c) || is_cjk(item.c));
            if kept {
                made.push(space);
            }
        }
        made.push(item);
    }
    made
}

/// Step 6.
fn hyphens(items: &[Item]) -> Vec<Item> {
    let mut made: Vec<Item> = Vec::with_capacity(items.len());
    let mut index = 0;
    while let Some(&item) = items.get(index) {
        if item.c != '-' {
            made.push(item);
            index += 1;
            continue;
        }
        let length = items[index..].iter().take_while(|item| item.c == '-').count();
        let run = &items[index..index + length];
        let before = made.last().map(|item| item.c);
        let after = items.get(index + length).map(|item| item.c);
        match run.last() {
            Some(last) if matches!(length, 2 | 3) && is_dash(before, after) => {
                made.push(Item { end: last.end, ..item });
            }
            _ => made.extend_from_slice(run),
        }
        index += length;
    }
    made
}

/// Whether hyphens between these stand for a dash.
fn is_dash(before: Option<char>, after: Option<char>) -> bool {
    // Beside class C a space is left out, so that such a character is as good as one.
    let open = |c: Option<char>| c.is_none_or(|c| c == ' ' || is_cjk(c));
    let letter = |c: Option<char>| c.is_some_and(|c| is_word(c) && !is_cjk(c));
    // After these come options, decrements and arguments: they are code.
    let code = matches!(before, Some('(' | '[' | '{' | '<' | '/' | '='));
    if open(before) { open(after) } else { !code && (letter(after) || matches!(after, Some('\'' | '"'))) }
}
