//! Many texts through the engine, packed: a batch holds as many windows as fit into a token budget, because a
//! forward pass of one short text at a time leaves most of the machine idle.

use super::cache::{CacheError, StatsCache};
use crate::engine::{BATCH_TOKENS, Engine, EngineError, Plan, Window};
use bonafide_kernels::backend::TokenStats;
use rayon::prelude::*;

/// Tokens whose plans and statistics are held at once: enough batches to sort windows by length among them.
const CHUNK_TOKENS: usize = 16 * BATCH_TOKENS;

/// What scores windows: the engine, or a stand-in for tests.
pub trait Scorer: Sync {
    /// A tokenised text.
    type Plan: Send + Sync;

    /// Tokenises a text and cuts it into windows.
    fn plan(&self, text: &str) -> Result<Self::Plan, EngineError>;
    /// The windows, in order.
    fn windows<'a>(&self, plan: &'a Self::Plan) -> &'a [Window];
    /// Scores windows in one packed pass; one list of statistics a window, in order.
    fn score_windows(&self, windows: &[&Window]) -> Result<Vec<Vec<TokenStats>>, EngineError>;
}

impl Scorer for Engine {
    type Plan = Plan;

    fn plan(&self, text: &str) -> Result<Plan, EngineError> {
        Engine::plan(self, text)
    }

    fn windows<'a>(&self, plan: &'a Plan) -> &'a [Window] {
        &plan.windows
    }

    fn score_windows(&self, windows: &[&Window]) -> Result<Vec<Vec<TokenStats>>, EngineError> {
        Engine::score_windows(self, windows)
    }
}

/// Scores only the beginning of each text: one window.
pub struct Beginning<'a, S> {
    /// What scores.
    pub scorer: &'a S,
    /// Most tokens of a text.
    pub tokens: usize,
}

impl<S: Scorer> Scorer for Beginning<'_, S> {
    type Plan = Vec<Window>;

    fn plan(&self, text: &str) -> Result<Vec<Window>, EngineError> {
        let whole = self.scorer.plan(text)?;
        let mut windows: Vec<Window> = self.scorer.windows(&whole).iter().take(1).cloned().collect();
        for window in &mut windows {
            window.tokens.truncate(self.tokens);
        }
        Ok(windows)
    }

    fn windows<'a>(&self, plan: &'a Vec<Window>) -> &'a [Window] {
        plan
    }

    fn score_windows(&self, windows: &[&Window]) -> Result<Vec<Vec<TokenStats>>, EngineError> {
        self.scorer.score_windows(windows)
    }
}

/// Why texts could not be scored.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ScoringError {
    /// The engine failed.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// The statistics could not be kept.
    #[error(transparent)]
    Cache(#[from] CacheError),
    /// The engine gave another number of lists than windows.
    #[error("the engine scored {scored} of {windows} windows")]
    Short {
        /// Windows asked for.
        windows: usize,
        /// Lists of statistics that came back.
        scored: usize,
    },
}

/// What happened so far, for a progress bar.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Progress {
    /// Bytes of text done, estimated from the tokens while a chunk of texts is under way.
    pub bytes: u64,
    /// Tokens that went through the model.
    pub scored: u64,
    /// Tokens whose statistics the cache had.
    pub cached: u64,
}

/// Takes a text's index, its plan and one list of statistics a window.
pub type Take<'a, P, E> = dyn FnMut(usize, &P, &[Vec<TokenStats>]) -> Result<(), E> + 'a;

