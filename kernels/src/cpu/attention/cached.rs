//! Attention against keys and values of earlier passes, in f32 with loops of our own.
//!
//! What a sequence has seen lies in pages of [`PAGE`] tokens, which are taken as it grows: nothing is moved, and
//! sequences that stay short cost little. Within a page the keys of a head stand number by number, so that the scores
//! of many tokens are made side by side, and its values token by token: both products are then the same, some rows by
//! a matrix whose rows are read front to back. They are too small for `gemm`, which packs its operands first.

use super::Block;
use super::softmax::exponentials;
use crate::cpu::buffer::Buffer;
use crate::cpu::math::mul_add;
use crate::cpu::simd::{LANES, dispatch};
use std::ops::Range;

/// Tokens in a page.
const PAGE: usize = 64;
/// Queries in a block.
pub(crate) const QUERIES: usize = 32;
/// Columns of a product that are summed at once.
const WIDE: usize = 2 * LANES;

/// Where in a page everything lies: layer, head, its keys, its values.
#[derive(Debug, Clone, Copy)]
struct Layout {
    layers: usize,
    kv_heads: usize,
    head_dim: usize,
    /// Numbers from value to value; those behind `head_dim` are zeros.
    value: usize,
}

impl Layout {
    fn keys(self, Place { layer, head, .. }: Place) -> Range<usize> {
        let first = (layer * self.kv_heads + head) * PAGE * (self.head_dim + self.value);
        first..first + PAGE * self.head_dim
    }

    fn values(self, at: Place) -> Range<usize> {
        let first = self.keys(at).end;
        first..first + PAGE * self.value
    }

    fn numbers(self) -> usize {
        self.layers * self.kv_heads * PAGE * (self.head_dim + self.value)
    }
}

/// Whose keys and values.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Place {
    pub(crate) sequence: usize,
    pub(crate) layer: usize,
    /// Of keys and values.
    pub(crate) head: usize,
}

/// Keys and values of some sequences.
pub(crate) struct Cache {
    layout: Layout,
    sequences: Vec<Vec<Buffer<f32>>>,
    /// Pages that a sequence has given back.
    free: Vec<Buffer<f32>>,
}

/// Rows of one buffer: numbers from row to row, and the first row that is meant.
#[derive(Clone, Copy)]
pub(crate) struct Rows<'a> {
    pub(crate) buffer: &'a Buffer<f32>,
    pub(crate) width: usize,
    pub(crate) first: usize,
}

/// What one worker needs for itself.
#[derive(Default)]
pub(crate) struct Scratch {
    scores: Vec<f32>,
    mixed: Vec<f32>,
    inverse: Vec<f32>,
}

impl Cache {
    pub(crate) fn new(sequences: usize, layers: usize, kv_heads: usize, head_dim: usize) -> Self {
        let layout = Layout { layers, kv_heads, head_dim, value: head_dim.next_multiple_of(WIDE) };
        let sequences = std::iter::repeat_with(Vec::new).take(sequences).collect();
        Self { layout, sequences, free: Vec::new() }
    }

    /// Gives a sequence the pages for so many tokens, no more and no fewer.
    pub(crate) fn hold(&mut self, sequence: usize, tokens: usize) {
        let pages = &mut self.sequences[sequence];
        let needed = tokens.div_ceil(PAGE);
        self.free.extend(pages.drain(needed.min(pages.len())..));
        while pages.len() < needed {
            pages.push(self.free.pop().unwrap_or_else(|| Buffer::zeroed(self.layout.numbers())));
        }
    }

    /// Memory of all pages.
    pub(crate) fn bytes(&self) -> usize {
        self.sequences.iter().flatten().chain(&self.free).map(Buffer::bytes).sum()
    }

    /// # Safety
    /// No other worker may touch this token's key.
    pub(crate) unsafe fn put_key(&self, at: Place, token: usize, key: &[f32]) {
        let page = &self.sequences[at.sequence][token / PAGE];
        let keys = self.layout.keys(at);
        assert!(keys.end <= page.len() && key.len() == self.layout.head_dim);
        for (at, number) in key.iter().enumerate() {
            // SAFETY: within the keys, which were just checked to be there; this number is this token's.
            unsafe { page.pointer().add(keys.start + at * PAGE + token % PAGE).write(*number) };
        }
    }

