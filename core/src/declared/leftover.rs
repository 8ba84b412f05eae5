//! What chatbots leave in a text that was copied out of them: marks of citations, links with their name, stock phrases.
//!
//! They show that text, or a link in it, passed through a chatbot, not who wrote the rest. Pages about chatbots quote them,
//! so that every finding says whether it may be a quotation: it stands in quotation marks or in code, the text speaks of
//! chatbots, or it has the marks of several.

use std::ops::Range;

/// A sort of leftover.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Sort {
    /// A mark that only a chatbot's interface makes.
    Markup,
    /// A link that a chatbot has added its name to.
    Link,
    /// A phrase in which a chatbot speaks of itself.
    Phrase,
}

/// Leftovers of one kind in a text.
#[derive(Debug, Clone, PartialEq)]
pub struct Leftover {
    /// A stable name of the kind, for example `content_reference`.
    pub kind: &'static str,
    /// Its sort.
    pub sort: Sort,
    /// Whose they are.
    pub product: &'static str,
    /// How much they say, from 0 to 1, quoted or not.
    pub strength: f64,
    /// The first one that is not quoted, or the first, in bytes.
    pub bytes: Range<usize>,
    /// How many there are.
    pub count: usize,
    /// All of them may be quotations.
    pub quoted: bool,
}

/// How much a leftover says that may be a quotation.
const QUOTED: f64 = 0.1;
/// Kinds that do not come together unless somebody lists them.
const LISTED: usize = 4;
/// How many of a kind are looked at for quotation.
const LOOKED_AT: usize = 20;

struct Pattern {
    kind: &'static str,
    sort: Sort,
    product: &'static str,
    strength: f64,
    /// What is looked for.
    needle: &'static str,
    /// The whole of it: from what stands before and after the needle how much belongs to it, in bytes; `None` if it is
    /// something else.
    extent: fn(before: &str, after: &str) -> Option<(usize, usize)>,
}

const CHATGPT: &str = "ChatGPT";
const GEMINI: &str = "Gemini";
const GROK: &str = "Grok";
const PERPLEXITY: &str = "Perplexity";
const SEVERAL: &str = "chatbots";

const fn markup(
    kind: &'static str,
    product: &'static str,
    strength: f64,
    needle: &'static str,
    extent: fn(&str, &str) -> Option<(usize, usize)>,
) -> Pattern {
    Pattern { kind, sort: Sort::Markup, product, strength, needle, extent }
}

