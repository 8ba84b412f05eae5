//! The weights of wording: a sparse logistic regression over n-grams, by follow-the-regularised-leader
//! (McMahan et al. 2013, <https://doi.org/10.1145/2487575.2488200>), which leaves most weights at nothing.
//! Those that it leaves are then fitted anew by themselves, for the others will not be known.

use bonafide_core::scam::{ASSUMED_OF_CHATS, Learned};

/// A message of which it is known whether a scammer wrote it.
#[derive(Debug, Clone)]
pub struct Message {
    /// Its n-grams, by number.
    pub grams: Vec<u32>,
    /// The label of its conversation.
    pub scam: bool,
    /// How much it counts.
    pub weight: f32,
}

/// How it is fitted.
#[derive(Debug, Clone, Copy)]
pub struct Options {
    /// Length of steps.
    pub rate: f32,
    /// Absolute penalty: what is not worth it gets no weight.
    pub absolute: f32,
    /// Quadratic penalty.
    pub quadratic: f32,
    /// Passes over the messages.
    pub passes: usize,
    /// So many n-grams more than it has are assumed of a message.
    pub assumed: f64,
}

impl Options {
    /// For whole conversations, of which there are few: weak penalties.
    #[must_use]
    pub fn of_chats() -> Self {
        Self { rate: 0.5, absolute: 0.0, quadratic: 0.03, passes: 40, assumed: ASSUMED_OF_CHATS }
    }
}

impl Default for Options {
    fn default() -> Self {
        Self { rate: 0.5, absolute: 0.3, quadratic: 1.0, passes: 6, assumed: 0.0 }
    }
}

/// Weights and bias, in 8 bits.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Fitted {
    /// Log-odds of a message without n-grams.
    pub bias: f64,
    /// What one step of a weight is worth.
    pub step: f64,
    /// Numbers of the n-grams that have weight, with it.
    pub weights: Learned,
}

#[derive(Clone, Copy, Default)]
struct Gram {
    z: f32,
    n: f32,
}

impl Gram {
    fn weight(self, options: &Options) -> f32 {
        if self.z.abs() <= options.absolute {
            return 0.0;
        }
        let signed = self.z - self.z.signum() * options.absolute;
        -signed / ((1.0 + self.n.sqrt()) / options.rate + options.quadratic)
    }

    fn step(&mut self, gradient: f32, options: &Options) {
        let sigma = ((self.n + gradient * gradient).sqrt() - self.n.sqrt()) / options.rate;
        self.z += gradient - sigma * self.weight(options);
        self.n += gradient * gradient;
    }
}

/// Fits the weights of so many n-grams. The same messages in the same order give the same weights.
#[must_use]
pub fn fit(messages: &[Message], grams: usize, options: &Options) -> Fitted {
    let (_, chosen) = walk(messages, grams, options);
    let left: Vec<Message> = messages
        .iter()
        .map(|message| Message {
            grams: message.grams.iter().copied().filter(|gram| chosen[*gram as usize] != 0.0).collect(),
            ..*message
        })
        .collect();
    let (bias, weights) = walk(&left, grams, &Options { absolute: 0.0, ..*options });
    let largest = weights.iter().fold(0.0_f32, |largest, weight| largest.max(weight.abs()));
    let step = if largest > 0.0 { largest / 127.0 } else { 1.0 };
    let eighths = weights.iter().map(|weight| (weight / step).round() as i8);
    Fitted {
        bias: f64::from(bias),
        step: f64::from(step),
        weights: (0..).zip(eighths).filter(|(_, weight)| *weight != 0).collect(),
    }
}

/// Bias and weights.
fn walk(messages: &[Message], grams: usize, options: &Options) -> (f32, Vec<f32>) {
    let mut grams = vec![Gram::default(); grams];
    let mut bias = Gram::default();
    let free = Options { absolute: 0.0, ..*options };
    // A fixed walk through all messages that mixes the files: a step that shares no factor with their number.
    let count = messages.len();
    let stride =
        (0..).map(|k| count * 61_803 / 100_000 + 1 + k).find(|stride| gcd(*stride, count) == 1).unwrap_or(1);
    for pass in 0..options.passes {
        let mut at = pass;
        for _ in 0..count {
            at = (at + stride) % count;
            let message = &messages[at];
            if message.grams.is_empty() {
                continue;
            }
            let value = 1.0 / (message.grams.len() as f32 + options.assumed as f32).sqrt();
            let sum: f32 = message.grams.iter().map(|gram| grams[*gram as usize].weight(options)).sum();
            let logit = bias.weight(&free) + sum * value;
            let miss = (1.0 / (1.0 + (-logit).exp()) - if message.scam { 1.0 } else { 0.0 }) * message.weight;
            bias.step(miss, &free);
            for gram in &message.grams {
                grams[*gram as usize].step(miss * value, options);
            }
        }
    }
    (bias.weight(&free), grams.iter().map(|gram| gram.weight(options)).collect())
}

fn gcd(mut one: usize, mut other: usize) -> usize {
    while other > 0 {
        (one, other) = (other, one % other);
    }
    one
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn telling_n_grams_get_weight_and_others_none() {
        let messages: Vec<Message> = (0..400)
            .map(|k| Message {
                grams: if k % 2 == 0 { vec![1, 7, 9] } else { vec![2, 7, 9] },
                scam: k % 2 == 0,
                weight: 1.0,
            })
            .collect();
        let fitted = fit(&messages, 12, &Options::default());
        let weight =
            |wanted| fitted.weights.iter().find(|(gram, _)| *gram == wanted).map_or(0, |found| found.1);
        assert!(weight(1) > 60 && weight(2) < -60, "{fitted:?}");
        assert!(weight(7).abs() < 20 && weight(10) == 0, "{fitted:?}");
        assert_eq!(fit(&messages, 12, &Options::default()), fitted);
    }

    #[test]
    fn nothing_to_learn_from_gives_nothing() {
        let fitted = fit(&[], 3, &Options::default());
        assert_eq!((fitted.weights.len(), fitted.bias), (0, 0.0));
    }
}
