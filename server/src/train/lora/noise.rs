//! Light damage to texts, so that no surface cue carries the label: what a detector could read off case, spelling, spacing
//! or a last full stop has to be of no use in training.
//!
//! Each kind of damage falls on a text with a small probability and then on few of its places.

use crate::random::Random;
use bonafide_core::text::sentences;

/// Probability of each kind of damage.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Noise {
    /// All letters in lower case.
    pub lower: f64,
    /// The beginnings of sentences in lower case.
    pub lower_starts: f64,
    /// Slips of the keyboard in one or two words of a hundred.
    pub typos: f64,
    /// Spaces that are missing after marks, or too many before them.
    pub spaces: f64,
    /// One sentence of ten dropped.
    pub drops: f64,
    /// The marks at the end taken off.
    pub end: f64,
}

impl Default for Noise {
    fn default() -> Self {
        Self { lower: 0.04, lower_starts: 0.04, typos: 0.15, spaces: 0.12, drops: 0.15, end: 0.2 }
    }
}

impl Noise {
    /// Leaves texts as they are.
    pub const NONE: Self =
        Self { lower: 0.0, lower_starts: 0.0, typos: 0.0, spaces: 0.0, drops: 0.0, end: 0.0 };

    /// Damages a text, or doesn't.
    #[must_use]
    pub fn damage(&self, text: &str, random: &mut Random) -> String {
        let mut text = text.to_owned();
        if random.happens(self.drops) {
            text = drop_sentences(&text, random);
        }
        if random.happens(self.lower) {
            text = text.to_lowercase();
        } else if random.happens(self.lower_starts) {
            text = lower_starts(&text);
        }
        if random.happens(self.typos) {
            text = mistype(&text, random);
        }
        if random.happens(self.spaces) {
            text = misplace_spaces(&text, random);
        }
        if random.happens(self.end) {
            let end = text.trim_end_matches(|c: char| !c.is_alphanumeric()).len();
            text.truncate(end);
        }
        text
    }
}

/// Leaves out one sentence of ten, but never all.
fn drop_sentences(text: &str, random: &mut Random) -> String {
    let chars: Vec<char> = text.chars().collect();
    let spans = sentences::spans(text);
    let kept: Vec<String> = spans
        .iter()
        .filter(|_| !random.happens(0.1))
        .filter_map(|span| Some(chars.get(span.start..span.end)?.iter().collect()))
        .collect();
    if kept.is_empty() { text.to_owned() } else { kept.join(" ") }
}

fn lower_starts(text: &str) -> String {
    let mut chars: Vec<char> = text.chars().collect();
    for span in sentences::spans(text) {
        if let Some(first) = chars.get_mut(span.start) {
            *first = first.to_lowercase().next().unwrap_or(*first);
        }
    }
    chars.into_iter().collect()
}

/// Swaps, doubles or leaves out a letter inside one word of sixty.
fn mistype(text: &str, random: &mut Random) -> String {
    let slip = |word: &str, random: &mut Random| {
        let mut chars: Vec<char> = word.chars().collect();
        if chars.len() < 4 || !chars.iter().all(|c| c.is_alphabetic()) || !random.happens(1.0 / 60.0) {
            return word.to_owned();
        }
        let at = 1 + random.below(chars.len() - 2);
        match random.below(3) {
            0 => chars.swap(at, at + 1),
            1 => chars.insert(at, chars[at]),
            _ => {
                chars.remove(at);
            }
        }
        chars.into_iter().collect()
    };
    text.split(' ').map(|word| slip(word, random)).collect::<Vec<_>>().join(" ")
}

/// One mark of six loses the space behind it, or gets one before it.
fn misplace_spaces(text: &str, random: &mut Random) -> String {
    let mut out = String::with_capacity(text.len());
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        if matches!(c, '.' | ',' | '!' | '?' | ';' | ':') && chars.peek() == Some(&' ') {
            match random.below(12) {
                0 => {
                    chars.next();
                }
                1 => out.push(' '),
                _ => {}
            }
        }
        out.push(c);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "The first sentence is here. The second one, which is longer, follows it! Is this a third? \
                        A fourth sentence ends the text. Another sentence stands behind the end of it.";

    fn damaged(noise: Noise, seed: u8) -> String {
        noise.damage(TEXT, &mut Random::new(&[&[seed]]))
    }

    #[test]
    fn nothing_happens_without_noise() {
        assert!((0..20).all(|seed| damaged(Noise::NONE, seed) == TEXT));
    }

    #[test]
    fn each_kind_does_what_it_says() {
        let only = |change: fn(&mut Noise)| {
            let mut noise = Noise::NONE;
            change(&mut noise);
            noise
        };
        assert_eq!(damaged(only(|n| n.lower = 1.0), 0), TEXT.to_lowercase());
        let lower = damaged(only(|n| n.lower_starts = 1.0), 0);
        assert!(lower.starts_with("the first") && lower.contains("? a fourth"), "{lower}");
        assert_eq!(damaged(only(|n| n.end = 1.0), 0), TEXT.trim_end_matches('.'));
        let dropped: Vec<usize> = (0..40).map(|seed| damaged(only(|n| n.drops = 1.0), seed).len()).collect();
        assert!(dropped.iter().any(|len| *len < TEXT.len()) && dropped.iter().all(|len| *len > 20));
        let mean = |noise: Noise, count: &dyn Fn(&str) -> usize| {
            (0..200).map(|seed| count(&damaged(noise, seed))).sum::<usize>() as f64 / 200.0
        };
        let differing = |text: &str| text.split(' ').zip(TEXT.split(' ')).filter(|(a, b)| a != b).count();
        let typos = mean(only(|n| n.typos = 1.0), &differing);
        assert!((0.1..0.8).contains(&typos), "{typos}");
        let spaces = mean(only(|n| n.spaces = 1.0), &|text| {
            text.matches(' ').count().abs_diff(TEXT.matches(' ').count())
        });
        assert!((0.4..2.0).contains(&spaces), "{spaces}");
    }

    #[test]
    fn damage_is_the_same_for_the_same_seed_and_light_on_the_whole() {
        let all: Vec<String> = (0..200).map(|seed| damaged(Noise::default(), seed)).collect();
        assert_eq!(all, (0..200).map(|seed| damaged(Noise::default(), seed)).collect::<Vec<_>>());
        let whole = all.iter().filter(|text| *text == TEXT).count();
        assert!((60..150).contains(&whole), "{whole}");
        assert!(all.iter().all(|text| text.len() > 20));
    }

    #[test]
    fn any_text_survives() {
        for text in ["", " ", ".", "a", "ß", "İstanbul. ı", "你好。再见！", "e\u{301}. x"] {
            for seed in 0..40 {
                let noise =
                    Noise { lower: 0.5, lower_starts: 0.5, typos: 1.0, spaces: 1.0, drops: 1.0, end: 0.5 };
                let _ = noise.damage(text, &mut Random::new(&[&[seed]]));
            }
        }
    }
}
