//! Paragraphs into blocks of a size that can be judged.
//!
//! A detector needs some eighty words before its score means much, and a reader can't see where a verdict on
//! two pages applies; so neighbouring paragraphs are put together until there are enough words, and split
//! only where there are far too many.

use bonafide_core::text::words::count as words;

/// Fewer words than this are put together with their neighbours.
const MIN_WORDS: usize = 80;
/// A block of grouped paragraphs is kept near or below this.
const MAX_WORDS: usize = 250;
/// A single paragraph, or a list with the paragraph that leads to it, may be this long.
const MAX_WHOLE_WORDS: usize = 600;

/// A part of a document in reading order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Piece {
    /// A heading: a block of its own, and a border that no block crosses.
    Heading(String),
    /// A paragraph, or a whole list with an item a line.
    Body {
        /// Its text.
        text: String,
        /// Whether it belongs to the piece before it, as a list or a quotation does.
        glued: bool,
    },
    /// A border without text, such as the end of one post and the start of the next.
    Border,
}

impl Piece {
    /// A paragraph.
    pub fn body(text: impl Into<String>) -> Self {
        Self::Body { text: text.into(), glued: false }
    }

    /// Its text, empty for a border.
    pub fn text(&self) -> &str {
        match self {
            Self::Heading(text) | Self::Body { text, .. } => text,
            Self::Border => "",
        }
    }
}

/// Puts pieces together into the texts of blocks.
pub fn group(pieces: Vec<Piece>) -> Vec<String> {
    let mut blocks = Vec::new();
    let mut section: Vec<(String, bool)> = Vec::new();
    for piece in pieces {
        match piece {
            Piece::Body { text, glued } => section.push((text, glued)),
            Piece::Heading(text) => {
                group_section(std::mem::take(&mut section), &mut blocks);
                blocks.push(text);
            }
            Piece::Border => group_section(std::mem::take(&mut section), &mut blocks),
        }
    }
    group_section(section, &mut blocks);
    blocks.retain(|block| !block.trim().is_empty());
    blocks
}

/// A block in the making.
#[derive(Default)]
struct Open {
    text: String,
    words: usize,
}

impl Open {
    fn add(&mut self, text: &str, count: usize) {
        if !self.text.is_empty() {
            self.text.push_str("\n\n");
        }
        self.text.push_str(text);
        self.words += count;
    }
}

/// Groups what stands between two borders into blocks of about equal size.
fn group_section(paragraphs: Vec<(String, bool)>, blocks: &mut Vec<String>) {
    let mut parts: Vec<(String, bool, usize)> = Vec::new();
    for (text, glued) in paragraphs {
        let count = words(&text);
        if count > MAX_WHOLE_WORDS {
            let target = count.div_ceil(count.div_ceil(MAX_WHOLE_WORDS));
            parts.extend(split(&text, target).into_iter().map(|part| {
                let count = words(&part);
                (part, false, count)
            }));
        } else {
            parts.push((text, glued, count));
        }
    }
    let total: usize = parts.iter().map(|part| part.2).sum();
    let target = total.div_ceil(total.div_ceil(MAX_WORDS).max(1)).max(1);
    let mut done: Vec<Open> = Vec::new();
    let mut open = Open::default();
    for (text, glued, count) in &parts {
        let joined = open.words + count;
        let fits = joined <= MAX_WORDS || open.words < MIN_WORDS / 2 || *glued;
        let closer =
            joined.abs_diff(target) <= open.words.abs_diff(target) || open.words < MIN_WORDS || *glued;
        let joins = fits && closer && joined <= MAX_WHOLE_WORDS;
        if !open.text.is_empty() && !joins {
            done.push(std::mem::take(&mut open));
        }
        open.add(text, *count);
    }
    match done.last_mut() {
        Some(last) if open.words < MIN_WORDS && last.words + open.words <= MAX_WHOLE_WORDS => {
            last.add(&open.text, open.words);
        }
        _ => done.push(open),
    }
    blocks.extend(done.into_iter().map(|block| block.text));
}

/// Cuts a text into parts of about `target` words, at line ends where they come often enough, else at sentence
/// ends, else between words, else anywhere.
fn split(text: &str, target: usize) -> Vec<String> {
    let mut parts = Vec::new();
    let mut open = String::new();
    let mut open_words = 0;
    for unit in units(text, target) {
        let count = words(unit);
        if open_words > 0 && open_words + count > target + target / 8 {
            parts.push(std::mem::take(&mut open));
            open_words = 0;
        }
        open.push_str(unit);
        open_words += count;
    }
    parts.push(open);
    parts.iter().map(|part| part.trim().to_owned()).filter(|part| !part.is_empty()).collect()
}

