//! Cues: what [the data](README.md) writes, as sequences of groups of phrases with gaps between.

use crate::scam::fields::Lists;

/// What may stand between two parts of a cue.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Gap {
    /// Nothing.
    Beside,
    /// 6 words or 8 Han characters.
    Short,
    /// 14 words or 20 Han characters.
    Long,
}

impl Gap {
    /// How much may stand between: an English word costs 4, a Han character 3.
    pub(super) fn cost(self) -> u32 {
        match self {
            Self::Beside => 0,
            Self::Short => 24,
            Self::Long => 60,
        }
    }
}

/// One of several phrases, or a class of tokens.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Choice {
    /// Words side by side, as written.
    Phrase(String),
    /// `$name`.
    Term(String),
}

/// A part of a cue: any of the choices, after a gap.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Part {
    pub(super) gap: Gap,
    pub(super) choices: Vec<Choice>,
}

/// Variants that a cue may unfold to.
const MOST_VARIANTS: usize = 256;

/// Reads a cue. It unfolds to one sequence for each way of leaving out what is optional, and for each choice that is more
/// than a phrase.
pub(super) fn parse(cue: &str) -> Result<Vec<Vec<Part>>, String> {
    let wrong = |error: String| format!("the cue `{cue}`: {error}");
    let items = items(cue).map_err(wrong)?;
    let mut variants = vec![Variant::default()];
    unfold(&items, &mut variants).map_err(wrong)?;
    let variants: Vec<Vec<Part>> =
        variants.into_iter().map(|variant| variant.parts).filter(|parts| !parts.is_empty()).collect();
    if variants.is_empty() { Err(wrong("it has no words".to_owned())) } else { Ok(variants) }
}

/// A sequence that is being made, and the gap before what comes next.
#[derive(Debug, Clone)]
struct Variant {
    parts: Vec<Part>,
    gap: Gap,
}

impl Default for Variant {
    fn default() -> Self {
        Self { parts: Vec::new(), gap: Gap::Beside }
    }
}

enum Item {
    Gap(Gap),
    /// Any of these phrases.
    Choice(Vec<Choice>),
    /// Any of these cues.
    Branches(Vec<Vec<Item>>),
    Optional(Box<Item>),
}

fn unfold(items: &[Item], variants: &mut Vec<Variant>) -> Result<(), String> {
    for item in items {
        match item {
            Item::Gap(gap) => variants.iter_mut().for_each(|variant| variant.gap = variant.gap.max(*gap)),
            Item::Choice(choices) => {
                for variant in variants.iter_mut() {
                    let gap = if variant.parts.is_empty() { Gap::Beside } else { variant.gap };
                    variant.parts.push(Part { gap, choices: choices.clone() });
                    variant.gap = Gap::Beside;
                }
            }
            Item::Branches(branches) => {
                let before = std::mem::take(variants);
                for branch in branches {
                    let mut with = before.clone();
                    unfold(branch, &mut with)?;
                    variants.extend(with);
                }
            }
            Item::Optional(item) => {
                let without = variants.clone();
                unfold(std::slice::from_ref(item), variants)?;
                // A gap before what may be wanting may also stand after it.
                for (with, without) in variants.iter_mut().zip(&without) {
                    with.gap = with.gap.max(without.gap);
                }
                variants.extend(without);
            }
        }
        if variants.len() > MOST_VARIANTS {
            return Err(format!("it unfolds to more than {MOST_VARIANTS} variants"));
        }
    }
    Ok(())
}

fn items(cue: &str) -> Result<Vec<Item>, String> {
    let mut items = Vec::new();
    let mut rest = cue.trim_start();
    while !rest.is_empty() {
        if rest.starts_with('(') {
            let end = closing(rest)?;
            let choices = alternatives(&rest[1..end])?;
            rest = &rest[end + 1..];
            match rest.strip_prefix('?') {
                Some(after) => {
                    items.push(Item::Optional(Box::new(choices)));
                    rest = after;
                }
                None => items.push(choices),
            }
        } else {
            let end = rest.find(['(', ' ']).unwrap_or(rest.len());
            let (word, after) = rest.split_at(end);
            match word {
                ".." => items.push(Item::Gap(Gap::Short)),
                "..." => items.push(Item::Gap(Gap::Long)),
                _ if word.contains([')', '|']) || word.trim_end_matches('?').contains('?') => {
                    return Err(format!("`{word}` has a sign that belongs to parentheses"));
                }
                _ => match word.strip_suffix('?') {
                    Some(word) => items.push(Item::Optional(Box::new(Item::Choice(vec![choice(word)?])))),
                    None => plain(word, &mut items)?,
                },
            }
            rest = after;
        }
        rest = rest.trim_start();
    }
    Ok(items)
}

