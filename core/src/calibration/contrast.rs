//! How unlike two parts of a text are.

/// Most places between windows that are tried as ends of a stretch: enough for any text, and a million pairs at most.
const MOST_ENDS: usize = 1024;

/// The stretch of windows that differs most from the rest.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Contrast {
    /// The difference of the means times sqrt(f (1 - f)), f being the stretch's share of the windows: the root of the variance
    /// of the log-odds (nats) that two levels explain. For a text by one author it falls as the text grows longer; for one by
    /// two it stays.
    pub value: f64,
    /// Mean log-odds of the stretch.
    pub inside: f64,
    /// Mean log-odds of the other windows.
    pub outside: f64,
}

impl Contrast {
    /// Of the windows' log-odds in order; `None` below two windows.
    pub(super) fn of(log_odds: &[f64]) -> Option<Self> {
        let count = log_odds.len();
        if count < 2 {
            return None;
        }
        let mut sums = Vec::with_capacity(count + 1);
        let mut sum = 0.0;
        sums.push(sum);
        for value in log_odds {
            sum += value;
            sums.push(sum);
        }
        let ends: Vec<usize> =
            (0..count).step_by(count.div_ceil(MOST_ENDS)).chain(std::iter::once(count)).collect();
        let mut best: Option<Self> = None;
        for (at, &start) in ends.iter().enumerate() {
            for &end in ends.iter().skip(at + 1).filter(|&&end| end - start < count) {
                let (own, others) = ((end - start) as f64, (count - (end - start)) as f64);
                let total = sums[end] - sums[start];
                let (inside, outside) = (total / own, (sum - total) / others);
                let value = (inside - outside).abs() * (own * others).sqrt() / count as f64;
                if best.is_none_or(|best| value > best.value) {
                    best = Some(Self { value, inside, outside });
                }
            }
        }
        best
    }

    /// Whether one part looks more like a model's and the other more like a human's.
    pub(super) fn is_divided(&self) -> bool {
        (self.inside > 0.0) != (self.outside > 0.0)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn finds_the_part_that_is_unlike_the_rest() {
        let found = Contrast::of(&[-1.0, -1.0, 3.0, 3.0, -1.0, -1.0, -1.0, -1.0]).unwrap();
        assert_eq!((found.inside, found.outside), (3.0, -1.0));
        assert!((found.value - 4.0 * (0.25_f64 * 0.75).sqrt()).abs() < 1e-12 && found.is_divided());
        let even = Contrast::of(&[2.0; 6]).unwrap();
        assert!(even.value < 1e-12 && !even.is_divided());
        assert_eq!(Contrast::of(&[1.0]), None);
        assert_eq!(Contrast::of(&[]), None);
    }

    #[test]
    fn a_book_takes_no_longer_than_a_blink() {
        let book: Vec<f64> = (0..50_000).map(|at| if at < 20_000 { 1.0 } else { -1.0 }).collect();
        let found = Contrast::of(&book).unwrap();
        assert!((found.value - 2.0 * (0.4_f64 * 0.6).sqrt()).abs() < 0.01, "{found:?}");
    }

    proptest! {
        #[test]
        fn the_level_of_the_whole_does_not_matter(
            log_odds in prop::collection::vec(-5.0..5.0_f64, 2..40),
            level in -3.0..3.0_f64,
        ) {
            let shifted: Vec<f64> = log_odds.iter().map(|value| value + level).collect();
            let (plain, shifted) = (Contrast::of(&log_odds).unwrap(), Contrast::of(&shifted).unwrap());
            prop_assert!((plain.value - shifted.value).abs() < 1e-9);
            let mean = log_odds.iter().sum::<f64>() / log_odds.len() as f64;
            let variance = log_odds.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / log_odds.len() as f64;
            prop_assert!(plain.value <= variance.sqrt() + 1e-9);
        }
    }
}
