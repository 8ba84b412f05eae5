//! Finds phrases in a message, and sequences of them.

use super::cue::Gap;
use crate::hash::spread;
use crate::scam::text::{Kind, Token, Tokens};
use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};
use std::ops::Range;

/// A set of phrases any of which may stand in one place of a sequence.
pub(super) type Group = u32;

/// Steps that matching one message may take: only a text made for it takes so many.
const MOST_STEPS: usize = 200_000;

/// Keys are hashes already.
#[derive(Debug, Default, Clone, Copy)]
pub(super) struct Mixed(u64);

impl Hasher for Mixed {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.write_u64(u64::from(*byte));
        }
    }

    fn write_u32(&mut self, number: u32) {
        self.write_u64(u64::from(number));
    }

    fn write_u64(&mut self, number: u64) {
        self.0 = spread(self.0.rotate_left(5) ^ number);
    }
}

/// One type of table for all that is looked up while matching.
type Table = HashMap<(u32, u64), u32, BuildHasherDefault<Mixed>>;

/// What is known at the end of a phrase.
#[derive(Debug, Clone, Default)]
struct End {
    groups: Vec<Group>,
    /// Only somebody who evades a filter writes this.
    evasive: bool,
    /// A name that is worth evading for: broken up by signs it is an evasion.
    disguised: bool,
}

/// A sequence of groups, and what finding it means to the caller.
#[derive(Debug, Clone)]
struct Sequence {
    parts: Vec<(Gap, Group)>,
    meaning: usize,
}

/// Phrases in a trie, and sequences by their first group.
#[derive(Debug, Clone, Default)]
pub(super) struct Matcher {
    next: Table,
    /// By node of the trie.
    ends: Vec<Option<End>>,
    sequences: Vec<Sequence>,
    by_first: Vec<Vec<u32>>,
    /// Groups below this one are in sequences.
    groups: usize,
}

/// A sequence that was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Match {
    pub(super) meaning: usize,
    /// Tokens from the first to the last part.
    pub(super) tokens: Range<usize>,
}

/// What was found in a message.
#[derive(Debug, Default)]
pub(super) struct Matches {
    pub(super) found: Vec<Match>,
    /// Tokens of phrases that evade.
    pub(super) evasive: Vec<Range<usize>>,
}

#[derive(Debug, Clone, Copy)]
struct Hit {
    group: Group,
    start: usize,
    end: usize,
}

impl Matcher {
    /// Adds a phrase to a group.
    pub(super) fn phrase(&mut self, keys: &[u64], group: Group, evasive: bool, disguised: bool) {
        if self.ends.is_empty() {
            self.ends.push(None);
        }
        let mut node = 0;
        for key in keys {
            let fresh = self.ends.len() as u32;
            node = *self.next.entry((node, *key)).or_insert(fresh);
            if node == fresh {
                self.ends.push(None);
            }
        }
        let end = self.ends[node as usize].get_or_insert_with(End::default);
        if !end.groups.contains(&group) {
            end.groups.push(group);
        }
        end.evasive |= evasive;
        end.disguised |= disguised;
    }

    /// Adds a sequence; `parts` is not empty.
    pub(super) fn sequence(&mut self, parts: Vec<(Gap, Group)>, meaning: usize) {
        let Some((_, first)) = parts.first() else { return };
        let first = *first as usize;
        if self.by_first.len() <= first {
            self.by_first.resize_with(first + 1, Vec::new);
        }
        self.by_first[first].push(self.sequences.len() as u32);
        let highest = parts.iter().map(|(_, group)| *group as usize + 1).max();
        self.groups = self.groups.max(highest.unwrap_or(0));
        self.sequences.push(Sequence { parts, meaning });
    }

    /// Finds all sequences, each meaning once a sentence. `classes` are hits of groups that are no phrases.
    pub(super) fn matches(&self, tokens: &Tokens, classes: &[(Group, Range<usize>)]) -> Matches {
        let mut out = Matches::default();
        let mut hits = self.hits(&tokens.tokens, &mut out.evasive);
        hits.extend(classes.iter().map(|(group, at)| Hit { group: *group, start: at.start, end: at.end }));
        hits.sort_by_key(|hit| hit.start);
        let mut search = Search { tokens: &tokens.tokens, hits: &hits, steps: 0 };
        // Of each group, one after the token at which it begins last: most sequences lack a part.
        let mut latest = vec![0; self.groups];
        for hit in &hits {
            if let Some(latest) = latest.get_mut(hit.group as usize) {
                *latest = hit.start + 1;
            }
        }
        // By sentence and meaning.
        let mut seen = Table::default();
        for hit in &hits {
            let sentence = tokens.tokens[hit.start].sentence;
            for index in self.by_first.get(hit.group as usize).into_iter().flatten() {
                let sequence = &self.sequences[*index as usize];
                let follows = |(_, group): &(Gap, Group)| latest[*group as usize] > hit.end;
                if !sequence.parts[1..].iter().all(follows) {
                    continue;
                }
                if seen.contains_key(&(sentence, sequence.meaning as u64)) {
                    continue;
                }
                if let Some(end) = search.rest(&sequence.parts[1..], hit.end, sentence) {
                    seen.insert((sentence, sequence.meaning as u64), 1);
                    out.found.push(Match { meaning: sequence.meaning, tokens: hit.start..end });
                }
            }
        }
        out
    }

    fn hits(&self, tokens: &[Token], evasive: &mut Vec<Range<usize>>) -> Vec<Hit> {
        let mut hits = Vec::new();
        for start in 0..tokens.len() {
            let mut node = 0;
            let mut glued = true;
            for (at, token) in tokens.iter().enumerate().skip(start) {
                if token.sentence != tokens[start].sentence {
                    break;
                }
                let Some(next) = self.next.get(&(node, token.key)) else { break };
                node = *next;
                glued &= at == start || token.glued;
                let Some(end) = self.ends.get(node as usize).and_then(Option::as_ref) else { continue };
                let broken = end.disguised && !glued && token.kind == Kind::Han;
                if end.evasive || broken {
                    evasive.push(start..at + 1);
                }
                hits.extend(end.groups.iter().map(|group| Hit { group: *group, start, end: at + 1 }));
            }
        }
        hits
    }
}

/// What a token costs of a gap. In Chinese chats white space stands where others put a full stop.
fn cost_of(token: &Token) -> u32 {
    match (token.kind, token.spaced) {
        (Kind::Han, true) => 12,
        (Kind::Han, false) => 3,
        _ => 4,
    }
}

struct Search<'a> {
    tokens: &'a [Token],
    hits: &'a [Hit],
    steps: usize,
}

impl Search<'_> {
    /// Finds the parts that are left, after the token `from`; gives the end of the last.
    fn rest(&mut self, parts: &[(Gap, Group)], from: usize, sentence: u32) -> Option<usize> {
        let Some(((gap, group), left)) = parts.split_first() else { return Some(from) };
        let mut reach = from;
        let mut cost = 0;
        let first = self.hits.partition_point(|hit| hit.start < from);
        for at in first..self.hits.len() {
            self.steps += 1;
            if self.steps > MOST_STEPS {
                return None;
            }
            let hit = self.hits[at];
            while reach < hit.start {
                cost += cost_of(&self.tokens[reach]);
                reach += 1;
            }
            if cost > gap.cost() || self.tokens[hit.start].sentence != sentence {
                return None;
            }
            if hit.group == *group
                && let Some(end) = self.rest(left, hit.end, sentence)
            {
                return Some(end);
            }
        }
        None
    }
}