const PATTERNS: &[Pattern] = &[
    markup("search_reference", CHATGPT, 0.6, "turn", search_reference),
    markup("content_reference", CHATGPT, 0.6, "contentReference[oaicite:", content_reference),
    markup("oai_citation", CHATGPT, 0.6, "oai_citation", |before, after| {
        (word_start(before) && after.starts_with([':', '_', '‡', '[', '†'])).then_some((0, 0))
    }),
    markup("attributable_index", CHATGPT, 0.6, "attributableIndex\":\"", |before, after| {
        let back = ["({\"attribution\":{\"", "{\"attribution\":{\"", "\""]
            .iter()
            .find(|start| before.ends_with(**start));
        Some((back.map_or(0, |start| start.len()), near(after, '"', 40)? + 1))
    }),
    markup("writing_block", CHATGPT, 0.5, ":::writing{", |_, after| Some((0, near(after, '}', 200)? + 1))),
    markup("sandbox_link", CHATGPT, 0.5, "(sandbox:/mnt/data/", |_, after| {
        Some((0, near(after, ')', 200)? + 1))
    }),
    markup("source_mark", SEVERAL, 0.5, "【", source_mark),
    markup("cite_mark", GEMINI, 0.5, "[cite:", |_, after| numbers_then(after, ']')),
    markup("cite_start", GEMINI, 0.5, "[cite_start]", whole),
    markup("span_mark", GEMINI, 0.6, "[span_", |_, after| {
        let digits = digits(after);
        let rest = after.get(digits..).filter(|_| digits > 0)?;
        ["](start_span)", "](end_span)", "][start_span]", "][end_span]"]
            .iter()
            .find(|end| rest.starts_with(**end))
            .map(|end| (0, digits + end.len()))
    }),
    markup("grok_card", GROK, 0.5, "grok_card", |before, after| {
        (word_start(before) && word_end(after)).then_some((0, 0))
    }),
    markup("grok_render", GROK, 0.6, "<grok:render", whole),
    markup("grok_citation", GROK, 0.6, "grok_render_citation_card_json", whole),
    markup("attached_file", PERPLEXITY, 0.5, "[attached_file:", |_, after| numbers_then(after, ']')),
    markup("web_mark", PERPLEXITY, 0.4, "[web:", |_, after| numbers_then(after, ']')),
    markup("uploaded_file", PERPLEXITY, 0.5, "ppl-ai-file-upload.s3", whole),
    Pattern {
        kind: "link_source",
        sort: Sort::Link,
        product: SEVERAL,
        strength: 0.3,
        needle: "utm_source=",
        extent: named_source,
    },
    Pattern {
        kind: "link_referrer",
        sort: Sort::Link,
        product: GROK,
        strength: 0.3,
        needle: "referrer=grok.com",
        extent: |before, after| (before.ends_with(['?', '&', ';']) && word_end(after)).then_some((0, 0)),
    },
    Pattern {
        kind: "language_model",
        sort: Sort::Phrase,
        product: SEVERAL,
        strength: 0.3,
        needle: "s an AI language model, I ",
        extent: |before, _| {
            let before = before.strip_suffix(['A', 'a'])?;
            before
                .trim_end_matches([' ', '\u{A0}'])
                .chars()
                .next_back()
                .is_none_or(|c| "\n.!?".contains(c))
                .then_some((1, 0))
        },
    },
];

/// All leftovers in a text, each kind once.
#[must_use]
pub fn find(text: &str) -> Vec<Leftover> {
    let mut kinds: Vec<(&Pattern, Vec<Range<usize>>)> = Vec::new();
    for pattern in PATTERNS {
        let places: Vec<Range<usize>> = text
            .match_indices(pattern.needle)
            .filter_map(|(at, needle)| {
                let end = at + needle.len();
                let (back, on) = (pattern.extent)(&text[..at], &text[end..])?;
                Some(at - back..end + on)
            })
            .collect();
        if !places.is_empty() {
            kinds.push((pattern, places));
        }
    }
    let listed = kinds.len() >= LISTED || products(&kinds) > 1;
    let about = !kinds.is_empty() && (listed || speaks_of_chatbots(text));
    let code = if kinds.is_empty() { Vec::new() } else { code_blocks(text) };
    kinds.into_iter().map(|(pattern, places)| leftover(text, pattern, &places, about, &code)).collect()
}

fn leftover(
    text: &str,
    pattern: &Pattern,
    places: &[Range<usize>],
    about: bool,
    code: &[Range<usize>],
) -> Leftover {
    let quoted = |place: &&Range<usize>| {
        about || in_quotes(text, place) || code.iter().any(|block| block.contains(&place.start))
    };
    let plain = places.iter().take(LOOKED_AT).find(|place| !quoted(place));
    Leftover {
        kind: pattern.kind,
        sort: pattern.sort,
        product: pattern.product,
        strength: if plain.is_some() { pattern.strength } else { QUOTED },
        bytes: plain.or(places.first()).cloned().unwrap_or_default(),
        count: places.len(),
        quoted: plain.is_none(),
    }
}

fn products(kinds: &[(&Pattern, Vec<Range<usize>>)]) -> usize {
    let mut products: Vec<&str> =
        kinds.iter().map(|(pattern, _)| pattern.product).filter(|&product| product != SEVERAL).collect();
    products.sort_unstable();
    products.dedup();
    products.len()
}

