//! Style attributes, read as strictly as is needed to know what they hide.
//!
//! What a browser reads otherwise than we do would hide signed words or show others, so whatever is not plainly
//! understood spoils the text.

/// What a style attribute does to the words of its element.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Effect {
    /// Nothing.
    Shown,
    /// The element is not shown.
    Hidden,
    /// A reader may see other words, or in another order.
    Hazard(&'static str),
}

/// Properties that can hide words or move them.
const WATCHED: &str = "all content content-visibility direction display flex-direction flex-flow flex-wrap font \
    font-size list-style list-style-type opacity order unicode-bidi visibility box-direction box-ordinal-group \
    text-security";

/// Values of `display` by which words are neither hidden nor moved.
const DISPLAYS: &str = "block inline inline-block flow-root contents list-item flex inline-flex grid inline-grid table \
    inline-table table-row table-cell table-row-group box inline-box flexbox inherit initial unset revert";

const UNCLEAR: &str = "a style is written in a way that hides what it does";
const HIDES: &str = "a style may hide words";
const ORDER: &str = "a style may change the order of words";
const GENERATES: &str = "a style may show other words";

/// What a style attribute does.
pub(super) fn effect(style: &str) -> Effect {
    let style = style.to_ascii_lowercase();
    let Some(declarations) = declarations(&style) else {
        return if mentions(&style, WATCHED) { Effect::Hazard(UNCLEAR) } else { Effect::Shown };
    };
    let mut displays = declarations.iter().filter(|(name, _)| *name == "display");
    let hides = |value: &str| without_important(value) == "none";
    if let (Some((_, value)), None) = (displays.next(), displays.next())
        && hides(value)
    {
        // A second look costs an honest page nothing: who hides an element needs no quotes.
        let plain = !style.contains(['"', '\'']) && declarations.iter().all(|(name, _)| *name != "all");
        return if plain { Effect::Hidden } else { Effect::Hazard(UNCLEAR) };
    }
    let why = declarations.iter().find_map(|(name, value)| hazard(name, without_important(value)));
    why.map_or(Effect::Shown, Effect::Hazard)
}

/// Whether a style may show an element that is hidden by its name or its attribute `hidden`.
pub(super) fn may_show(style: &str) -> bool {
    let style = style.to_ascii_lowercase();
    style.contains('\\') || mentions(&style, "all display content-visibility")
}

fn hazard(name: &str, value: &str) -> Option<&'static str> {
    let name = unprefixed(name);
    match name {
        "display" => (!has_word(DISPLAYS, unprefixed(value))).then_some(HIDES),
        "visibility" => (value != "visible").then_some(HIDES),
        "content-visibility" => (!has_word("visible auto", value)).then_some(HIDES),
        "opacity" => (!is_opaque(value)).then_some(HIDES),
        "font-size" => (!is_legible(value)).then_some(HIDES),
        // The size is the first number with a unit; weights have none.
        "font" => value
            .split(CSS_SPACE)
            .filter_map(|word| word.split('/').next())
            .any(|word| {
                word.starts_with(|c: char| c.is_ascii_digit() || "+-.".contains(c)) && !is_legible(word)
            })
            .then_some(HIDES),
        "text-security" => (value != "none").then_some(HIDES),
        "direction" | "unicode-bidi" | "box-direction" | "box-ordinal-group" => Some(ORDER),
        "order" => (value != "0").then_some(ORDER),
        "flex-direction" | "flex-flow" | "flex-wrap" => {
            (value.contains("reverse") || value.contains('(')).then_some(ORDER)
        }
        "content" => (!has_word("normal none", value)).then_some(GENERATES),
        "list-style" | "list-style-type" => value.contains(['"', '\'', '(']).then_some(GENERATES),
        "all" => Some(UNCLEAR),
        name if !is_name(name) && mentions(name, WATCHED) => Some(UNCLEAR),
        _ => None,
    }
}

