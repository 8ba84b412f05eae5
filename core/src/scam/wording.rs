//! How a message is worded: hashed n-grams of its words and characters, and the trained table of their weights.

use super::text::{Kind, Tokens};
use crate::hash::{fnv1a, spread};

/// Places of the table; a power of two.
pub const BUCKETS: usize = 1 << 17;

/// What a token is to n-grams. Links and long numbers are nothing: data sets of honest chats have few, honest chats have many.
fn id(tokens: &Tokens, at: usize) -> Option<u64> {
    let token = tokens.tokens.get(at)?;
    Some(match token.kind {
        Kind::Word | Kind::Han | Kind::Emoji => token.key,
        Kind::Number if token.currency => fnv1a(b"\0sum"),
        Kind::Number => fnv1a(b"\0number"),
        Kind::Long | Kind::Link => return None,
    })
}

/// Which places of the table a message has: each once, in order. N-grams: single tokens, pairs, three Han characters, and
/// four letters inside words.
pub(super) fn places(tokens: &Tokens) -> Vec<u32> {
    let mut places = Vec::with_capacity(tokens.tokens.len() * 4);
    let mut add = |sum: u64| places.push((spread(sum) % BUCKETS as u64) as u32);
    let count = tokens.tokens.len();
    for at in 0..count {
        let Some(one) = id(tokens, at) else { continue };
        add(one);
        let Some(two) = id(tokens, at + 1) else { continue };
        add(one.rotate_left(21) ^ two ^ 1);
        let han = |at: usize| tokens.tokens.get(at).is_some_and(|token| token.kind == Kind::Han);
        if han(at) && han(at + 1) && han(at + 2) {
            let three = id(tokens, at + 2).unwrap_or_default();
            add(one.rotate_left(42) ^ two.rotate_left(21) ^ three ^ 2);
        }
    }
    for token in tokens.tokens.iter().filter(|token| token.kind == Kind::Word) {
        let word = tokens.word(token);
        if word.is_ascii() && word.len() >= 5 {
            // The start of a word is told from its middle.
            let marked = [b"^", word.as_bytes()].concat();
            for letters in marked.windows(4) {
                add(fnv1a(letters) ^ 3);
            }
        }
    }
    places.sort_unstable();
    places.dedup();
    places
}

/// The table.
#[derive(Debug, Clone)]
pub(super) struct Wording {
    pub(super) bias: f64,
    /// What one step of an 8-bit weight is worth.
    pub(super) step: f64,
    /// [`BUCKETS`] weights.
    pub(super) weights: Vec<i8>,
}

impl Wording {
    /// Log-odds that a message of a scam is worded so; the weights of its n-grams over the root of their number, so that a
    /// long message is not stranger than a short one.
    pub(super) fn score(&self, places: &[u32]) -> f64 {
        let sum = places.iter().map(|place| self.weight(*place)).sum();
        self.of(sum, places.len())
    }

    fn weight(&self, place: u32) -> i64 {
        i64::from(self.weights.get(place as usize).copied().unwrap_or(0))
    }

    fn of(&self, sum: i64, count: usize) -> f64 {
        if count == 0 { 0.0 } else { self.bias + self.step * sum as f64 / (count as f64).sqrt() }
    }
}

/// All n-grams of a conversation, each once.
#[derive(Debug, Clone)]
pub(super) struct Bag {
    /// A bit for each place of the table.
    seen: Vec<u64>,
    sum: i64,
    count: usize,
}

impl Default for Bag {
    fn default() -> Self {
        Self { seen: vec![0; BUCKETS / 64], sum: 0, count: 0 }
    }
}

impl Bag {
    /// Adds the n-grams of a message.
    pub(super) fn add(&mut self, places: &[u32], wording: &Wording) {
        for place in places {
            let Some(bits) = self.seen.get_mut(*place as usize / 64) else { continue };
            let bit = 1 << (place % 64);
            if *bits & bit == 0 {
                *bits |= bit;
                self.sum += wording.weight(*place);
                self.count += 1;
            }
        }
    }

    /// Log-odds that a scam is worded so, of everything said so far as if it were one message.
    pub(super) fn score(&self, wording: &Wording) -> f64 {
        wording.of(self.sum, self.count)
    }
}
