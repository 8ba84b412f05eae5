//! Texts by two authors, put together from labelled ones, because no data set says of each sentence whose it is.
//!
//! A human text meets a model's of the same source document (`pair`) if there is one, else of the same domain, else of the
//! same file, so that the topic gives nothing away. Each couple makes one text of every [`Kind`]. Both are taken sentence by
//! sentence and put together in one form, pure texts too: a line break where the source had one, else a blank. At a seam
//! there is a line break only if the sentence before has no end mark.
//!
//! What a text is cut into again is for the judge to say; [`Spliced::label`] tells whose most of any stretch is.

pub mod measure;
pub mod outcome;

use super::dataset::{Label, Sample, hash};
use crate::random::Random;
use bonafide_core::text::sentences;
use bonafide_core::verdict::Span;
use std::collections::HashMap;
use std::sync::Arc;

/// Fewest sentences of a source.
pub const MIN_SENTENCES: usize = 6;

/// Sentences of a usual block; the first number is also what a text keeps at its ends.
const BLOCK: std::ops::RangeInclusive<usize> = 3..=6;

/// Of so many blocks one is short: one sentence or two.
const SHORT: usize = 5;

/// How a text was put together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Kind {
    /// All of it by a human: here every alarm is false.
    Human,
    /// All of it by a model.
    Ai,
    /// A human's beginning that a model goes on with.
    Continued,
    /// A human's text with some of a model's sentences in its middle.
    Inserted,
    /// Blocks of both in turn.
    Alternating,
}

impl Kind {
    /// All kinds.
    pub const ALL: [Self; 5] = [Self::Human, Self::Ai, Self::Continued, Self::Inserted, Self::Alternating];

    /// Its name in reports.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Human => "human",
            Self::Ai => "ai",
            Self::Continued => "continued",
            Self::Inserted => "inserted",
            Self::Alternating => "alternating",
        }
    }
}

/// A text with the author of every part.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Spliced {
    /// The text.
    pub text: String,
    /// Who wrote what, in order: code points, without the white space between parts.
    pub parts: Vec<(Span, Label)>,
    /// How it was put together.
    pub kind: Kind,
    /// The data set of its sources.
    pub dataset: Arc<str>,
}

impl Spliced {
    /// Whose most of a stretch is; `None` if it holds nothing of either.
    #[must_use]
    pub fn label(&self, span: Span) -> Option<Label> {
        let mut held = [0_usize; 2];
        for (part, label) in &self.parts {
            let shared = part.end.min(span.end).saturating_sub(part.start.max(span.start));
            held[usize::from(*label == Label::Ai)] += shared;
        }
        match held {
            [0, 0] => None,
            [human, ai] => Some(if ai > human { Label::Ai } else { Label::Human }),
        }
    }
}

/// What came of some labelled texts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Made {
    /// The texts; those of one couple stand together, in the order of [`Kind::ALL`].
    pub texts: Vec<Spliced>,
    /// Human texts without a partner, or with too few sentences.
    pub left_out: usize,
}

/// Puts each human text together with a model's. At most `limit` couples from each data set; the same seed and texts
/// always give the same, whatever their order.
#[must_use]
pub fn make(samples: &[Sample], limit: Option<usize>, seed: u64) -> Made {
    let sources: Vec<Source> = samples.iter().map(|sample| Source::new(sample, seed)).collect();
    let long = |source: &&Source| source.sentences.len() >= MIN_SENTENCES;
    let mut humans: Vec<&Source> =
        sources.iter().filter(|source| source.sample.label == Label::Human).collect();
    humans.sort_by_key(|source| (source.priority, source.sample.line));
    let ais: Vec<&Source> =
        sources.iter().filter(|source| source.sample.label == Label::Ai).filter(long).collect();
    let mut partners = Partners::new(&ais);
    let mut made = Made { texts: Vec::new(), left_out: 0 };
    let mut couples: HashMap<&str, usize> = HashMap::new();
    for human in humans {
        let taken = couples.entry(&human.sample.dataset).or_default();
        if limit.is_some_and(|limit| *taken >= limit) {
            continue;
        }
        let partner = Some(human).filter(long).and_then(|human| partners.take(human));
        let Some(ai) = partner else {
            made.left_out += 1;
            continue;
        };
        *taken += 1;
        made.texts.extend(Kind::ALL.map(|kind| splice(human, ai, kind, seed)));
    }
    made
}

/// A labelled text in sentences.
struct Source<'a> {
    sample: &'a Sample,
    sentences: Vec<Sentence>,
    /// Its place in the order of the seed.
    priority: u64,
}

struct Sentence {
    text: String,
    /// Whether a line break follows.
    breaks: bool,
}

impl<'a> Source<'a> {
    fn new(sample: &'a Sample, seed: u64) -> Self {
        let chars: Vec<char> = sample.text.chars().collect();
        let spans = sentences::spans(&sample.text);
        let slice = |span: &Span| chars.get(span.start..span.end).unwrap_or_default();
        let next = spans.iter().skip(1).map(|next| next.start).chain([chars.len()]);
        let sentences = spans.iter().zip(next).map(|(span, next)| Sentence {
            text: slice(span).iter().collect(),
            breaks: slice(&Span { start: span.end, end: next }).iter().any(|&c| matches!(c, '\n' | '\r')),
        });
        let priority = hash(&[b"splice", &seed.to_le_bytes(), sample.text.as_bytes()]);
        Self { sample, sentences: sentences.collect(), priority }
    }
}

/// A data set, and perhaps the name and value of a field.
type Shared<'a> = (&'a str, Option<(&'static str, &'a str)>);

