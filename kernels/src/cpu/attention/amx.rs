//! Attention in AMX tiles: queries, keys, values and weights in bf16, sums in f32.
//!
//! Keys are packed like a matrix whose outputs are tokens, values like one whose inputs are tokens, so that both
//! products are the one of [`crate::cpu::product::amx::tile`]. A sequence begins at a multiple of [`BLOCK`] tokens
//! of the packed buffers; what lies between its end and the next one's beginning is zero.

use super::Block;
use super::softmax::exponentials_bf16;
use crate::cpu::buffer::Buffer;
use crate::cpu::input::{Form, Input, round};
use crate::cpu::product::amx::{Rows, on, tile};

/// Tokens in a step of either product, and queries in a block.
pub(crate) const BLOCK: usize = 32;

/// Queries, keys and values of all tokens, packed head by head.
#[derive(Default)]
pub(crate) struct PackedHeads {
    head_dim: usize,
    /// Padded tokens.
    tokens: usize,
    queries: Buffer<u16>,
    keys: Buffer<u16>,
    values: Buffer<u16>,
}

/// What one worker needs beside.
#[derive(Default)]
pub(crate) struct Scratch {
    scores: Buffer<f32>,
    weights: Buffer<u16>,
    mixed: Buffer<f32>,
    halves: Vec<u16>,
}

impl PackedHeads {
    /// Whether heads of this size fit the tiles.
    pub(crate) fn fits(head_dim: usize) -> bool {
        head_dim.is_multiple_of(BLOCK)
    }

    /// Makes room. `tokens` counts every sequence up to whole blocks.
    pub(crate) fn reserve(&mut self, tokens: usize, head_dim: usize, heads: usize, kv_heads: usize) {
        (self.tokens, self.head_dim) = (tokens, head_dim);
        self.queries.ensure(heads * tokens * head_dim);
        self.keys.ensure(kv_heads * tokens * head_dim);
        self.values.ensure(kv_heads * tokens * head_dim);
    }

    /// # Safety
    /// No other worker may touch this query.
    pub(crate) unsafe fn put_query(&self, head: usize, token: usize, values: &[f32]) {
        let at = (head * self.tokens + token) * self.head_dim;
        // SAFETY: the caller keeps others away.
        round(values, unsafe { self.queries.part_mut(at..at + self.head_dim) });
    }

    /// # Safety
    /// No other worker may touch this key.
    pub(crate) unsafe fn put_key(&self, head: usize, token: usize, values: &[f32], scratch: &mut Scratch) {
        scratch.halves.resize(self.head_dim, 0);
        round(values, &mut scratch.halves);
        // Panel of 32 tokens, 32 numbers, half of the tokens, pair of numbers, token, number.
        let panel = (head * self.tokens + token / BLOCK * BLOCK) * self.head_dim;
        let within = token % BLOCK;
        assert!(panel + BLOCK * self.head_dim <= self.keys.len());
        for (step, values) in scratch.halves.chunks_exact(BLOCK).enumerate() {
            let first = panel + (step * 2 + within / 16) * 16 * BLOCK + within % 16 * 2;
            for (pair, values) in values.chunks_exact(2).enumerate() {
                // SAFETY: within the panel, which was just checked to be there; these two numbers are this token's.
                unsafe {
                    let at = self.keys.pointer().add(first + pair * BLOCK);
                    at.write(values[0]);
                    at.add(1).write(values[1]);
                }
            }
        }
    }

    /// # Safety
    /// No other worker may touch this value.
    pub(crate) unsafe fn put_value(&self, head: usize, token: usize, values: &[f32], scratch: &mut Scratch) {
        scratch.halves.resize(self.head_dim, 0);
        round(values, &mut scratch.halves);
        let (step, pair, which) = (token / BLOCK, token % BLOCK / 2, token % 2);
        for (panel, values) in scratch.halves.chunks_exact(BLOCK).enumerate() {
            let step = self.value_panel(head, panel) + step * BLOCK * BLOCK;
            assert!(step + BLOCK * BLOCK <= self.values.len());
            for (half, values) in values.chunks_exact(16).enumerate() {
                let first = step + (half * 16 + pair) * BLOCK + which;
                for (column, value) in values.iter().enumerate() {
                    // SAFETY: within the step, which was just checked to be there; this number is this token's.
                    unsafe { self.values.pointer().add(first + column * 2).write(*value) };
                }
            }
        }
    }