/// Whether a text is about chatbots: it names them, outside of links.
fn speaks_of_chatbots(text: &str) -> bool {
    const NAMES: &[&str] = &[
        "chatgpt",
        "chatbot",
        "openai",
        "gemini",
        "copilot",
        "perplexity",
        "claude",
        "deepseek",
        "llm",
        "llms",
        "ai-generated",
        "oaicite",
    ];
    const PARTS: &[&str] =
        &["language model", "artificial intelligence", "聊天机器人", "大模型", "人工智能", "生成式"];
    let names = |word: &str| {
        let word = word.trim_matches(|c: char| !c.is_alphanumeric()).to_lowercase();
        NAMES
            .iter()
            .any(|name| word.strip_prefix(name).is_some_and(|rest| matches!(rest, "" | "'s" | "’s" | "s")))
    };
    let is_link = |word: &str| word.contains("://") || word.contains('=') || word.contains("www.");
    if text.split_whitespace().filter(|word| !is_link(word)).any(names) {
        return true;
    }
    // The phrase that is a leftover itself is no talk about it.
    let lower = text.to_lowercase().replace("as an ai language model", "");
    PARTS.iter().any(|part| lower.contains(part))
}

/// Whether a quotation mark or a backtick stands on both sides, or only brackets between.
fn in_quotes(text: &str, place: &Range<usize>) -> bool {
    const OPENING: &str = "`\"'“‘«„「『";
    const CLOSING: &str = "`\"'”’»“」』";
    let around = |c: &char| !"([{<:⟨".contains(*c);
    let after = |c: &char| !")]}>.,:;⟩".contains(*c);
    let left = text[..place.start].chars().rev().take(4).find(around);
    let right = text[place.end..].chars().take(4).find(after);
    left.is_some_and(|c| OPENING.contains(c)) && right.is_some_and(|c| CLOSING.contains(c))
}

/// Fenced and indented blocks, code elements and HTML escapes for them.
fn code_blocks(text: &str) -> Vec<Range<usize>> {
    let mut blocks = Vec::new();
    let mut fence: Option<usize> = None;
    let mut at = 0;
    for line in text.split_inclusive('\n') {
        let start = at;
        at += line.len();
        let bare = line.trim_start();
        if bare.starts_with("```") || bare.starts_with("~~~") {
            match fence.take() {
                Some(begin) => blocks.push(begin..at),
                None => fence = Some(start),
            }
        } else if fence.is_none() && (line.starts_with("    ") || line.starts_with('\t')) {
            blocks.push(start..at);
        }
    }
    blocks.extend(fence.map(|begin| begin..text.len()));
    for (open, close) in [("<code", "</code>"), ("<pre", "</pre>"), ("<nowiki>", "</nowiki>")] {
        let mut from = 0;
        while let Some(start) = text[from..].find(open).map(|at| from + at) {
            let end = text[start..].find(close).map_or(text.len(), |at| start + at + close.len());
            blocks.push(start..end);
            from = end;
        }
    }
    blocks
}

fn whole(_: &str, _: &str) -> Option<(usize, usize)> {
    Some((0, 0))
}

fn digits(text: &str) -> usize {
    text.bytes().take(4).take_while(u8::is_ascii_digit).count()
}

/// Where a character stands, if within so many bytes.
fn near(text: &str, wanted: char, limit: usize) -> Option<usize> {
    text.char_indices().take_while(|(at, _)| *at <= limit).find(|&(_, c)| c == wanted).map(|(at, _)| at)
}

fn word_start(before: &str) -> bool {
    !before.ends_with(|c: char| c.is_alphanumeric() || c == '_')
}

fn word_end(after: &str) -> bool {
    !after.starts_with(|c: char| c.is_alphanumeric() || c == '_')
}

