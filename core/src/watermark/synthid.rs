//! Tournament sampling: the g-values of a token, one a layer, and the weighted mean that is tested.
//!
//! In the transformers flavour all g-values of an n-gram depend on the low 16 bits of one hash, because the hash is a
//! linear congruence and the table has 2^16 entries. So the weighted sum of every state is made once, and a token costs
//! five multiplications and one look into a table. The distribution of unmarked text is then known as well: it is that of
//! the table.

use super::random::Mersenne;
use super::scheme::{Flavour, SynthId};
use super::tail::Cumulants;
use crate::hash::spread;
use sha2::{Digest, Sha256};
use std::collections::{HashSet, VecDeque};
use std::hash::Hash;
use std::sync::Arc;

const MULTIPLIER: u64 = 6_364_136_223_846_793_005;
const STATES: usize = 1 << 16;
/// Rounds of the later flavour's last hash, how far each shifts, and the bit that is the g-value.
const ROUNDS: usize = 12;
const ROUND_SHIFT: u32 = 5;
const BIT: u32 = 30;

/// A key set that is ready to be looked for.
#[derive(Debug, Clone)]
pub struct SynthIdReader {
    synthid: SynthId,
    weights: Vec<u32>,
    table: Vec<bool>,
    sums: Vec<u16>,
    start: u64,
    null: Arc<Histogram>,
}

/// What is known of one token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tournament {
    /// Its place among the tokens.
    pub at: usize,
    /// The weighted sum of its g-values, in units of [`SynthIdReader::unit`].
    pub sum: u32,
}

/// The means that the reference detectors report.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Means {
    /// Tokens that were counted.
    pub scored: usize,
    /// Mean of all g-values.
    pub mean: f64,
    /// The same, with weights that fall from 10 to 1 over the layers.
    pub weighted: f64,
}

/// How often each weighted sum comes up in unmarked text.
#[derive(Debug, Clone, PartialEq)]
pub struct Histogram {
    shares: Vec<f64>,
    mean: f64,
    variance: f64,
    step: f64,
}

impl SynthIdReader {
    /// Prepares a key set. The parameters must have been checked.
    #[must_use]
    pub fn new(synthid: &SynthId) -> Self {
        let weights = weights(synthid.keys.len());
        let mut reader = Self {
            weights,
            table: Vec::new(),
            sums: Vec::new(),
            start: 1,
            null: Arc::new(Histogram::new(vec![1.0])),
            synthid: synthid.clone(),
        };
        match synthid.flavour {
            Flavour::Transformers => {
                let mut random = Mersenne::new(synthid.table_seed);
                reader.table = (0..STATES).map(|_| random.next_u32() % 2 == 1).collect();
                reader.sums =
                    (0..STATES as u64).map(|state| reader.sum_of(reader.bits(state)) as u16).collect();
                reader.null = Arc::new(Histogram::of(reader.sums.iter().map(|sum| usize::from(*sum))));
            }
            _ => {
                reader.start = initial(&synthid.keys);
                // The g-values of one hash are not independent of each other, so their sums are counted, too.
                let hashes = (1..=STATES as u64).map(|at| spread(at.wrapping_mul(GOLDEN)));
                reader.null =
                    Arc::new(Histogram::of(hashes.map(|hash| reader.sum_of(reader.bits(hash)) as usize)));
            }
        }
        reader
    }

    /// The scheme.
    #[must_use]
    pub fn scheme(&self) -> &SynthId {
        &self.synthid
    }

    /// The distribution of a token's weighted sum in unmarked text.
    #[must_use]
    pub fn null(&self) -> &Arc<Histogram> {
        &self.null
    }

    /// The weighted sum of a token whose g-values are all 1.
    #[must_use]
    pub fn unit(&self) -> u32 {
        self.weights.iter().sum()
    }