    /// Panel of 32 numbers, 32 tokens, half of the numbers, pair of tokens, number, token.
    fn value_panel(&self, head: usize, panel: usize) -> usize {
        (head * self.head_dim / BLOCK + panel) * self.tokens * BLOCK
    }

    /// Mixes the values for some queries and puts them into `out`, in its form, at column `column`.
    ///
    /// `packed` is where the block's sequence begins in these buffers; `heads` are the query's and the key's.
    ///
    /// # Safety
    /// The CPU has AMX. Nobody may be writing to the heads; nobody else may touch this block's part of `out`.
    pub(crate) unsafe fn attend(
        &self,
        block: &Block,
        packed: usize,
        heads: (usize, usize),
        scratch: &mut Scratch,
        (out, form): (&Input, Form),
        column: usize,
    ) {
        let dim = self.head_dim;
        let first_query = packed + block.queries.start - block.sequence;
        let seen = |query: usize| {
            let seen = block.seen_by(query);
            seen.start - block.sequence..seen.end - block.sequence
        };
        // Whole blocks of keys, counted from the sequence's beginning.
        let first = (block.keys.start - block.sequence) / BLOCK;
        let last = (block.keys.end - block.sequence).div_ceil(BLOCK);
        let width = (last - first) * BLOCK;
        scratch.scores.ensure(BLOCK * width);
        scratch.weights.ensure(BLOCK * width);
        scratch.mixed.ensure(BLOCK * BLOCK);
        assert!(packed + last * BLOCK <= self.tokens && first_query.is_multiple_of(BLOCK));
        let query = (heads.0 * self.tokens + first_query) * dim;
        // SAFETY: `reserve` made room for whole blocks of every head; the scratch is this worker's.
        let (scores, weights) = unsafe {
            on();
            for key in first..last {
                let keys = (heads.1 * self.tokens + packed + key * BLOCK) * dim;
                tile(
                    Rows::plain(self.queries.pointer().add(query), dim * 2),
                    self.keys.pointer().add(keys),
                    dim / BLOCK,
                    scratch.scores.pointer().add((key - first) * BLOCK),
                    width * 4,
                );
            }
            (scratch.scores.part(0..BLOCK * width), scratch.weights.part_mut(0..BLOCK * width))
        };
        let mut inverse = [0.0; BLOCK];
        for (at, query) in block.queries.clone().enumerate() {
            let seen = seen(query);
            let seen = at * width + seen.start - first * BLOCK..at * width + seen.end - first * BLOCK;
            weights[at * width..seen.start].fill(0);
            inverse[at] =
                1.0 / exponentials_bf16(&scores[seen.clone()], &mut weights[seen.start..(at + 1) * width]);
        }
        for panel in 0..dim / BLOCK {
            let values = self.value_panel(heads.1, panel) + (packed / BLOCK + first) * BLOCK * BLOCK;
            // SAFETY: as above.
            let mixed = unsafe {
                tile(
                    Rows::plain(scratch.weights.pointer(), width * 2),
                    self.values.pointer().add(values),
                    last - first,
                    scratch.mixed.pointer(),
                    BLOCK * 4,
                );
                scratch.mixed.part_mut(0..BLOCK * BLOCK)
            };
            for (mixed, inverse) in mixed.chunks_exact_mut(BLOCK).zip(&inverse) {
                mixed.iter_mut().for_each(|x| *x *= inverse);
            }
            let rows = mixed.chunks_exact(BLOCK).take(block.queries.len());
            // SAFETY: the caller keeps others away.
            unsafe { out.put_rows(form, block.queries.start, column + panel * BLOCK, rows) };
        }
    }

    /// Clears what lies between a sequence's end and the next whole block.
    ///
    /// # Safety
    /// No other worker may touch these tokens.
    pub(crate) unsafe fn clear(
        &self,
        kv_heads: usize,
        tokens: std::ops::Range<usize>,
        scratch: &mut Scratch,
    ) {
        let zeros = vec![0.0; self.head_dim];
        for token in tokens {
            for head in 0..kv_heads {
                // SAFETY: the caller's promise.
                unsafe {
                    self.put_key(head, token, &zeros, scratch);
                    self.put_value(head, token, &zeros, scratch);
                }
            }
        }
    }
}
