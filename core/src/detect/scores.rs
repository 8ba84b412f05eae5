//! The zero-shot detectors of the literature, one function each.

use super::Stats;

/// Tokens in one chunk of [`window_spread`]: about a clause.
const CHUNK: usize = 16;

/// The share of tokens that [`min_k`] looks at.
const MIN_K_SHARE: f64 = 0.2;

/// No token counts for less in [`winsorised_logprob`] (nats): five in a hundred guesses are as bad.
const FLOOR: f64 = -3.0;

fn mean(values: impl ExactSizeIterator<Item = f64>) -> Option<f64> {
    let count = values.len();
    (count > 0).then(|| values.sum::<f64>() / count as f64)
}

/// Standard deviation with Bessel's correction; `None` below two values.
pub(super) fn standard_deviation(values: &[f64]) -> Option<f64> {
    if values.len() < 2 {
        return None;
    }
    let centre = values.iter().sum::<f64>() / values.len() as f64;
    let squares: f64 = values.iter().map(|value| (value - centre).powi(2)).sum();
    Some((squares / (values.len() - 1) as f64).sqrt())
}

/// Mean log-probability of the tokens (nats): the log-likelihood baseline of Solaiman et al. 2019, "Release
/// Strategies and the Social Impacts of Language Models" (arXiv 1908.09203). Models prefer likely words.
#[must_use]
pub fn mean_logprob(stats: &[Stats]) -> Option<f64> {
    mean(stats.iter().map(|token| f64::from(token.logprob)))
}

/// Perplexity, exp(-mean log-probability). Not a detector by itself: it falls as text grows more model-like.
#[must_use]
pub fn perplexity(stats: &[Stats]) -> Option<f64> {
    mean_logprob(stats).map(|mean| (-mean).exp())
}

/// Minus the mean natural logarithm of the rank: the log-rank detector of Mitchell et al. 2023, "DetectGPT"
/// (arXiv 2301.11305). At most 0.
#[must_use]
pub fn log_rank(stats: &[Stats]) -> Option<f64> {
    mean(stats.iter().map(|token| -token.ln_rank()))
}

/// Log-likelihood to log-rank ratio, -sum(log p) / sum(ln rank), of Su et al. 2023, "DetectLLM" (arXiv 2306.05540).
///
/// The denominator is at least ln 2, as though one token had had rank 2, so that a text of first choices only
/// stays finite.
#[must_use]
pub fn lrr(stats: &[Stats]) -> Option<f64> {
    if stats.is_empty() {
        return None;
    }
    let surprise: f64 = stats.iter().map(|token| -f64::from(token.logprob)).sum();
    let log_ranks: f64 = stats.iter().map(Stats::ln_rank).sum();
    Some(surprise / log_ranks.max(std::f64::consts::LN_2))
}

/// Minus the mean entropy of the next-token distributions (nats), after Gehrmann et al. 2019, "GLTR" (arXiv
/// 1906.04043), and Lavergne et al. 2008.
///
/// The sign: models keep to contexts in which the next word is nearly settled, so a low entropy points to a model.
#[must_use]
pub fn entropy(stats: &[Stats]) -> Option<f64> {
    mean(stats.iter().map(|token| -f64::from(token.entropy)))
}

/// Share of tokens among the model's `top` likeliest, from 0 to 1: the buckets of Gehrmann et al. 2019, "GLTR" (arXiv
/// 1906.04043), cumulated.
#[must_use]
pub fn top_share(stats: &[Stats], top: u32) -> Option<f64> {
    mean(stats.iter().map(|token| if token.rank <= top { 1.0 } else { 0.0 }))
}

/// The analytic conditional probability curvature of Bao et al. 2024, "Fast-DetectGPT" (arXiv 2310.05130):
/// (sum log p - sum E[log p]) / sqrt(sum Var[log p]), with one model both sampling and scoring.
///
/// It grows with the square root of the length; [`normalised_curvature`] doesn't.
#[must_use]
pub fn fast_detectgpt(stats: &[Stats]) -> Option<f64> {
    let (discrepancy, variance) = discrepancy(stats)?;
    Some(discrepancy / variance.sqrt())
}

/// [`fast_detectgpt`] divided by the square root of the number of tokens: mean discrepancy in units of the root
/// mean variance, comparable between texts of different lengths.
#[must_use]
pub fn normalised_curvature(stats: &[Stats]) -> Option<f64> {
    fast_detectgpt(stats).map(|curvature| curvature / (stats.len() as f64).sqrt())
}

