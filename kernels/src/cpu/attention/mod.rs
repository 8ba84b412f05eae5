//! Causal attention over packed sequences: no query sees another sequence, and nothing is padded.
//!
//! A piece of work is some queries of one head. Its scores are made, turned into weights and used while they are in
//! the cache; never more than a few rows of them exist.

#[cfg(all(target_arch = "x86_64", target_os = "linux"))]
pub(super) mod amx;
pub(super) mod cached;
pub(super) mod float;
pub(super) mod softmax;

use std::ops::Range;

/// Some queries of a sequence and the keys that any of them sees, as rows of the batch; as tokens of the sequence where
/// those before it are in a cache.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Block {
    /// Where the sequence begins.
    pub(crate) sequence: usize,
    pub(crate) queries: Range<usize>,
    pub(crate) keys: Range<usize>,
    window: usize,
}

impl Block {
    /// Cuts a sequence into blocks of `size` queries. A query sees `window` tokens, itself included.
    pub(crate) fn cut(
        sequence: Range<usize>,
        size: usize,
        window: Option<usize>,
    ) -> impl Iterator<Item = Self> {
        Self::cut_behind(sequence.clone(), sequence.start, size, window)
    }

    /// The same for the queries from `first` on.
    pub(crate) fn cut_behind(
        sequence: Range<usize>,
        first: usize,
        size: usize,
        window: Option<usize>,
    ) -> impl Iterator<Item = Self> {
        let window = window.unwrap_or(usize::MAX);
        (first..sequence.end).step_by(size).map(move |first| {
            let queries = first..(first + size).min(sequence.end);
            let seen = sequence.start.max((first + 1).saturating_sub(window));
            Self { sequence: sequence.start, keys: seen..queries.end, queries, window }
        })
    }

    /// The keys that a query sees.
    pub(crate) fn seen_by(&self, query: usize) -> Range<usize> {
        self.sequence.max((query + 1).saturating_sub(self.window))..query + 1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_cover_a_sequence_and_see_what_their_queries_see() {
        for window in [None, Some(1), Some(5), Some(100)] {
            let blocks: Vec<Block> = Block::cut(7..30, 8, window).collect();
            assert_eq!(
                blocks.iter().flat_map(|block| block.queries.clone()).collect::<Vec<_>>(),
                (7..30).collect::<Vec<_>>()
            );
            for block in blocks {
                let first = block.seen_by(block.queries.start);
                assert_eq!(block.keys, first.start..block.queries.end);
                for query in block.queries.clone() {
                    let seen = block.seen_by(query);
                    assert_eq!(seen.end, query + 1);
                    assert_eq!(seen.len(), (query + 1 - 7).min(window.unwrap_or(usize::MAX)));
                }
            }
        }
        assert_eq!(Block::cut(3..3, 8, None).count(), 0);
    }

    #[test]
    fn later_blocks_see_what_lies_before_them() {
        let mut blocks = Block::cut_behind(0..30, 20, 8, Some(5));
        let (first, second) = (blocks.next(), blocks.next());
        assert_eq!(first.map(|block| (block.queries, block.keys)), Some((20..28, 16..28)));
        assert_eq!(second.map(|block| (block.queries, block.keys)), Some((28..30, 24..30)));
        assert!(blocks.next().is_none());
    }
}
