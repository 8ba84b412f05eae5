//! Upper tails of the distributions that statistics of unmarked text follow.
//!
//! Each gives P(X >= x): how often chance alone reaches what was seen. Binomial and Gamma tails are sums of their own
//! terms, exact but for rounding. Weighted sums of coin flips have too many values for that; their tails come from the
//! saddlepoint approximation of Lugannani & Rice (1980), which stays within a few percent however far out (a test
//! compares it with whole distributions).

use libm::{erfc, lgamma};

/// P(Z >= z) of the standard normal distribution.
#[must_use]
pub fn normal(z: f64) -> f64 {
    0.5 * erfc(z / std::f64::consts::SQRT_2)
}

/// P(X >= hits) for `trials` independent trials that hit with probability `share`.
#[must_use]
pub fn binomial(hits: u64, trials: u64, share: f64) -> f64 {
    if hits == 0 || share >= 1.0 {
        return 1.0;
    }
    if hits > trials || share <= 0.0 {
        return 0.0;
    }
    let (n, k) = (trials as f64, hits as f64);
    let odds = share / (1.0 - share);
    let term = |k: f64| {
        let choose = lgamma(n + 1.0) - lgamma(k + 1.0) - lgamma(n - k + 1.0);
        (choose + k * share.ln() + (n - k) * (-share).ln_1p()).exp()
    };
    // From k the terms fall if k is beyond the mean; else the other tail is the short one.
    if k >= n * share {
        let ratio = |k: f64| (n - k) / (k + 1.0) * odds;
        series(term(k), k, 1.0, ratio, n - k).min(1.0)
    } else {
        let ratio = |k: f64| k / (n - k + 1.0) / odds;
        (1.0 - series(term(k - 1.0), k - 1.0, -1.0, ratio, k - 1.0)).clamp(0.0, 1.0)
    }
}

/// P(S >= sum) for the sum of `count` independent exponential numbers of mean 1: Q(count, sum).
#[must_use]
pub fn gamma(count: u64, sum: f64) -> f64 {
    if sum <= 0.0 {
        return 1.0;
    }
    if count == 0 {
        return 0.0;
    }
    // Q(n, s) = P(Poisson(s) < n).
    let term = |k: f64| (k * sum.ln() - sum - lgamma(k + 1.0)).exp();
    let n = count as f64;
    if n - 1.0 <= sum {
        series(term(n - 1.0), n - 1.0, -1.0, |k| k / sum, n - 1.0).min(1.0)
    } else {
        (1.0 - series(term(n), n, 1.0, |k| sum / (k + 1.0), f64::INFINITY)).clamp(0.0, 1.0)
    }
}

/// Sums terms that fall from the first on; `ratio(k)` is the next term over the one at k.
fn series(first: f64, mut k: f64, step: f64, ratio: impl Fn(f64) -> f64, most: f64) -> f64 {
    let (mut term, mut sum, mut done) = (first, first, 0.0);
    while done < most && term > sum * 1e-17 {
        term *= ratio(k);
        sum += term;
        k += step;
        done += 1.0;
    }
    sum
}

/// Sums of independent numbers, through the logarithm of their moment-generating function.
pub trait Cumulants {
    /// The function and its first two derivatives at s.
    fn at(&self, s: f64) -> [f64; 3];
    /// The greatest sum that there can be.
    fn most(&self) -> f64;
}

/// P(S >= sum), by saddlepoint approximation. Below the mean it is only told roughly, by the normal distribution.
#[must_use]
pub fn saddlepoint(cumulants: &impl Cumulants, sum: f64) -> f64 {
    let [_, mean, variance] = cumulants.at(0.0);
    if variance <= 0.0 {
        return if sum > mean { 0.0 } else { 1.0 };
    }
    let z = (sum - mean) / variance.sqrt();
    if z < 0.1 {
        return normal(z);
    }
    // Nothing lies beyond, and the saddlepoint moves off to infinity.
    let sum = sum.min(cumulants.most() - 1e-9 * cumulants.most().abs());
    let Some(s) = saddle(cumulants, sum, z / variance.sqrt()) else { return normal(z) };
    let [k, _, curvature] = cumulants.at(s);
    let w = (2.0 * (s * sum - k)).max(0.0).sqrt();
    let u = s * curvature.sqrt();
    let density = (-0.5 * w * w).exp() / (2.0 * std::f64::consts::PI).sqrt();
    (normal(w) + density * (1.0 / u - 1.0 / w)).clamp(0.0, 1.0)
}

