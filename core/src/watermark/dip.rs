//! Distribution-preserving reweighting: the place of a token in the permutation that its context gives.

use super::greens::{Greens, Question, unique};
use super::scheme::Dip;
use sha2::{Digest, Sha256};

/// A key that is ready to be looked for.
#[derive(Debug, Clone)]
pub struct DipReader {
    dip: Dip,
    places: Greens,
}

/// A token's place.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Placed {
    /// Where the token stands among the tokens.
    pub at: usize,
    /// What the permutation was seeded with, and which token it is.
    pub question: Question,
    /// (place + 1) / vocabulary.
    pub quantile: f64,
    /// Whether the quantile reaches gamma.
    pub green: bool,
}

impl DipReader {
    /// Prepares a key. The parameters must have been checked.
    #[must_use]
    pub fn new(dip: &Dip) -> Self {
        Self { places: Greens::new(dip.vocabulary, dip.vocabulary), dip: dip.clone() }
    }

    /// Share of places that are green.
    #[must_use]
    pub fn share(&self) -> f64 {
        let green = (0..self.dip.vocabulary).filter(|place| self.is_green(*place)).count();
        green as f64 / f64::from(self.dip.vocabulary)
    }

    fn quantile(&self, place: u32) -> f64 {
        f64::from(place + 1) / f64::from(self.dip.vocabulary)
    }

    fn is_green(&self, place: u32) -> bool {
        self.quantile(place) >= self.dip.gamma
    }

    /// Every token that has enough tokens before it, a pair of seed and token once.
    #[must_use]
    pub fn tokens(&self, ids: &[u32]) -> Vec<Placed> {
        let width = self.dip.width;
        let asked = unique(
            (width..ids.len())
                .map(|at| (at, Question { seed: self.seed(&ids[at - width..at]), token: ids[at] })),
        );
        let questions: Vec<Question> = asked.iter().map(|(_, question)| *question).collect();
        let placed = asked.into_iter().zip(self.places.places(&questions));
        placed
            .filter_map(|((at, question), place)| {
                let place = place?;
                Some(Placed { at, question, quantile: self.quantile(place), green: self.is_green(place) })
            })
            .collect()
    }

    fn seed(&self, before: &[u32]) -> u32 {
        let mut digest = Sha256::new();
        for id in before {
            digest.update(i64::from(*id).to_le_bytes());
        }
        digest.update(&self.dip.key);
        let modulus = u64::from(u32::MAX);
        digest.finalize().iter().fold(0, |rest, byte| (rest << 8 | u64::from(*byte)) % modulus) as u32
    }
}
