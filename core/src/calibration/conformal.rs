//! Split-conformal p-values (Vovk, Gammerman and Shafer 2005, "Algorithmic Learning in a Random World"; by group, in the
//! manner of Mondrian predictors).
//!
//! The score of a new text is ranked among those of texts of known origin that the head was not fitted on. If the new
//! text is one more of their kind, its p-value is uniform: it falls below 1 % once in a hundred. Which kind it is we
//! don't know, so the largest p-value over all groups counts, and no group is accused above the target. To take a text
//! for a human's harms nobody as much: there all groups of generated texts count together, since one whose texts can't be
//! told from humans' would else forbid that verdict to everyone.

use super::CalibrationError;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Lengths in tokens at which one table of comparable texts ends and the next begins.
pub const BUCKET_EDGES: [usize; 3] = [80, 160, 320];

/// Points at the top of a table that are never thinned out: a hundredth of 20 000 texts.
const EXACT: usize = 200;

/// About how many points stand for the rest.
const THINNED: usize = 150;

/// A score and how many of the table's texts exceed it.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Point(
    /// The score.
    pub f32,
    /// Number of texts with a greater score.
    pub u32,
);

/// The scores of texts of one origin, one group and one range of lengths.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Table {
    /// The group, or empty for all groups together.
    pub group: String,
    /// Index into the ranges that [`BUCKET_EDGES`] separates.
    pub bucket: usize,
    /// Number of texts.
    pub count: u32,
    /// Scores, falling: the highest ones all, the rest thinned out, the lowest always.
    pub points: Vec<Point>,
}

impl Table {
    /// Sorts scores into a table.
    #[must_use]
    pub fn new(group: impl Into<String>, bucket: usize, scores: &[f64]) -> Self {
        let mut sorted: Vec<f32> = scores.iter().map(|&score| score as f32).collect();
        sorted.sort_by(|a, b| b.total_cmp(a));
        let mut distinct: Vec<Point> = Vec::new();
        for (above, &score) in (0_u32..).zip(&sorted) {
            if distinct.last().is_none_or(|last| last.0 != score) {
                distinct.push(Point(score, above));
            }
        }
        let rest = distinct.len().saturating_sub(EXACT);
        let step = rest.div_ceil(THINNED).max(1);
        let last = distinct.len().saturating_sub(1);
        let points = distinct
            .into_iter()
            .enumerate()
            .filter(|&(index, _)| index < EXACT || (index - EXACT).is_multiple_of(step) || index == last)
            .map(|(_, point)| point)
            .collect();
        Self { group: group.into(), bucket, count: u32::try_from(sorted.len()).unwrap_or(u32::MAX), points }
    }

    /// (1 + number of the table's texts with at least this score) / (1 + number of texts), never too small: where points
    /// were thinned out, the texts between two of them all count.
    #[must_use]
    pub fn p_value(&self, score: f64) -> f64 {
        let score = score as f32;
        let below = self.points.partition_point(|point| point.0 >= score);
        let reached = self.points.get(below).map_or(self.count, |point| point.1);
        f64::from(reached.saturating_add(1)) / (f64::from(self.count) + 1.0)
    }

    pub(super) fn validate(&self, field: &str) -> Result<(), CalibrationError> {
        let problem = |problem: &str| {
            Err(CalibrationError::Field {
                field: format!("{field} (group '{}', bucket {})", self.group, self.bucket),
                problem: problem.to_owned(),
            })
        };
        if self.bucket > BUCKET_EDGES.len() {
            problem("has no such range of lengths")
        } else if self.points.is_empty() || self.count == 0 {
            problem("is empty")
        } else if !self.points.iter().all(|point| point.0.is_finite()) {
            problem("holds a score that is not a number")
        } else if self.points[0].1 != 0 || self.points.iter().any(|point| point.1 >= self.count) {
            problem("counts more or fewer texts than it has")
        } else if self.points.windows(2).any(|pair| pair[0].0 <= pair[1].0 || pair[0].1 >= pair[1].1) {
            problem("is not sorted by falling score")
        } else {
            Ok(())
        }
    }
}

/// The range of lengths that a text of so many tokens belongs to.
pub(super) fn bucket(tokens: usize) -> usize {
    BUCKET_EDGES.partition_point(|&edge| edge <= tokens)
}

/// The largest p-value over all tables of a range of lengths; 1 if there is none.
pub(super) fn p_value(tables: &[Table], bucket: usize, score: f64) -> f64 {
    tables
        .iter()
        .filter(|table| table.bucket == bucket)
        .map(|table| table.p_value(score))
        .reduce(f64::max)
        .unwrap_or(1.0)
}