/// Scores every text once and hands each, in order, to `take` with its plan and one list of statistics a window.
///
/// `told` hears after every batch. With a cache, what it has isn't scored again, and every batch is kept as soon as
/// it is scored, so that a run that is stopped goes on where it was.
pub fn score_texts<S: Scorer, E: From<ScoringError>>(
    scorer: &S,
    cache: Option<&StatsCache>,
    texts: &[&str],
    told: &mut dyn FnMut(Progress),
    take: &mut Take<'_, S::Plan, E>,
) -> Result<(), E> {
    let mut progress = Progress::default();
    for range in chunks(texts) {
        let plans = texts[range.clone()]
            .par_iter()
            .map(|text| scorer.plan(text))
            .collect::<Result<Vec<_>, _>>()
            .map_err(ScoringError::from)?;
        let windows: Vec<&[Window]> = plans.iter().map(|plan| scorer.windows(plan)).collect();
        let mut chunk = Chunk::new(windows, cache, &mut progress);
        let before = progress;
        let bytes: u64 = texts[range.clone()].iter().map(|text| text.len() as u64).sum();
        let open = chunk.open_tokens().max(1);
        for batch in chunk.batches() {
            progress.scored += chunk.score(scorer, cache, &batch)? as u64;
            progress.bytes = before.bytes + bytes * (progress.scored - before.scored) / open;
            told(progress);
        }
        for ((index, plan), stats) in range.zip(&plans).zip(&chunk.stats) {
            take(index, plan, stats)?;
        }
        progress.bytes = before.bytes + bytes;
        told(progress);
    }
    Ok(())
}

/// Ranges of texts of about [`CHUNK_TOKENS`], at the usual four bytes a token.
fn chunks(texts: &[&str]) -> Vec<std::ops::Range<usize>> {
    let mut ranges = Vec::new();
    let (mut start, mut bytes) = (0, 0);
    for (index, text) in texts.iter().enumerate() {
        bytes += text.len();
        if bytes >= 4 * CHUNK_TOKENS {
            ranges.push(start..index + 1);
            (start, bytes) = (index + 1, 0);
        }
    }
    if start < texts.len() {
        ranges.push(start..texts.len());
    }
    ranges
}

/// The windows of some plans and what is known of them.
struct Chunk<'a> {
    windows: Vec<&'a [Window]>,
    stats: Vec<Vec<Vec<TokenStats>>>,
    /// (plan, window) of those still to score, longest first.
    open: Vec<(usize, usize)>,
}

impl<'a> Chunk<'a> {
    fn new(windows: Vec<&'a [Window]>, cache: Option<&StatsCache>, progress: &mut Progress) -> Self {
        let known: Vec<Vec<Option<Vec<TokenStats>>>> = windows
            .par_iter()
            .map(|own| own.iter().map(|window| cache?.get(&window.tokens)).collect())
            .collect();
        let mut open = Vec::new();
        for (plan, known) in known.iter().enumerate() {
            for (window, known) in known.iter().enumerate() {
                match known {
                    Some(_) => progress.cached += windows[plan][window].tokens.len() as u64,
                    None => open.push((plan, window)),
                }
            }
        }
        open.sort_by_key(|&(plan, window)| std::cmp::Reverse(windows[plan][window].tokens.len()));
        let stats = known.into_iter().map(|own| own.into_iter().map(Option::unwrap_or_default).collect());
        Self { stats: stats.collect(), windows, open }
    }

