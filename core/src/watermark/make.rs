//! Making marks: how a generator chooses its next token so that a key finds it.
//!
//! The candidates come with the logits that temperature, top-k and top-p have left of them, as in transformers, where the
//! mark is the last step too.

use super::exponential;
use super::kgw::KgwReader;
use super::scheme::{Exp, Flavour, Kgw, Scheme, SchemeError, Seeding, Weighting};
use super::synthid::SynthIdReader;
use super::unigram::UnigramReader;
use std::collections::HashSet;

/// A token that may come next.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Candidate {
    /// The token.
    pub token: u32,
    /// Its logit, after temperature.
    pub logit: f32,
}

/// Marks one text. Each text needs one of its own, because some schemes remember what was there.
#[derive(Debug, Clone)]
pub struct Marker {
    way: Way,
    /// What is added to the logits of green tokens.
    delta: f32,
    /// Contexts that were marked: a second mark after the same ones would tell nothing new, and make loops.
    seen: HashSet<Vec<u32>>,
}

#[derive(Debug, Clone)]
enum Way {
    Kgw(KgwReader),
    Unigram(UnigramReader),
    SynthId(SynthIdReader),
    Exp(Exp),
}

impl Marker {
    /// Prepares a key. `delta` is what green tokens gain, for the schemes that have them.
    ///
    /// # Errors
    /// If a parameter can't be used, or texts can't be marked with the scheme.
    pub fn new(scheme: &Scheme, delta: f64) -> Result<Self, SchemeError> {
        scheme.check()?;
        let wrong = |parameter, problem: &str| Err(SchemeError { parameter, problem: problem.to_owned() });
        if !delta.is_finite() || delta <= 0.0 || delta > 50.0 {
            return wrong("delta", "must be more than 0 and at most 50");
        }
        let way = match scheme {
            Scheme::Kgw(Kgw { weighting: Weighting::Sweet(_), .. }) => {
                return wrong("scheme", "must be kgw to mark texts: sweet is found only, in them too");
            }
            Scheme::Kgw(kgw) => Way::Kgw(KgwReader::new(kgw)),
            Scheme::Unigram(unigram) => Way::Unigram(UnigramReader::new(unigram)),
            Scheme::SynthId(synthid) => Way::SynthId(SynthIdReader::new(synthid)),
            Scheme::Exp(exp) => Way::Exp(exp.clone()),
            Scheme::ExpEdit(_) | Scheme::Dip(_) => {
                return wrong(
                    "scheme",
                    "must be kgw, unigram, synthid or exp to mark texts; others are found only",
                );
            }
        };
        Ok(Self { way, delta: delta as f32, seen: HashSet::new() })
    }

    /// Chooses the next token after `before`, by a number from 0 to below 1. `None` if there are no candidates.
    pub fn choose(&mut self, before: &[u32], candidates: &[Candidate], uniform: f64) -> Option<u32> {
        let tokens: Vec<u32> = candidates.iter().map(|candidate| candidate.token).collect();
        match &self.way {
            Way::Kgw(reader) => {
                let green = if matches!(reader.scheme().seeding, Seeding::SelfHash(_)) {
                    reader.would_be_green(before, &tokens)
                } else {
                    let list: HashSet<u32> = reader.list(before).unwrap_or_default().into_iter().collect();
                    tokens.iter().map(|token| list.contains(token)).collect()
                };
                sample(&softmax(&raised(candidates, &green, self.delta)), candidates, uniform)
            }
            Way::Unigram(reader) => {
                let green: Vec<bool> = tokens.iter().map(|token| reader.is_green(*token)).collect();
                sample(&softmax(&raised(candidates, &green, self.delta)), candidates, uniform)
            }
            Way::SynthId(reader) => {
                let logits: Vec<f32> = candidates.iter().map(|candidate| candidate.logit).collect();
                let mut shares = softmax(&logits);
                let width = reader.scheme().ngram - 1;
                let context = before.len().checked_sub(width).map(|from| &before[from..]);
                if let Some(context) = context.filter(|context| self.seen.insert(context.to_vec())) {
                    tournament(reader, context, &tokens, &mut shares);
                }
                sample(&shares, candidates, uniform)
            }
            Way::Exp(exp) => {
                let logits: Vec<f32> = candidates.iter().map(|candidate| candidate.logit).collect();
                let shares = softmax(&logits);
                let context = before.len().checked_sub(exp.width).map(|from| &before[from..]);
                let fresh = context.filter(|context| self.seen.insert(context.to_vec()));
                match fresh.and_then(|_| exponential::next_numbers(exp, before)) {
                    Some(numbers) => best(&numbers, &shares, candidates),
                    None => sample(&shares, candidates, uniform),
                }
            }
        }
    }

