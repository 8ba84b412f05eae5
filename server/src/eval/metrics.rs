//! How well scores tell two classes apart, with intervals, since a rate from ninety essays without its interval
//! says more than is known.
//!
//! Everywhere a higher score means more like a model's text, and a NaN may not come in.
//!
//! * AUROC is the Mann-Whitney statistic, a tie counting one half. Its 95 % interval is DeLong's (DeLong,
//!   DeLong and Clarke-Pearson 1988; the midrank algorithm of Sun and Xu 2014) on the logit scale; where that
//!   variance is zero (the classes don't overlap) it is a score interval with the variance of Hanley and McNeil
//!   1982 (Newcombe 2006, method 5), so that perfect separation of few texts doesn't claim certainty.
//! * The threshold for a false-positive rate is a human score such that no more than that share of the humans
//!   lies strictly above it; a text is flagged if its score is strictly above. No interpolation between scores:
//!   the rate is never exceeded on the data at hand, and with fewer than 1/rate humans no human is flagged.
//! * Rates have Wilson's interval (Wilson 1927). That of a true-positive rate at a threshold taken from the
//!   data holds given the threshold; how far the threshold itself would move with other humans is not in it.
//! * *Within strata* ([`auroc_within`], [`tpr_within`]) texts are compared with those of their own file only, because
//!   files differ in topic, length and language, and a pooled area counts that as skill.

use bonafide_core::detect::logistic;

/// The standard normal quantile of a two-sided 95 % interval.
const Z: f64 = 1.959_963_984_540_054;

/// A value between 0 and 1 and its 95 % interval.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Estimate {
    /// The value measured.
    pub value: f64,
    /// The interval's ends.
    pub interval: [f64; 2],
}

/// A share of a number of texts, with Wilson's interval; `None` of no texts.
#[must_use]
pub fn rate(hits: usize, of: usize) -> Option<Estimate> {
    if of == 0 {
        return None;
    }
    let (n, p) = (of as f64, hits as f64 / of as f64);
    let z2 = Z * Z;
    let middle = (p + z2 / (2.0 * n)) / (1.0 + z2 / n);
    let half = Z / (1.0 + z2 / n) * (p * (1.0 - p) / n + z2 / (4.0 * n * n)).sqrt();
    let low = if hits == 0 { 0.0 } else { (middle - half).max(0.0) };
    let high = if hits == of { 1.0 } else { (middle + half).min(1.0) };
    Some(Estimate { value: p, interval: [low, high] })
}

/// Area under the ROC curve: the probability that a model's text scores higher than a human's; `None` if one
/// class is absent.
#[must_use]
pub fn auroc(human: &[f64], ai: &[f64]) -> Option<Estimate> {
    if human.is_empty() || ai.is_empty() {
        return None;
    }
    let (value, variance_of_value) = area(human, ai);
    Some(with_interval(value, variance_of_value, human.len() as f64, ai.len() as f64))
}

/// Scores of the two classes of one file, which are only compared with each other.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Stratum {
    /// Humans' scores.
    pub human: Vec<f64>,
    /// Models' scores.
    pub ai: Vec<f64>,
    /// How much its area counts; it is no share and need not sum to one.
    pub weight: f64,
}

impl Stratum {
    fn counts(&self) -> bool {
        !self.human.is_empty() && !self.ai.is_empty() && self.weight > 0.0
    }
}

/// The weighted mean of the areas within strata, so that no text is compared with one of another stratum; strata
/// without one of the classes are left out, and it is `None` if that leaves none. The variance is the sum of DeLong's
/// over the strata, which are independent, each times its weight's square.
#[must_use]
pub fn auroc_within(strata: &[Stratum]) -> Option<Estimate> {
    let counted = || strata.iter().filter(|stratum| stratum.counts());
    let total: f64 = counted().map(|stratum| stratum.weight).sum();
    if total <= 0.0 {
        return None;
    }
    let (mut value, mut variance_of_value, mut m, mut n) = (0.0, 0.0, 0.0, 0.0);
    for stratum in counted() {
        let (own, of_own) = area(&stratum.human, &stratum.ai);
        let share = stratum.weight / total;
        value += share * own;
        variance_of_value += share * share * of_own;
        m += stratum.human.len() as f64;
        n += stratum.ai.len() as f64;
    }
    Some(with_interval(value.clamp(0.0, 1.0), variance_of_value, m, n))
}

