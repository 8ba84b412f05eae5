//! Where a text's sentences begin and end.
//!
//! Unicode's rules (UAX #29) know no abbreviations and take each line of hard-wrapped text for a sentence; both are
//! mended here. The spans are those of the text as it came, so that a client can colour them.

use crate::verdict::Span;
use unicode_segmentation::UnicodeSegmentation;

/// Abbreviations that don't end a sentence.
const ABBREVIATIONS: [&str; 25] = [
    "mr", "mrs", "ms", "mx", "dr", "prof", "rev", "gen", "col", "capt", "lt", "sgt", "sen", "rep", "gov",
    "hon", "st", "mt", "messrs", "vs", "e.g", "i.e", "cf", "viz", "ca",
];

/// Abbreviations that don't end a sentence if a number follows.
const BEFORE_NUMBERS: [&str; 24] = [
    "no", "nos", "vol", "fig", "figs", "eq", "eqs", "p", "pp", "ch", "sec", "art", "approx", "jan", "feb",
    "mar", "apr", "jun", "jul", "aug", "sep", "sept", "oct", "nov",
];

/// The sentences of a text, in code points, in order and without overlap; white space at their ends is left out.
///
/// A line break ends a sentence unless the next line goes on in lower case. Segments without a letter or a digit
/// belong to the sentence before.
#[must_use]
pub fn spans(text: &str) -> Vec<Span> {
    let mut spans: Vec<Span> = Vec::new();
    let mut last_segment = "";
    let mut position = 0;
    for segment in segments(text) {
        let length = segment.chars().count();
        let visible = segment.trim();
        if !visible.is_empty() {
            let leading = segment.chars().take_while(|c| c.is_whitespace()).count();
            let start = position + leading;
            let end = start + visible.chars().count();
            match spans.last_mut() {
                Some(last) if joins(last_segment, segment) => last.end = end,
                _ => spans.push(Span { start, end }),
            }
            last_segment = segment;
        } else if segment.chars().any(is_line_break) {
            // An empty line ends a paragraph, whatever stands before and after it.
            last_segment = "";
        }
        position += length;
    }
    spans
}

/// The segments of UAX #29, but with opening marks, which it takes for closing ones, moved to the segment they open.
fn segments(text: &str) -> impl Iterator<Item = &str> {
    let mut start = 0;
    text.split_sentence_bound_indices().map(move |(index, segment)| {
        let end = index + segment.len();
        let closed = if end == text.len() { segment } else { segment.trim_end_matches(is_opening) };
        // A segment of opening marks only has nothing to be moved from.
        let cut = if index + closed.len() > start { index + closed.len() } else { end };
        let own = &text[start..cut];
        start = cut;
        own
    })
}

fn is_opening(c: char) -> bool {
    matches!(c, '“' | '‘' | '「' | '『' | '（' | '《' | '〈' | '【' | '(' | '[' | '{' | '¿' | '¡')
}

/// Whether two segments that UAX #29 separates are one sentence all the same.
fn joins(before: &str, after: &str) -> bool {
    let after = after.trim_start();
    if before.is_empty() {
        return false;
    }
    if before.ends_with(is_line_break) {
        return !ends_line(before.trim_end()) && after.starts_with(char::is_lowercase);
    }
    if !after.contains(char::is_alphanumeric) {
        return true;
    }
    is_open(before.trim_end(), after)
}

fn is_line_break(c: char) -> bool {
    matches!(c, '\n' | '\r' | '\u{85}' | '\u{2028}' | '\u{2029}')
}

/// Whether a line ends like a sentence, a heading or an item.
fn ends_line(line: &str) -> bool {
    line.ends_with(['.', '!', '?', ':', ';', '。', '！', '？', '…', '"', '”', '»', ')'])
}