    /// Tokens before the first that can be marked.
    #[must_use]
    pub fn width(&self) -> usize {
        match &self.way {
            Way::Kgw(reader) => reader.scheme().width(),
            Way::Unigram(_) => 0,
            Way::SynthId(reader) => reader.scheme().ngram - 1,
            Way::Exp(exp) => exp.width + usize::from(exp.flavour == Flavour::ThreeBricks),
        }
    }
}

fn raised(candidates: &[Candidate], green: &[bool], delta: f32) -> Vec<f32> {
    let each = candidates.iter().zip(green);
    each.map(|(candidate, green)| candidate.logit + if *green { delta } else { 0.0 }).collect()
}

/// Shares that add up to 1.
#[must_use]
pub fn softmax(logits: &[f32]) -> Vec<f64> {
    let most = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let mut shares: Vec<f64> = logits.iter().map(|logit| f64::from(logit - most).exp()).collect();
    let sum: f64 = shares.iter().sum();
    shares.iter_mut().for_each(|share| *share /= sum);
    shares
}

/// The candidate at a place of the cumulated shares.
#[must_use]
pub fn sample(shares: &[f64], candidates: &[Candidate], uniform: f64) -> Option<u32> {
    let mut left = uniform;
    for (share, candidate) in shares.iter().zip(candidates) {
        left -= share;
        if left < 0.0 {
            return Some(candidate.token);
        }
    }
    // Rounding left a rest: the likeliest.
    let likeliest = shares.iter().zip(candidates).max_by(|a, b| a.0.total_cmp(b.0));
    likeliest.map(|(_, candidate)| candidate.token)
}

/// The shares after every layer of the tournament, each between two drawn from the layer before: those with a g-value of 1
/// win against those with 0.
fn tournament(reader: &SynthIdReader, context: &[u32], tokens: &[u32], shares: &mut [f64]) {
    let mut ngram = context.to_vec();
    ngram.push(0);
    let bits: Vec<u64> = tokens
        .iter()
        .map(|token| {
            if let Some(last) = ngram.last_mut() {
                *last = *token;
            }
            reader.g_values(&ngram)
        })
        .collect();
    for layer in 0..reader.scheme().keys.len() {
        let g = |bits: u64| (bits >> layer & 1) as f64;
        let mean: f64 = bits.iter().zip(&*shares).map(|(bits, share)| g(*bits) * share).sum();
        for (bits, share) in bits.iter().zip(&mut *shares) {
            *share *= 1.0 + g(*bits) - mean;
        }
    }
}

