//! The head: a logistic regression over the numbers of a conversation, drawn towards what the taxonomy says a tactic weighs,
//! and never below nothing, for no tactic of scammers makes a conversation safer.

use std::collections::BTreeMap;

/// What is assumed of numbers that are no tactics, before anything is seen.
const ASSUMED: &[(&str, f64)] = &[
    ("wording_first", 0.1),
    ("wording", 0.6),
    ("wording_mean", 0.4),
    ("wording_bag", 0.6),
    ("wording_chat", 0.6),
    ("breadth", 0.2),
    ("coherence", 0.5),
    ("stages", 0.1),
    ("trust_then_hook", 0.3),
    ("hook_then_ask", 0.3),
    ("ask_then_drain", 0.3),
];

/// How many of the names are no tactics.
pub(super) fn others() -> usize {
    ASSUMED.len()
}

/// Numbers of a conversation after some turn, with its label.
#[derive(Debug, Clone)]
pub struct Row {
    /// Index in the names, and number.
    pub numbers: Vec<(u32, f32)>,
    /// The label.
    pub scam: bool,
    /// How much it counts.
    pub weight: f32,
}

/// Weights by name, and the bias.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Fitted {
    /// Log-odds of a conversation without any number.
    pub bias: f64,
    /// One for each name.
    pub weights: BTreeMap<String, f64>,
}

/// How it is fitted.
#[derive(Debug, Clone, Copy)]
pub struct Options {
    /// How sure the assumed weights are: the weight of rows that it takes to overrule them.
    pub sureness: f64,
    /// Steps.
    pub steps: usize,
}

impl Default for Options {
    fn default() -> Self {
        Self { sureness: 8.0, steps: 600 }
    }
}

/// Names with what is assumed of them: tactics with the taxonomy's weights, and the other numbers.
#[must_use]
pub fn names<'a>(tactics: impl Iterator<Item = (&'a str, f64)>) -> Vec<(String, f64)> {
    let others = ASSUMED.iter().map(|(name, weight)| ((*name).to_owned(), *weight));
    tactics.map(|(name, weight)| (name.to_owned(), weight)).chain(others).collect()
}

/// Fits by projected gradient descent with Adam's steps (Kingma and Ba 2015, <https://arxiv.org/abs/1412.6980>).
#[must_use]
pub fn fit(names: &[(String, f64)], rows: &[Row], options: &Options) -> Fitted {
    let count = names.len();
    let mut weights: Vec<f64> = names.iter().map(|(_, assumed)| *assumed).collect();
    let mut bias = -2.0;
    let (mut mean, mut square) = (vec![0.0; count + 1], vec![0.0; count + 1]);
    let total: f64 = rows.iter().map(|row| f64::from(row.weight)).sum::<f64>().max(1.0);
    for step in 1..=options.steps {
        let mut gradient = vec![0.0; count + 1];
        for row in rows {
            let sum: f64 =
                row.numbers.iter().map(|(name, number)| weights[*name as usize] * f64::from(*number)).sum();
            let miss = 1.0 / (1.0 + (-(bias + sum)).exp()) - if row.scam { 1.0 } else { 0.0 };
            let miss = miss * f64::from(row.weight);
            for (name, number) in &row.numbers {
                gradient[*name as usize] += miss * f64::from(*number);
            }
            gradient[count] += miss;
        }
        for (at, (_, assumed)) in names.iter().enumerate() {
            gradient[at] += options.sureness * (weights[at] - assumed);
        }
        let rate = 0.05 / (1.0 + step as f64 / 150.0);
        for at in 0..=count {
            let g = gradient[at] / total;
            mean[at] = 0.9 * mean[at] + 0.1 * g;
            square[at] = 0.999 * square[at] + 0.001 * g * g;
            let m = mean[at] / (1.0 - 0.9_f64.powi(step as i32));
            let v: f64 = square[at] / (1.0 - 0.999_f64.powi(step as i32));
            let change = rate * m / (v.sqrt() + 1e-8);
            if at == count {
                bias -= change;
            } else {
                weights[at] = (weights[at] - change).max(0.0);
            }
        }
    }
    let round = |weight: f64| (weight * 1e4).round() / 1e4;
    Fitted {
        bias: round(bias),
        weights: names.iter().zip(weights).map(|((name, _), weight)| (name.clone(), round(weight))).collect(),
    }
}

/// Slope and offset that make sums into log-odds which can be believed (Platt 1999), by Newton's method.
#[must_use]
pub fn calibrate(sums: &[(f64, bool, f64)]) -> [f64; 2] {
    let (mut slope, mut offset) = (1.0, 0.0);
    for _ in 0..50 {
        let (mut g0, mut g1, mut h00, mut h01, mut h11) =
            (1e-3 * (slope - 1.0), 1e-3 * offset, 1e-3, 0.0, 1e-3);
        for (sum, scam, weight) in sums {
            let p = 1.0 / (1.0 + (-(slope * sum + offset)).exp());
            let miss = (p - if *scam { 1.0 } else { 0.0 }) * weight;
            let spread = p * (1.0 - p) * weight;
            g0 += miss * sum;
            g1 += miss;
            h00 += spread * sum * sum;
            h01 += spread * sum;
            h11 += spread;
        }
        let det: f64 = h00 * h11 - h01 * h01;
        if det.abs() < 1e-12 {
            break;
        }
        let (d0, d1) = ((h11 * g0 - h01 * g1) / det, (h00 * g1 - h01 * g0) / det);
        slope = (slope - d0.clamp(-0.5, 0.5)).max(0.05);
        offset -= d1.clamp(-1.0, 1.0);
    }
    [(slope * 1e4).round() / 1e4, (offset * 1e4).round() / 1e4]
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;

    fn row(numbers: &[(u32, f32)], scam: bool) -> Row {
        Row { numbers: numbers.to_vec(), scam, weight: 1.0 }
    }

    #[test]
    fn what_is_seen_overrules_what_was_assumed() {
        let names: Vec<(String, f64)> =
            [("telling", 0.2), ("idle", 1.0), ("unseen", 1.5)].map(|(name, w)| (name.to_owned(), w)).to_vec();
        let mut rows = Vec::new();
        for k in 0..500 {
            rows.push(row(&[(0, 1.0)], k % 20 != 0));
            rows.push(row(&[(1, 1.0)], k % 2 == 0));
            rows.push(row(&[], k % 10 == 0));
        }
        let fitted = fit(&names, &rows, &Options::default());
        assert!(fitted.weights["telling"] > 3.0, "{fitted:?}");
        assert!((fitted.weights["unseen"] - 1.5).abs() < 0.01);
        assert!(fitted.weights.values().all(|weight| *weight >= 0.0));
    }

    #[test]
    fn sums_that_are_too_sure_are_tempered() {
        // Three to one, whatever the sums say.
        let sums: Vec<(f64, bool, f64)> = (0..400)
            .map(|k| if k % 2 == 0 { (4.0, k % 8 != 0, 1.0) } else { (-4.0, k % 8 == 1, 1.0) })
            .collect();
        let [slope, offset] = calibrate(&sums);
        let p = 1.0 / (1.0 + (-(slope * 4.0 + offset)).exp());
        assert!((p - 0.75).abs() < 0.01, "{slope} {offset} {p}");
    }
}