/// Numbers with commas or spaces between them, then a closing bracket.
fn numbers_then(after: &str, close: char) -> Option<(usize, usize)> {
    let inside = &after[..near(after, close, 60)?];
    let number = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    let fits = inside.split([',', '-']).all(|part| number(part.trim()));
    fits.then_some((0, inside.len() + close.len_utf8()))
}

/// `turn0search0`, with `cite`, `i` or `navlist` before it and with the private-use characters around it, or without.
fn search_reference(before: &str, after: &str) -> Option<(usize, usize)> {
    const SOURCES: &[&str] = &[
        "search",
        "news",
        "image",
        "video",
        "file",
        "view",
        "fetch",
        "product",
        "forecast",
        "finance",
        "sports",
        "reddit",
        "maps",
        "map",
        "academia",
        "business",
        "calculator",
        "time",
        "click",
        "open",
        "find",
        "shopping",
        "youtube",
    ];
    const MARKS: [char; 3] = ['\u{E200}', '\u{E201}', '\u{E202}'];
    const BEFORE: [&str; 4] = ["cite", "navlist", "video", "i"];
    let first = digits(after);
    let rest = after.get(first..).filter(|_| first > 0)?;
    let source = SOURCES.iter().find(|source| rest.starts_with(**source))?;
    let second = digits(rest.get(source.len()..)?);
    if second == 0 {
        return None;
    }
    let marks = |text: &str| text.len() - text.trim_end_matches(MARKS).len();
    let mut back = marks(before);
    if let Some(prefix) = BEFORE.iter().find(|prefix| before[..before.len() - back].ends_with(**prefix)) {
        back += prefix.len();
        back += marks(&before[..before.len() - back]);
    }
    let end = first + source.len() + second;
    let on = after[end..].len() - after[end..].trim_start_matches(MARKS).len();
    // A further reference may follow without a space: turn0search0turn0search1.
    let ends = word_end(&after[end..]) || after[end..].starts_with("turn");
    (ends && (back > 0 || word_start(before) || before.ends_with(|c: char| c.is_ascii_digit())))
        .then_some((back, end + on))
}

/// `:contentReference[oaicite:0]{index=0}`, or its first part.
fn content_reference(before: &str, after: &str) -> Option<(usize, usize)> {
    let number = digits(after);
    let rest = after.get(number..).filter(|_| number > 0)?.strip_prefix(']')?;
    let index = rest
        .strip_prefix("{index=")
        .map(|inside| (digits(inside), inside))
        .filter(|(number, inside)| *number > 0 && inside[*number..].starts_with('}'))
        .map_or(0, |(number, _)| "{index=}".len() + number);
    Some((usize::from(before.ends_with(':')), number + 1 + index))
}

/// `【12†source】`, `【4:0†file.pdf】`, `【85†L261-L269】`.
fn source_mark(_: &str, after: &str) -> Option<(usize, usize)> {
    let dagger = near(after, '†', 12)?;
    let number = &after[..dagger];
    let fits =
        number.split(':').all(|part| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit()));
    let end = near(after, '】', 200).filter(|&end| end > dagger)?;
    fits.then_some((0, end + '】'.len_utf8()))
}

/// A link's `utm_source` that is a chatbot.
fn named_source(before: &str, after: &str) -> Option<(usize, usize)> {
    const SOURCES: &[&str] = &[
        "chatgpt.com",
        "chatgpt",
        "openai.com",
        "openai",
        "copilot.com",
        "copilot.microsoft.com",
        "perplexity.ai",
        "perplexity",
        "grok.com",
        "claude.ai",
        "gemini.google.com",
    ];
    let linked = before.ends_with(['?', '&']) || before.ends_with("&amp;");
    let source = SOURCES.iter().find(|source| {
        after.strip_prefix(**source).is_some_and(|rest| {
            !rest.starts_with(|c: char| c.is_alphanumeric() || matches!(c, '_' | '-'))
                && !rest.strip_prefix('.').is_some_and(|rest| rest.starts_with(char::is_alphanumeric))
        })
    })?;
    linked.then_some((0, source.len()))
}