fn discrepancy(stats: &[Stats]) -> Option<(f64, f64)> {
    let discrepancy =
        stats.iter().map(|token| f64::from(token.logprob) - f64::from(token.mean_logprob)).sum();
    let variance: f64 = stats.iter().map(|token| f64::from(token.variance).max(0.0)).sum();
    (variance > 1e-9).then_some((discrepancy, variance))
}

/// Minus the standard deviation of the log-probabilities (nats). People mix plain words with surprising ones
/// ("burstiness"), models keep an even level; so an even text scores higher.
#[must_use]
pub fn spread(stats: &[Stats]) -> Option<f64> {
    let logprobs: Vec<f64> = stats.iter().map(|token| f64::from(token.logprob)).collect();
    standard_deviation(&logprobs).map(|deviation| -deviation)
}

/// Minus the standard deviation of the mean log-probabilities of successive chunks of 16 tokens (nats): burstiness at
/// the scale of clauses. Needs two whole chunks; a shorter rest is left out.
#[must_use]
pub fn window_spread(stats: &[Stats]) -> Option<f64> {
    let means: Vec<f64> = stats.chunks_exact(CHUNK).filter_map(mean_logprob).collect();
    standard_deviation(&means).map(|deviation| -deviation)
}

/// Mean log-probability of the least likely fifth of the tokens (nats): Min-K% of Shi et al. 2024, "Detecting
/// Pretraining Data from Large Language Models" (arXiv 2310.16789). A model seldom surprises a model.
#[must_use]
pub fn min_k(stats: &[Stats]) -> Option<f64> {
    if stats.is_empty() {
        return None;
    }
    let mut logprobs: Vec<f32> = stats.iter().map(|token| token.logprob).collect();
    let count = ((logprobs.len() as f64 * MIN_K_SHARE).ceil() as usize).clamp(1, logprobs.len());
    logprobs.select_nth_unstable_by(count - 1, f32::total_cmp);
    mean(logprobs[..count].iter().map(|&value| f64::from(value)))
}

/// Mean log-probability (nats) in which no token counts for less than -3: the mean of [`mean_logprob`], Winsorised at one
/// end (Dixon 1960, "Simplified estimation from censored normal samples").
///
/// A name, a typo or a strange word costs as much as a merely uncommon one. What is left is how often a text takes the
/// words that were expected, and that differs less from subject to subject than the surprise of its rarest words.
#[must_use]
pub fn winsorised_logprob(stats: &[Stats]) -> Option<f64> {
    mean(stats.iter().map(|token| f64::from(token.logprob).max(FLOOR)))
}

/// By how much the second half is less predictable than the first (nats a token), as far as that exceeds two standard errors
/// of the difference; else 0.
///
/// A person's text grows more predictable as a model reads into it. One that a model was made to draw too freely, at a high
/// temperature, falls apart: each odd word that it has written makes the next one odder (the exposure bias of Ranzato et
/// al. 2016, "Sequence Level Training with Recurrent Neural Networks", arXiv 1511.06732).
#[must_use]
pub fn decline(stats: &[Stats]) -> Option<f64> {
    let half = stats.len() / 2;
    let (first, second) = (stats.get(..half)?, stats.get(half..)?);
    let difference = mean_logprob(first)? - mean_logprob(second)?;
    let error = -spread(stats)? * (2.0 / half as f64).sqrt();
    Some((difference - 2.0 * error).max(0.0))
}

/// Minus the Binoculars score of Hans et al. 2024, "Spotting LLMs With Binoculars" (arXiv 2401.12070): the ratio of the
/// performer's log-perplexity to the cross-perplexity. The paper's score is low for a model's text, hence the sign.
///
/// `performer` scores the text; `cross_entropy` holds, for the same tokens, the cross-entropy (nats) between the
/// observer's and the performer's next-token distributions. Both models must share one tokenizer. `None` if the lengths
/// differ, if there is no token, or if the cross-entropy is not positive.
#[must_use]
pub fn binoculars(performer: &[Stats], cross_entropy: &[f32]) -> Option<f64> {
    if performer.len() != cross_entropy.len() {
        return None;
    }
    let log_perplexity = -mean_logprob(performer)?;
    let cross = mean(cross_entropy.iter().map(|&value| f64::from(value)))?;
    (cross > 1e-9).then(|| -log_perplexity / cross)
}

/// What a trained probe reads off the model's hidden states, averaged over the tokens: a linear classifier of the mean of
/// the normalised states (after Alain and Bengio 2016, arXiv 1610.01644), without its constant. `None` without a probe.
#[must_use]
pub fn probe(stats: &[Stats]) -> Option<f64> {
    let sum = stats.iter().map(|token| token.probe.map(f64::from)).sum::<Option<f64>>()?;
    (!stats.is_empty()).then(|| sum / stats.len() as f64)
}
