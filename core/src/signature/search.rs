//! Where the signed text stands in a stream (SPEC.md, section 6).

use super::canonical::{Hazard, Stream, words};
use super::classes::is_cjk;
use super::paragraphs::{Paragraph, WINDOW, rolling, windows};
use super::statement::{TextDigest, sha256};
use std::collections::HashMap;
use std::ops::Range;

/// A run of paragraphs with less than this doesn't verify by itself.
const MIN_RUN_CHARS: usize = 40;
const MIN_RUN_WORDS: u64 = 8;
/// Work stops after so many times the length of what is searched: a page could repeat one anchor without end.
const MAX_PASSES: usize = 16;
/// What looking at a candidate costs beside the bytes that are hashed, in bytes.
const CANDIDATE: usize = 256;
/// Equal paragraphs are tried in so many places of the table.
const MAX_ALIKE: usize = 8;

/// Which part of a stream a carrier speaks of, in bytes of the canonical form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Scope {
    /// What ends here; other text may stand before it.
    Before(Range<usize>),
    /// All of it.
    Exactly(Range<usize>),
    /// Somewhere in it.
    Within(Range<usize>),
}

/// How much of the signed text was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Extent {
    /// All of it, as it was signed.
    Whole,
    /// Some paragraphs, or all with others between, none altered.
    Excerpt,
    /// Something else than what was signed.
    Altered,
}

/// How much work may still be done, in bytes that are hashed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Budget(usize);

impl Budget {
    /// Enough for all statements of an honest page: the longest has each word signed a few times.
    #[must_use]
    pub fn of_page(stream: &Stream) -> Self {
        Self(4 * MAX_PASSES * (stream.text().len() + (1 << 16)))
    }

    /// Whether nothing is left.
    #[must_use]
    pub fn is_spent(self) -> bool {
        self.0 == 0
    }

    /// Takes some, or all that is left and fails.
    fn take(&mut self, cost: usize) -> bool {
        let enough = cost <= self.0;
        self.0 = if enough { self.0 - cost } else { 0 };
        enough
    }
}

/// What was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Coverage {
    /// How much.
    pub extent: Extent,
    /// Numbers of the paragraphs that verified, from 0, in the order of the stream.
    pub found: Vec<usize>,
    /// Where they stand; only this may be highlighted.
    pub ranges: Vec<Range<usize>>,
    /// What keeps text that has the right digest from verifying.
    pub hazard: Option<Hazard>,
    /// Whether the text is the one that was signed, but its table or number of words is of another.
    pub contradicts: bool,
}

/// Looks for a text, with as much work as the page's budget has.
#[must_use]
pub fn search(stream: &Stream, scope: &Scope, text: &TextDigest, budget: &mut Budget) -> Coverage {
    let range = match scope {
        Scope::Before(range) | Scope::Exactly(range) | Scope::Within(range) => trim(stream.text(), range),
    };
    let own = Budget((MAX_PASSES * (range.len() + 1024)).min(budget.0));
    let mut search = Search { stream, range, text, budget: own };
    let coverage = search.run(scope);
    budget.0 -= own.0 - search.budget.0;
    coverage
}

/// Paragraphs that follow each other in the table and in the stream.
#[derive(Debug, Clone)]
struct Run {
    first: usize,
    last: usize,
    range: Range<usize>,
}

struct Search<'a> {
    stream: &'a Stream,
    range: Range<usize>,
    text: &'a TextDigest,
    budget: Budget,
}