/// The models' texts by what they share with a human's: the data set and the source document, the domain, or nothing more.
struct Partners<'a> {
    ais: &'a [&'a Source<'a>],
    groups: HashMap<Shared<'a>, Vec<usize>>,
    used: Vec<usize>,
}

impl<'a> Partners<'a> {
    fn new(ais: &'a [&'a Source<'a>]) -> Self {
        let mut groups: HashMap<_, Vec<usize>> = HashMap::new();
        for (index, ai) in ais.iter().enumerate() {
            for key in keys(ai.sample) {
                groups.entry(key).or_default().push(index);
            }
        }
        Self { ais, groups, used: vec![0; ais.len()] }
    }

    /// The nearest one, and of several as near one that was taken least often.
    fn take(&mut self, human: &'a Source<'a>) -> Option<&'a Source<'a>> {
        let group = keys(human.sample).find_map(|key| self.groups.get(&key))?;
        let order = |index: usize| {
            let ai = self.ais[index];
            // Another order for each human text.
            let own = (ai.priority ^ human.priority).wrapping_mul(0x9E37_79B9_7F4A_7C15);
            (self.used[index], own, ai.priority, ai.sample.line)
        };
        let index = group.iter().copied().min_by_key(|&index| order(index))?;
        self.used[index] += 1;
        self.ais.get(index).copied()
    }
}

/// What a text may be found by, the nearest first.
fn keys(sample: &Sample) -> impl Iterator<Item = (&str, Option<(&'static str, &str)>)> {
    let named = ["pair", "domain"].into_iter().filter_map(|name| Some(Some((name, sample.field(name)?))));
    named.chain([None]).map(|key| (&*sample.dataset, key))
}

fn splice(human: &Source<'_>, ai: &Source<'_>, kind: Kind, seed: u64) -> Spliced {
    let texts = [human.sample.text.as_bytes(), ai.sample.text.as_bytes()];
    let mut dice = Dice(Random::new(&[kind.name().as_bytes(), &seed.to_le_bytes(), texts[0], texts[1]]));
    let (own, other) = (human.sentences.as_slice(), ai.sentences.as_slice());
    let mut builder = Builder::default();
    match kind {
        Kind::Human => builder.add(own, Label::Human),
        Kind::Ai => builder.add(other, Label::Ai),
        Kind::Continued => {
            let at = dice.within(*BLOCK.start()..=own.len() - BLOCK.start());
            let from = across(at, own.len(), other.len()).min(other.len() - BLOCK.start());
            let most = other.len() - from;
            let length = if dice.is_short() { dice.within(1..=2) } else { most };
            builder.add(&own[..at], Label::Human);
            builder.add(&other[from..from + length], Label::Ai);
        }
        Kind::Inserted => {
            let at = dice.within(*BLOCK.start()..=own.len() - BLOCK.start());
            let length = dice.block().min(other.len());
            let from = across(at, own.len(), other.len()).min(other.len() - length);
            builder.add(&own[..at], Label::Human);
            builder.add(&other[from..from + length], Label::Ai);
            builder.add(&own[at..], Label::Human);
        }
        Kind::Alternating => {
            let whole = own.len().min(other.len());
            let mut label = if dice.within(0..=1) == 0 { Label::Human } else { Label::Ai };
            let mut at = 0;
            while at < whole {
                // Never all of the text.
                let length = dice.block().min(whole / 2).min(whole - at);
                let source = if label == Label::Human { own } else { other };
                let from = across(at, whole, source.len()).min(source.len() - length);
                builder.add(&source[from..from + length], label);
                label = if label == Label::Human { Label::Ai } else { Label::Human };
                at += length;
            }
        }
    }
    Spliced { text: builder.text, parts: builder.parts, kind, dataset: Arc::clone(&human.sample.dataset) }
}

/// The place in one text that is as far along as another in another.
fn across(at: usize, of: usize, length: usize) -> usize {
    at * length / of.max(1)
}

#[derive(Default)]
struct Builder {
    text: String,
    length: usize,
    parts: Vec<(Span, Label)>,
    breaks: bool,
}

impl Builder {
    /// One author's sentences.
    fn add(&mut self, sentences: &[Sentence], label: Label) {
        let mut start = None;
        for (index, sentence) in sentences.iter().enumerate() {
            if !self.text.is_empty() {
                let open = index == 0 && !self.text.ends_with(['.', '!', '?', '"', '”', '。', '！', '？']);
                self.text.push(if self.breaks || open { '\n' } else { ' ' });
                self.length += 1;
            }
            start.get_or_insert(self.length);
            self.text.push_str(&sentence.text);
            self.length += sentence.text.chars().count();
            self.breaks = sentence.breaks;
        }
        // Whether a line break follows is known within a source only.
        self.breaks = false;
        if let Some(start) = start {
            self.parts.push((Span { start, end: self.length }, label));
        }
    }
}

/// What is thrown for each couple.
struct Dice(Random);

impl Dice {
    /// One of a range that isn't empty.
    fn within(&mut self, range: std::ops::RangeInclusive<usize>) -> usize {
        let choices = (range.end().saturating_sub(*range.start()) + 1) as u64;
        range.start() + (self.0.bits() % choices) as usize
    }

    fn is_short(&mut self) -> bool {
        self.within(1..=SHORT) == 1
    }

    /// Sentences of a block.
    fn block(&mut self) -> usize {
        if self.is_short() { self.within(1..=2) } else { self.within(BLOCK) }
    }
}

#[cfg(test)]
mod tests;
