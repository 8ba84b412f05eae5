//! Whether a text is running prose at all.
//!
//! The statistics compare a text with essays, reviews and articles. Of a list of links, a program or one line said a
//! hundred times they say nothing, and repetition in particular is predictable whoever made it.

use std::collections::{HashMap, HashSet};
use unicode_segmentation::UnicodeSegmentation;

/// What a text is instead of prose.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotProse {
    /// Mostly digits, symbols or emoji.
    FewLetters,
    /// Mostly links, or words too long for any language.
    LongWords,
    /// Program code or other markup.
    Code,
    /// The same words over and over.
    Repetitive,
}

impl NotProse {
    /// A stable name for programs and translators.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::FewLetters => "few_letters",
            Self::LongWords => "long_words",
            Self::Code => "code",
            Self::Repetitive => "repetitive",
        }
    }
}

/// Least share of letters among visible characters; prose has about 0.95, a page of dates and prices 0.8.
const LETTERS: f64 = 0.6;
/// Largest share of brackets, operators and the like; prose has about 0.01.
const SYMBOLS: f64 = 0.1;
/// Longest word of a language that puts spaces between its words, in characters.
const LONG_WORD: usize = 40;
/// Largest share of visible characters in links and endless words.
const LONG_WORDS: f64 = 0.3;
/// Words among which the share of different ones is counted; a longer text repeats words by nature.
const SAMPLE: usize = 200;
/// Least share of different words in the sample; prose has 0.5 to 0.7.
const DIFFERENT: f64 = 0.25;
/// Largest share of five-word sequences that stood in the text before; prose has below 0.05, song lyrics 0.3.
const REPEATED: f64 = 0.3;

/// What makes a text something else than prose; `None` for prose, and for a text without a visible character.
#[must_use]
pub fn objection(text: &str) -> Option<NotProse> {
    let visible = text.chars().filter(|c| !c.is_whitespace()).count();
    if visible == 0 {
        return None;
    }
    let share = |count: usize| count as f64 / visible as f64;
    let letters = text.chars().filter(|c| c.is_alphabetic() || is_mark(*c)).count();
    let symbols = text.chars().filter(|c| "{}[]()<>=;_\\|/+*&^%$#@~`".contains(*c)).count();
    if share(in_links(text)) > LONG_WORDS || share(in_long_words(text)) > LONG_WORDS {
        Some(NotProse::LongWords)
    } else if share(symbols) > SYMBOLS {
        Some(NotProse::Code)
    } else if share(letters) < LETTERS {
        Some(NotProse::FewLetters)
    } else {
        is_repetitive(text).then_some(NotProse::Repetitive)
    }
}

/// Signs that belong to letters: combining marks and the joiners of Persian and the Indic scripts.
fn is_mark(c: char) -> bool {
    unicode_normalization::char::is_combining_mark(c) || matches!(c, '\u{200C}' | '\u{200D}')
}

fn in_links(text: &str) -> usize {
    text.split_whitespace()
        .filter(|word| word.contains("://") || word.starts_with("www."))
        .map(|word| word.chars().count())
        .sum()
}

fn in_long_words(text: &str) -> usize {
    text.unicode_words().map(|word| word.chars().count()).filter(|&length| length > LONG_WORD).sum()
}

fn is_repetitive(text: &str) -> bool {
    let mut numbers: HashMap<String, usize> = HashMap::new();
    let words: Vec<usize> = text
        .unicode_words()
        .map(|word| {
            let next = numbers.len();
            *numbers.entry(word.to_lowercase()).or_insert(next)
        })
        .collect();
    if words.len() < 20 {
        return false;
    }
    let sample = &words[..words.len().min(SAMPLE)];
    let different = sample.iter().collect::<HashSet<_>>().len();
    let sequences: Vec<&[usize]> = words.windows(5).collect();
    let distinct = sequences.iter().collect::<HashSet<_>>().len();
    (different as f64) < DIFFERENT * sample.len() as f64
        || (sequences.len() - distinct) as f64 > REPEATED * sequences.len() as f64
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const PROSE: &str = "The bus was late again, so I walked. Halfway down the hill my left shoe gave up for good, the \
        sole flapping like a tired mouth, and a woman watering her roses laughed out loud before she could stop herself.";

    #[test]
    fn prose_is_prose() {
        assert_eq!(objection(PROSE), None);
        assert_eq!(
            objection(
                "今天公交车又晚点了，所以我走路去。半路上我的左脚鞋子彻底坏了，鞋底像疲惫的嘴巴一样拍打着。"
            ),
            None
        );
        assert_eq!(objection("सूरज निकलते ही गाँव के लोग खेतों की ओर चल पड़े और बच्चे नदी के किनारे खेलने लगे।"), None);
        assert_eq!(
            objection(
                "On 3 May 2024 we paid $1,250 (about 12 %) for two rooms; see https://example.com for more of it, he said."
            ),
            None
        );
        assert_eq!(objection(""), None);
    }

    #[test]
    fn names_what_is_none() {
        assert_eq!(objection(&"🎉🔥 ".repeat(60)), Some(NotProse::FewLetters));
        assert_eq!(objection("12 400 3.5 77 81 2024 a 1999 33 4 5 6 7"), Some(NotProse::FewLetters));
        assert_eq!(objection(&"a".repeat(1_000_000)), Some(NotProse::LongWords));
        assert_eq!(
            objection("see https://example.com/a/b/c?d=e and www.example.org/path/of/it now"),
            Some(NotProse::LongWords)
        );
        assert_eq!(
            objection("fn main() { let x = a[i] + (b * c); println!(\"{}\", x); }"),
            Some(NotProse::Code)
        );
        assert_eq!(objection(&format!("{PROSE}\n").repeat(3)), Some(NotProse::Repetitive));
        assert_eq!(objection(&"never again ".repeat(40)), Some(NotProse::Repetitive));
        assert_eq!(objection(&"哈哈".repeat(40)), Some(NotProse::Repetitive));
    }

    proptest! {
        #[test]
        fn any_text_gets_an_answer(text in any::<String>()) {
            let answer = objection(&text);
            prop_assert!(answer.is_none() || !text.trim().is_empty());
        }
    }
}
