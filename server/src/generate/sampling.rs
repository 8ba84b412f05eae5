//! How the next token is drawn: temperature, top-k and top-p, as the field knows them.

use bonafide_core::watermark::make::{Candidate, softmax};

/// Most candidates that are kept: a selfhash mark looks each of them up.
pub const MOST_CANDIDATES: usize = 1024;

/// Below this the likeliest token is taken.
const LEAST_TEMPERATURE: f32 = 1e-3;

/// How tokens are drawn.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Sampling {
    /// Divides the logits; 0 always takes the likeliest.
    pub temperature: f32,
    /// The likeliest tokens that are kept; 0 for as many as may be kept at all.
    pub top_k: usize,
    /// The fewest of the likeliest tokens that together have this share are kept.
    pub top_p: f64,
    /// Tokens to make at most.
    pub max_tokens: usize,
    /// Whether to end where the model ends; else it goes on.
    pub stop: bool,
}

impl Default for Sampling {
    fn default() -> Self {
        Self { temperature: 0.8, top_k: 50, top_p: 0.95, max_tokens: 256, stop: true }
    }
}

impl Sampling {
    /// The candidates of a row of logits, the likeliest first. `banned` never comes.
    #[must_use]
    pub fn candidates(&self, logits: &[f32], banned: Option<u32>) -> Vec<Candidate> {
        // So small a temperature leaves nothing but the likeliest, and logits that are no numbers.
        let greedy = self.temperature < LEAST_TEMPERATURE;
        let keep = match self.top_k {
            _ if greedy => 1,
            0 => MOST_CANDIDATES,
            some => some.min(MOST_CANDIDATES),
        };
        let banned = banned.map(|token| token as usize);
        let mut all: Vec<(usize, f32)> =
            logits.iter().copied().enumerate().filter(|(at, _)| Some(*at) != banned).collect();
        let greater = |a: &(usize, f32), b: &(usize, f32)| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0));
        if all.len() > keep {
            all.select_nth_unstable_by(keep, greater);
            all.truncate(keep);
        }
        all.sort_unstable_by(greater);
        let temperature = if greedy { 1.0 } else { self.temperature };
        let mut candidates: Vec<Candidate> = all
            .into_iter()
            .map(|(token, logit)| Candidate { token: token as u32, logit: logit / temperature })
            .collect();
        let scaled: Vec<f32> = candidates.iter().map(|candidate| candidate.logit).collect();
        let (mut share, mut enough) = (0.0, 0);
        for one in softmax(&scaled) {
            enough += 1;
            share += one;
            if share >= self.top_p {
                break;
            }
        }
        candidates.truncate(enough);
        candidates
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tokens(sampling: Sampling, logits: &[f32]) -> Vec<u32> {
        sampling.candidates(logits, None).iter().map(|candidate| candidate.token).collect()
    }

    #[test]
    fn the_likeliest_are_kept() {
        let logits = [0.0, 3.0, 1.0, 2.0, -5.0];
        let open = Sampling { temperature: 1.0, top_k: 0, top_p: 1.0, ..Sampling::default() };
        assert_eq!(tokens(open, &logits), [1, 3, 2, 0, 4]);
        assert_eq!(tokens(Sampling { top_k: 2, ..open }, &logits), [1, 3]);
        // The likeliest has .64 of it, the second .24.
        assert_eq!(tokens(Sampling { top_p: 0.6, ..open }, &logits), [1]);
        assert_eq!(tokens(Sampling { top_p: 0.7, ..open }, &logits), [1, 3]);
        assert_eq!(tokens(Sampling { temperature: 0.0, ..open }, &logits), [1]);
        assert_eq!(tokens(Sampling { temperature: 1e-38, ..open }, &logits), [1]);
        let without = open.candidates(&logits, Some(1));
        assert_eq!(without[0].token, 3);
    }
}
