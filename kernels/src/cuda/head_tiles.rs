//! How the head walks the vocabulary.
//!
//! A tile of logits is written by a product and read once by the kernel behind it: 2 048 rows of 4 096 words
//! are 32 MiB, which the second-level cache of a data-centre GPU holds, and give a product of 256 tiles of
//! 128 by 256, about two for each multiprocessor.

use std::ops::Range;

/// Rows of hidden states in one tile.
pub(super) const ROWS: usize = 2048;
/// Words of the vocabulary in one tile.
pub(super) const WORDS: usize = 4096;

/// Rows and words of each tile. The words of one block of rows come one after another, first to last.
pub(super) fn tiles(rows: usize, vocab: usize) -> impl Iterator<Item = (Range<usize>, Range<usize>)> {
    cut(rows, ROWS).flat_map(move |rows| cut(vocab, WORDS).map(move |words| (rows.clone(), words)))
}

fn cut(len: usize, step: usize) -> impl Iterator<Item = Range<usize>> {
    (0..len).step_by(step).map(move |first| first..(first + step).min(len))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tiles_cover_everything_once_and_in_order() {
        let all: Vec<_> = tiles(ROWS + 1, 2 * WORDS + 5).collect();
        assert_eq!(all.len(), 6);
        assert_eq!(all[0], (0..ROWS, 0..WORDS));
        assert_eq!(all[2], (0..ROWS, 2 * WORDS..2 * WORDS + 5));
        assert_eq!(all[3], (ROWS..ROWS + 1, 0..WORDS));
        assert_eq!(tiles(3, 7).collect::<Vec<_>>(), [(0..3, 0..7)]);
        assert_eq!(tiles(0, 7).count(), 0);
    }
}
