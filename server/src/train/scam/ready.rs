//! Conversations made ready for training: which are learned from, what is left out together, what each weighs.

use super::run::Options;
use crate::eval::scam::dataset::{Line, Talk, groups, is_held_out};
use bonafide_core::scam::{Engine, Side};
use rayon::prelude::*;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

/// Turns after which the numbers of a conversation are taken; those after the last one too.
const TAKEN: [usize; 9] = [1, 2, 3, 5, 8, 12, 20, 35, 60];

/// With fewer sources than this a part of all is left out in the place of a source.
const FEW_SOURCES: usize = 3;
pub(in crate::train) const PARTS: usize = 8;

/// Conversations that are made of honest messages, for each source of messages and language.
const CHAINS: usize = 300;

/// A conversation ready for training.
pub(super) struct Ready {
    pub(super) talk: Talk,
    /// What is left out together with it: its source, or a part of that.
    pub(super) fold: Arc<str>,
    /// It is a whole conversation over days.
    pub(super) chat: bool,
    /// Of each message of the other side: its n-grams, by hash.
    pub(super) grams: Vec<Vec<u32>>,
    /// Each source and label has that of the root of its number; scams and honest ones have the same in each language.
    pub(super) weight: f64,
}

impl Ready {
    pub(super) fn is_made_up(&self) -> bool {
        self.talk.id.starts_with("chain ")
    }

    /// Even people don't agree what it is.
    pub(super) fn is_ambiguous(&self) -> bool {
        self.talk.kind.contains("ambiguous")
    }

    /// A conversation of honest people that is no chat over days.
    pub(super) fn is_other_honest(&self) -> bool {
        !self.chat && !self.talk.message && !self.talk.scam
    }
}

/// Whether there are too few sources to leave out one after the other.
pub(super) fn are_few<'t>(sources: impl Iterator<Item = &'t Arc<str>>) -> bool {
    sources.collect::<BTreeSet<_>>().len() < FEW_SOURCES
}

/// What is left out together.
pub(super) fn folds(ready: &[Ready]) -> BTreeSet<Arc<str>> {
    ready.iter().map(|ready| ready.fold.clone()).collect()
}

/// The groups that training may see. Of chats over days all may be seen: others of them are kept apart from the start.
pub(super) fn keep(talks: Vec<Talk>, options: &Options) -> Vec<Talk> {
    let groups = groups(&talks);
    let may = |talk: &Talk, group: u64| options.all || is_chat(talk, &options.chats) || !is_held_out(group);
    talks.into_iter().zip(groups).filter(|(talk, group)| may(talk, *group)).map(|(talk, _)| talk).collect()
}

/// Whether it is of a source of whole conversations over days.
pub(in crate::train) fn is_chat(talk: &Talk, chats: &[String]) -> bool {
    chats.iter().any(|name| **name == *talk.source)
}

/// Adds conversations made of honest messages: real people's chats are long, and data sets of them are rare.
fn with_chains(mut talks: Vec<Talk>) -> Vec<Talk> {
    let mut honest: BTreeMap<(Arc<str>, String), Vec<&Talk>> = BTreeMap::new();
    // What is posted to everybody is no chat.
    for talk in talks.iter().filter(|talk| talk.message && !talk.scam && !talk.kind.contains("post")) {
        honest.entry((talk.source.clone(), talk.lang.clone())).or_default().push(talk);
    }
    let mut chains = Vec::new();
    for ((source, lang), messages) in honest {
        let mut at = 0;
        for chain in 0..CHAINS.min(messages.len() / 10) {
            let turns: Vec<Line> = (0..10 + 7 * (chain % 12))
                .map(|turn| {
                    at = (at + 7919) % messages.len();
                    let side = if turn % 3 == 2 { Side::Me } else { Side::Them };
                    Line { side, ..messages[at].turns[0].clone() }
                })
                .collect();
            chains.push(Talk {
                id: format!("chain {chain}"),
                source: source.clone(),
                lang: lang.clone(),
                turns,
                message: false,
                ..messages[0].clone()
            });
        }
    }
    talks.extend(chains);
    talks
}

/// Reads all messages, and gives each source and label the weight of the root of its number; then scams and honest
/// conversations weigh the same in each language.
pub(super) fn ready(engine: &Engine, talks: Vec<Talk>, options: &Options) -> Vec<Ready> {
    let few = are_few(talks.iter().map(|talk| &talk.source));
    let talks = with_chains(talks);
    let key = |talk: &Talk| (talk.source.clone(), talk.lang.clone(), talk.scam, talk.message);
    let mut sizes: HashMap<_, f64> = HashMap::new();
    for talk in &talks {
        *sizes.entry(key(talk)).or_default() += 1.0;
    }
    let mut totals: HashMap<(String, bool), f64> = HashMap::new();
    for ((_, lang, scam, _), size) in &sizes {
        *totals.entry((lang.clone(), *scam)).or_default() += size.sqrt();
    }
    let parts = parts(&talks, &options.chats);
    talks
        .into_par_iter()
        .zip(parts)
        .map(|(talk, part)| {
            let chat = is_chat(&talk, &options.chats);
            let fold = if few || chat {
                let name = if few { "all" } else { &talk.source };
                Arc::from(format!("part {} of {name}", part + 1))
            } else {
                talk.source.clone()
            };
            let theirs = talk.turns.iter().filter(|line| line.side == Side::Them);
            let grams = theirs.map(|line| engine.wording(&line.text)).collect();
            let size = sizes[&key(&talk)];
            let weight = 1000.0 * size.sqrt() / size / totals[&(talk.lang.clone(), talk.scam)];
            Ready { talk, fold, chat, grams, weight }
        })
        .collect()
}

/// Which part each is in: the groups are dealt out, chats first, so that no part has many more than another.
pub(in crate::train) fn parts(talks: &[Talk], chats: &[String]) -> Vec<usize> {
    let groups = groups(talks);
    let order: BTreeSet<(bool, u64)> =
        talks.iter().zip(&groups).map(|(talk, group)| (!is_chat(talk, chats), *group)).collect();
    let part: HashMap<u64, usize> =
        order.into_iter().enumerate().map(|(at, (_, group))| (group, at % PARTS)).collect();
    groups.iter().map(|group| part[group]).collect()
}

/// Whether the numbers are taken after this turn of so many.
pub(super) fn is_taken(turn: usize, turns: usize) -> bool {
    turn == turns || TAKEN.contains(&turn)
}

/// All n-grams of some messages, each once.
pub(super) fn bag(grams: &[Vec<u32>]) -> BTreeSet<u32> {
    grams.iter().flatten().copied().collect()
}

/// The n-grams that the other side has used by some of its messages, each once.
pub(super) fn bags(grams: &[Vec<u32>]) -> Vec<BTreeSet<u32>> {
    let mut bag: BTreeSet<u32> = BTreeSet::new();
    let mut bags = Vec::new();
    for (at, message) in grams.iter().enumerate() {
        bag.extend(message);
        if is_taken(at + 1, grams.len()) {
            bags.push(bag.clone());
        }
    }
    bags
}

/// How the weight of a conversation is shared among its beginnings, of which the last is the whole: half of it lies on that,
/// for at the second turn nobody can tell.
pub(super) fn shares(beginnings: usize) -> Vec<f32> {
    let share = 0.5 / beginnings.max(1) as f32;
    let mut shares = vec![share; beginnings];
    if let Some(last) = shares.last_mut() {
        *last += 0.5;
    }
    shares
}