/// Share of the models' texts strictly above the threshold that the humans of their own stratum set
/// ([`threshold_at`]); strata without one of the classes are left out, and it is `None` if that leaves none.
#[must_use]
pub fn tpr_within(strata: &[Stratum], max_rate: f64) -> Option<Estimate> {
    let (mut hits, mut of) = (0, 0);
    for stratum in strata.iter().filter(|stratum| stratum.counts()) {
        let threshold = threshold_at(&stratum.human, max_rate)?;
        hits += stratum.ai.iter().filter(|&&score| score > threshold).count();
        of += stratum.ai.len();
    }
    rate(hits, of)
}

/// The area and DeLong's variance of it, of two classes that are not empty.
fn area(human: &[f64], ai: &[f64]) -> (f64, f64) {
    let together: Vec<f64> = human.iter().chain(ai).copied().collect();
    let all = midranks(&together);
    let (of_human, of_ai) = all.split_at(human.len());
    let (m, n) = (human.len() as f64, ai.len() as f64);
    // Each text's own share of the other class that lies on the right side of it.
    let human_part: Vec<f64> =
        of_human.iter().zip(midranks(human)).map(|(all, own)| 1.0 - (all - own) / n).collect();
    let ai_part: Vec<f64> = of_ai.iter().zip(midranks(ai)).map(|(all, own)| (all - own) / m).collect();
    (mean(&ai_part).clamp(0.0, 1.0), variance(&human_part) / m + variance(&ai_part) / n)
}

/// The interval on the logit scale, or the score interval where there is no variance to go by.
fn with_interval(value: f64, variance_of_value: f64, m: f64, n: f64) -> Estimate {
    let spread = value * (1.0 - value);
    let interval = if variance_of_value > 1e-12 && spread > 0.0 {
        let logit = (value / (1.0 - value)).ln();
        let half = Z * variance_of_value.sqrt() / spread;
        [logistic(logit - half), logistic(logit + half)]
    } else {
        score_interval(value, m, n)
    };
    Estimate { value, interval }
}

/// The least human score such that no more than `max_rate` of the humans lie strictly above it; `None` of no
/// humans.
#[must_use]
pub fn threshold_at(human: &[f64], max_rate: f64) -> Option<f64> {
    let mut sorted = human.to_vec();
    sorted.sort_by(|a, b| b.total_cmp(a));
    // The small term keeps 0.01 x 100 at one whole text, whatever the last bit says.
    let allowed = (max_rate * human.len() as f64 + 1e-9).floor() as usize;
    sorted.get(allowed.min(human.len().saturating_sub(1))).copied()
}

/// Share of the models' texts strictly above [`threshold_at`]; `None` if one class is absent.
#[must_use]
pub fn tpr_at(human: &[f64], ai: &[f64], max_rate: f64) -> Option<Estimate> {
    let threshold = threshold_at(human, max_rate)?;
    rate(ai.iter().filter(|&&score| score > threshold).count(), ai.len())
}

/// Ranks from 1, ties sharing their mean rank.
fn midranks(values: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_by(|&a, &b| values[a].total_cmp(&values[b]));
    let mut ranks = vec![0.0; values.len()];
    for tied in order.chunk_by(|&a, &b| values[a] == values[b]).scan(0, |before, tied| {
        let first = *before;
        *before += tied.len();
        Some((first, tied))
    }) {
        let (first, members) = tied;
        let rank = first as f64 + (members.len() as f64 + 1.0) / 2.0;
        for &index in members {
            ranks[index] = rank;
        }
    }
    ranks
}

