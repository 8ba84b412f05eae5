//! What a step is trained on: crops of texts, damaged a little, in batches of similar lengths.
//!
//! Everything here is a function of the seed, the epoch and a text's number, so a run that is resumed sees what it would
//! have seen.

use super::noise::Noise;
use crate::eval::dataset::{Label, Sample};
use crate::model::tokenizer::TextToken;
use crate::random::Random;
use bonafide_core::text::scoring::ScoringText;
use bonafide_core::text::sentences;
use rayon::prelude::*;
use std::collections::{BTreeMap, BTreeSet};

/// Fewest tokens of a crop.
pub const LEAST_TOKENS: usize = 32;

/// Turns texts into tokens: the tokenizer, or a stand-in for tests.
pub trait Tokenize: Sync {
    /// The tokens of a text, in order, with the bytes they stand for.
    fn tokens(&self, text: &str) -> Result<Vec<TextToken>, String>;

    /// The token that begins every sequence, where the model wants one.
    fn begin(&self) -> Option<u32>;
}

impl Tokenize for crate::model::tokenizer::TextTokenizer {
    fn tokens(&self, text: &str) -> Result<Vec<TextToken>, String> {
        self.encode(text)
    }

    fn begin(&self) -> Option<u32> {
        self.bos
    }
}

/// A text to learn from or to measure on.
#[derive(Debug, Clone)]
pub struct Text {
    /// The text, as it came.
    pub text: String,
    /// 1 for a model's, 0 for a human's.
    pub label: f64,
    /// How much it counts; 1 on average.
    pub weight: f64,
    /// Further numbers that the head reads, the same count for each text.
    pub extra: Vec<f32>,
}

/// A sequence to learn from.
#[derive(Debug, Clone, PartialEq)]
pub struct Example {
    /// The number of its text.
    pub text: usize,
    /// Its tokens, with the one that begins a sequence.
    pub tokens: Vec<u32>,
}

/// Texts on the two sides of a split, by their numbers.
#[derive(Debug, Clone, PartialEq)]
pub struct Split {
    /// The name of the domain or data set that is held out.
    pub held_out: String,
    /// What is learned from.
    pub learn: Vec<usize>,
    /// What is measured.
    pub measure: Vec<usize>,
}

/// The domain of a text, else its data set.
fn domain(sample: &Sample) -> &str {
    sample.field("domain").unwrap_or(&sample.dataset)
}

/// Holds one domain or data set out, whole: the one named, else by the seed one of those domains that have both labels and
/// at most a third of the texts. Source documents that have a text in it are not learned from either.
pub fn split(samples: &[Sample], name: Option<&str>, seed: u64) -> Result<Split, String> {
    let held_out = match name {
        Some(name) => name.to_owned(),
        None => choose(samples, seed)?,
    };
    let held = |sample: &Sample| *sample.dataset == *held_out || domain(sample) == held_out;
    let measure: Vec<usize> = (0..samples.len()).filter(|at| held(&samples[*at])).collect();
    let groups: BTreeSet<u64> = measure.iter().map(|at| samples[*at].group()).collect();
    let learn: Vec<usize> = (0..samples.len())
        .filter(|at| !held(&samples[*at]) && !groups.contains(&samples[*at].group()))
        .collect();
    let both = |side: &[usize]| {
        [Label::Human, Label::Ai].iter().all(|label| side.iter().any(|at| samples[*at].label == *label))
    };
    if !both(&measure) {
        return Err(format!(
            "--holdout {held_out}: it needs texts of humans and of models; name another domain or data set"
        ));
    }
    if !both(&learn) {
        return Err(format!("without {held_out} there are no texts of both labels to learn from: add data"));
    }
    Ok(Split { held_out, learn, measure })
}

fn choose(samples: &[Sample], seed: u64) -> Result<String, String> {
    let mut counts: BTreeMap<&str, [usize; 2]> = BTreeMap::new();
    for sample in samples {
        counts.entry(domain(sample)).or_default()[usize::from(sample.label == Label::Ai)] += 1;
    }
    let most = counts.values().map(|[human, ai]| *human.min(ai)).max().unwrap_or(0);
    // One of the better filled domains, so that the measure says something.
    let enough = |[human, ai]: [usize; 2]| {
        human.min(ai) > 0 && 2 * human.min(ai) >= most.min(100) && 3 * (human + ai) <= samples.len()
    };
    let fitting: Vec<&str> =
        counts.iter().filter(|(_, count)| enough(**count)).map(|(name, _)| *name).collect();
    let chosen = Random::new(&[b"hold out", &seed.to_le_bytes()]).below(fitting.len());
    let none = || "no domain has texts of both labels and at most a third of all: name one with --holdout";
    fitting.get(chosen).map(|name| (*name).to_owned()).ok_or_else(|| none().to_owned())
}