    /// # Safety
    /// No other worker may touch this token's value.
    pub(crate) unsafe fn put_value(&self, at: Place, token: usize, value: &[f32]) {
        let first = self.layout.values(at).start + token % PAGE * self.layout.value;
        let page = &self.sequences[at.sequence][token / PAGE];
        // SAFETY: the caller keeps others away.
        unsafe { page.part_mut(first..first + self.layout.head_dim) }.copy_from_slice(value);
    }

    /// Mixes the values that a block's queries see, for some heads that share their keys.
    ///
    /// The block counts in tokens of its sequence. Its first query, scaled already, is the first of `queries`, and its
    /// mixed values go into the first row of `out`; in both a row has one head after another.
    ///
    /// # Safety
    /// Nobody may be writing to the block's rows of `queries` or to the sequence's keys and values; nobody else may touch
    /// these heads of the block's rows of `out`.
    pub(crate) unsafe fn attend(
        &self,
        at: Place,
        block: &Block,
        heads: Range<usize>,
        queries: Rows<'_>,
        scratch: &mut Scratch,
        out: Rows<'_>,
    ) {
        let dim = self.layout.head_dim;
        let count = block.queries.len();
        // One query goes with all of its heads, several go head by head: either way rows an equal way apart.
        if count == 1 {
            let (from, to) = (queries.place(0, heads.start, dim), out.place(0, heads.start, dim));
            let numbers = heads.len() * dim;
            // SAFETY: the caller's promises.
            unsafe {
                let queries = (queries.buffer.part(from..from + numbers), dim);
                self.mix(at, block, queries, heads.len(), scratch);
                let out = out.buffer.part_mut(to..to + numbers);
                for (out, mixed) in out.chunks_exact_mut(dim).zip(scratch.rows(self.layout.value)) {
                    out.copy_from_slice(&mixed[..dim]);
                }
            }
            return;
        }
        for head in heads {
            let (from, last) = (queries.place(0, head, dim), queries.place(count - 1, head, dim));
            // SAFETY: the caller's promises.
            unsafe {
                let queries = (queries.buffer.part(from..last + dim), queries.width);
                self.mix(at, block, queries, count, scratch);
                for (query, mixed) in scratch.rows(self.layout.value).enumerate() {
                    let to = out.place(query, head, dim);
                    out.buffer.part_mut(to..to + dim).copy_from_slice(&mixed[..dim]);
                }
            }
        }
    }

    /// Leaves a row of mixed values for each of `rows` queries in the scratch: the block's queries of one head, or the
    /// heads of its only query.
    ///
    /// # Safety
    /// Nobody may be writing to the sequence's keys and values.
    unsafe fn mix(
        &self,
        at: Place,
        block: &Block,
        queries: (&[f32], usize),
        rows: usize,
        scratch: &mut Scratch,
    ) {
        let Layout { head_dim, value, .. } = self.layout;
        let pages = block.keys.start / PAGE..block.keys.end.div_ceil(PAGE);
        let (first, width) = (pages.start * PAGE, pages.len() * PAGE);
        scratch.prepare(rows, width, value);
        for page in pages.clone() {
            let columns = (block.keys.end - page * PAGE).min(PAGE).next_multiple_of(WIDE);
            // SAFETY: the caller's promise.
            let keys = unsafe { self.sequences[at.sequence][page].part(self.layout.keys(at)) };
            let scores = &mut scratch.scores[page * PAGE - first..];
            product((rows, head_dim, columns), queries, (keys, PAGE), (scores, width));
        }
        for (row, scores) in scratch.scores.chunks_exact_mut(width).enumerate() {
            let query = if block.queries.len() == 1 { 0 } else { row };
            let seen = block.seen_by(block.queries.start + query);
            let seen = seen.start - first..seen.end - first;
            scores[..seen.start].fill(0.0);
            scores[seen.end..].fill(0.0);
            scratch.inverse.push(1.0 / exponentials(&mut scores[seen]));
        }
        for page in pages {
            let tokens = block.keys.start.max(page * PAGE)..block.keys.end.min((page + 1) * PAGE);
            // SAFETY: the caller's promise.
            let values = unsafe { self.sequences[at.sequence][page].part(self.layout.values(at)) };
            let values = &values[tokens.start % PAGE * value..];
            let weights = &scratch.scores[tokens.start - first..];
            product(
                (rows, tokens.len(), value),
                (weights, width),
                (values, value),
                (&mut scratch.mixed, value),
            );
        }
        for (mixed, inverse) in scratch.mixed.chunks_exact_mut(value).zip(&scratch.inverse) {
            mixed.iter_mut().for_each(|x| *x *= inverse);
        }
    }
}