    /// The g-values of an n-gram's last token, the first layer in bit 0.
    #[must_use]
    pub fn g_values(&self, ngram: &[u32]) -> u64 {
        self.bits(self.hash(ngram))
    }

    fn hash(&self, ngram: &[u32]) -> u64 {
        ngram.iter().fold(self.start, |hash, id| accumulate(hash, u64::from(*id)))
    }

    /// The g-values of a hash of an n-gram.
    fn bits(&self, hash: u64) -> u64 {
        let each = self.synthid.keys.iter().enumerate();
        each.map(|(layer, key)| u64::from(self.bit(accumulate(hash, *key))) << layer)
            .fold(0, |all, bit| all | bit)
    }

    fn bit(&self, hash: u64) -> bool {
        if self.synthid.flavour == Flavour::Transformers {
            return self.table[hash as usize % STATES];
        }
        let hash = (0..ROUNDS).fold(hash, |hash, _| (accumulate(hash, 1) as i64 >> ROUND_SHIFT) as u64);
        hash >> BIT & 1 == 1
    }

    fn sum_of(&self, bits: u64) -> u32 {
        let each = self.weights.iter().enumerate();
        each.map(|(layer, weight)| weight * (bits >> layer & 1) as u32).sum()
    }

    /// The tokens that a mark could be in: those after a context that was not there before. Other than the reference, which
    /// forgets contexts after a while, this never counts one twice, however long the text is; nor a state of the hash, for
    /// different n-grams with one state have one sum whatever the keys are.
    #[must_use]
    pub fn tokens(&self, ids: &[u32]) -> Vec<Tournament> {
        let mut states = HashSet::new();
        self.scored(ids, usize::MAX)
            .filter_map(|(at, ngram)| {
                let hash = self.hash(ngram);
                let state = if self.sums.is_empty() { hash } else { hash % STATES as u64 };
                let sum = match self.sums.get(state as usize) {
                    Some(sum) => u32::from(*sum),
                    None => self.sum_of(self.bits(hash)),
                };
                states.insert(state).then_some(Tournament { at, sum })
            })
            .collect()
    }

    fn scored<'a>(&'a self, ids: &'a [u32], history: usize) -> impl Iterator<Item = (usize, &'a [u32])> + 'a {
        let mut recent = Recent::new(history);
        let ngrams = ids.windows(self.synthid.ngram).enumerate();
        ngrams
            .filter(move |(_, ngram)| recent.is_new(&ngram[..ngram.len() - 1]))
            .map(|(first, ngram)| (first + ngram.len() - 1, ngram))
    }

    /// The means as the reference detectors report them.
    #[must_use]
    pub fn means(&self, ids: &[u32]) -> Means {
        let (mut scored, mut ones, mut sum) = (0, 0, 0_u64);
        for (_, ngram) in self.scored(ids, self.synthid.history) {
            let bits = self.g_values(ngram);
            scored += 1;
            ones += u64::from(bits.count_ones());
            sum += u64::from(self.sum_of(bits));
        }
        let of = |sum: u64, one: usize| {
            if scored == 0 { 0.5 } else { sum as f64 / (scored as f64 * one as f64) }
        };
        Means { scored, mean: of(ones, self.weights.len()), weighted: of(sum, self.unit() as usize) }
    }
}

/// The reference's hash: a step of a linear congruential generator for each number.
fn accumulate(hash: u64, number: u64) -> u64 {
    hash.wrapping_add(number).wrapping_mul(MULTIPLIER).wrapping_add(1)
}

/// The fractional part of the golden ratio, in 64 bits.
const GOLDEN: u64 = 0x9e37_79b9_7f4a_7c15;

/// What the later flavour's hash begins with: a digest of the keys, modulo 2^63 - 1.
fn initial(keys: &[u64]) -> u64 {
    let mut digest = Sha256::new();
    for key in keys {
        digest.update((*key as i64).to_le_bytes());
    }
    let modulus = u128::from(u64::MAX >> 1);
    digest.finalize().iter().fold(0, |rest, byte| (rest << 8 | u128::from(*byte)) % modulus) as u64
}