/// The p-value of all groups together; 1 if there are fewer than two groups in this range of lengths: a single one says little
/// of texts from elsewhere.
pub(super) fn pooled_p_value(tables: &[Table], bucket: usize, score: f64) -> f64 {
    let own = || tables.iter().filter(move |table| table.bucket == bucket);
    let pooled = own().find(|table| table.group.is_empty());
    match own().filter(|table| !table.group.is_empty()).count() {
        0 | 1 => 1.0,
        _ => pooled.map_or(1.0, |table| table.p_value(score)),
    }
}

/// One table for each range of lengths, and one for each group in it that has at least `least` texts: a smaller one could
/// not tell rare from impossible and would forbid every verdict.
pub(super) fn tables<'a>(scores: impl Iterator<Item = (&'a str, usize, f64)>, least: usize) -> Vec<Table> {
    let mut cells: BTreeMap<(usize, &str), Vec<f64>> = BTreeMap::new();
    for (group, tokens, score) in scores {
        let bucket = bucket(tokens);
        cells.entry((bucket, "")).or_default().push(score);
        if !group.is_empty() {
            cells.entry((bucket, group)).or_default().push(score);
        }
    }
    cells
        .into_iter()
        .filter(|((_, group), scores)| group.is_empty() || scores.len() >= least)
        .map(|((bucket, group), scores)| Table::new(group, bucket, &scores))
        .collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn lengths_fall_into_ranges() {
        assert_eq!([0, 79, 80, 159, 160, 319, 320, 9000].map(bucket), [0, 0, 1, 1, 2, 2, 3, 3]);
    }

    #[test]
    fn counts_texts_that_reach_the_score() {
        let table = Table::new("", 0, &[1.0, 2.0, 2.0, 5.0]);
        assert_eq!(table.p_value(6.0), 1.0 / 5.0);
        assert_eq!(table.p_value(5.0), 2.0 / 5.0);
        assert_eq!(table.p_value(2.0), 4.0 / 5.0);
        assert_eq!(table.p_value(1.5), 4.0 / 5.0);
        assert_eq!(table.p_value(-9.0), 1.0);
    }

    #[test]
    fn the_worst_group_counts_and_small_ones_do_not() {
        let scores = |group, base: f64| (0..100).map(move |i| (group, 100, base + f64::from(i) / 100.0));
        let tables =
            tables(scores("formal", 3.0).chain(scores("casual", 0.0)).chain([("tiny", 100, 99.0)]), 100);
        assert_eq!(
            tables.iter().map(|table| table.group.as_str()).collect::<Vec<_>>(),
            ["", "casual", "formal"]
        );
        assert_eq!(p_value(&tables, 1, 3.5), 51.0 / 101.0);
        assert_eq!(p_value(&tables, 1, 98.0), 2.0 / 202.0);
        assert_eq!(p_value(&tables, 2, 98.0), 1.0);
        assert_eq!(pooled_p_value(&tables, 1, 3.5), 52.0 / 202.0);
        assert_eq!(pooled_p_value(&tables, 2, 3.5), 1.0);
    }

    #[test]
    fn one_group_alone_says_nothing_of_texts_from_elsewhere() {
        let scores = |group| (0..100).map(move |score| (group, 30, f64::from(score)));
        assert_eq!(pooled_p_value(&tables(scores("a"), 20), 0, 200.0), 1.0);
        assert_eq!(pooled_p_value(&tables(scores("a").chain(scores("b")), 20), 0, 200.0), 1.0 / 201.0);
    }

    proptest! {
        #[test]
        fn never_below_the_true_p_value_and_exact_in_the_tail(
            scores in prop::collection::vec(-9.0_f64..9.0, 1..1500), query in -10.0_f64..10.0,
        ) {
            let table = Table::new("", 0, &scores);
            prop_assert!(table.validate("human").is_ok());
            prop_assert!(table.points.len() <= EXACT + THINNED + 1);
            let reached = scores.iter().filter(|&&score| score as f32 >= query as f32).count();
            let exact = (reached + 1) as f64 / (scores.len() + 1) as f64;
            let p = table.p_value(query);
            prop_assert!(p >= exact && p <= 1.0);
            if reached + 1 < EXACT {
                prop_assert_eq!(p, exact);
            } else {
                prop_assert!(p - exact <= 0.01);
            }
        }
    }
}