impl Search<'_> {
    fn run(&mut self, scope: &Scope) -> Coverage {
        let whole = match scope {
            Scope::Before(_) => self.ending(),
            Scope::Exactly(_) => self.exactly(),
            Scope::Within(_) => self.within(),
        };
        let Some(range) = whole else { return self.excerpt(scope) };
        let hazard = match scope {
            Scope::Before(_) => self.stream.hazard_to_carrier(&range),
            Scope::Exactly(_) | Scope::Within(_) => self.stream.hazard_in(&range),
        };
        let contradicts = !self.is_consistent(&range);
        if hazard.is_some() || contradicts {
            return Coverage { extent: Extent::Altered, found: vec![], ranges: vec![], hazard, contradicts };
        }
        let found = (0..self.text.paragraphs.len()).collect();
        Coverage { extent: Extent::Whole, found, ranges: vec![range], hazard, contradicts }
    }

    /// Whether the number of words and the table are those of the text.
    fn is_consistent(&mut self, range: &Range<usize>) -> bool {
        let Some(whole) = self.stream.text().get(range.clone()) else { return false };
        if words(whole) != self.text.words {
            return false;
        }
        let text = self.text;
        text.paragraphs.iter().all(|paragraph| {
            let place = |number: u64| usize::try_from(number).ok()?.checked_add(range.start);
            let (Some(start), Some(end)) = (place(paragraph.start), place(paragraph.end())) else {
                return false;
            };
            let window = self
                .stream
                .text()
                .as_bytes()
                .get(start..start + WINDOW)
                .filter(|_| start + WINDOW <= range.end);
            window.map(rolling) == paragraph.anchor_value()
                && self.hashes_to(&(start..end), &paragraph.sha256)
        })
    }

    fn length(&self) -> Option<usize> {
        usize::try_from(self.text.length).ok()
    }

    /// The last bytes of the scope, if they begin where a text can begin.
    fn ending(&mut self) -> Option<Range<usize>> {
        let start = self.range.end.checked_sub(self.length()?)?;
        let begins = start == self.range.start || self.is_block_start(start);
        (start >= self.range.start && begins && self.is_whole(start..self.range.end))
            .then_some(start..self.range.end)
    }

    fn exactly(&mut self) -> Option<Range<usize>> {
        let range = self.range.clone();
        (Some(range.len()) == self.length() && self.is_whole(range.clone())).then_some(range)
    }

    /// Anywhere, from the beginning of a block to the end of one.
    fn within(&mut self) -> Option<Range<usize>> {
        let (length, range, stream) = (self.length()?, self.range.clone(), self.stream);
        let blocks = stream.paragraphs();
        let first = blocks.partition_point(|block| block.end <= range.start);
        let later = blocks[first..].iter().map(|block| block.start).filter(|&start| start > range.start);
        for start in std::iter::once(range.start).chain(later) {
            let end = start.checked_add(length).filter(|&end| end <= range.end)?;
            if (end == range.end || self.is_block_end(end)) && self.is_whole(start..end) {
                return Some(start..end);
            }
        }
        None
    }

    fn is_block_start(&self, place: usize) -> bool {
        self.stream.paragraphs().binary_search_by_key(&place, |block| block.start).is_ok()
    }

    fn is_block_end(&self, place: usize) -> bool {
        self.stream.paragraphs().binary_search_by_key(&place, |block| block.end).is_ok()
    }

    /// Whether a range is the whole text. The first anchor spares most of the hashing.
    fn is_whole(&mut self, range: Range<usize>) -> bool {
        let anchored = match self.text.paragraphs.first().and_then(Paragraph::anchor_value) {
            Some(anchor) => self.window_at(range.start) == Some(anchor),
            None => true,
        };
        let text = self.text;
        anchored && self.hashes_to(&range, &text.sha256)
    }

    fn window_at(&self, place: usize) -> Option<u64> {
        Some(rolling(self.stream.text().as_bytes().get(place..)?.get(..WINDOW)?))
    }

    fn hashes_to(&mut self, range: &Range<usize>, digest: &str) -> bool {
        let Some(bytes) = self.stream.text().as_bytes().get(range.clone()) else { return false };
        self.budget.take(bytes.len()) && sha256(bytes) == digest
    }

    /// The range of a paragraph that begins at a place, if it stands there with free ends.
    fn paragraph_at(&mut self, index: usize, start: usize) -> Option<Range<usize>> {
        let text = self.text;
        let paragraph = text.paragraphs.get(index)?;
        if !self.budget.take(CANDIDATE) {
            return None;
        }
        let end = start.checked_add(usize::try_from(paragraph.length).ok()?)?;
        if start < self.range.start || end > self.range.end || !self.is_free(start, end) {
            return None;
        }
        self.hashes_to(&(start..end), &paragraph.sha256).then_some(start..end)
    }

    /// Whether words begin and end at these places.
    fn is_free(&self, start: usize, end: usize) -> bool {
        let text = self.stream.text();
        let (Some(before), Some(inner), Some(after)) =
            (text.get(..start), text.get(start..end), text.get(end..))
        else {
            return false;
        };
        let opens = |c: char| c == ' ' || is_cjk(c) || matches!(c, '"' | '\'' | '(' | '[' | '>');
        let closes = |c: char| c == ' ' || is_cjk(c) || matches!(c, '"' | '\'' | ')' | ']' | '<');
        // Characters written without spaces end and begin words themselves.
        let begins_cjk = inner.chars().next().is_some_and(is_cjk);
        let ends_cjk = inner.chars().next_back().is_some_and(is_cjk);
        let free_start = start == self.range.start
            || self.is_block_start(start)
            || begins_cjk
            || before.chars().next_back().is_none_or(opens);
        let free_end = end == self.range.end
            || self.is_block_end(end)
            || ends_cjk
            || after.chars().next().is_none_or(closes);
        free_start && free_end
    }

    fn excerpt(&mut self, scope: &Scope) -> Coverage {
        let mut broken = false;
        let runs = self.runs(&mut broken);
        let altered = runs.is_empty() || broken || self.is_altered(&runs, scope);
        Coverage {
            extent: if altered { Extent::Altered } else { Extent::Excerpt },
            found: runs.iter().flat_map(|run| run.first..=run.last).collect(),
            ranges: runs.into_iter().map(|run| run.range).collect(),
            hazard: self.stream.hazard_in(&self.range),
            contradicts: false,
        }
    }

    /// One pass over the scope. `broken`: a paragraph's beginning was seen with another continuation, and the
    /// paragraph itself nowhere.
    fn runs(&mut self, broken: &mut bool) -> Vec<Run> {
        let mut by_anchor: HashMap<u64, Vec<usize>> = HashMap::new();
        let table = CANDIDATE * self.text.paragraphs.len() / 8;
        if !self.budget.take(self.range.len() / 4 + table) {
            return Vec::new();
        }
        for (index, paragraph) in self.text.paragraphs.iter().enumerate() {
            if let Some(anchor) = paragraph.anchor_value() {
                by_anchor.entry(anchor).or_default().push(index);
            }
        }
        let mut runs: Vec<Run> = Vec::new();
        let mut begun: Vec<usize> = Vec::new();
        let mut free = self.range.start;
        let base = self.range.start;
        let stream = self.stream;
        let Some(bytes) = stream.text().as_bytes().get(self.range.clone()) else { return runs };
        for (offset, hash) in windows(bytes).enumerate() {
            let place = base + offset;
            if place < free {
                continue;
            }
            let Some(candidates) = by_anchor.get(&hash) else { continue };
            let after = runs.last().map_or(0, |run| run.last + 1);
            // With equal paragraphs, the one that goes on in order.
            let later = candidates.iter().filter(|&&index| index >= after);
            let earlier = candidates.iter().filter(|&&index| index < after);
            let hit = later
                .chain(earlier)
                .take(MAX_ALIKE)
                .find_map(|&index| Some((index, self.paragraph_at(index, place)?)));
            if self.budget.is_spent() {
                break;
            }
            match hit {
                Some((index, range)) => {
                    let run = self.extend(Run { first: index, last: index, range }, free);
                    free = run.range.end;
                    if self.is_enough(&run.range) {
                        runs.push(run);
                    }
                }
                None if self.starts_a_word(place) => begun.extend(candidates.iter().take(1)),
                None => {}
            }
        }
        *broken = begun.iter().any(|index| !runs.iter().any(|run| (run.first..=run.last).contains(index)));
        runs
    }

    fn starts_a_word(&self, place: usize) -> bool {
        place == self.range.start || self.is_block_start(place)
    }

    /// Takes in the neighbours, which may be too short to have been found.
    fn extend(&mut self, mut run: Run, free: usize) -> Run {
        while let Some(next) = self.text.paragraphs.get(run.last + 1) {
            let Some(gap) = self.gap(&self.text.paragraphs[run.last], next) else { break };
            if !self.is_gap(run.range.end, gap) {
                break;
            }
            let Some(found) = self.paragraph_at(run.last + 1, run.range.end + gap) else { break };
            run.range.end = found.end;
            run.last += 1;
        }
        while let Some(index) = run.first.checked_sub(1) {
            let before = &self.text.paragraphs[index];
            let Some(gap) = self.gap(before, &self.text.paragraphs[run.first]) else { break };
            let length = usize::try_from(before.length).unwrap_or(usize::MAX).saturating_add(gap);
            let Some(start) = run.range.start.checked_sub(length).filter(|&start| start >= free) else {
                break;
            };
            if !self.is_gap(run.range.start - gap, gap) || self.paragraph_at(index, start).is_none() {
                break;
            }
            run.range.start = start;
            run.first = index;
        }
        run
    }

    /// Bytes between two paragraphs: none or one.
    fn gap(&self, before: &Paragraph, after: &Paragraph) -> Option<usize> {
        usize::try_from(after.start.checked_sub(before.end())?).ok()
    }

    fn is_gap(&self, place: usize, gap: usize) -> bool {
        gap == 0 || self.stream.text().as_bytes().get(place) == Some(&b' ')
    }

    fn is_enough(&self, range: &Range<usize>) -> bool {
        let Some(text) = self.stream.text().get(range.clone()) else { return false };
        text.chars().count() >= MIN_RUN_CHARS
            && words(text) >= MIN_RUN_WORDS
            && self.stream.hazard_in(range).is_none()
    }

    /// Whether something stands where paragraphs are missing, or where nothing else may stand.
    fn is_altered(&self, runs: &[Run], scope: &Scope) -> bool {
        let (Some(first), Some(last)) = (runs.first(), runs.last()) else { return true };
        let other = |from: usize, to: usize| {
            self.stream.text().get(from..to).is_none_or(|between| !between.trim_matches(' ').is_empty())
        };
        let between = runs.windows(2).any(|pair| {
            let missing = pair[1].first != pair[0].last + 1;
            let both = pair[0].range.start..pair[1].range.end;
            let strange = other(pair[0].range.end, pair[1].range.start)
                || (missing && self.stream.hazard_in(&both).is_some());
            let disordered = pair[1].first <= pair[0].last;
            disordered || (strange && (missing || !matches!(scope, Scope::Within(_))))
        });
        let before = other(self.range.start, first.range.start);
        let after = other(last.range.end, self.range.end);
        between
            || match scope {
                Scope::Within(_) => false,
                Scope::Exactly(_) => before || after,
                // Blocks before the first paragraph may be somebody else's; before a later one they are in the
                // place of the author's, and in the same block they are made to look like his.
                Scope::Before(_) => {
                    let hides = || self.stream.hazard_from_carrier(&first.range).is_some();
                    let displaces = if first.first > 0 {
                        before || hides()
                    } else {
                        before && !self.is_block_start(first.range.start)
                    };
                    after || displaces || self.stream.hazard_to_carrier(&last.range).is_some()
                }
            }
    }
}

/// A range without the spaces at its ends.
fn trim(text: &str, range: &Range<usize>) -> Range<usize> {
    let end = range.end.min(text.len());
    let start = range.start.min(end);
    let Some(inner) = text.get(start..end) else { return start..start };
    let left = inner.len() - inner.trim_start_matches(' ').len();
    let right = inner.len() - inner.trim_end_matches(' ').len();
    if left == inner.len() { start..start } else { start + left..end - right }
}

#[cfg(test)]
mod tests;
