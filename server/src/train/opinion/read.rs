//! Chats through the model, with what an engine says of them that has not seen their authors.

use super::{Beginning, Chat};
use crate::engine::{Engine, EngineError};
use crate::eval::scam::dataset::Talk;
use crate::scam::opinion::LEAST_TURNS;
use crate::train::scam::ready::{is_chat, parts};
use serde::Deserialize;
use std::collections::{BTreeMap, HashMap};

/// What `bonafide train scam --left-out` writes of a conversation.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct LeftOut {
    /// Its data set.
    pub source: String,
    /// Its name there.
    pub id: String,
    /// Numbers of messages, and the probability after so many.
    pub after: Vec<(usize, f64)>,
}

/// Which conversations are read.
#[derive(Debug, Clone)]
pub struct Options {
    /// Sources of chats over days.
    pub chats: Vec<String>,
    /// Most conversations of each other source and label.
    pub limit: usize,
    /// Layers after which the hidden states are read.
    pub depth: usize,
}

/// The conversations that are read: all chats, and some of the other sources.
#[must_use]
pub fn choose(talks: Vec<Talk>, options: &Options) -> Vec<Talk> {
    let sort = |talk: &Talk| (talk.source.clone(), talk.lang.clone(), talk.scam);
    let usable = |talk: &&Talk| !talk.message && talk.turns.len() >= LEAST_TURNS;
    let mut sizes: BTreeMap<_, usize> = BTreeMap::new();
    for talk in talks.iter().filter(usable) {
        *sizes.entry(sort(talk)).or_default() += 1;
    }
    let mut seen: BTreeMap<_, usize> = BTreeMap::new();
    let mut wanted = |talk: &Talk| {
        if is_chat(talk, &options.chats) {
            return true;
        }
        let (at, size) = (seen.entry(sort(talk)).or_default(), sizes[&sort(talk)]);
        *at += 1;
        // Every so many, from beginning to end.
        (*at - 1).is_multiple_of(size.div_ceil(options.limit.max(1)))
    };
    talks.into_iter().filter(|talk| usable(&talk) && wanted(talk)).collect()
}

/// Takes conversations through the model; `told` hears how many are done.
///
/// # Errors
/// The model fails.
pub fn read(
    engine: &Engine,
    talks: &[Talk],
    left_out: &[LeftOut],
    options: &Options,
    mut told: impl FnMut(usize),
) -> Result<Vec<Chat>, EngineError> {
    let after: HashMap<(&str, &str), &LeftOut> =
        left_out.iter().map(|one| ((one.source.as_str(), one.id.as_str()), one)).collect();
    let parts = parts(talks, &options.chats);
    let mut chats = Vec::with_capacity(talks.len());
    for (at, talk) in talks.iter().enumerate() {
        told(at);
        let spoken = talk.spoken();
        let said = after.get(&(&*talk.source, talk.id.as_str())).map_or(&[][..], |one| one.after.as_slice());
        let engine_said = |turns: usize| {
            let (_, probability) = said.iter().find(|(after, _)| *after == turns)?;
            let probability = probability.clamp(1e-9, 1.0 - 1e-9);
            Some((probability / (1.0 - probability)).ln())
        };
        let turns = |messages: usize| messages + spoken.left_out;
        let wanted = |messages: usize| {
            let turns = turns(messages);
            turns == talk.turns.len() || (turns >= LEAST_TURNS && engine_said(turns).is_some())
        };
        let pooled = engine.pool_chat(&spoken, options.depth, wanted)?;
        let beginnings = pooled.into_iter().map(|pooled| {
            let messages = turns(pooled.messages);
            Beginning { messages, state: pooled.state, engine: engine_said(messages) }
        });
        chats.push(Chat {
            source: talk.source.to_string(),
            language: talk.lang.clone(),
            scam: talk.scam,
            part: is_chat(talk, &options.chats).then_some(parts[at]),
            beginnings: beginnings.collect(),
        });
    }
    chats.retain(|chat| !chat.beginnings.is_empty());
    Ok(chats)
}
