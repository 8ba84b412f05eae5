//! The head: a logistic regression over the numbers of a conversation, drawn towards what the taxonomy says a tactic weighs,
//! and never below nothing, for no tactic of scammers makes a conversation safer.

use bonafide_core::scam::Engine;

/// What is assumed of numbers that are no tactics, before anything is seen.
const ASSUMED: &[(&str, f64)] = &[
    ("wording_first", 0.1),
    ("wording", 0.6),
    ("wording_mean", 0.4),
    ("wording_bag", 0.6),
    ("wording_chat", 10.0),
    ("breadth", 0.2),
    ("coherence", 0.5),
    ("stages", 0.1),
    ("trust_then_hook", 0.3),
    ("hook_then_ask", 0.3),
    ("ask_then_drain", 0.3),
];
/// How messages are worded tells nothing of a scam that takes days (it is chatty like everybody), and the wording of whole
/// chats nothing of letters and calls.
const OF_MESSAGES: [&str; 4] = ["wording_first", "wording", "wording_mean", "wording_bag"];
const OF_CHATS: &str = "wording_chat";
/// In a chat over days honest people, too, come to speak of what a tactic's cues are made of.
const IN_CHATS: f64 = 0.5;
/// The share of its assumed weight that a sign which the engine finds by itself (a disguise, a link) keeps in any case: data
/// sets have had them taken out.
const KEPT_BY_SIGNS: f64 = 0.5;

/// A number of a conversation, by its name.
#[derive(Debug, Clone, PartialEq)]
pub struct Name {
    /// Its name.
    pub name: String,
    /// What it is assumed to weigh.
    pub assumed: f64,
    /// The least that it may weigh: no tactic of scammers makes a conversation safer.
    pub least: f64,
    /// The most.
    pub most: f64,
}

/// All that an engine knows of a conversation, in its order, for an expert of chats over days or of all others.
#[must_use]
pub fn names(engine: &Engine, chats: bool) -> Vec<Name> {
    let assumed = |name: &str| ASSUMED.iter().find(|(other, _)| *other == name).map(|(_, weight)| *weight);
    let named = engine.names().map(|(name, given)| {
        let unused = if chats { OF_MESSAGES.contains(&name) } else { name == OF_CHATS };
        let share = if chats && name != OF_CHATS { IN_CHATS } else { 1.0 };
        let assumed = if unused { 0.0 } else { share * assumed(name).unwrap_or(given) };
        let least = if engine.is_sign(name) { KEPT_BY_SIGNS * assumed } else { 0.0 };
        let most = if unused { 0.0 } else { f64::INFINITY };
        Name { name: name.to_owned(), assumed, least, most }
    });
    named.collect()
}

/// Numbers of a conversation after some turn, with its label.
#[derive(Debug, Clone)]
pub struct Row {
    /// Index in the names, and number.
    pub numbers: Vec<(u32, f32)>,
    /// The label.
    pub scam: bool,
    /// Its share of the conversation's weight.
    pub share: f32,
    /// Number of turns.
    pub turns: usize,
}

/// A row, and how much it counts.
pub type Weighted<'r> = (&'r Row, f64);

/// Weights and bias.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Fitted {
    /// Log-odds of a conversation without any number.
    pub bias: f64,
    /// One for each name.
    pub weights: Vec<f64>,
}

impl Fitted {
    /// The log-odds of a conversation.
    #[must_use]
    pub fn of(&self, row: &Row) -> f64 {
        let weight = |name: u32| self.weights.get(name as usize).copied().unwrap_or(0.0);
        self.bias + row.numbers.iter().map(|(name, number)| weight(*name) * f64::from(*number)).sum::<f64>()
    }
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

/// Fits by projected gradient descent with Adam's steps (Kingma and Ba 2015, <https://arxiv.org/abs/1412.6980>).
#[must_use]
pub fn fit(names: &[Name], rows: &[Weighted<'_>], options: &Options) -> Fitted {
    let count = names.len();
    let mut weights: Vec<f64> = names.iter().map(|name| name.assumed).collect();
    let mut bias = -2.0;
    let (mut mean, mut square) = (vec![0.0; count + 1], vec![0.0; count + 1]);
    let total: f64 = rows.iter().map(|(_, weight)| weight).sum::<f64>().max(1.0);
    for step in 1..=options.steps {
        let mut gradient = vec![0.0; count + 1];
        for (row, weight) in rows {
            let sum: f64 =
                row.numbers.iter().map(|(name, number)| weights[*name as usize] * f64::from(*number)).sum();
            let miss = 1.0 / (1.0 + (-(bias + sum)).exp()) - if row.scam { 1.0 } else { 0.0 };
            let miss = miss * weight;
            for (name, number) in &row.numbers {
                gradient[*name as usize] += miss * f64::from(*number);
            }
            gradient[count] += miss;
        }
        for (at, name) in names.iter().enumerate() {
            gradient[at] += options.sureness * (weights[at] - name.assumed);
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
                weights[at] = (weights[at] - change).clamp(names[at].least, names[at].most);
            }
        }
    }
    let round = |weight: f64| (weight * 1e4).round() / 1e4;
    Fitted { bias: round(bias), weights: weights.into_iter().map(round).collect() }
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
        Row { numbers: numbers.to_vec(), scam, share: 1.0, turns: 1 }
    }

    #[test]
    fn what_is_seen_overrules_what_was_assumed() {
        let names: Vec<Name> =
            [("telling", 0.2, 0.0), ("idle", 1.0, 0.0), ("unseen", 1.5, 0.0), ("sign", 0.8, 0.4)]
                .map(|(name, assumed, least)| Name {
                    name: name.to_owned(),
                    assumed,
                    least,
                    most: f64::INFINITY,
                })
                .to_vec();
        let mut rows = Vec::new();
        for k in 0..500 {
            rows.push(row(&[(0, 1.0)], k % 20 != 0));
            rows.push(row(&[(1, 1.0)], k % 2 == 0));
            rows.push(row(&[], k % 10 == 0));
            rows.push(row(&[(3, 1.0)], false));
        }
        let rows: Vec<Weighted<'_>> = rows.iter().map(|row| (row, 1.0)).collect();
        let fitted = fit(&names, &rows, &Options::default());
        assert!(fitted.weights[0] > 3.0, "{fitted:?}");
        assert!((fitted.weights[2] - 1.5).abs() < 0.01 && fitted.weights[3] == 0.4, "{fitted:?}");
        assert!(fitted.weights.iter().all(|weight| *weight >= 0.0));
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