/// The declarations, or nothing if a browser could cut the style in other places.
fn declarations(style: &str) -> Option<Vec<(&str, &str)>> {
    let mut parts = Vec::new();
    let (mut start, mut depth, mut before) = (0, 0_usize, ' ');
    let mut string = None;
    for (at, c) in style.char_indices() {
        match (string, c) {
            (_, '\\') | (Some(_), '\n' | '\r' | '\x0c') => return None,
            (Some(quote), c) if c == quote => string = None,
            (Some(_), _) => {}
            // In an unquoted `url(…)` a quote begins no string.
            (None, '"' | '\'') if depth == 0 || before == '(' => string = Some(c),
            (None, '"' | '\'' | '{' | '}' | '[' | ']' | '@') => return None,
            (None, '*') if before == '/' => return None,
            // A bracket in it ends at the first that closes.
            (None, '(') if depth > 0 && style.contains("url(") => return None,
            (None, '(') => depth += 1,
            (None, ')') => depth = depth.checked_sub(1)?,
            (None, ';') if depth == 0 => {
                parts.push(&style[start..at]);
                start = at + 1;
            }
            _ => {}
        }
        if !CSS_SPACE.contains(&c) || before == '/' {
            before = c;
        }
    }
    if string.is_some() || depth > 0 {
        return None;
    }
    parts.push(&style[start..]);
    // What has no colon is no declaration, but it is looked at.
    let split = |part: &'_ str| {
        part.split_once(':').map_or((part.len(), part.len()), |(n, _)| (n.len(), n.len() + 1))
    };
    Some(
        parts
            .into_iter()
            .map(|part| {
                let (name, value) = split(part);
                (part[..name].trim_matches(CSS_SPACE), part[value..].trim_matches(CSS_SPACE))
            })
            .collect(),
    )
}

/// White space of CSS: another space is part of a name.
const CSS_SPACE: [char; 5] = [' ', '\t', '\n', '\r', '\x0c'];

fn without_important(value: &str) -> &str {
    let rest = value.strip_suffix("important").map(|rest| rest.trim_end_matches(CSS_SPACE));
    rest.and_then(|rest| rest.strip_suffix('!')).map_or(value, |rest| rest.trim_end_matches(CSS_SPACE))
}

fn unprefixed(name: &str) -> &str {
    ["-webkit-", "-moz-", "-ms-"].iter().find_map(|prefix| name.strip_prefix(prefix)).unwrap_or(name)
}

fn is_name(name: &str) -> bool {
    name.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_')
}

fn has_word(words: &str, word: &str) -> bool {
    words.split_ascii_whitespace().any(|known| known == word)
}

/// Whether one of some properties stands anywhere. An escape can spell any of them.
fn mentions(style: &str, properties: &str) -> bool {
    let words = style.split(|c: char| !(c.is_ascii_alphanumeric() || c == '-' || c == '_'));
    style.contains('\\') || words.map(unprefixed).any(|word| has_word(properties, word))
}

/// A leading number and the unit behind it.
fn number(value: &str) -> Option<(f64, &str)> {
    let end = value.find(|c: char| !(c.is_ascii_digit() || "+-.".contains(c))).unwrap_or(value.len());
    Some((value[..end].parse().ok()?, &value[end..]))
}

fn is_keyword(value: &str) -> bool {
    value.starts_with(|c: char| c.is_ascii_alphabetic()) && is_name(value)
}

fn is_opaque(value: &str) -> bool {
    match number(value) {
        Some((share, "")) => share >= 0.1,
        Some((share, "%")) => share >= 10.0,
        _ => is_keyword(value) || value.starts_with("var("),
    }
}

fn is_legible(value: &str) -> bool {
    // A clamped size is at least its first argument.
    let value = value.strip_prefix("clamp(").unwrap_or(value);
    let value = value.split(',').next().unwrap_or(value).trim_matches(CSS_SPACE);
    match number(value) {
        Some((size, "%")) => size >= 30.0,
        Some((size, "px" | "pt")) => size >= 4.0,
        Some((size, unit)) => size >= 0.3 && unit.chars().all(|c| c.is_ascii_alphabetic()),
        None => is_keyword(value) || value.starts_with("var("),
    }
}