/// Weights such that each label of each data set counts the same, on average 1.
#[must_use]
pub fn weights(samples: &[&Sample]) -> Vec<f64> {
    let mut counts: BTreeMap<(&str, Label), usize> = BTreeMap::new();
    for sample in samples {
        *counts.entry((&sample.dataset, sample.label)).or_default() += 1;
    }
    // Both labels count the same all in all, also where a data set has one only.
    let sets = |label: Label| counts.keys().filter(|(_, own)| *own == label).count() as f64;
    let share = |sample: &Sample| {
        let own = counts.get(&(&*sample.dataset, sample.label)).copied().unwrap_or(1);
        samples.len() as f64 / 2.0 / sets(sample.label) / own as f64
    };
    samples.iter().map(|sample| share(sample)).collect()
}

/// How crops are made.
#[derive(Debug, Clone, Copy)]
pub struct Crops {
    /// Most tokens of a sequence.
    pub max_tokens: usize,
    /// What is done to them.
    pub noise: Noise,
    /// What everything is drawn by.
    pub seed: u64,
}

impl Crops {
    /// The crops of one epoch, one a text; texts of which no two tokens are left have none.
    pub fn epoch(
        &self,
        texts: &[Text],
        tokenizer: &impl Tokenize,
        epoch: u64,
    ) -> Result<Vec<Example>, String> {
        let made = texts.par_iter().enumerate().map(|(number, text)| {
            let place = [self.seed, epoch, number as u64].map(u64::to_le_bytes).concat();
            let crop = self.crop(&text.text, tokenizer, &mut Random::new(&[b"crop", &place]))?;
            let tokens = sequence(&crop, tokenizer, self.max_tokens)?;
            Ok((tokens.len() > 1).then_some(Example { text: number, tokens }))
        });
        let made: Vec<Option<Example>> = made.collect::<Result<_, String>>()?;
        Ok(made.into_iter().flatten().collect())
    }

    /// A stretch of a text's scoring form, of a length that is even on a logarithmic scale; it begins at a sentence or
    /// within one, and ends at a sentence or within one, whatever the text.
    fn crop(&self, text: &str, tokenizer: &impl Tokenize, random: &mut Random) -> Result<String, String> {
        let scoring = ScoringText::new(text);
        let text = scoring.text();
        let tokens = tokenizer.tokens(text)?;
        let bounds = Bounds::of(text, &tokens);
        let longest = tokens.len().min(self.max_tokens);
        let ratio = longest as f64 / LEAST_TOKENS as f64;
        let drawn = LEAST_TOKENS as f64 * ratio.max(1.0).powf(random.unit());
        let length = (drawn.round() as usize).clamp(1, longest.max(1));
        let latest = tokens.len().saturating_sub(length);
        let from = bounds.near(random.below(latest + 1), latest, random);
        let to = (from + length).min(tokens.len());
        // A sentence's end is looked for in the last third only.
        let end = if random.happens(0.5) { bounds.end(to, from + 2 * length / 3) } else { to };
        let byte = |at: usize| tokens.get(at).map_or(text.len(), |token| token.start);
        let cut = text.get(byte(from)..byte(end)).unwrap_or(text);
        let damaged = self.noise.damage(cut.trim(), random);
        Ok(ScoringText::new(&damaged).text().to_owned())
    }
}

/// Where a text's sentences begin, in tokens.
struct Bounds {
    starts: Vec<usize>,
    words: Vec<bool>,
}

impl Bounds {
    fn of(text: &str, tokens: &[TextToken]) -> Self {
        let bytes: Vec<usize> = text.char_indices().map(|(at, _)| at).collect();
        let starts = sentences::spans(text).into_iter().filter_map(|span| {
            let byte = *bytes.get(span.start)?;
            // A token holds the space before its word.
            Some(tokens.partition_point(|token| token.end <= byte))
        });
        let begins = |token: &TextToken| {
            token.start == 0
                || text.get(token.start..).is_some_and(|rest| rest.starts_with(' '))
                || text.get(..token.start).is_some_and(|before| before.ends_with(' '))
        };
        Self { starts: starts.collect(), words: tokens.iter().map(begins).collect() }
    }