/// The smallest parts that a split keeps whole: together they are the text.
fn units(text: &str, target: usize) -> Vec<&str> {
    let mut units = Vec::new();
    for line in text.split_inclusive('\n') {
        if words(line) <= target / 2 {
            units.push(line);
            continue;
        }
        for sentence in sentences(line) {
            if words(sentence) <= target {
                units.push(sentence);
            } else {
                units.extend(
                    sentence.split_inclusive(char::is_whitespace).flat_map(|run| chunks(run, target)),
                );
            }
        }
    }
    units
}

/// Sentences, roughly: after a full stop of any script, and white space unless the script has none.
fn sentences(text: &str) -> Vec<&str> {
    let mut sentences = Vec::new();
    let mut start = 0;
    let mut chars = text.char_indices().peekable();
    while let Some((index, c)) = chars.next() {
        let next = chars.peek().map(|&(_, next)| next);
        let ends = match c {
            '.' | '!' | '?' | '…' | '؟' | '۔' | '।' => next.is_none_or(char::is_whitespace),
            '。' | '！' | '？' => !matches!(next, Some('”' | '」' | '』' | '）' | '。' | '！' | '？')),
            _ => false,
        };
        if ends {
            let end = index + c.len_utf8();
            sentences.push(&text[start..end]);
            start = end;
        }
    }
    if start < text.len() {
        sentences.push(&text[start..]);
    }
    sentences
}

/// Cuts a run without white space into parts of at most `most` characters, if it has more than `most` words.
fn chunks(run: &str, most: usize) -> Vec<&str> {
    if words(run) <= most {
        return vec![run];
    }
    let mut parts = Vec::new();
    let mut rest = run;
    while let Some((cut, _)) = rest.char_indices().nth(most.max(1)) {
        let (part, tail) = rest.split_at(cut);
        parts.push(part);
        rest = tail;
    }
    parts.push(rest);
    parts
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn paragraph(count: usize) -> String {
        vec!["word"; count].join(" ")
    }

    fn sizes(counts: &[usize]) -> Vec<usize> {
        let pieces = counts.iter().map(|&count| Piece::body(paragraph(count))).collect();
        group(pieces).iter().map(|block| words(block)).collect()
    }

    #[test]
    fn short_paragraphs_are_put_together_evenly() {
        assert_eq!(sizes(&[30; 3]), [90]);
        assert_eq!(sizes(&[50; 8]), [200, 200]);
        assert_eq!(sizes(&[100; 3]), [200, 100]);
    }

    #[test]
    fn long_paragraphs_stay_whole_and_very_long_ones_are_split() {
        assert_eq!(sizes(&[580]), [580]);
        assert_eq!(sizes(&[10, 580]), [590]);
        let split = sizes(&[1300]);
        assert_eq!(split.iter().sum::<usize>(), 1300);
        assert!(split.iter().all(|&size| size <= MAX_WHOLE_WORDS), "{split:?}");
    }

    #[test]
    fn a_short_tail_joins_the_block_before_it() {
        assert_eq!(sizes(&[240, 20]), [260]);
        assert_eq!(sizes(&[400, 20]), [420]);
        assert_eq!(sizes(&[590, 20]), [590, 20]);
    }

    #[test]
    fn headings_and_borders_are_never_crossed() {
        let blocks = group(vec![
            Piece::body("one"),
            Piece::Heading("Title".into()),
            Piece::body("two"),
            Piece::Border,
            Piece::body("three"),
        ]);
        assert_eq!(blocks, ["one", "Title", "two", "three"]);
    }

    #[test]
    fn a_list_stays_with_the_paragraph_that_leads_to_it() {
        let blocks = group(vec![
            Piece::body(paragraph(240)),
            Piece::Body { text: paragraph(100), glued: true },
            Piece::body(paragraph(100)),
        ]);
        assert_eq!(blocks.iter().map(|block| words(block)).collect::<Vec<_>>(), [340, 100]);
    }

    #[test]
    fn ideographs_count_and_split_without_spaces() {
        let long = "我们今天去公园玩。".repeat(200);
        let blocks = group(vec![Piece::body(long.clone())]);
        assert!(blocks.len() >= 2);
        assert!(blocks.iter().all(|block| block.ends_with('。') && words(block) <= MAX_WHOLE_WORDS));
        assert_eq!(blocks.concat(), long);
    }

    proptest! {
        #[test]
        fn nothing_but_white_space_is_lost(
            texts in proptest::collection::vec("[a-z .。中\n]{0,400}", 0..12),
            target in 1usize..40,
        ) {
            let bare = |text: &str| text.split_whitespace().collect::<String>();
            let whole: String = texts.concat();
            let blocks = group(texts.iter().map(Piece::body).collect());
            prop_assert_eq!(bare(&blocks.concat()), bare(&whole));
            prop_assert_eq!(bare(&split(&whole, target).concat()), bare(&whole));
        }
    }
}