/// Where the parenthesis that opens a text is closed.
fn closing(text: &str) -> Result<usize, String> {
    let mut depth = 0;
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            b'(' => depth += 1,
            b')' if depth == 1 => return Ok(at),
            b')' => depth -= 1,
            _ => {}
        }
    }
    Err("a parenthesis is not closed".to_owned())
}

/// What stands between parentheses: phrases and lists together, and a branch for each alternative that is more than that.
fn alternatives(text: &str) -> Result<Item, String> {
    let mut choices = Vec::new();
    let mut branches = Vec::new();
    let mut depth = 0;
    let mut start = 0;
    for (at, byte) in text.bytes().chain([b'|']).enumerate() {
        match byte {
            b'(' => depth += 1,
            b')' => depth -= 1,
            b'|' if depth == 0 => {
                let one = text[start..at].trim();
                start = at + 1;
                let list = one.starts_with('$') && !one.contains(' ');
                if one.contains(['(', '?', '$']) && !list || one.contains("..") {
                    branches.push(items(one)?);
                } else {
                    choices.push(choice(one)?);
                }
            }
            _ => {}
        }
    }
    if branches.is_empty() {
        return Ok(Item::Choice(choices));
    }
    if !choices.is_empty() {
        branches.push(vec![Item::Choice(choices)]);
    }
    Ok(Item::Branches(branches))
}

/// Words side by side are one phrase.
fn plain(word: &str, items: &mut Vec<Item>) -> Result<(), String> {
    let new = choice(word)?;
    if let (Choice::Phrase(word), Some(Item::Choice(choices))) = (&new, items.last_mut())
        && let [Choice::Phrase(before)] = choices.as_mut_slice()
    {
        before.push(' ');
        before.push_str(word);
        return Ok(());
    }
    items.push(Item::Choice(vec![new]));
    Ok(())
}

fn choice(text: &str) -> Result<Choice, String> {
    match text.strip_prefix('$') {
        Some(name) => Ok(Choice::Term(name.to_owned())),
        None if text.is_empty() => Err("a choice is empty".to_owned()),
        None if text.contains(['?', ')', '(', '$']) => {
            Err(format!("`{text}` has a sign that belongs to parentheses or lists"))
        }
        None => Ok(Choice::Phrase(text.to_owned())),
    }
}

/// All phrases of a language-by-language list.
pub(super) fn all(lists: &Lists) -> impl Iterator<Item = &str> {
    lists.iter().flat_map(|(_, list)| list).map(String::as_str)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn written(cue: &str) -> Vec<String> {
        let part = |part: &Part| {
            let gap = match part.gap {
                Gap::Beside => "",
                Gap::Short => ".. ",
                Gap::Long => "... ",
            };
            let choices: Vec<String> = part
                .choices
                .iter()
                .map(|choice| match choice {
                    Choice::Phrase(phrase) => phrase.clone(),
                    Choice::Term(name) => format!("${name}"),
                })
                .collect();
            format!("{gap}[{}]", choices.join("|"))
        };
        let variants = parse(cue).unwrap();
        variants.iter().map(|parts| parts.iter().map(part).collect::<Vec<_>>().join(" ")).collect()
    }

    #[test]
    fn cues_unfold() {
        assert_eq!(written("wrong number"), ["[wrong number]"]);
        assert_eq!(written("(send|wire money) .. $coin"), ["[send|wire money] .. [$coin]"]);
        assert_eq!(written("a (very)? .. b"), ["[a] [very] .. [b]", "[a] .. [b]"]);
        assert_eq!(written("a .. (b)? c"), ["[a] .. [b] .. [c]", "[a] .. [c]"]);
        assert_eq!(written("(a)? ... (b|$c)"), ["[a] ... [b|$c]", "[b|$c]"]);
        assert_eq!(written("加(微信|$app)"), ["[加] [微信|$app]"]);
        assert_eq!(written("a? b"), ["[a] [b]", "[b]"]);
        assert_eq!(written("(x (a|b) y|z)"), ["[x] [a|b] [y]", "[z]"]);
        assert_eq!(written("(buy $coin|a .. b)"), ["[buy] [$coin]", "[a] .. [b]"]);
        assert_eq!(written("(a)?"), ["[a]"]);
    }

    #[test]
    fn what_is_no_cue_says_why() {
        for cue in ["", "..", "(a", "a)", "(a|)", "x | y", "a??", "()", "b$c"] {
            assert!(parse(cue).is_err(), "{cue}: {:?}", parse(cue));
        }
        let many = "(a)? ".repeat(9);
        assert!(parse(&many).is_err());
    }
}
