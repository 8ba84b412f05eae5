//! What the trained detector is meant to reach, group by group, because an average hides the group that it fails.
//!
//! * `auroc`: at least 0.97. Of a generator or a kind it is that against the texts of the same files.
//! * `tpr_at_fpr_1_over_150_words`: at least 0.85 of the models' texts of over 150 words, at the threshold that flags 1 %
//!   of the humans' of over 150 words; of a generator or a kind again within files.
//! * `fpr`: at most 1 % of human texts flagged at the shipped thresholds.
//! * `unclear_over_100_words`: at most 25 % of the texts of over 100 words.
//!
//! A target is *met* by the value measured. It is *settled* only if the whole 95 % interval lies on that side: of a few
//! dozen texts hardly anything is.

use super::metrics::Estimate;
use super::report::{Metrics, Report};
use serde::Serialize;

/// One measured value beside what it is meant to be.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[allow(missing_docs)]
pub struct Check {
    pub value: f64,
    pub target: f64,
    pub met: bool,
    pub settled: bool,
}

impl Check {
    fn at_least(target: f64, measured: Estimate) -> Self {
        let met = measured.value >= target;
        let settled = if met { measured.interval[0] >= target } else { measured.interval[1] < target };
        Self { value: measured.value, target, met, settled }
    }

    fn at_most(target: f64, measured: Estimate) -> Self {
        let met = measured.value <= target;
        let settled = if met { measured.interval[1] <= target } else { measured.interval[0] > target };
        Self { value: measured.value, target, met, settled }
    }
}

/// A group's values beside the targets; null what can't be measured of it.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[allow(missing_docs)]
pub struct Targets {
    pub by: &'static str,
    pub name: String,
    pub auroc: Option<Check>,
    pub tpr_at_fpr_1_over_150_words: Option<Check>,
    pub fpr: Option<Check>,
    pub unclear_over_100_words: Option<Check>,
}

impl Targets {
    /// Of every data set, then of every value of the fields.
    #[must_use]
    pub fn of(report: &Report) -> Vec<Self> {
        let sets = report.datasets.iter().map(|(name, set)| Self::check("dataset", name, &set.metrics));
        let fields = report.by.iter().filter(|(field, _)| **field != "dataset");
        let groups = fields.flat_map(|(&field, groups)| {
            groups.iter().map(move |(name, metrics)| Self::check(field, name, metrics))
        });
        sets.chain(groups).collect()
    }

    fn check(by: &'static str, name: &str, metrics: &Metrics) -> Self {
        let (all, long) = match &metrics.same_file {
            Some(same) => ((same.all.auroc, same.all.auroc_ci), &same.over_150_words),
            None => ((metrics.auroc, metrics.auroc_ci), &metrics.over_150_words),
        };
        let at_least = |target, measured| joined(measured).map(|measured| Check::at_least(target, measured));
        let at_most = |target, measured| joined(measured).map(|measured| Check::at_most(target, measured));
        Self {
            by,
            name: name.to_owned(),
            auroc: at_least(0.97, all),
            tpr_at_fpr_1_over_150_words: at_least(0.85, (long.tpr_at_fpr_1, long.tpr_at_fpr_1_ci)),
            fpr: at_most(0.01, (metrics.fpr, metrics.fpr_ci)),
            unclear_over_100_words: at_most(
                0.25,
                (metrics.unclear_over_100_words, metrics.unclear_over_100_words_ci),
            ),
        }
    }

    /// The checks in the order of their columns.
    #[must_use]
    pub fn checks(&self) -> [Option<Check>; 4] {
        [self.auroc, self.tpr_at_fpr_1_over_150_words, self.fpr, self.unclear_over_100_words]
    }
}

fn joined((value, interval): (Option<f64>, Option<[f64; 2]>)) -> Option<Estimate> {
    Some(Estimate { value: value?, interval: interval? })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;

    fn estimate(value: f64, low: f64, high: f64) -> Estimate {
        Estimate { value, interval: [low, high] }
    }

    #[test]
    fn met_by_the_value_and_settled_by_the_interval() {
        let least = |measured| {
            let check = Check::at_least(0.97, measured);
            (check.met, check.settled)
        };
        assert_eq!(least(estimate(0.99, 0.98, 1.0)), (true, true));
        assert_eq!(least(estimate(0.97, 0.9, 1.0)), (true, false));
        assert_eq!(least(estimate(0.96, 0.9, 0.98)), (false, false));
        assert_eq!(least(estimate(0.8, 0.7, 0.9)), (false, true));
        let most = |measured| {
            let check = Check::at_most(0.01, measured);
            (check.met, check.settled)
        };
        assert_eq!(most(estimate(0.0, 0.0, 0.005)), (true, true));
        assert_eq!(most(estimate(0.01, 0.0, 0.07)), (true, false));
        assert_eq!(most(estimate(0.02, 0.005, 0.1)), (false, false));
        assert_eq!(most(estimate(0.2, 0.1, 0.3)), (false, true));
    }

    #[test]
    fn a_generator_is_checked_within_its_files() {
        use crate::eval::report::{Ordering, SameFile};
        let long =
            Ordering { tpr_at_fpr_1: Some(0.9), tpr_at_fpr_1_ci: Some([0.8, 0.95]), ..Ordering::default() };
        let all = Ordering { auroc: Some(0.98), auroc_ci: Some([0.975, 0.99]), ..Ordering::default() };
        let metrics = Metrics {
            auroc: Some(0.5),
            auroc_ci: Some([0.4, 0.6]),
            unclear_over_100_words: Some(0.5),
            unclear_over_100_words_ci: Some([0.3, 0.7]),
            same_file: Some(SameFile { all, over_150_words: long }),
            ..Metrics::default()
        };
        let checked = Targets::check("generator", "g", &metrics);
        let met = checked.checks().map(|check| check.map(|check| check.met));
        assert_eq!(met, [Some(true), Some(true), None, Some(false)]);
        let pooled = Targets::check("domain", "d", &Metrics { same_file: None, ..metrics });
        assert_eq!(pooled.auroc.map(|check| check.met), Some(false));
        assert_eq!(pooled.tpr_at_fpr_1_over_150_words, None);
    }
}