impl Rows<'_> {
    /// Where a head of a row begins.
    fn place(&self, row: usize, head: usize, head_dim: usize) -> usize {
        (self.first + row) * self.width + head * head_dim
    }
}

impl Scratch {
    fn prepare(&mut self, rows: usize, width: usize, value: usize) {
        for (buffer, len) in [(&mut self.scores, rows * width), (&mut self.mixed, rows * value)] {
            buffer.clear();
            buffer.resize(len, 0.0);
        }
        self.inverse.clear();
    }

    fn rows(&self, value: usize) -> impl Iterator<Item = &[f32]> {
        self.mixed.chunks_exact(value)
    }
}

dispatch!(
    /// Adds to out (rows by cols) the product a (rows by inner) . b (inner by cols), each with the numbers from row to
    /// row. `cols` is a multiple of [`WIDE`].
    fn product(
        sizes: (usize, usize, usize),
        a: (&[f32], usize),
        b: (&[f32], usize),
        out: (&mut [f32], usize),
    ) = product_body
);

#[inline(always)]
fn product_body<const FUSED: bool>(
    (rows, inner, cols): (usize, usize, usize),
    a: (&[f32], usize),
    b: (&[f32], usize),
    out: (&mut [f32], usize),
) {
    let mut row = 0;
    while row < rows {
        let a = (&a.0[row * a.1..], a.1);
        let out = (&mut out.0[row * out.1..], out.1);
        row += match rows - row {
            1 => some_rows::<FUSED, 1>((inner, cols), a, b, out),
            2 => some_rows::<FUSED, 2>((inner, cols), a, b, out),
            3 => some_rows::<FUSED, 3>((inner, cols), a, b, out),
            _ => some_rows::<FUSED, 4>((inner, cols), a, b, out),
        };
    }
}

#[inline(always)]
fn some_rows<const FUSED: bool, const ROWS: usize>(
    (inner, cols): (usize, usize),
    a: (&[f32], usize),
    b: (&[f32], usize),
    out: (&mut [f32], usize),
) -> usize {
    let rows: [&[f32]; ROWS] = std::array::from_fn(|row| &a.0[row * a.1..][..inner]);
    for first in (0..cols).step_by(WIDE) {
        let (mut left, mut right) = ([[0.0; LANES]; ROWS], [[0.0; LANES]; ROWS]);
        for (at, b) in b.0.chunks(b.1).enumerate().take(inner) {
            let (b, _) = b[first..first + WIDE].as_chunks();
            for row in 0..ROWS {
                left[row] = add_times::<FUSED>(left[row], rows[row][at], &b[0]);
                right[row] = add_times::<FUSED>(right[row], rows[row][at], &b[1]);
            }
        }
        for row in 0..ROWS {
            let (out, _) = out.0[row * out.1 + first..][..WIDE].as_chunks_mut();
            out[0] = add_times::<FUSED>(out[0], 1.0, &left[row]);
            out[1] = add_times::<FUSED>(out[1], 1.0, &right[row]);
        }
    }
    ROWS
}