/// Whether the full stop at the end belongs to an abbreviation or an initial.
fn is_open(before: &str, after: &str) -> bool {
    let Some(body) = before.strip_suffix('.') else { return false };
    let word = body
        .rsplit(|c: char| c.is_whitespace() || matches!(c, '(' | '[' | '"' | '“'))
        .next()
        .unwrap_or_default();
    // Longer words are no abbreviations, and lower-casing them would cost time.
    if word.len() > 12 {
        return false;
    }
    let lower = word.to_lowercase();
    is_initials(word)
        || ABBREVIATIONS.contains(&lower.as_str())
        || (after.starts_with(|c: char| c.is_ascii_digit()) && BEFORE_NUMBERS.contains(&lower.as_str()))
}

/// `J`, `J.R.R`, `U.S`: single capitals with full stops. The pronoun is not one.
fn is_initials(word: &str) -> bool {
    word != "I"
        && !word.is_empty()
        && word.split('.').all(|part| {
            let mut chars = part.chars();
            matches!((chars.next(), chars.next()), (Some(c), None) if c.is_uppercase())
        })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn sentences(text: &str) -> Vec<String> {
        let chars: Vec<char> = text.chars().collect();
        spans(text).into_iter().map(|span| chars[span.start..span.end].iter().collect()).collect()
    }

    #[test]
    fn ends_at_full_stops() {
        assert_eq!(sentences("  One here. Two there!  Three? "), ["One here.", "Two there!", "Three?"]);
        assert_eq!(sentences("He said \"Stop.\" Then he left."), ["He said \"Stop.\"", "Then he left."]);
        assert_eq!(
            sentences("It cost 3.50 at example.com today. Fine."),
            ["It cost 3.50 at example.com today.", "Fine."]
        );
    }

    #[test]
    fn abbreviations_and_initials_do_not_end_one() {
        let whole =
            "Dr. Smith met J. R. R. Tolkien and Mrs. Jones in the U.S. Army, see e.g. Fig. 3 of No. 7.";
        assert_eq!(sentences(whole), [whole]);
        assert_eq!(
            sentences("It was I. He knew. No. She said no."),
            ["It was I.", "He knew.", "No.", "She said no."]
        );
    }

    #[test]
    fn chinese_sentences() {
        assert_eq!(
            sentences("今天下雨。你好吗？很好！“走吧。”他说"),
            ["今天下雨。", "你好吗？", "很好！", "“走吧。”", "他说"]
        );
    }

    #[test]
    fn lines() {
        assert_eq!(
            sentences("A heading\nThe text of it\r\n\r\nand more"),
            ["A heading", "The text of it", "and more"]
        );
        assert_eq!(
            sentences("a line that was\nwrapped by hand. Next"),
            ["a line that was\nwrapped by hand.", "Next"]
        );
    }

    #[test]
    fn marks_alone_belong_to_the_sentence_before() {
        assert_eq!(sentences("Really?! 🎉 Yes."), ["Really?!", "🎉 Yes."]);
        assert_eq!(sentences("Wait. . . . Go on."), ["Wait. . . .", "Go on."]);
        assert_eq!(sentences("…"), ["…"]);
        assert!(sentences(" \n ").is_empty());
    }

    #[test]
    fn large_odd_texts_take_no_time() {
        for unit in ["a", ". ", "A. ", "\u{301}", "。", "\n", "1.", "ش؟ ", "🎉"] {
            let text = unit.repeat(300_000);
            assert!(spans(&text).last().is_none_or(|last| last.end <= text.chars().count()));
        }
    }

    proptest! {
        #[test]
        fn spans_are_ordered_and_hold_all_that_is_visible(text in "([A-Za-z]{1,5}|[.!?。 \n\r]|Dr\\.|é|\u{301}|🎉|\\PC){0,40}") {
            let chars: Vec<char> = text.chars().collect();
            let mut covered = vec![false; chars.len()];
            let mut last = 0;
            for span in spans(&text) {
                prop_assert!(last <= span.start && span.start < span.end && span.end <= chars.len());
                prop_assert!(!chars[span.start].is_whitespace() && !chars[span.end - 1].is_whitespace());
                covered[span.start..span.end].fill(true);
                last = span.end;
            }
            for (c, covered) in chars.iter().zip(covered) {
                prop_assert!(covered || c.is_whitespace());
            }
        }
    }
}