    fn window(&self, (plan, window): (usize, usize)) -> &'a Window {
        &self.windows[plan][window]
    }

    fn open_tokens(&self) -> u64 {
        self.open.iter().map(|&at| self.window(at).tokens.len() as u64).sum()
    }

    /// Neighbours in length share a batch.
    fn batches(&self) -> Vec<Vec<(usize, usize)>> {
        let mut batches: Vec<Vec<(usize, usize)>> = Vec::new();
        let mut room = 0;
        for &at in &self.open {
            let tokens = self.window(at).tokens.len();
            match batches.last_mut() {
                Some(batch) if tokens <= room => batch.push(at),
                _ => {
                    batches.push(vec![at]);
                    room = BATCH_TOKENS.max(tokens);
                }
            }
            room -= tokens;
        }
        batches
    }

    /// Scores a batch, keeps it, and gives the number of its tokens.
    fn score(
        &mut self,
        scorer: &impl Scorer,
        cache: Option<&StatsCache>,
        batch: &[(usize, usize)],
    ) -> Result<usize, ScoringError> {
        let windows: Vec<&Window> = batch.iter().map(|&at| self.window(at)).collect();
        let scored = scorer.score_windows(&windows)?;
        if scored.len() != windows.len() {
            return Err(ScoringError::Short { windows: windows.len(), scored: scored.len() });
        }
        for (&(plan, window), stats) in batch.iter().zip(scored) {
            if let Some(cache) = cache {
                cache.put(&self.windows[plan][window].tokens, &stats)?;
            }
            self.stats[plan][window] = stats;
        }
        Ok(windows.iter().map(|window| window.tokens.len()).sum())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;
    use std::sync::Mutex;

    /// One token a byte; windows of at most `window` tokens; a token's log-probability is minus its value.
    struct Fake {
        window: usize,
        batches: Mutex<Vec<usize>>,
    }

    impl Scorer for Fake {
        type Plan = Vec<Window>;

        fn plan(&self, text: &str) -> Result<Vec<Window>, EngineError> {
            let tokens: Vec<u32> = text.bytes().map(u32::from).collect();
            Ok(tokens
                .chunks(self.window)
                .map(|part| Window { tokens: part.to_vec(), skip: 0, lens: 0 })
                .collect())
        }

        fn windows<'a>(&self, plan: &'a Vec<Window>) -> &'a [Window] {
            plan
        }

        fn score_windows(&self, windows: &[&Window]) -> Result<Vec<Vec<TokenStats>>, EngineError> {
            self.batches.lock().unwrap().push(windows.iter().map(|w| w.tokens.len()).sum());
            let one = |&token: &u32| TokenStats { logprob: -(token as f32), ..TokenStats::default() };
            Ok(windows.iter().map(|w| w.tokens.iter().skip(1).map(one).collect()).collect())
        }
    }

    fn run(fake: &Fake, cache: Option<&StatsCache>, texts: &[&str]) -> (Vec<Vec<Vec<f32>>>, Progress) {
        let mut seen = Vec::new();
        let mut last = Progress::default();
        score_texts::<_, ScoringError>(
            fake,
            cache,
            texts,
            &mut |now| last = now,
            &mut |index, plan, stats| {
                assert_eq!((index, plan), (seen.len(), &fake.plan(texts[index]).unwrap()));
                seen.push(stats.iter().map(|w| w.iter().map(|t| t.logprob).collect()).collect());
                Ok(())
            },
        )
        .unwrap();
        (seen, last)
    }

    #[test]
    fn every_text_gets_its_own_statistics_in_order() {
        let fake = Fake { window: 3, batches: Mutex::default() };
        let (seen, last) = run(&fake, None, &["ab", "", "abcde"]);
        assert_eq!(seen, [vec![vec![-98.0]], vec![], vec![vec![-98.0, -99.0], vec![-101.0]]]);
        assert_eq!(last, Progress { bytes: 7, scored: 7, cached: 0 });
        assert_eq!(*fake.batches.lock().unwrap(), [7]);
    }

    #[test]
    fn batches_fill_the_budget_and_never_exceed_it() {
        let fake = Fake { window: 10_000, batches: Mutex::default() };
        let long = "x".repeat(BATCH_TOKENS + 1);
        let half = "y".repeat(BATCH_TOKENS / 2);
        run(&fake, None, &[&half, &long, &half, "zz"]);
        assert_eq!(*fake.batches.lock().unwrap(), [BATCH_TOKENS + 1, BATCH_TOKENS, 2]);
    }

    #[test]
    fn what_the_cache_has_is_not_scored_again() {
        let dir = tempfile::tempdir().unwrap();
        let cache = StatsCache::open(dir.path(), "fake").unwrap();
        let fake = Fake { window: 4, batches: Mutex::default() };
        let (first, _) = run(&fake, Some(&cache), &["abcdef", "gh"]);
        let (second, last) = run(&fake, Some(&cache), &["abcdef", "ijk", "gh"]);
        assert_eq!((&first[0], &first[1]), (&second[0], &second[2]));
        assert_eq!(last, Progress { bytes: 11, scored: 3, cached: 8 });
    }

    #[test]
    fn a_beginning_is_one_window_of_few_tokens() {
        let fake = Fake { window: 4, batches: Mutex::default() };
        let plan = Beginning { scorer: &fake, tokens: 3 }.plan("abcdefgh").unwrap();
        assert_eq!(plan.iter().map(|w| w.tokens.len()).collect::<Vec<_>>(), [3]);
    }

    #[test]
    fn many_texts_are_cut_into_chunks_that_cover_all() {
        let texts = vec!["word ".repeat(20_000); 9];
        let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
        let ranges = chunks(&texts);
        assert!(ranges.len() > 1);
        assert_eq!(ranges.into_iter().flatten().collect::<Vec<_>>(), (0..9).collect::<Vec<_>>());
    }
}
