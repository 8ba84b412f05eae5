//! Texts through the model: token statistics and pooled hidden states, kept on disk if wanted.

use super::CHUNK;
use crate::engine::{self, BATCH_TOKENS, Engine, EngineError, Window};
use crate::eval::cache::{CacheError, ENTRY, StatsCache, stats_bytes, stats_of};
use crate::eval::scoring::Progress;
use bonafide_core::detect::Stats;
use bonafide_kernels::backend::TokenStats;

/// What the model says of a text's beginning.
#[derive(Debug, Clone, PartialEq)]
pub struct Pooled {
    /// One a scored token.
    pub stats: Vec<Stats>,
    /// For each chunk of [`CHUNK`] scored tokens, the last of fewer, the sum of their hidden states.
    pub sums: Vec<f32>,
    /// Numbers in one such sum.
    pub width: usize,
}

impl Pooled {
    /// Mean hidden states of the first chunks, for each number of chunks that the text has more of, and of the whole.
    #[must_use]
    pub fn means<const N: usize>(&self, lengths: [usize; N]) -> Vec<Vec<f32>> {
        let tokens = self.stats.len();
        let chunks = tokens.div_ceil(CHUNK);
        let lengths =
            lengths.into_iter().filter(|length| *length < chunks).map(|length| (length, length * CHUNK));
        lengths
            .chain((tokens > 0).then_some((chunks, tokens)))
            .map(|(chunks, tokens)| {
                let mut mean = vec![0.0; self.width];
                for sum in self.sums.chunks_exact(self.width.max(1)).take(chunks) {
                    mean.iter_mut().zip(sum).for_each(|(mean, sum)| *mean += sum / tokens as f32);
                }
                mean
            })
            .collect()
    }

    /// Puts what a probe says into the statistics: each token gets its chunk's mean.
    pub fn put(&mut self, weights: &[f32]) {
        let sums = self.sums.chunks_exact(self.width.max(1));
        for (stats, sum) in self.stats.chunks_mut(CHUNK).zip(sums) {
            let product: f32 = weights.iter().zip(sum).map(|(weight, x)| weight * x).sum();
            let share = product / stats.len() as f32;
            stats.iter_mut().for_each(|stats| stats.probe = Some(share));
        }
    }
}

/// Why texts could not be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ExtractError {
    /// The engine failed.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// The numbers could not be kept.
    #[error(transparent)]
    Cache(#[from] CacheError),
}

/// Reads the first `most` tokens of each text; `told` hears how far it is. A text without tokens
/// has no statistics.
pub fn read(
    engine: &Engine,
    cache: Option<&StatsCache>,
    texts: &[&str],
    depths: &[usize],
    most: usize,
    mut told: impl FnMut(Progress),
) -> Result<Vec<Pooled>, ExtractError> {
    let mut pooled = Vec::with_capacity(texts.len());
    let mut progress = Progress::default();
    // Enough texts for some batches, whose windows can then be sorted by length.
    for group in texts.chunks(256) {
        let mut windows = Vec::with_capacity(group.len());
        for text in group {
            let window = engine.plan(text)?.windows.into_iter().next();
            let mut window = window.unwrap_or(Window { tokens: Vec::new(), skip: 0, lens: 0 });
            window.tokens.truncate(most);
            windows.push(window);
        }
        let mut own: Vec<Option<Pooled>> = windows
            .iter()
            .map(|window| decode(&cache?.get_bytes(&window.tokens)?, window.tokens.len()))
            .collect();
        for (at, window) in windows.iter().enumerate().filter(|(at, _)| own[*at].is_some()) {
            progress.bytes += group[at].len() as u64;
            progress.cached += window.tokens.len() as u64;
        }
        let mut open: Vec<usize> = (0..windows.len()).filter(|at| own[*at].is_none()).collect();
        open.sort_by_key(|at| std::cmp::Reverse(windows[*at].tokens.len()));
        while !open.is_empty() {
            let mut filled = 0;
            let fits = |at: &&usize| {
                filled += windows[**at].tokens.len();
                filled <= BATCH_TOKENS
            };
            let batch: Vec<usize> = open.drain(..open.iter().take_while(fits).count().max(1)).collect();
            let refs: Vec<&Window> = batch.iter().map(|at| &windows[*at]).collect();
            for (at, (stats, sums)) in batch.iter().zip(engine.score_windows_tapped(&refs, depths, CHUNK)?) {
                if let Some(cache) = cache {
                    cache.put_bytes(&windows[*at].tokens, &encode(&stats, &sums))?;
                }
                own[*at] = Some(whole(&stats, sums));
            }
            progress.bytes += batch.iter().map(|at| group[*at].len() as u64).sum::<u64>();
            progress.scored += refs.iter().map(|window| window.tokens.len() as u64).sum::<u64>();
            told(progress);
        }
        pooled.extend(own.into_iter().flatten());
        told(progress);
    }
    Ok(pooled)
}