/// The s where the first derivative is `sum`, by Newton's method between bounds.
fn saddle(cumulants: &impl Cumulants, sum: f64, guess: f64) -> Option<f64> {
    let (mut low, mut high) = (0.0, guess);
    while cumulants.at(high)[1] < sum {
        low = high;
        high *= 2.0;
        if high > 1e6 {
            return None;
        }
    }
    let mut s = 0.5 * (low + high);
    for _ in 0..60 {
        let [_, first, second] = cumulants.at(s);
        if first < sum {
            low = s;
        } else {
            high = s;
        }
        let newton = s - (first - sum) / second;
        let next = if newton > low && newton < high { newton } else { 0.5 * (low + high) };
        if (next - s).abs() <= 1e-12 * s {
            return Some(next);
        }
        s = next;
    }
    Some(s)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn close(a: f64, b: f64, relative: f64) -> bool {
        (a - b).abs() <= relative * b.abs()
    }

    #[test]
    fn known_tails() {
        // R: pbinom(106, 163, .25, lower.tail = FALSE), pgamma(150, 100, lower.tail = FALSE), pnorm(-6).
        assert!(close(normal(6.0), 9.865_876_450_376_98e-10, 1e-12));
        assert!(close(binomial(10, 10, 0.5), 1.0 / 1024.0, 1e-12));
        assert!(close(binomial(5, 10, 0.5), 638.0 / 1024.0, 1e-12));
        assert!(close(binomial(1, 10, 0.25), 1.0 - 0.75_f64.powi(10), 1e-12));
        assert!(close(gamma(1, 5.0), (-5.0_f64).exp(), 1e-12));
        assert!(close(gamma(3, 2.0), (-2.0_f64).exp() * 5.0, 1e-12));
        assert!(close(gamma(3, 0.1), (-0.1_f64).exp() * 1.105, 1e-12));
    }

    proptest! {
        #[test]
        fn tails_fall_and_stay_between_0_and_1(trials in 0_u64..2000, share in 0.0_f64..=1.0, hits in 0_u64..2100) {
            let (here, next) = (binomial(hits, trials, share), binomial(hits + 1, trials, share));
            prop_assert!((0.0..=1.0).contains(&here) && next <= here + 1e-12);
        }

        #[test]
        fn gamma_tails_fall(count in 0_u64..1000, sum in 0.0_f64..3000.0) {
            let (here, next) = (gamma(count, sum), gamma(count, sum + 1.0));
            prop_assert!((0.0..=1.0).contains(&here) && next <= here + 1e-12);
        }

        #[test]
        fn binomial_is_the_sum_of_its_terms(trials in 1_u64..40, share in 0.05_f64..0.95, hits in 0_u64..40) {
            let mut terms = vec![1.0_f64];
            for _ in 0..trials {
                let mut next = vec![0.0; terms.len() + 1];
                for (at, term) in terms.iter().enumerate() {
                    next[at] += term * (1.0 - share);
                    next[at + 1] += term * share;
                }
                terms = next;
            }
            let whole: f64 = terms.iter().skip(hits as usize).sum();
            prop_assert!((binomial(hits, trials, share) - whole).abs() <= 1e-11 * whole + 1e-300);
        }
    }

    struct Coins(Vec<f64>, f64);

    impl Cumulants for Coins {
        fn at(&self, s: f64) -> [f64; 3] {
            let mut sums = [0.0; 3];
            for weight in &self.0 {
                let odds = self.1 * (s * weight).exp();
                let tilted = odds / (1.0 - self.1 + odds);
                sums[0] += (1.0 - self.1 + odds).ln();
                sums[1] += weight * tilted;
                sums[2] += weight * weight * tilted * (1.0 - tilted);
            }
            sums
        }

        fn most(&self) -> f64 {
            self.0.iter().sum()
        }
    }

    #[test]
    fn saddlepoints_are_near_the_whole_distribution() {
        // Sixty flips with the weights 1 to 6, counted exactly.
        let weights: Vec<f64> = (0..60).map(|at| f64::from(at % 6 + 1)).collect();
        let mut exact = vec![1.0_f64];
        for weight in &weights {
            let weight = *weight as usize;
            let mut next = vec![0.0; exact.len() + weight];
            for (at, share) in exact.iter().enumerate() {
                next[at] += share * 0.7;
                next[at + weight] += share * 0.3;
            }
            exact = next;
        }
        let coins = Coins(weights, 0.3);
        for sum in (75..191).step_by(5) {
            let whole: f64 = exact[sum..].iter().sum();
            // The middle of the step, because the sums are whole numbers.
            let near = saddlepoint(&coins, sum as f64 - 0.5);
            assert!(close(near, whole, 0.03), "{sum}: {near} {whole}");
        }
        assert!(saddlepoint(&coins, 210.0) < 1e-25 && saddlepoint(&coins, 500.0) < 1e-25);
    }
}