/// Vectors by value: sums that are changed in place stay in memory, at a thirtieth of the speed.
#[inline(always)]
fn add_times<const FUSED: bool>(sums: [f32; LANES], a: f32, b: &[f32; LANES]) -> [f32; LANES] {
    std::array::from_fn(|lane| mul_add::<FUSED>(a, b[lane], sums[lane]))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::cpu::head::tests::pseudo_random;
    use proptest::prelude::*;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(48))]
        #[test]
        fn product_matches_the_reference(
            rows in 1_usize..9, inner in 0_usize..70, wide in 1_usize..4, more in 0_usize..5, seed: u64
        ) {
            let cols = wide * WIDE;
            let (a, b) = ((inner + more, seed), (cols + more, seed ^ 9));
            let a = (pseudo_random(a.1, rows * a.0, 1.0), a.0);
            let b = (pseudo_random(b.1, inner * b.0, 1.0), b.0);
            let before = pseudo_random(seed ^ 5, rows * (cols + more), 1.0);
            let mut out = before.clone();
            product((rows, inner, cols), (&a.0, a.1), (&b.0, b.1), (&mut out, cols + more));
            for (at, (got, before)) in out.iter().zip(&before).enumerate() {
                let (row, col) = (at / (cols + more), at % (cols + more));
                let sum: f64 = (0..inner)
                    .filter(|_| col < cols)
                    .map(|at| f64::from(a.0[row * a.1 + at]) * f64::from(b.0[at * b.1 + col]))
                    .sum();
                prop_assert!((f64::from(*got) - f64::from(*before) - sum).abs() < 1e-4);
            }
        }

        #[test]
        fn attention_matches_plain_loops(
            before in 0_usize..150, new in 1_usize..70, dim in 1_usize..40, group in 1_usize..4,
            window in 1_usize..220, alone: bool, seed: u64
        ) {
            let (tokens, heads) = (before + new, 2 * group);
            let at = Place { sequence: 1, layer: 1, head: 1 };
            let keys = pseudo_random(seed, tokens * dim, 1.0);
            let values = pseudo_random(seed ^ 3, tokens * dim, 1.0);
            let mut cache = Cache::new(2, 2, 2, dim);
            // Pages that were used before, by a longer sequence with numbers that must not show.
            cache.hold(0, tokens + PAGE);
            for page in &cache.sequences[0] {
                for head in 0..2 {
                    // SAFETY: one thread only.
                    unsafe { page.part_mut(cache.layout.keys(Place { head, ..at })) }.fill(f32::NAN);
                }
            }
            cache.hold(0, 0);
            cache.hold(1, tokens);
            for token in 0..tokens {
                let range = token * dim..(token + 1) * dim;
                // SAFETY: one thread only.
                unsafe {
                    cache.put_key(at, token, &keys[range.clone()]);
                    cache.put_value(at, token, &values[range]);
                }
            }
            // The sequence's rows begin somewhere in the batch, and a row has more than its queries.
            let (width, first) = (heads * dim + 3, 2);
            let rows = Buffer::<f32>::zeroed((first + new) * width);
            let queries = pseudo_random(seed ^ 7, rows.len(), 1.0);
            // SAFETY: one thread only.
            unsafe { rows.part_mut(0..rows.len()) }.copy_from_slice(&queries);
            let mut out = Buffer::<f32>::zeroed((first + new) * heads * dim);
            let size = if alone { 1 } else { QUERIES };
            let mut scratch = Scratch::default();
            for block in Block::cut_behind(0..tokens, before, size, Some(window)) {
                let first = first + block.queries.start - before;
                let queries = Rows { buffer: &rows, width, first };
                let out = Rows { buffer: &out, width: heads * dim, first };
                // SAFETY: one thread only.
                unsafe {
                    cache.attend(at, &block, group..heads, queries, &mut scratch, out);
                }
            }
            let out = out.copied();
            for query in 0..new {
                let seen = (before + query + 1).saturating_sub(window)..before + query + 1;
                for head in group..heads {
                    let own = &queries[(first + query) * width + head * dim..][..dim];
                    let at = |of: &[f32], token: usize, d: usize| f64::from(of[token * dim + d]);
                    let weight = |token| {
                        let terms = own.iter().enumerate().map(|(d, q)| f64::from(*q) * at(&keys, token, d));
                        terms.sum::<f64>().exp()
                    };
                    let weights: Vec<f64> = seen.clone().map(weight).collect();
                    for d in 0..dim {
                        let terms = seen.clone().zip(&weights).map(|(token, w)| w * at(&values, token, d));
                        let want = terms.sum::<f64>() / weights.iter().sum::<f64>();
                        let got = f64::from(out[((first + query) * heads + head) * dim + d]);
                        prop_assert!((got - want).abs() < 1e-4, "{} where {} is expected", got, want);
                    }
                }
            }
        }
    }

    #[test]
    fn pages_come_and_go_with_the_tokens() {
        let mut cache = Cache::new(2, 3, 2, 8);
        assert_eq!(cache.bytes(), 0);
        cache.hold(0, PAGE + 1);
        let two = cache.bytes();
        assert_eq!(two, 2 * 4 * PAGE * 3 * 2 * (8 + WIDE));
        cache.hold(0, PAGE);
        cache.hold(1, 1);
        assert_eq!((cache.sequences[0].len(), cache.sequences[1].len(), cache.bytes()), (1, 1, two));
    }
}