    /// A beginning near a token: half of them where a sentence begins, the others at any word.
    fn near(&self, at: usize, latest: usize, random: &mut Random) -> usize {
        let sentence = self.starts.iter().rev().find(|start| **start <= at).copied();
        match sentence {
            Some(start) if random.happens(0.5) => start,
            _ => (at..=latest).find(|at| self.words.get(*at) == Some(&true)).unwrap_or(at),
        }
    }

    /// The last end of a sentence up to a token, but behind `least`; else the token.
    fn end(&self, at: usize, least: usize) -> usize {
        self.starts.iter().rev().find(|start| **start <= at && **start > least).copied().unwrap_or(at)
    }
}

/// The tokens of a text that is in its scoring form, the model's first one included, cut after so many.
fn sequence(scoring: &str, tokenizer: &impl Tokenize, most: usize) -> Result<Vec<u32>, String> {
    let ids = tokenizer.tokens(scoring)?.into_iter().map(|token| token.id);
    Ok(tokenizer.begin().into_iter().chain(ids).take(most).collect())
}

/// Texts as they are, from their beginnings, in their scoring form.
pub fn whole(texts: &[Text], tokenizer: &impl Tokenize, most: usize) -> Result<Vec<Example>, String> {
    let made = texts.par_iter().enumerate().map(|(number, text)| {
        let tokens = sequence(ScoringText::new(&text.text).text(), tokenizer, most)?;
        Ok((tokens.len() > 1).then_some(Example { text: number, tokens }))
    });
    Ok(made.collect::<Result<Vec<_>, String>>()?.into_iter().flatten().collect())
}

