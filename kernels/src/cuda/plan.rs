//! What is known of a batch before any arithmetic: where everything lies, and which block does what.

use super::head_tiles;
use crate::backend::{BackendError, PackedBatch};
use crate::weights::Shape;
use std::ops::Range;

/// Queries in a block of the attention kernel.
pub(super) const QUERIES: usize = 64;
/// What all buffers are aligned to; what cuBLASLt counts on.
const ALIGNMENT: usize = 256;
/// Bytes of the head kernels' `Moments`.
pub(super) const MOMENTS: usize = 32;
/// Bytes of the head kernels' `Stats`.
pub(super) const STATS: usize = 20;

/// The whole numbers that the kernels read, one list after another as they are uploaded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Layout {
    /// Tokens, positions in their sequences, predicting rows, their targets, tiles of attention.
    pub(super) numbers: Vec<i32>,
    /// Number of tokens.
    pub(super) tokens: usize,
    /// Number of rows that predict a token.
    pub(super) rows: usize,
    /// Number of tiles of attention: first query, start and end of its sequence.
    pub(super) tiles: usize,
    /// Tokens of the longest sequence.
    pub(super) longest: usize,
}

impl Layout {
    pub(super) fn new(batch: &PackedBatch<'_>, vocab: usize) -> Result<Self, BackendError> {
        let tokens = batch.tokens();
        let outside =
            |token| BackendError::Batch(format!("token {token} is outside a vocabulary of {vocab}"));
        let int = |number: usize| {
            i32::try_from(number)
                .map_err(|_| BackendError::Batch(format!("{} tokens are too many", tokens.len())))
        };
        int(tokens.len())?;
        let mut numbers = Vec::with_capacity(4 * tokens.len());
        for &token in tokens {
            match i32::try_from(token) {
                Ok(number) if (token as usize) < vocab => numbers.push(number),
                _ => return Err(outside(token)),
            }
        }
        for sequence in batch.sequences() {
            for position in 0..sequence.len() {
                numbers.push(int(position)?);
            }
        }
        // The last position of a sequence predicts nothing that is in it.
        let predicting = || batch.sequences().flat_map(|range| range.start..range.end.saturating_sub(1));
        for row in predicting() {
            numbers.push(int(row)?);
        }
        let rows = numbers.len() - 2 * tokens.len();
        for row in predicting() {
            numbers.push(numbers[row + 1]);
        }
        for sequence in batch.sequences() {
            for first in sequence.clone().step_by(QUERIES) {
                numbers.extend([int(first)?, int(sequence.start)?, int(sequence.end)?]);
            }
        }
        let tiles = (numbers.len() - 2 * tokens.len() - 2 * rows) / 3;
        let longest = batch.sequences().map(|sequence| sequence.len()).max().unwrap_or(0);
        Ok(Self { numbers, tokens: tokens.len(), rows, tiles, longest })
    }

    /// Index of the first position in `numbers`.
    pub(super) fn positions_at(&self) -> usize {
        self.tokens
    }

    /// Index of the first predicting row.
    pub(super) fn rows_at(&self) -> usize {
        2 * self.tokens
    }

    /// Index of the first target.
    pub(super) fn targets_at(&self) -> usize {
        2 * self.tokens + self.rows
    }

    /// Index of the first tile.
    pub(super) fn tiles_at(&self) -> usize {
        2 * (self.tokens + self.rows)
    }
}

/// Cuts a batch into runs of whole sequences of at most `budget` tokens, or of one longer sequence.
pub(super) fn pieces(starts: &[usize], budget: usize) -> Vec<Range<usize>> {
    let mut pieces = Vec::new();
    let mut first = 0;
    for last in 1..starts.len() {
        // Would this sequence be one too many?
        if starts[last] - starts[first] > budget && last - 1 > first {
            pieces.push(first..last - 1);
            first = last - 1;
        }
    }
    if first + 1 < starts.len() {
        pieces.push(first..starts.len() - 1);
    }
    pieces
}

/// Where each buffer begins in the one piece of memory that a pass works in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Scratch {
    /// Residual stream, f32.
    pub(super) stream: usize,
    /// What goes into a product from the stream, bf16; at the end, the predicting rows.
    pub(super) normed: usize,
    /// Queries, keys and values, bf16.
    pub(super) qkv: usize,
    /// What the heads give, bf16.
    pub(super) mixed: usize,
    /// Gate and up, bf16.
    pub(super) gate_up: usize,
    /// activation(gate) * up, bf16.
    pub(super) gated: usize,
    /// A product that does not go straight to the stream, f32.
    pub(super) added: usize,
    /// One tile of logits, f32.
    pub(super) logits: usize,
    pub(super) moments: usize,
    pub(super) target_logits: usize,
    pub(super) stats: usize,
    /// The layout's numbers.
    pub(super) numbers: usize,
    /// All of it.
    pub(super) bytes: usize,
}

