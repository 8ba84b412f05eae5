//! How a message is worded: n-grams of its words and characters, each by its hash, and the trained weights of those that tell.

use super::text::{Kind, Tokens};
use crate::hash::{fnv1a, spread};

/// So many n-grams more than it has are assumed of a whole conversation: its first words are a weak sign, and a long one grows
/// no stranger by its length.
pub const ASSUMED_OF_CHATS: f64 = 400.0;

/// Bits of a hash beyond those by which it is looked up.
const REST: u32 = 20;

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

/// The n-grams of a message: each once, in the order of their hashes. They are single tokens, pairs, three Han characters, and
/// four letters inside words.
pub(super) fn grams(tokens: &Tokens) -> Vec<u32> {
    let mut grams = Vec::with_capacity(tokens.tokens.len() * 4);
    let mut add = |sum: u64| grams.push((spread(sum) >> 32) as u32);
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
    grams.sort_unstable();
    grams.dedup();
    grams
}

/// The n-grams that were learned. Others say nothing.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Wording {
    pub(super) bias: f64,
    /// So many n-grams more than it has are assumed of a text.
    pub(super) assumed: f64,
    /// What one step of an 8-bit weight is worth.
    pub(super) step: f64,
    /// Where the hashes with each value of their first bits begin.
    starts: Vec<u32>,
    /// Hashes, each once and in order.
    pub(super) grams: Vec<u32>,
    /// One for each.
    pub(super) weights: Vec<i8>,
}

impl Wording {
    /// One of some n-grams, by hash and in order, and their weights.
    pub(super) fn new(learned: Vec<(u32, i8)>, bias: f64, assumed: f64, step: f64) -> Self {
        let (grams, weights): (Vec<u32>, Vec<i8>) = learned.into_iter().unzip();
        let mut starts = vec![0; (1 << (32 - REST)) + 1];
        for (at, gram) in (1..).zip(&grams) {
            starts[(gram >> REST) as usize + 1] = at;
        }
        // Where no hash begins with some bits, the next ones begin where those before end.
        for at in 1..starts.len() {
            starts[at] = starts[at].max(starts[at - 1]);
        }
        Self { bias, assumed, step, starts, grams, weights }
    }

    /// Which of the learned n-grams are among some that stand in order.
    pub(super) fn known(&self, grams: &[u32]) -> Vec<u32> {
        let place = |gram: &u32| {
            let first = (gram >> REST) as usize;
            let (from, to) = (*self.starts.get(first)?, *self.starts.get(first + 1)?);
            let at = self.grams.get(from as usize..to as usize)?.binary_search(gram).ok()?;
            Some(from + at as u32)
        };
        grams.iter().filter_map(place).collect()
    }

    /// Log-odds that a text of a scam is worded so; the weights of its known n-grams over the root of their number, so that a
    /// long message is not stranger than a short one.
    pub(super) fn score(&self, known: &[u32]) -> f64 {
        let sum = known.iter().map(|gram| self.weight(*gram)).sum();
        self.of(sum, known.len())
    }

    fn weight(&self, gram: u32) -> i64 {
        i64::from(self.weights.get(gram as usize).copied().unwrap_or(0))
    }

    fn of(&self, sum: i64, count: usize) -> f64 {
        let count = count as f64 + self.assumed;
        if count == 0.0 { 0.0 } else { self.bias + self.step * sum as f64 / count.sqrt() }
    }
}

/// All known n-grams of a conversation, each once.
#[derive(Debug, Clone, Default)]
pub(super) struct Bag {
    /// A bit for each n-gram that was learned.
    seen: Vec<u64>,
    sum: i64,
    count: usize,
}

impl Bag {
    /// Adds the known n-grams of a message; what those that are new to the conversation weigh comes back.
    pub(super) fn add(&mut self, known: &[u32], wording: &Wording) -> i64 {
        let before = self.sum;
        self.seen.resize(wording.grams.len().div_ceil(64), 0);
        for gram in known {
            let Some(bits) = self.seen.get_mut(*gram as usize / 64) else { continue };
            let bit = 1 << (gram % 64);
            if *bits & bit == 0 {
                *bits |= bit;
                self.sum += wording.weight(*gram);
                self.count += 1;
            }
        }
        self.sum - before
    }

    /// Log-odds that a scam is worded so, of everything said so far as if it were one message.
    pub(super) fn score(&self, wording: &Wording) -> f64 {
        wording.of(self.sum, self.count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wording() -> Wording {
        let learned = vec![(3, 10), (7, -20), (8, 30), (900, 40), (u32::MAX, 50)];
        Wording::new(learned, 0.5, 0.0, 0.1)
    }

    #[test]
    fn only_what_was_learned_counts() {
        let wording = wording();
        assert_eq!(wording.known(&[1, 3, 4, 8, 899, 901, u32::MAX]), [0, 2, 4]);
        assert_eq!(wording.known(&[]), [0_u32; 0]);
        assert_eq!(wording.score(&[0, 2, 3, 4]), 0.5 + 0.1 * 130.0 / 2.0);
        assert_eq!(wording.score(&[]), 0.0);
        for empty in [Wording::default(), Wording::new(Vec::new(), 0.0, 0.0, 1.0)] {
            assert_eq!(empty.known(&[1, u32::MAX]), [0_u32; 0]);
        }
    }

    #[test]
    fn a_conversation_has_each_n_gram_once() {
        let wording = wording();
        let mut bag = Bag::default();
        for (known, adds) in [(&[0, 2][..], 40), (&[0, 3], 40), (&[], 0), (&[4, 2], 50)] {
            assert_eq!(bag.add(known, &wording), adds);
        }
        assert_eq!(bag.score(&wording), wording.score(&[0, 2, 3, 4]));
        assert_eq!(Bag::default().score(&wording), 0.0);
        let assumed = Wording { assumed: 5.0, ..wording };
        assert_eq!(bag.score(&assumed), 0.5 + 0.1 * 130.0 / 3.0);
        // Who has said nothing is taken for one of many who speak plainly.
        assert_eq!(Bag::default().score(&assumed), 0.5);
    }
}
