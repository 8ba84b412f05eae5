//! Green lists that depend on the tokens before: which seed each token has, and whether it is green.

use super::greens::{Greens, Question, unique};
use super::random::Mersenne;
use super::scheme::{Flavour, Kgw, Seeding};
use std::collections::HashSet;
use std::sync::{Arc, OnceLock};

/// Numbers in the hash table.
const TABLE: u32 = 1_000_003;
/// What the authors' repository seeds it with.
const TABLE_SEED: u32 = 2_971_215_073;

/// A key that is ready to be looked for.
#[derive(Debug, Clone)]
pub struct KgwReader {
    kgw: Kgw,
    greens: Greens,
    table: Arc<[u32]>,
}

/// A token with a seed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Flag {
    /// Its place among the tokens.
    pub at: usize,
    /// What its list was seeded with, and which token it is.
    pub question: Question,
    /// Whether it is on the list.
    pub green: bool,
}

/// What the reference detectors count.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Count {
    /// Tokens that were looked up.
    pub scored: usize,
    /// Green ones.
    pub green: usize,
    /// (green - gamma scored) / sqrt(scored gamma (1 - gamma)).
    pub z: f64,
}

impl KgwReader {
    /// Prepares a key. The parameters must have been checked.
    #[must_use]
    pub fn new(kgw: &Kgw) -> Self {
        let first = if kgw.last { kgw.vocabulary - kgw.greens() } else { kgw.greens() };
        let table = match (kgw.seeding, kgw.flavour) {
            (Seeding::Permuted(_), _) => Mersenne::permutation(kgw.key as u32, kgw.vocabulary).into(),
            (Seeding::SelfHash(_), Flavour::Transformers) => {
                Mersenne::permutation(kgw.key as u32, TABLE).into()
            }
            (Seeding::SelfHash(_) | Seeding::MinHash(_) | Seeding::SkipGram(_), _) => authors_table(),
            _ => Arc::default(),
        };
        Self { greens: Greens::new(kgw.vocabulary, first), kgw: kgw.clone(), table }
    }

    /// The scheme.
    #[must_use]
    pub fn scheme(&self) -> &Kgw {
        &self.kgw
    }

    /// Share of the vocabulary that really is green.
    #[must_use]
    pub fn share(&self) -> f64 {
        f64::from(self.kgw.greens()) / f64::from(self.kgw.vocabulary)
    }

    /// Every token that has enough tokens before it.
    #[must_use]
    pub fn flags(&self, ids: &[u32]) -> Vec<Flag> {
        self.answer(self.questions(ids).collect())
    }

    /// The tokens whose pair of seed and token was not there before.
    #[must_use]
    pub fn unique_flags(&self, ids: &[u32]) -> Vec<Flag> {
        self.answer(unique(self.questions(ids)))
    }

    fn questions<'a>(&'a self, ids: &'a [u32]) -> impl Iterator<Item = (usize, Question)> + 'a {
        let width = self.kgw.width();
        // three_bricks begins one token later than it could.
        let first = width + usize::from(matches!(self.kgw.seeding, Seeding::Fold(_)));
        (first..ids.len()).map(move |at| {
            let question = Question { seed: self.seed(&ids[at - width..=at]), token: ids[at] };
            (at, question)
        })
    }

    fn answer(&self, asked: Vec<(usize, Question)>) -> Vec<Flag> {
        let questions: Vec<Question> = asked.iter().map(|(_, question)| *question).collect();
        let places = self.greens.places(&questions);
        asked
            .into_iter()
            .zip(places)
            .map(|((at, question), place)| {
                let known = question.token < self.kgw.vocabulary;
                Flag { at, question, green: known && place.is_some() != self.kgw.last }
            })
            .collect()
    }

    /// Counts as the reference detectors do: `unique` leaves out n-grams that were there before.
    #[must_use]
    pub fn count(&self, ids: &[u32], unique: bool) -> Count {
        let flags = self.flags(ids);
        let width = self.kgw.width();
        let mut seen = HashSet::new();
        let counted: Vec<&Flag> =
            flags.iter().filter(|flag| !unique || seen.insert(&ids[flag.at - width..=flag.at])).collect();
        let (scored, green) = (counted.len(), counted.iter().filter(|flag| flag.green).count());
        Count { scored, green, z: z(green as f64, scored as f64, self.kgw.gamma) }
    }

