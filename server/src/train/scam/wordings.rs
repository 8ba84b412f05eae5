//! What is learned of wording: which n-grams may tell, and of which texts.

use super::ftrl;
use super::ready::{Ready, are_few, bag, bags, shares};
use super::run::Options;
use rayon::prelude::*;
use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

/// N-grams that fewer conversations have teach nothing.
const LEAST_TALKS: u32 = 3;

/// The same of whole conversations, of which there are few.
const LEAST_CHATS: u32 = 2;

/// And those that only one source has teach its style.
const LEAST_SOURCES: u32 = 2;

/// What all other honest conversations together weigh for the wording of chats over days, as a share of the chats: enough that
/// what is merely another manner of speaking is no sign of a scam.
const OTHERS_OF_WORDING: f64 = 0.1;

/// What is learned of wording.
#[derive(Clone, Default)]
pub(super) struct Wordings {
    pub(super) messages: ftrl::Fitted,
    pub(super) chats: ftrl::Fitted,
}

impl Wordings {
    /// Of all conversations.
    pub(super) fn fit(ready: &[Ready], options: &Options) -> Self {
        let wanted: Vec<&Ready> = ready.iter().collect();
        Self { messages: Self::of_messages(&wanted, options), chats: Self::of_chats(&wanted, options) }
    }

    /// Of messages: of all that are no chats over days, and of their beginnings.
    fn of_messages(ready: &[&Ready], options: &Options) -> ftrl::Fitted {
        let chosen: Vec<&Ready> =
            ready.iter().copied().filter(|ready| !ready.chat && !ready.is_made_up()).collect();
        let few = are_few(ready.iter().map(|ready| &ready.talk.source));
        let least_sources = if few { 1 } else { LEAST_SOURCES };
        let grams = telling(&chosen, |spread| spread.talks >= LEAST_TALKS && spread.sources >= least_sources);
        let texts = chosen.par_iter().flat_map_iter(|ready| {
            let bags = bags(&ready.grams);
            let shares = shares(bags.len());
            bags.into_iter().zip(shares).map(|(bag, share)| Text {
                bag,
                scam: ready.talk.scam,
                weight: ready.weight * f64::from(share),
            })
        });
        fit_wording(&grams, texts.collect(), &options.wording)
    }

    /// Of whole chats over days; other honest conversations speak against what is no more than everyday.
    fn of_chats(ready: &[&Ready], options: &Options) -> ftrl::Fitted {
        let chosen: Vec<&Ready> = ready.iter().copied().filter(|ready| ready.chat).collect();
        let others: Vec<&Ready> = ready.iter().copied().filter(|ready| ready.is_other_honest()).collect();
        let grams = telling(&chosen, |spread| spread.talks >= LEAST_CHATS);
        let all: f64 = others.iter().map(|ready| ready.weight).sum();
        let each = OTHERS_OF_WORDING * chosen.len() as f64 / all;
        let weighted = chosen.iter().map(|ready| (ready, 1.0));
        let weighted = weighted.chain(others.iter().map(|ready| (ready, each * ready.weight)));
        let texts =
            weighted.map(|(ready, weight)| Text { bag: bag(&ready.grams), scam: ready.talk.scam, weight });
        fit_wording(&grams, texts.collect(), &options.of_chats)
    }

    /// The same without what is left out together.
    pub(super) fn without(&self, fold: &Arc<str>, ready: &[Ready], options: &Options) -> Self {
        let rest: Vec<&Ready> = ready.iter().filter(|ready| ready.fold != *fold).collect();
        let touched = |of: fn(&Ready) -> bool| ready.iter().any(|ready| ready.fold == *fold && of(ready));
        Self {
            messages: if touched(|ready| !ready.chat) {
                Self::of_messages(&rest, options)
            } else {
                self.messages.clone()
            },
            chats: if touched(|ready| ready.chat || ready.is_other_honest()) {
                Self::of_chats(&rest, options)
            } else {
                self.chats.clone()
            },
        }
    }
}

/// In how many conversations, and sources, an n-gram stands.
#[derive(Default)]
struct Spread {
    talks: u32,
    sources: u32,
    last: Option<Arc<str>>,
}

/// The n-grams of some conversations that tell enough, by hash and in order.
fn telling(chosen: &[&Ready], enough: impl Fn(&Spread) -> bool) -> Vec<u32> {
    let mut spreads: HashMap<u32, Spread> = HashMap::new();
    // The talks of one source follow each other.
    for ready in chosen {
        for gram in bag(&ready.grams) {
            let spread = spreads.entry(gram).or_default();
            spread.talks += 1;
            if spread.last.as_ref() != Some(&ready.talk.source) {
                spread.last = Some(ready.talk.source.clone());
                spread.sources += 1;
            }
        }
    }
    let mut grams: Vec<u32> =
        spreads.iter().filter(|(_, spread)| enough(spread)).map(|(gram, _)| *gram).collect();
    grams.sort_unstable();
    grams
}

/// All n-grams of some messages.
struct Text {
    bag: BTreeSet<u32>,
    scam: bool,
    weight: f64,
}

/// Fits the weights of some n-grams. What it gives names them by their hash.
fn fit_wording(grams: &[u32], texts: Vec<Text>, options: &ftrl::Options) -> ftrl::Fitted {
    let numbers: HashMap<u32, u32> = grams.iter().copied().zip(0..).collect();
    let mean = texts.iter().map(|text| text.weight).sum::<f64>() / texts.len().max(1) as f64;
    let messages: Vec<ftrl::Message> = texts
        .into_par_iter()
        .map(|text| ftrl::Message {
            grams: text.bag.iter().filter_map(|gram| numbers.get(gram).copied()).collect(),
            scam: text.scam,
            weight: (text.weight / mean) as f32,
        })
        .collect();
    let mut fitted = ftrl::fit(&messages, grams.len(), options);
    fitted.weights.iter_mut().for_each(|(gram, _)| *gram = grams[*gram as usize]);
    fitted
}
