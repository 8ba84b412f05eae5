//! A key that is ready to be looked for, whatever its scheme.

use super::dip::DipReader;
use super::edit::EditReader;
use super::exponential;
use super::find::{Finding, Item, Null, Reading};
use super::kgw::KgwReader;
use super::scheme::{Entropy, Exp, Scheme, SchemeError, Weighting};
use super::synthid::SynthIdReader;
use super::unigram::UnigramReader;
use std::collections::HashSet;
use std::sync::Arc;

/// A prepared key. Preparing costs up to some ten milliseconds and half a megabyte; looking costs microseconds a token.
#[derive(Debug, Clone)]
pub struct Detector {
    scheme: Scheme,
    reader: Reader,
}

#[derive(Debug, Clone)]
enum Reader {
    Kgw(KgwReader),
    Unigram(UnigramReader),
    SynthId(SynthIdReader),
    Exp(Exp),
    ExpEdit(EditReader),
    Dip(DipReader),
}

impl Detector {
    /// Prepares a key.
    ///
    /// # Errors
    /// If a parameter can't be used.
    pub fn new(scheme: Scheme) -> Result<Self, SchemeError> {
        scheme.check()?;
        let reader = match &scheme {
            Scheme::Kgw(kgw) => Reader::Kgw(KgwReader::new(kgw)),
            Scheme::Unigram(unigram) => Reader::Unigram(UnigramReader::new(unigram)),
            Scheme::SynthId(synthid) => Reader::SynthId(SynthIdReader::new(synthid)),
            Scheme::Exp(exp) => Reader::Exp(exp.clone()),
            Scheme::ExpEdit(edit) => Reader::ExpEdit(EditReader::new(edit)),
            Scheme::Dip(dip) => Reader::Dip(DipReader::new(dip)),
        };
        Ok(Self { scheme, reader })
    }

    /// The scheme.
    #[must_use]
    pub fn scheme(&self) -> &Scheme {
        &self.scheme
    }

    /// Which entropies [`Detector::find`] wants.
    #[must_use]
    pub fn needs(&self) -> Entropy {
        self.scheme.needs()
    }

    /// Looks for the mark. `entropies` are those that the scheme asks for ([`Detector::needs`]), one a token: of the
    /// model's distribution before it, NaN for a token without context. Without them all tokens count the same. `None` if
    /// the text is too short.
    #[must_use]
    pub fn find(&self, ids: &[u32], entropies: Option<&[f32]>) -> Option<Finding> {
        match &self.reader {
            Reader::ExpEdit(reader) => reader.find(ids),
            Reader::SynthId(reader) => {
                let found = self.reading(ids, entropies)?.best()?;
                // As a mean of g-values, which is what everybody speaks of.
                let unit = f64::from(reader.unit());
                Some(Finding { value: found.value / unit, expected: found.expected / unit, ..found })
            }
            _ => self.reading(ids, entropies)?.best(),
        }
    }

    /// The tokens that tell something; `None` for the one scheme that is no list of independent tokens.
    #[must_use]
    pub fn reading(&self, ids: &[u32], entropies: Option<&[f32]>) -> Option<Reading> {
        let plain = |at: usize, value: f64| Item { at, value, weight: 1.0 };
        let coin = |green: bool| f64::from(u8::from(green));
        let (items, null): (Vec<Item>, Null) = match &self.reader {
            Reader::Kgw(reader) => return Some(kgw(reader, ids, entropies)),
            Reader::Unigram(reader) => {
                let mut seen = HashSet::new();
                let unique = ids.iter().enumerate().filter(|(_, id)| seen.insert(**id));
                let items = unique.map(|(at, id)| plain(at, coin(reader.is_green(*id))));
                (items.collect(), Null::Coin(reader.share()))
            }
            Reader::SynthId(reader) => {
                let items = reader.tokens(ids).into_iter().map(|token| plain(token.at, f64::from(token.sum)));
                (items.collect(), Null::Tournament(Arc::clone(reader.null())))
            }
            Reader::Exp(exp) => {
                let drawn = exponential::numbers(exp, ids).into_iter();
                (drawn.map(|drawn| plain(drawn.at, surprise(drawn.r))).collect(), Null::Exponential)
            }
            Reader::Dip(reader) => {
                let placed = reader.tokens(ids).into_iter();
                (
                    placed.map(|placed| plain(placed.at, coin(placed.green))).collect(),
                    Null::Coin(reader.share()),
                )
            }
            Reader::ExpEdit(_) => return None,
        };
        Some(Reading { items, null, weighted: false })
    }
}

/// -ln(1 - r), which is exponential with mean 1 if r is a number from 0 to 1.
fn surprise(r: f32) -> f64 {
    -(-f64::from(r)).ln_1p()
}

fn kgw(reader: &KgwReader, ids: &[u32], entropies: Option<&[f32]>) -> Reading {
    let entropy = |at: usize| entropies.and_then(|entropies| entropies.get(at)).copied().unwrap_or(f32::NAN);
    let flags = reader.unique_flags(ids);
    // Of all tokens, also those that are repeated, as the reference has it.
    let least = (reader.scheme().width()..ids.len()).map(entropy).fold(f32::INFINITY, f32::min);
    let weighting = if entropies.is_some() { reader.scheme().weighting } else { Weighting::Plain };
    let items = flags.iter().filter_map(|flag| {
        let weight = match weighting {
            Weighting::Plain => 1.0,
            Weighting::Sweet(threshold) if f64::from(entropy(flag.at)) > threshold => 1.0,
            Weighting::Ewd(_) => f64::from(entropy(flag.at) - least),
            Weighting::Sweet(_) => return None,
        };
        // Tokens without context have no entropy.
        let item = Item { at: flag.at, value: f64::from(u8::from(flag.green)), weight };
        (weight > 0.0).then_some(item)
    });
    Reading {
        items: items.collect(),
        null: Null::Coin(reader.share()),
        weighted: matches!(weighting, Weighting::Ewd(_)),
    }
}