/// Those areas that a test with Hanley and McNeil's variance would not reject, by bisection on either side.
fn score_interval(value: f64, m: f64, n: f64) -> [f64; 2] {
    let others = (m + n) / 2.0 - 1.0;
    let rejected = |theta: f64| {
        let v = theta * (1.0 - theta) / (m * n)
            * (1.0 + others * (1.0 - theta) / (2.0 - theta) + others * theta / (1.0 + theta));
        (value - theta).abs() > Z * v.sqrt()
    };
    let end = |outer: f64| {
        let (mut inside, mut outside) = (value, outer);
        if !rejected(outer) || inside == outside {
            return outer;
        }
        for _ in 0..60 {
            let middle = (inside + outside) / 2.0;
            if rejected(middle) {
                outside = middle;
            } else {
                inside = middle;
            }
        }
        inside
    };
    [end(0.0), end(1.0)]
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

/// Unbiased; of a single value zero, which leads to the score interval.
fn variance(values: &[f64]) -> f64 {
    if values.len() < 2 {
        return 0.0;
    }
    let centre = mean(values);
    values.iter().map(|v| (v - centre).powi(2)).sum::<f64>() / (values.len() - 1) as f64
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;
    use proptest::prelude::*;

    fn close(a: f64, b: f64, by: f64) {
        assert!((a - b).abs() <= by, "{a} is not {b}");
    }

    #[test]
    fn auroc_of_known_sets() {
        let area = |human: &[f64], ai: &[f64]| auroc(human, ai).unwrap().value;
        close(area(&[1.0, 2.0], &[3.0, 4.0]), 1.0, 0.0);
        close(area(&[3.0, 4.0], &[1.0, 2.0]), 0.0, 0.0);
        close(area(&[1.0, 1.0], &[1.0]), 0.5, 1e-15);
        // Of six pairs, four are in order and one is tied.
        close(area(&[1.0, 3.0], &[2.0, 3.0, 4.0]), 4.5 / 6.0, 1e-15);
        assert_eq!(auroc(&[], &[1.0]), None);
        assert_eq!(auroc(&[1.0], &[]), None);
    }

    /// DeLong's variance by its definition: the placements by brute force.
    #[test]
    fn delong_interval_of_a_set_worked_by_definition() {
        let (human, ai) = ([0.1, 0.4, 0.35, 0.8, 0.3], [0.5, 0.9, 0.45, 0.7, 0.2, 0.8]);
        let psi = |h: f64, a: f64| if a > h { 1.0 } else { f64::from(a == h) / 2.0 };
        let v10: Vec<f64> = ai.iter().map(|&a| human.iter().map(|&h| psi(h, a)).sum::<f64>() / 5.0).collect();
        let v01: Vec<f64> = human.iter().map(|&h| ai.iter().map(|&a| psi(h, a)).sum::<f64>() / 6.0).collect();
        let area = v10.iter().sum::<f64>() / 6.0;
        let s = |v: &[f64]| v.iter().map(|x| (x - area).powi(2)).sum::<f64>() / (v.len() - 1) as f64;
        let error = (s(&v10) / 6.0 + s(&v01) / 5.0).sqrt() / (area * (1.0 - area));
        let logit = (area / (1.0 - area)).ln();
        let measured = auroc(&human, &ai).unwrap();
        close(measured.value, area, 1e-12);
        close(measured.interval[0], logistic(logit - Z * error), 1e-12);
        close(measured.interval[1], logistic(logit + Z * error), 1e-12);
    }

    /// Two files whose scores have nothing in common: within them 3/4 and 1 of the pairs are in order.
    #[test]
    fn strata_are_compared_within_themselves_only() {
        let low = Stratum { human: vec![1.0, 3.0], ai: vec![2.0, 4.0], weight: 2.0 };
        let high = Stratum { human: vec![10.0], ai: vec![11.0, 12.0, 13.0], weight: 3.0 };
        let lonely = Stratum { human: vec![], ai: vec![0.0], weight: 1.0 };
        let both = auroc_within(&[low.clone(), high.clone(), lonely.clone()]).unwrap();
        close(both.value, (2.0 * 0.75 + 3.0) / 5.0, 1e-15);
        // The placements of `low` are 1, 1/2 and 1/2, 1: a variance of 1/8 either way, over two texts each; `high`
        // has none.
        let error = (0.125_f64 * 0.4 * 0.4).sqrt() / (0.9 * 0.1);
        close(both.interval[0], logistic((9.0_f64).ln() - Z * error), 1e-12);
        assert_eq!(auroc_within(std::slice::from_ref(&low)), auroc(&low.human, &low.ai));
        assert_eq!(auroc_within(std::slice::from_ref(&lonely)), None);
        // Thresholds 3 and 10: one of two, and three of three.
        close(tpr_within(&[low, high, lonely.clone()], 0.01).unwrap().value, 0.8, 1e-15);
        assert_eq!(tpr_within(&[lonely], 0.01), None);
    }

    #[test]
    fn perfect_separation_of_few_texts_is_no_certainty() {
        let few = auroc(&[1.0, 2.0], &[3.0, 4.0]).unwrap();
        let many = auroc(&vec![1.0; 500], &vec![2.0; 500]).unwrap();
        assert_eq!((few.interval[1], many.interval[1]), (1.0, 1.0));
        assert!(few.interval[0] < 0.6, "{few:?}");
        assert!(many.interval[0] > 0.98 && many.interval[0] < 1.0, "{many:?}");
        let single = auroc(&[1.0], &[2.0]).unwrap();
        assert!(single.interval[0] < 0.25, "{single:?}");
    }

    #[test]
    fn wilson_of_textbook_values() {
        // Newcombe 1998, table I: 81/263, 15/148, 0/20, 1/29.
        for (hits, of, low, high) in [
            (81, 263, 0.2553, 0.3662),
            (15, 148, 0.0624, 0.1605),
            (0, 20, 0.0, 0.1611),
            (1, 29, 0.0061, 0.1718),
        ] {
            let estimate = rate(hits, of).unwrap();
            close(estimate.interval[0], low, 5e-5);
            close(estimate.interval[1], high, 5e-5);
        }
        assert_eq!(rate(0, 0), None);
    }

    #[test]
    fn the_threshold_never_exceeds_its_rate() {
        let human: Vec<f64> = (1..=100).map(f64::from).collect();
        assert_eq!(threshold_at(&human, 0.01), Some(99.0));
        assert_eq!(threshold_at(&human, 0.05), Some(95.0));
        assert_eq!(threshold_at(&human[..50], 0.01), Some(50.0));
        assert_eq!(threshold_at(&[], 0.01), None);
        close(tpr_at(&human, &[99.0, 99.5, 200.0, 3.0], 0.01).unwrap().value, 0.5, 0.0);
        // Ties at the threshold are not flagged.
        close(tpr_at(&[1.0; 10], &[1.0, 1.0], 0.05).unwrap().value, 0.0, 0.0);
    }

    fn scores() -> impl Strategy<Value = Vec<f64>> {
        prop::collection::vec((-6i8..6).prop_map(|x| f64::from(x) / 2.0), 1..40)
    }

    proptest! {
        #[test]
        fn auroc_is_the_share_of_ordered_pairs(human in scores(), ai in scores()) {
            let pairs: f64 = human.iter().flat_map(|h| ai.iter().map(move |a| match a.total_cmp(h) {
                std::cmp::Ordering::Greater => 1.0,
                std::cmp::Ordering::Equal => 0.5,
                std::cmp::Ordering::Less => 0.0,
            })).sum();
            let naive = pairs / (human.len() * ai.len()) as f64;
            let measured = auroc(&human, &ai).unwrap();
            prop_assert!((measured.value - naive).abs() < 1e-12);
            prop_assert!(measured.interval[0] <= measured.value + 1e-12);
            prop_assert!(measured.interval[1] >= measured.value - 1e-12);
            prop_assert!((0.0..=1.0).contains(&measured.interval[0]) && (0.0..=1.0).contains(&measured.interval[1]));
            let mirrored = auroc(&ai, &human).unwrap();
            prop_assert!((mirrored.value + measured.value - 1.0).abs() < 1e-12);
        }

        #[test]
        fn no_better_threshold_keeps_the_rate(human in scores(), ai in scores(), percent in 0u8..30) {
            let max_rate = f64::from(percent) / 100.0;
            let above = |scores: &[f64], t: f64| scores.iter().filter(|&&s| s > t).count();
            let keeps = |t: f64| above(&human, t) as f64 <= max_rate * human.len() as f64 + 1e-9;
            let threshold = threshold_at(&human, max_rate).unwrap();
            prop_assert!(keeps(threshold));
            let best = human.iter().filter(|&&t| keeps(t)).map(|&t| above(&ai, t)).max().unwrap();
            prop_assert!((tpr_at(&human, &ai, max_rate).unwrap().value - best as f64 / ai.len() as f64).abs() < 1e-12);
        }

        #[test]
        fn wilson_holds_the_rate(hits in 0usize..50, more in 0usize..50) {
            prop_assume!(hits + more > 0);
            let estimate = rate(hits, hits + more).unwrap();
            prop_assert!(0.0 <= estimate.interval[0] && estimate.interval[0] <= estimate.value);
            prop_assert!(estimate.value <= estimate.interval[1] && estimate.interval[1] <= 1.0);
        }
    }
}