fn whole(stats: &[TokenStats], sums: Vec<f32>) -> Pooled {
    let chunks = stats.len().div_ceil(CHUNK);
    Pooled {
        stats: stats.iter().copied().map(engine::from_kernel).collect(),
        width: sums.len().checked_div(chunks).unwrap_or(0),
        sums,
    }
}

/// The statistics, then the sums.
fn encode(stats: &[TokenStats], sums: &[f32]) -> Vec<u8> {
    let mut bytes = stats_bytes(stats);
    sums.iter().for_each(|sum| bytes.extend_from_slice(&sum.to_le_bytes()));
    bytes
}

fn decode(bytes: &[u8], tokens: usize) -> Option<Pooled> {
    let (stats, sums) = bytes.split_at_checked(ENTRY * tokens.saturating_sub(1))?;
    let stats = stats_of(stats)?;
    let chunks = stats.len().div_ceil(CHUNK);
    let number = |bytes: &[u8]| f32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]);
    let sums: Vec<f32> = sums.chunks_exact(4).map(number).collect();
    (chunks == 0 || sums.len().is_multiple_of(chunks)).then(|| whole(&stats, sums))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn pooled(tokens: usize) -> Pooled {
        let sums = (0..tokens).step_by(CHUNK).flat_map(|from| {
            let count = CHUNK.min(tokens - from) as f32;
            [count, 2.0 * count + from as f32]
        });
        Pooled { stats: vec![Stats::default(); tokens], sums: sums.collect(), width: 2 }
    }

    #[test]
    fn means_are_of_the_first_chunks() {
        let means = pooled(70).means([1, 2, 3]);
        let want = [[1.0, 2.0], [1.0, 2.5], [1.0, (140.0 + 96.0) / 70.0]];
        assert_eq!(means.len(), want.len());
        for (mean, want) in means.iter().flatten().zip(want.iter().flatten()) {
            assert!((mean - want).abs() < 1e-5, "{mean} {want}");
        }
        assert_eq!(pooled(64).means([2]).len(), 1);
        assert!(pooled(0).means([1]).is_empty());
    }

    #[test]
    fn a_probes_word_adds_up_to_that_on_the_mean() {
        let mut pooled = pooled(70);
        pooled.put(&[3.0, -1.0]);
        let mean = &pooled.means([])[0];
        let word = pooled.stats.iter().map(|stats| stats.probe.unwrap()).sum::<f32>() / 70.0;
        assert!((word - (3.0 * mean[0] - mean[1])).abs() < 1e-5);
    }

    #[test]
    fn what_is_kept_comes_back() {
        let stats: Vec<TokenStats> = (0..40)
            .map(|at| TokenStats {
                logprob: -(at as f32),
                rank: at,
                entropy: 0.5,
                variance: 2.0,
                ..TokenStats::default()
            })
            .collect();
        let sums = vec![1.5, 2.5, 3.5, 4.5];
        let back = decode(&encode(&stats, &sums), 41).unwrap();
        assert_eq!((&back, back.width), (&whole(&stats, sums), 2));
        assert_eq!(decode(&[0; 7], 41), None);
    }
}
