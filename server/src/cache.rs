//! Reports that were made before, so that a page that is read twice is scored once.
//!
//! The key is an HMAC-SHA256 under a key that lives only in this process, so nothing that is kept here, or
//! swapped out from here, can be tried against known texts. It covers the exact text rather than a
//! normalised form: spans count code points of the text as it came, and a report must fit its own text.

use bonafide_core::verdict::{BlockReport, SentenceReport, TokenReport};
use hmac::{Hmac, KeyInit, Mac};
use lru::LruCache;
use sha2::Sha256;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// What names a report.
pub type Key = [u8; 32];

/// Least recently used reports go first when the memory bound is reached.
pub struct Cache {
    hmac: Hmac<Sha256>,
    limit: usize,
    held: Mutex<Held>,
}

struct Held {
    reports: LruCache<Key, (Arc<BlockReport>, usize)>,
    bytes: usize,
}

impl Cache {
    /// An empty cache that holds about `limit` bytes of reports.
    ///
    /// # Errors
    /// If the system has no random numbers.
    pub fn new(limit: usize) -> Result<Self, getrandom::Error> {
        let mut key = [0; 64];
        getrandom::fill(&mut key)?;
        let hmac = Hmac::new(&key.into());
        Ok(Self { hmac, limit, held: Mutex::new(Held { reports: LruCache::unbounded(), bytes: 0 }) })
    }

    /// The key of a report. `judge` names all that a report depends on beside the text: model, calibration
    /// and version.
    #[must_use]
    pub fn key(&self, judge: &str, tokens: bool, text: &str) -> Key {
        let mut hmac = self.hmac.clone();
        // A length before each part keeps two different lists of parts from meeting in one key.
        for part in [judge.as_bytes(), &[u8::from(tokens)], text.as_bytes()] {
            hmac.update(&(part.len() as u64).to_le_bytes());
            hmac.update(part);
        }
        hmac.finalize().into_bytes().into()
    }

    /// A report, whose id is that of the block it was first made for.
    #[must_use]
    pub fn get(&self, key: &Key) -> Option<Arc<BlockReport>> {
        self.lock().reports.get(key).map(|(report, _)| Arc::clone(report))
    }

    /// Keeps a report, unless it alone would fill a quarter of the cache.
    pub fn put(&self, key: Key, report: Arc<BlockReport>) {
        let size = size(&report);
        if size > self.limit / 4 {
            return;
        }
        let mut held = self.lock();
        held.bytes += size;
        if let Some((_, old)) = held.reports.put(key, (report, size)) {
            held.bytes -= old;
        }
        while held.bytes > self.limit {
            let Some((_, (_, old))) = held.reports.pop_lru() else { break };
            held.bytes -= old;
        }
    }

    /// Bytes held, about.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.lock().bytes
    }

    /// Reports held.
    #[must_use]
    pub fn len(&self) -> usize {
        self.lock().reports.len()
    }

    /// Whether nothing is held.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn lock(&self) -> MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl std::fmt::Debug for Cache {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // The key stays out of logs.
        f.debug_struct("Cache")
            .field("limit", &self.limit)
            .field("bytes", &self.bytes())
            .finish_non_exhaustive()
    }
}

/// What a report takes in memory, about: its parts and what the allocator and the map add.
fn size(report: &BlockReport) -> usize {
    const ENTRY: usize = 64;
    let evidence = report.evidence.iter().map(|evidence| {
        let values: usize =
            evidence.values.iter().map(|(name, value)| name.len() + value.len() + ENTRY).sum();
        size_of_val(evidence) + evidence.code.len() + evidence.message.len() + values
    });
    let detectors = report.detectors.keys().map(|name| name.len() + ENTRY);
    size_of::<BlockReport>()
        + size_of::<Key>()
        + ENTRY
        + report.id.len()
        + evidence.sum::<usize>()
        + detectors.sum::<usize>()
        + report.sentences.len() * size_of::<SentenceReport>()
        + report.tokens.as_ref().map_or(0, |tokens| tokens.len() * size_of::<TokenReport>())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use bonafide_core::verdict::{Span, Verdict};

    fn report(sentences: usize) -> Arc<BlockReport> {
        let sentence = SentenceReport {
            span: Span { start: 0, end: 1 },
            tokens: 1,
            mean_logprob: None,
            probability: None,
        };
        Arc::new(BlockReport {
            id: "a".into(),
            verdict: Verdict::Unclear,
            probability: None,
            p_value: None,
            evidence: Vec::new(),
            sentences: vec![sentence; sentences],
            words: 0,
            token_count: 0,
            language: None,
            calibration: None,
            detectors: Default::default(),
            tokens: None,
        })
    }

    #[test]
    fn gives_back_what_was_put() {
        let cache = Cache::new(1 << 20).unwrap();
        let key = cache.key("model", false, "text");
        assert!(cache.get(&key).is_none());
        cache.put(key, report(3));
        assert_eq!(cache.get(&key).unwrap().sentences.len(), 3);
    }

    #[test]
    fn the_key_covers_judge_flag_and_text_and_their_borders() {
        let cache = Cache::new(1 << 20).unwrap();
        let keys = [
            cache.key("model", false, "text"),
            cache.key("other", false, "text"),
            cache.key("model", true, "text"),
            cache.key("model", false, "texts"),
            cache.key("mode", false, "ltext"),
        ];
        for (index, key) in keys.iter().enumerate() {
            assert!(!keys[..index].contains(key), "key {index} repeats");
        }
        assert_eq!(keys[0], cache.key("model", false, "text"));
    }

    #[test]
    fn another_process_has_other_keys() {
        let (a, b) = (Cache::new(1 << 20).unwrap(), Cache::new(1 << 20).unwrap());
        assert_ne!(a.key("model", false, "text"), b.key("model", false, "text"));
    }

    #[test]
    fn stays_within_its_bound_and_drops_the_least_recently_used() {
        let one = size(&report(10));
        let cache = Cache::new(one * 5).unwrap();
        let key = |n: usize| cache.key("model", false, &n.to_string());
        for n in 0..5 {
            cache.put(key(n), report(10));
        }
        assert!(cache.get(&key(0)).is_some(), "now the most recently used");
        cache.put(key(5), report(10));
        assert_eq!((cache.len(), cache.bytes()), (5, one * 5));
        assert!(cache.get(&key(0)).is_some());
        assert!(cache.get(&key(1)).is_none());
    }

    #[test]
    fn putting_the_same_again_does_not_grow_it() {
        let cache = Cache::new(1 << 20).unwrap();
        let key = cache.key("model", false, "text");
        cache.put(key, report(10));
        let bytes = cache.bytes();
        cache.put(key, report(10));
        assert_eq!((cache.len(), cache.bytes()), (1, bytes));
    }

    #[test]
    fn one_giant_does_not_empty_it() {
        let cache = Cache::new(size(&report(0)) * 8).unwrap();
        let small = cache.key("model", false, "small");
        cache.put(small, report(0));
        cache.put(cache.key("model", false, "giant"), report(10_000));
        assert!(cache.get(&small).is_some());
        assert_eq!(cache.len(), 1);
    }
}