/// Weights that fall from 10 to 1 over the layers, as whole numbers.
fn weights(layers: usize) -> Vec<u32> {
    let last = (layers - 1).max(1) as u32;
    (0..layers as u32).map(|layer| if layers == 1 { 1 } else { 10 * last - 9 * layer }).collect()
}

/// The contexts of late.
struct Recent<T> {
    order: VecDeque<T>,
    known: HashSet<T>,
    most: usize,
}

impl<T: Hash + Eq + Copy> Recent<T> {
    fn new(most: usize) -> Self {
        Self { order: VecDeque::new(), known: HashSet::new(), most }
    }

    /// Whether something is not among the last ones; it is from now on. What is known is not moved to the end.
    fn is_new(&mut self, item: T) -> bool {
        if self.known.contains(&item) {
            return false;
        }
        if self.most > 0 {
            if self.order.len() == self.most
                && let Some(oldest) = self.order.pop_front()
            {
                self.known.remove(&oldest);
            }
            self.order.push_back(item);
            self.known.insert(item);
        }
        true
    }
}

impl Histogram {
    fn of(sums: impl Iterator<Item = usize>) -> Self {
        let mut counts: Vec<f64> = Vec::new();
        let mut all = 0.0;
        for sum in sums {
            if counts.len() <= sum {
                counts.resize(sum + 1, 0.0);
            }
            counts[sum] += 1.0;
            all += 1.0;
        }
        counts.iter_mut().for_each(|count| *count /= all);
        Self::new(counts)
    }

    fn new(shares: Vec<f64>) -> Self {
        let moment = |power: i32| -> f64 {
            shares.iter().enumerate().map(|(at, share)| share * (at as f64).powi(power)).sum()
        };
        let mean = moment(1);
        let mut there = shares.iter().enumerate().filter(|(_, share)| **share > 0.0).map(|(at, _)| at);
        let first = there.next().unwrap_or(0);
        let step = there.fold(0, |step, at| divisor(step, at - first)) as f64;
        Self { mean, variance: moment(2) - mean * mean, step, shares }
    }

    /// The step between the sums that there are.
    pub(super) fn step(&self) -> f64 {
        self.step
    }

    /// Mean of a token's weighted sum.
    #[must_use]
    pub fn mean(&self) -> f64 {
        self.mean
    }

    /// Its variance.
    #[must_use]
    pub fn variance(&self) -> f64 {
        self.variance
    }
}

fn divisor(a: usize, b: usize) -> usize {
    if b == 0 { a } else { divisor(b, a % b) }
}

/// The sum of so many tokens' weighted sums.
pub(super) struct Sums<'a> {
    pub(super) of: &'a Histogram,
    pub(super) count: usize,
}

impl Cumulants for Sums<'_> {
    fn at(&self, s: f64) -> [f64; 3] {
        let count = self.count as f64;
        if s == 0.0 {
            return [0.0, count * self.of.mean, count * self.of.variance];
        }
        // About the greatest term, so that nothing overflows.
        let most = self.of.shares.len() as f64 - 1.0;
        let mut moments = [0.0; 3];
        for (at, share) in self.of.shares.iter().enumerate().filter(|(_, share)| **share > 0.0) {
            let at = at as f64;
            let tilted = share * (s * (at - most)).exp();
            moments[0] += tilted;
            moments[1] += tilted * at;
            moments[2] += tilted * at * at;
        }
        let mean = moments[1] / moments[0];
        let variance = (moments[2] / moments[0] - mean * mean).max(0.0);
        [count * (moments[0].ln() + s * most), count * mean, count * variance]
    }

    fn most(&self) -> f64 {
        self.count as f64 * (self.of.shares.len() as f64 - 1.0)
    }
}