    /// The whole green list after some tokens, for seedings that don't look at the token itself. `None` if there are too
    /// few tokens.
    #[must_use]
    pub fn list(&self, before: &[u32]) -> Option<Vec<u32>> {
        if matches!(self.kgw.seeding, Seeding::SelfHash(_)) {
            return None;
        }
        let mut window = before.get(before.len().checked_sub(self.kgw.width())?..)?.to_vec();
        window.push(0);
        let mut all = Mersenne::permutation(self.seed(&window), self.kgw.vocabulary);
        let greens = self.kgw.greens() as usize;
        if self.kgw.last {
            all.drain(..all.len() - greens);
        } else {
            all.truncate(greens);
        }
        Some(all)
    }

    /// Which of some tokens would be green next.
    #[must_use]
    pub fn would_be_green(&self, before: &[u32], candidates: &[u32]) -> Vec<bool> {
        let width = self.kgw.width();
        let Some(context) = before.len().checked_sub(width).map(|from| &before[from..]) else {
            return vec![false; candidates.len()];
        };
        let asked = candidates.iter().map(|token| {
            let window: Vec<u32> = context.iter().copied().chain([*token]).collect();
            (0, Question { seed: self.seed(&window), token: *token })
        });
        self.answer(asked.collect()).iter().map(|flag| flag.green).collect()
    }

    /// The low 32 bits of the seed. `window` ends with the token that is asked about.
    fn seed(&self, window: &[u32]) -> u32 {
        let before = &window[..window.len() - 1];
        let key = self.kgw.key;
        match self.kgw.seeding {
            Seeding::LeftHash => times(key, before.last().copied().unwrap_or(0)),
            Seeding::Product(_) => times(key, product(before, self.kgw.vocabulary)),
            Seeding::Permuted(_) => {
                let at = product(before, self.kgw.vocabulary);
                let entry = self.table.get(at as usize).copied().unwrap_or(0);
                (u128::from(key) * u128::from(entry) % u128::from(self.kgw.vocabulary)) as u32
            }
            Seeding::Fold(_) => fold(key, before),
            Seeding::SelfHash(_) => {
                let anchor = self.hash(i64::from(window[window.len() - 1]));
                let hashes = window
                    .iter()
                    .map(|id| (key as i64).wrapping_mul(self.hash(i64::from(*id))).wrapping_mul(anchor));
                modulo(hashes.min().unwrap_or(0))
            }
            Seeding::MinHash(_) => {
                let hashes = before.iter().map(|id| self.hash((key as i64).wrapping_mul(i64::from(*id))));
                modulo(hashes.min().unwrap_or(0))
            }
            Seeding::SkipGram(_) => {
                let first = before.first().copied().unwrap_or(0);
                modulo(self.hash((key as i64).wrapping_mul(i64::from(first))))
            }
        }
    }

    fn hash(&self, value: i64) -> i64 {
        let at = value.rem_euclid(i64::from(TABLE));
        self.table.get(at as usize).map_or(1, |entry| i64::from(*entry) + 1)
    }
}

/// The greatest seed that the references let through.
const MODULUS: u128 = u64::MAX as u128;

/// The low 32 bits of key times token, modulo 2^64 - 1.
fn times(key: u64, token: u32) -> u32 {
    (u128::from(key) * u128::from(token) % MODULUS) as u32
}

/// The product of some tokens modulo the vocabulary.
pub(super) fn product(tokens: &[u32], vocabulary: u32) -> u32 {
    tokens.iter().fold(1, |product, id| (u64::from(product) * u64::from(*id) % u64::from(vocabulary)) as u32)
}

/// The low 32 bits of three_bricks' fold: s becomes s times 35317 plus the token, modulo 2^64 - 1.
pub(super) fn fold(key: u64, tokens: &[u32]) -> u32 {
    const SALT: u128 = 35_317;
    tokens.iter().fold(u128::from(key), |seed, id| (seed * SALT + u128::from(*id)) % MODULUS) as u32
}

/// The low 32 bits of a number modulo 2^64 - 1, as Python reckons it: never negative.
fn modulo(value: i64) -> u32 {
    if value < 0 { (value as u64).wrapping_sub(1) as u32 } else { value as u32 }
}

/// The table of the authors' repository, which is the same under all keys: made once, four megabytes.
fn authors_table() -> Arc<[u32]> {
    static MADE: OnceLock<Arc<[u32]>> = OnceLock::new();
    Arc::clone(MADE.get_or_init(|| Mersenne::permutation(TABLE_SEED, TABLE).into()))
}

/// How many standard deviations `green` of `scored` lie above chance; 0 where nothing was scored.
#[must_use]
pub fn z(green: f64, scored: f64, gamma: f64) -> f64 {
    if scored == 0.0 { 0.0 } else { (green - gamma * scored) / (scored * gamma * (1.0 - gamma)).sqrt() }
}