/// Puts sequences of similar lengths together, so that `width * sequences` is at most `budget` in each batch; the batches
/// are shuffled if a seed is given.
#[must_use]
pub fn batches(examples: &[Example], budget: usize, shuffled: Option<&[u8]>) -> Vec<Vec<usize>> {
    let mut random = Random::new(&[b"batches", shuffled.unwrap_or_default()]);
    let jitter = |random: &mut Random| if shuffled.is_some() { 0.9 + 0.2 * random.unit() } else { 1.0 };
    let mut order: Vec<(f64, usize)> = examples
        .iter()
        .enumerate()
        .map(|(at, example)| (example.tokens.len() as f64 * jitter(&mut random), at))
        .collect();
    order.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
    let mut made: Vec<Vec<usize>> = Vec::new();
    let mut width = 0;
    for (_, at) in order {
        let wider = width.max(examples[at].tokens.len());
        match made.last_mut() {
            Some(last) if wider * (last.len() + 1) <= budget => {
                last.push(at);
                width = wider;
            }
            _ => {
                made.push(vec![at]);
                width = examples[at].tokens.len();
            }
        }
    }
    if shuffled.is_some() {
        random.shuffle(&mut made);
    }
    made
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::super::testing::Letters;
    use super::*;

    fn sample(dataset: &str, domain: &str, label: Label, pair: &str) -> Sample {
        Sample {
            text: format!("{dataset} {domain} {label:?} {pair}"),
            label,
            dataset: dataset.into(),
            line: 1,
            fields: BTreeMap::from([("domain", domain.to_owned()), ("pair", pair.to_owned())]),
        }
    }

    fn samples() -> Vec<Sample> {
        let mut all = Vec::new();
        for (dataset, domain, count) in
            [("a", "news", 4), ("a", "law", 8), ("b", "story", 6), ("b", "chat", 6)]
        {
            for at in 0..count {
                all.push(sample(dataset, domain, Label::Human, &format!("{domain}{at}")));
                all.push(sample(dataset, domain, Label::Ai, &format!("{domain}{at}")));
            }
        }
        // A document of the news that also stands among the laws.
        all.push(sample("a", "law", Label::Human, "news0"));
        all
    }

    #[test]
    fn what_is_held_out_shares_nothing_with_what_is_learned() {
        let samples = samples();
        for name in [Some("news"), Some("b"), None] {
            let split = split(&samples, name, 3).unwrap();
            let groups = |side: &[usize]| side.iter().map(|at| samples[*at].group()).collect::<BTreeSet<_>>();
            assert!(groups(&split.learn).is_disjoint(&groups(&split.measure)), "{name:?}");
            assert!(name.is_none_or(|name| split.held_out == name));
        }
        let news = split(&samples, Some("news"), 0).unwrap();
        assert_eq!((news.measure.len(), news.learn.len()), (8, samples.len() - 9));
        assert_eq!(split(&samples, None, 5).unwrap(), split(&samples, None, 5).unwrap());
        let chosen: BTreeSet<String> =
            (0..40).map(|seed| split(&samples, None, seed).unwrap().held_out).collect();
        assert!(chosen.len() > 1, "{chosen:?}");
        assert!(split(&samples, Some("none"), 0).is_err());
        assert!(split(&samples[..8], Some("a"), 0).is_err());
    }

    #[test]
    fn labels_of_data_sets_weigh_the_same() {
        let mut all = vec![sample("a", "x", Label::Human, "1"); 3];
        all.extend(vec![sample("a", "x", Label::Ai, "1"); 9]);
        all.extend(vec![sample("b", "x", Label::Ai, "1"); 4]);
        let refs: Vec<&Sample> = all.iter().collect();
        let weights = weights(&refs);
        let sum = |wanted: &dyn Fn(&Sample) -> bool| -> f64 {
            refs.iter().zip(&weights).filter(|(sample, _)| wanted(sample)).map(|(_, w)| w).sum()
        };
        assert!((sum(&|_| true) - 16.0).abs() < 1e-9);
        assert!((sum(&|s| s.label == Label::Human) - 8.0).abs() < 1e-9);
        assert!((sum(&|s| &*s.dataset == "b") - 4.0).abs() < 1e-9);
    }

    #[test]
    fn batches_hold_everything_once_within_the_budget() {
        let examples: Vec<Example> =
            (0..97).map(|text| Example { text, tokens: vec![1; 2 + text * 37 % 90] }).collect();
        for shuffled in [None, Some(&b"1"[..])] {
            let batches = batches(&examples, 200, shuffled);
            let mut seen: Vec<usize> = batches.concat();
            seen.sort_unstable();
            assert_eq!(seen, (0..97).collect::<Vec<_>>());
            let width = |batch: &[usize]| batch.iter().map(|at| examples[*at].tokens.len()).max().unwrap();
            assert!(batches.iter().all(|batch| width(batch) * batch.len() <= 200));
            let padded: usize = batches.iter().map(|batch| width(batch) * batch.len()).sum();
            let tokens: usize = examples.iter().map(|example| example.tokens.len()).sum();
            assert!(padded * 10 < tokens * 12, "{padded} for {tokens}");
        }
        assert_ne!(batches(&examples, 200, Some(b"1")), batches(&examples, 200, Some(b"2")));
        assert_eq!(batches(&examples, 200, Some(b"1")), batches(&examples, 200, Some(b"1")));
    }

    fn text() -> Text {
        let text = (0..40).map(|at| format!("This sentence is the one numbered {at}. ")).collect();
        Text { text, label: 1.0, weight: 1.0, extra: Vec::new() }
    }

    #[test]
    fn crops_are_stretches_of_many_lengths_and_places() {
        let crops = Crops { max_tokens: 256, noise: Noise::NONE, seed: 1 };
        let scoring = ScoringText::new(&text().text).text().to_owned();
        let texts = vec![text(); 200];
        let made = crops.epoch(&texts, &Letters, 0).unwrap();
        assert_eq!(made, crops.epoch(&texts, &Letters, 0).unwrap());
        assert_ne!(made, crops.epoch(&texts, &Letters, 1).unwrap());
        let lengths: Vec<usize> = made.iter().map(|example| example.tokens.len()).collect();
        assert!(lengths.iter().all(|len| (16..=256).contains(len)), "{lengths:?}");
        let middle = lengths.iter().filter(|len| **len < 90).count();
        assert!((60..140).contains(&middle), "{middle}");
        let strings: Vec<String> = made.iter().map(|example| Letters::text(&example.tokens)).collect();
        assert!(strings.iter().all(|crop| scoring.to_lowercase().contains(&crop.to_lowercase())));
        let share = |wanted: &dyn Fn(&str) -> bool| strings.iter().filter(|crop| wanted(crop)).count();
        let starts = share(&|crop| crop.starts_with("This"));
        let ends = share(&|crop| crop.ends_with('.'));
        assert!((60..160).contains(&starts) && (60..160).contains(&ends), "{starts} {ends}");
    }

    #[test]
    fn short_and_strange_texts_are_cropped() {
        for text in ["", "\u{200b}", "a", "ab", "你好。再见！", "e\u{301}. x"] {
            let text = Text { text: text.to_owned(), ..text_of() };
            let crops = Crops { max_tokens: 32, noise: Noise::default(), seed: 1 };
            for epoch in 0..20 {
                let made = crops.epoch(std::slice::from_ref(&text), &Letters, epoch).unwrap();
                assert!(made.iter().all(|example| example.tokens.len() > 1));
            }
        }
    }

    fn text_of() -> Text {
        Text { text: String::new(), label: 0.0, weight: 1.0, extra: Vec::new() }
    }
}
