//! One green list for all places.
//!
//! Its p-values are exact over keys: a key is lucky or unlucky with the words that all texts share, so under one key the
//! chances of two texts are not independent. That is the price of a mark that survives every change of order.

use super::random::numpy::Pcg64;
use super::scheme::Unigram;
use sha2::{Digest, Sha256};

/// A key that is ready to be looked for.
#[derive(Debug, Clone)]
pub struct UnigramReader {
    green: Vec<bool>,
    count: u32,
}

impl UnigramReader {
    /// Draws the list. The parameters must have been checked.
    #[must_use]
    pub fn new(unigram: &Unigram) -> Self {
        let digest = Sha256::digest((unigram.key as i64).to_le_bytes());
        let seed = u32::from_le_bytes([digest[0], digest[1], digest[2], digest[3]]);
        let count = (f64::from(unigram.vocabulary) * unigram.gamma) as u32;
        let mut green: Vec<bool> = (0..unigram.vocabulary).map(|at| at < count).collect();
        Pcg64::new(u64::from(seed)).shuffle(&mut green);
        Self { green, count }
    }

    /// Whether a token is on the list; one beyond the vocabulary is not.
    #[must_use]
    pub fn is_green(&self, token: u32) -> bool {
        self.green.get(token as usize).copied().unwrap_or(false)
    }

    /// The list, a flag a token.
    #[must_use]
    pub fn mask(&self) -> &[bool] {
        &self.green
    }

    /// Share of the vocabulary that is green.
    #[must_use]
    pub fn share(&self) -> f64 {
        f64::from(self.count) / self.green.len() as f64
    }
}