/// The candidate with the greatest r^(1/p).
fn best(numbers: &[f32], shares: &[f64], candidates: &[Candidate]) -> Option<u32> {
    let score = |(share, candidate): (&f64, &Candidate)| {
        let r = numbers.get(candidate.token as usize).map_or(0.0, |r| f64::from(*r));
        (r.ln() / share, candidate.token)
    };
    let scored = shares.iter().zip(candidates).map(score);
    scored.max_by(|a, b| a.0.total_cmp(&b.0)).map(|(_, token)| token)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use crate::watermark::detector::Detector;
    use crate::watermark::random::numpy::Pcg64;
    use crate::watermark::scheme::{Dip, SynthId, Unigram};

    const VOCABULARY: u32 = 2000;

    fn schemes() -> Vec<Scheme> {
        let kgw = |seeding, flavour| {
            Scheme::Kgw(Kgw {
                vocabulary: VOCABULARY,
                gamma: 0.25,
                key: 77,
                seeding,
                flavour,
                last: false,
                weighting: Weighting::Plain,
            })
        };
        let synthid = |flavour| {
            Scheme::SynthId(SynthId {
                keys: (0..30).map(|at| at * 31 + 5).collect(),
                ngram: 5,
                flavour,
                table_seed: 0,
                history: 1024,
            })
        };
        let exp = |flavour| Scheme::Exp(Exp { vocabulary: VOCABULARY, width: 4, key: 77, flavour });
        vec![
            kgw(Seeding::LeftHash, Flavour::Transformers),
            kgw(Seeding::SelfHash(4), Flavour::Transformers),
            kgw(Seeding::SelfHash(4), Flavour::Original),
            kgw(Seeding::MinHash(4), Flavour::Original),
            kgw(Seeding::SkipGram(5), Flavour::Original),
            kgw(Seeding::Product(1), Flavour::MarkLlm),
            kgw(Seeding::Permuted(1), Flavour::MarkLlm),
            kgw(Seeding::Fold(4), Flavour::ThreeBricks),
            Scheme::Unigram(Unigram { vocabulary: VOCABULARY, gamma: 0.25, key: 77 }),
            synthid(Flavour::Transformers),
            synthid(Flavour::Original),
            exp(Flavour::MarkLlm),
            exp(Flavour::ThreeBricks),
        ]
    }

    /// A language model that knows nothing: any of forty tokens, drawn anew each time.
    fn text(marker: Option<Marker>, seed: u64, tokens: usize) -> Vec<u32> {
        let mut random = Pcg64::new(seed);
        let mut marker = marker;
        let mut ids: Vec<u32> = (0..5).map(|_| random.next_u32() % VOCABULARY).collect();
        for _ in 0..tokens {
            let candidates: Vec<Candidate> = (0..40)
                .map(|_| Candidate { token: random.next_u32() % VOCABULARY, logit: random.next_f64() as f32 })
                .collect();
            let uniform = random.next_f64();
            let next = match &mut marker {
                Some(marker) => marker.choose(&ids, &candidates, uniform),
                None => sample(&[0.025; 40], &candidates, uniform),
            };
            ids.push(next.unwrap());
        }
        ids
    }

    #[test]
    fn every_way_of_marking_is_found_by_its_key_and_by_no_other() {
        for scheme in schemes() {
            let detector = Detector::new(scheme.clone()).unwrap();
            let marked = text(Some(Marker::new(&scheme, 2.5).unwrap()), 1, 200);
            let found = detector.find(&marked, None).unwrap();
            assert!(found.p < 1e-9, "{scheme:?}: {found:?}");
            assert!(found.tokens.len() > 150, "{scheme:?}: {found:?}");
            let plain = detector.find(&text(None, 2, 200), None).unwrap();
            assert!(plain.p > 1e-4, "{scheme:?}: {plain:?}");
        }
    }

    #[test]
    fn a_marked_stretch_inside_other_text_is_found_with_its_borders() {
        for scheme in schemes() {
            let detector = Detector::new(scheme.clone()).unwrap();
            let marked = text(Some(Marker::new(&scheme, 3.0).unwrap()), 3, 100);
            let mut page = text(None, 4, 400);
            page.extend(&marked);
            page.extend(text(None, 5, 400));
            let found = detector.find(&page, None).unwrap();
            assert!(found.p < 1e-6, "{scheme:?}: {found:?}");
            let (first, last) = (found.tokens.start as i64 - 410, found.tokens.end as i64 - 510);
            assert!(first.abs() < 25 && last.abs() < 25, "{scheme:?}: {:?}", found.tokens);
        }
    }

    #[test]
    fn repetition_marks_nothing() {
        // One sentence a hundred times over holds no more than itself.
        for scheme in schemes() {
            let detector = Detector::new(scheme.clone()).unwrap();
            let sentence = text(None, 6, 30);
            let page: Vec<u32> = sentence.iter().copied().cycle().take(3000).collect();
            let once = detector.find(&page, None);
            assert!(once.is_none_or(|found| found.p > 1e-4), "{scheme:?}");
            // A long text twice over, farther apart than the references remember.
            let long = text(None, 7, 1500);
            let once = detector.find(&long, None).unwrap();
            let twice = detector.find(&[long.clone(), long].concat(), None).unwrap();
            assert!(
                twice.p > 0.2 * once.p && twice.scored <= once.scored + 10,
                "{scheme:?}: {once:?} {twice:?}"
            );
        }
    }

    #[test]
    fn schemes_that_are_only_found_say_so() {
        let dip = Scheme::Dip(Dip { vocabulary: VOCABULARY, gamma: 0.5, key: vec![1], width: 5 });
        assert!(Marker::new(&dip, 2.0).unwrap_err().to_string().contains("found only"));
        assert!(Marker::new(&schemes()[0], f64::NAN).is_err());
        let mut marker = Marker::new(&schemes()[0], 2.0).unwrap();
        assert_eq!(marker.choose(&[1, 2], &[], 0.5), None);
    }
}