impl Scratch {
    /// `indirect`: whether some product has a bias or a norm before it is added to the stream.
    pub(super) fn new(shape: &Shape, layout: &Layout, indirect: bool) -> Self {
        let Shape { dim, feed_forward, heads, kv_heads, head_dim, vocab, .. } = *shape;
        let Layout { tokens, rows, .. } = *layout;
        let mut bytes = 0;
        let mut place = |size: usize| {
            let at = bytes;
            bytes += size.next_multiple_of(ALIGNMENT);
            at
        };
        Self {
            stream: place(4 * tokens * dim),
            normed: place(2 * tokens * dim),
            qkv: place(2 * tokens * (heads + 2 * kv_heads) * head_dim),
            mixed: place(2 * tokens * heads * head_dim),
            gate_up: place(4 * tokens * feed_forward),
            gated: place(2 * tokens * feed_forward),
            added: place(if indirect { 4 * tokens * dim } else { 0 }),
            logits: place(4 * rows.min(head_tiles::ROWS) * vocab.min(head_tiles::WORDS)),
            moments: place(MOMENTS * rows),
            target_logits: place(4 * rows),
            stats: place(STATS * rows),
            numbers: place(4 * layout.numbers.len()),
            bytes,
        }
    }
}

/// Cosine and sine for each position and pair, as the rotary kernel reads them.
pub(super) fn rotary_table(frequencies: &[f64], positions: usize) -> Vec<f32> {
    (0..positions)
        .flat_map(|position| {
            frequencies.iter().flat_map(move |frequency| {
                let (sine, cosine) = (position as f64 * frequency).sin_cos();
                [cosine as f32, sine as f32]
            })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::weights::{Activation, RotaryPairs};

    #[test]
    fn a_layout_names_positions_targets_and_tiles() {
        let tokens: Vec<u32> = (10..10 + 3 + 1 + 130).collect();
        let batch = PackedBatch::new(&tokens, &[0, 3, 3, 4, 134]).unwrap();
        let layout = Layout::new(&batch, 200).unwrap();
        let slice = |at: usize, len: usize| &layout.numbers[at..at + len];
        assert_eq!((layout.tokens, layout.rows, layout.tiles, layout.longest), (134, 131, 5, 130));
        assert_eq!(slice(0, 3), [10, 11, 12]);
        assert_eq!(slice(layout.positions_at(), 6), [0, 1, 2, 0, 0, 1]);
        assert_eq!(slice(layout.rows_at(), 4), [0, 1, 4, 5]);
        assert_eq!(slice(layout.targets_at(), 4), [11, 12, 15, 16]);
        assert_eq!(slice(layout.tiles_at(), 9), [0, 0, 3, 3, 3, 4, 4, 4, 134]);
        assert_eq!(slice(layout.tiles_at() + 9, 6), [68, 4, 134, 132, 4, 134]);
        assert_eq!(layout.tiles_at() + 15, layout.numbers.len());
        assert!(Layout::new(&batch, 143).is_err());
    }

    #[test]
    fn pieces_hold_whole_sequences() {
        assert_eq!(pieces(&[0], 10), Vec::<Range<usize>>::new());
        assert_eq!(pieces(&[0, 4, 8, 12], 100), vec![0..3]);
        assert_eq!(pieces(&[0, 4, 8, 12], 8), [0..2, 2..3]);
        assert_eq!(pieces(&[0, 4, 8, 12], 7), [0..1, 1..2, 2..3]);
        assert_eq!(pieces(&[0, 50, 54, 104], 10), [0..1, 1..2, 2..3]);
        assert_eq!(pieces(&[0, 0, 12, 12], 5), [0..1, 1..2, 2..3]);
    }

    #[test]
    fn buffers_are_aligned_and_apart() {
        let shape = Shape {
            dim: 24,
            feed_forward: 40,
            heads: 4,
            kv_heads: 2,
            head_dim: 6,
            vocab: 50,
            norm_eps: 1e-5,
            activation: Activation::Silu,
            pairs: RotaryPairs::Halves,
            embedding_scale: 1.0,
            rotary: vec![1.0; 3],
            rotary_local: vec![1.0; 3],
            window: None,
        };
        let tokens = [1; 7];
        let batch = PackedBatch::new(&tokens, &[0, 7]).unwrap();
        let layout = Layout::new(&batch, 50).unwrap();
        let scratch = Scratch::new(&shape, &layout, true);
        let places = [
            (scratch.stream, 4 * 7 * 24),
            (scratch.normed, 2 * 7 * 24),
            (scratch.qkv, 2 * 7 * 48),
            (scratch.mixed, 2 * 7 * 24),
            (scratch.gate_up, 2 * 7 * 80),
            (scratch.gated, 2 * 7 * 40),
            (scratch.added, 4 * 7 * 24),
            (scratch.logits, 4 * 6 * 50),
            (scratch.moments, 32 * 6),
            (scratch.target_logits, 4 * 6),
            (scratch.stats, 20 * 6),
            (scratch.numbers, 4 * layout.numbers.len()),
            (scratch.bytes, 0),
        ];
        assert!(places.iter().all(|(at, _)| at.is_multiple_of(ALIGNMENT)));
        assert!(places.windows(2).all(|pair| pair[0].0 + pair[0].1 <= pair[1].0), "{places:?}");
        assert!(Scratch::new(&shape, &layout, false).bytes < scratch.bytes);
    }

    #[test]
    fn rotary_tables_hold_cosine_and_sine() {
        let table = rotary_table(&[1.0, 0.5], 3);
        assert_eq!(table.len(), 12);
        assert_eq!(table[..4], [1.0, 0.0, 1.0, 0.0]);
        assert_eq!(table[10..], [1.0_f64.cos() as f32, 1.0_f64.sin() as f32]);
    }
}
