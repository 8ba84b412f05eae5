//! How much text there is, in words.

use unicode_segmentation::UnicodeSegmentation;

/// Number of words: Unicode word boundaries (UAX #29), counting only segments with a letter or a digit.
///
/// Scripts without spaces give one segment a character, so their characters are converted: Chinese and Japanese
/// characters count two thirds of a word each (a Chinese word has about one and a half), those of Thai, Lao, Khmer and
/// Myanmar a quarter. Forty words are thus about sixty Chinese characters, as much text as forty English words.
#[must_use]
pub fn count(text: &str) -> usize {
    let twelfths: usize = text.unicode_words().map(twelfths_of_a_word).sum();
    twelfths.div_ceil(12)
}

fn twelfths_of_a_word(segment: &str) -> usize {
    let mut chars = segment.chars();
    match (chars.next(), chars.next()) {
        (Some(c), None) if is_ideographic(c) => 8,
        // A base character with its vowel signs is one segment too.
        (Some(c), _) if is_south_east_asian(c) => 3,
        _ => 12,
    }
}

/// Han characters and hiragana, which UAX #29 separates; katakana stays together in words.
fn is_ideographic(c: char) -> bool {
    matches!(u32::from(c),
        0x3005 | 0x3007 | 0x3041..=0x309F | 0x3400..=0x4DBF | 0x4E00..=0x9FFF | 0xF900..=0xFAFF | 0x20000..=0x3FFFF)
}

fn is_south_east_asian(c: char) -> bool {
    matches!(u32::from(c), 0x0E00..=0x0EFF | 0x1000..=0x109F | 0x1780..=0x17FF)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn counts_english() {
        assert_eq!(count("The bus wasn't late -- it cost $3.50, see example.com!"), 9);
        assert_eq!(count(""), 0);
        assert_eq!(count("  \n🎉 — … "), 0);
    }

    #[test]
    fn sixty_chinese_characters_are_forty_words() {
        assert_eq!(count(&"今天天气很好".repeat(10)), 40);
        assert_eq!(count("我用 Rust 写程序。"), 5);
    }

    #[test]
    fn thai_characters_are_parts_of_words() {
        let words = count("ภาษาไทยเป็นภาษาที่ใช้ในประเทศไทย");
        assert!((5..=9).contains(&words), "{words}");
    }

    #[test]
    fn one_endless_word_is_one_word() {
        assert_eq!(count(&"a".repeat(1_000_000)), 1);
    }

    proptest! {
        #[test]
        fn never_more_words_than_characters(text in any::<String>()) {
            prop_assert!(count(&text) <= text.chars().count());
        }
    }
}
