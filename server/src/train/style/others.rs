//! The texts of other authors, and where a text stands among them.
//!
//! The mean of few tokens strays further than that of many, so a text is compared with beginnings of other texts that are
//! as long as its own: it is cut to one of the lengths kept here. Texts of other authors that nothing was fitted to and a
//! new one by yet another author are then exchangeable, and the p-value is below 1 in 20 once in twenty such texts
//! (Vovk, Gammerman and Shafer 2005).

use bonafide_core::calibration::Table;
use serde::Serialize;
use std::collections::BTreeMap;

/// With fewer texts no p-value is below 1 in 20.
pub const LEAST_OTHERS: usize = 20;

/// The shortest length that is compared, in tokens.
const SHORTEST: usize = 32;
/// From one length to the next.
const STEP: usize = 16;

/// What is said of a text and an author.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Likeness {
    /// The author.
    pub name: String,
    /// Mean over the tokens of log p(adapted to the author) - log p(as it is), in nats.
    pub log_likelihood_ratio: f64,
    /// (1 + texts of others with at least this ratio) / (1 + texts of others).
    pub p_value: f64,
    /// Texts of others that it was compared with.
    pub others: usize,
    /// Tokens of it and of each of those that were compared, from the beginning.
    pub tokens: usize,
}

/// Ratios of the beginnings of other authors' texts, by their lengths in tokens.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Others(pub(super) BTreeMap<usize, Vec<f32>>);

/// The lengths that texts of at most so many tokens are compared at.
pub(super) fn lengths(most: usize) -> impl Iterator<Item = usize> {
    (SHORTEST..=most).step_by(STEP)
}

impl Others {
    /// From the ratios of each token of each text. A length that fewer than half of the texts reach is left out, or fewer
    /// than [`LEAST_OTHERS`]: what a longer text tells more would be lost in a coarser p-value.
    pub(super) fn new(texts: &[Vec<f64>]) -> Self {
        let most = texts.iter().map(Vec::len).max().unwrap_or(0);
        let least = LEAST_OTHERS.max(texts.len().div_ceil(2));
        let at = |length: usize| -> Vec<f32> {
            texts.iter().filter_map(|ratios| mean(ratios, length)).map(|ratio| ratio as f32).collect()
        };
        let each = lengths(most).map(|length| (length, at(length)));
        Self(each.filter(|(_, ratios)| ratios.len() >= least).collect())
    }

    /// Where a text stands, of the ratios of its tokens; `None` if it is shorter than all lengths.
    pub(super) fn place(&self, name: &str, ratios: &[f64]) -> Option<Likeness> {
        let (&tokens, others) = self.0.range(..=ratios.len()).next_back()?;
        let ratio = mean(ratios, tokens)?;
        let others: Vec<f64> = others.iter().map(|ratio| f64::from(*ratio)).collect();
        let p_value = Table::new("", 0, &others).p_value(ratio);
        Some(Likeness {
            name: name.to_owned(),
            log_likelihood_ratio: ratio,
            p_value,
            others: others.len(),
            tokens,
        })
    }

    /// The shortest length that is compared.
    pub(super) fn shortest(&self) -> Option<usize> {
        self.0.keys().next().copied()
    }
}

/// The mean of the first ratios, if there are so many.
fn mean(ratios: &[f64], length: usize) -> Option<f64> {
    Some(ratios.get(..length)?.iter().sum::<f64>() / length as f64)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use proptest::prelude::*;

    /// Texts of one ratio throughout: 0.00, 0.01, …
    fn level(count: usize, tokens: usize) -> Vec<Vec<f64>> {
        (0..count).map(|at| vec![at as f64 / 100.0; tokens]).collect()
    }

    #[test]
    fn the_p_value_counts_those_that_reach_the_ratio() {
        let others = Others::new(&level(24, 50));
        let p = |ratio: f64| others.place("Ada", &[ratio; 40]).unwrap().p_value;
        assert_eq!(
            [p(1.0), p(0.23), p(0.225), p(0.2), p(-1.0)],
            [1.0, 2.0, 2.0, 5.0, 25.0].map(|n| n / 25.0)
        );
    }

    #[test]
    fn texts_are_compared_at_one_length() {
        let mut texts = level(25, 100);
        texts.extend(level(25, 40));
        let others = Others::new(&texts);
        assert_eq!(others.0.keys().copied().collect::<Vec<_>>(), [32, 48, 64, 80, 96]);
        // What stands behind the length that is compared does not count.
        let ratios = [vec![0.5; 64], vec![9.0; 10]].concat();
        let found = others.place("Ada", &ratios).unwrap();
        assert_eq!((found.tokens, found.others, found.log_likelihood_ratio), (64, 25, 0.5));
        assert_eq!(others.place("Ada", &[0.5; 47]).unwrap().others, 50);
        // Longer than all others: cut to their length.
        assert_eq!(others.place("Ada", &[0.5; 400]).unwrap().tokens, 96);
        assert_eq!((others.place("Ada", &[0.5; 31]), others.shortest()), (None, Some(32)));
    }

    #[test]
    fn too_few_texts_make_no_table() {
        assert_eq!(Others::new(&level(LEAST_OTHERS - 1, 100)), Others::default());
        // A few long ones among many short ones.
        let texts = [level(30, 100), level(31, 40)].concat();
        assert_eq!(Others::new(&texts).0.keys().copied().collect::<Vec<_>>(), [32]);
    }

    proptest! {
        #[test]
        fn a_text_of_the_others_is_never_rarer_than_its_rank(
            ratios in prop::collection::vec(-1.0_f64..1.0, LEAST_OTHERS..60), at in 0_usize..60,
        ) {
            let all: Vec<Vec<f64>> = ratios.iter().map(|ratio| vec![*ratio; 40]).collect();
            let own = &all[at % all.len()];
            let others = Others::new(&all);
            let reached = ratios.iter().filter(|ratio| **ratio as f32 >= own[0] as f32).count();
            let p = others.place("", own).unwrap().p_value;
            prop_assert!((p - (reached + 1) as f64 / (all.len() + 1) as f64).abs() < 1e-12);
        }
    }
}
