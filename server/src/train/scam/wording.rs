//! The weights of wording: a sparse logistic regression over hashed n-grams, by follow-the-regularised-leader
//! (McMahan et al. 2013, <https://doi.org/10.1145/2487575.2488200>), which leaves most weights at nothing.

use bonafide_core::scam::BUCKETS;

/// A message of which it is known whether a scammer wrote it.
#[derive(Debug, Clone)]
pub struct Message<'a> {
    /// Its places in the table that may get weight.
    pub places: &'a [u32],
    /// How many places it has in all.
    pub count: usize,
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
}

impl Default for Options {
    fn default() -> Self {
        Self { rate: 0.5, absolute: 0.3, quadratic: 1.0, passes: 6 }
    }
}

/// Weights and bias, in 8 bits.
#[derive(Debug, Clone, PartialEq)]
pub struct Fitted {
    /// Log-odds of a message without n-grams.
    pub bias: f64,
    /// What one step of a weight is worth.
    pub step: f64,
    /// One for each place.
    pub weights: Vec<i8>,
    /// How many are not nothing.
    pub used: usize,
}

#[derive(Clone, Copy, Default)]
struct Place {
    z: f32,
    n: f32,
}

impl Place {
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

/// Fits. The same messages in the same order give the same weights.
#[must_use]
pub fn fit(messages: &[Message<'_>], options: &Options) -> Fitted {
    let mut places = vec![Place::default(); BUCKETS];
    let mut bias = Place::default();
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
            if message.places.is_empty() {
                continue;
            }
            let value = 1.0 / (message.count as f32).sqrt();
            let sum: f32 = message.places.iter().map(|place| places[*place as usize].weight(options)).sum();
            let logit = bias.weight(&free) + sum * value;
            let miss = (1.0 / (1.0 + (-logit).exp()) - if message.scam { 1.0 } else { 0.0 }) * message.weight;
            bias.step(miss, &free);
            for place in message.places {
                places[*place as usize].step(miss * value, options);
            }
        }
    }
    let weights: Vec<f32> = places.iter().map(|place| place.weight(options)).collect();
    let largest = weights.iter().fold(0.0_f32, |largest, weight| largest.max(weight.abs()));
    let step = if largest > 0.0 { largest / 127.0 } else { 1.0 };
    let weights: Vec<i8> = weights.iter().map(|weight| (weight / step).round() as i8).collect();
    Fitted {
        bias: f64::from(bias.weight(&free)),
        step: f64::from(step),
        used: weights.iter().filter(|weight| **weight != 0).count(),
        weights,
    }
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
    fn telling_places_get_weight_and_others_none() {
        let (scam, honest) = ([1, 7, 9], [2, 7, 9]);
        let messages: Vec<Message<'_>> = (0..400)
            .map(|k| Message {
                places: if k % 2 == 0 { &scam } else { &honest },
                count: 3,
                scam: k % 2 == 0,
                weight: 1.0,
            })
            .collect();
        let fitted = fit(&messages, &Options::default());
        assert!(fitted.weights[1] > 60 && fitted.weights[2] < -60, "{:?}", &fitted.weights[..10]);
        assert!(fitted.weights[7].abs() < 20 && fitted.weights[100] == 0);
        assert_eq!(fit(&messages, &Options::default()), fitted);
    }

    #[test]
    fn nothing_to_learn_from_gives_nothing() {
        let fitted = fit(&[], &Options::default());
        assert_eq!((fitted.used, fitted.bias), (0, 0.0));
    }
}
