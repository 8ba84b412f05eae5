//! Attention in f32, for every CPU: both products through `gemm`.

use super::Block;
use super::softmax::exponentials;
use crate::cpu::buffer::Buffer;
use crate::cpu::float::{Strided, multiply};

/// Queries in a block: bounds the scores of one to so many rows, and skips most of the masked triangle.
pub(crate) const QUERIES: usize = 64;

/// Where queries, keys and values stand: rows of one buffer, each head a run of numbers.
#[derive(Clone, Copy)]
pub(crate) struct Heads<'a> {
    pub(crate) rows: &'a Buffer<f32>,
    /// Numbers in a row.
    pub(crate) width: usize,
    pub(crate) head_dim: usize,
    /// Where in a row the query's, the key's and the value's head begin.
    pub(crate) query: usize,
    pub(crate) key: usize,
    pub(crate) value: usize,
}

/// Writes the block's mixed values: row r of the batch at `out[r * out_width + out_first..]`.
///
/// Queries are scaled already. `scratch` grows to the block's scores.
///
/// # Safety
/// Nobody may be writing to the heads' rows; nobody else may touch this block's part of `out`.
pub(crate) unsafe fn attend(
    block: &Block,
    heads: Heads<'_>,
    scratch: &mut Vec<f32>,
    out: &Buffer<f32>,
    out_width: usize,
    out_first: usize,
) {
    let (rows, keys, dim) = (block.queries.len(), block.keys.len(), heads.head_dim);
    if scratch.len() < rows * keys {
        scratch.resize(rows * keys, 0.0);
    }
    let scores = &mut scratch[..rows * keys];
    let at = |row: usize, first: usize| row * heads.width + first;
    let last = block.queries.end - 1;
    assert!(at(last, heads.query.max(heads.key).max(heads.value) + dim) <= heads.rows.len());
    assert!(last * out_width + out_first + dim <= out.len() && out_first + dim <= out_width);
    let (first_query, first_key) = (block.queries.start, block.keys.start);
    let strided = |row: usize, first: usize| Strided {
        // SAFETY: all rows of the block were just checked to lie in the buffer.
        at: unsafe { heads.rows.pointer().add(at(row, first)) },
        stride: heads.width,
    };
    let (query, key) = (strided(first_query, heads.query), strided(first_key, heads.key));
    // SAFETY: all rows of the block were just checked to lie in the buffers; the caller keeps others away.
    unsafe { multiply((rows, dim, keys), query, key, true, (scores.as_mut_ptr(), keys, false)) };
    for (query, scores) in block.queries.clone().zip(scores.chunks_mut(keys)) {
        let seen = block.seen_by(query);
        let seen = seen.start - block.keys.start..seen.end - block.keys.start;
        scores[..seen.start].fill(0.0);
        scores[seen.end..].fill(0.0);
        let scores = &mut scores[seen];
        let inverse = 1.0 / exponentials(scores);
        for score in scores {
            *score *= inverse;
        }
    }
    // SAFETY: as above; the block's part of `out` is this worker's alone.
    unsafe {
        let weights = Strided { at: scores.as_ptr(), stride: keys };
        let out = out.pointer().add(first_query * out_width + out_first);
        multiply((rows, keys, dim), weights, strided(first_key, heads.value), false, (out, out_width, false));
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(32))]
        #[test]
        fn matches_plain_loops(tokens in 1_usize..100, dim in 1_usize..20, window in 1_usize..120, seed: u32) {
            let width = 3 * dim + 2;
            let value = |at: usize| ((at as u32).wrapping_mul(2_654_435_761).wrapping_add(seed) >> 8) as f32 / 8e6 - 1.0;
            let rows = Buffer::<f32>::zeroed(tokens * width);
            // SAFETY: one thread only.
            let values = unsafe { rows.part_mut(0..tokens * width) };
            values.iter_mut().enumerate().for_each(|(at, x)| *x = value(at));
            let values = values.to_vec();
            let mut out = Buffer::<f32>::zeroed(tokens * dim);
            let heads = Heads { rows: &rows, width, head_dim: dim, query: 0, key: dim, value: 2 * dim + 1 };
            for block in Block::cut(0..tokens, QUERIES, Some(window)) {
                // SAFETY: one thread only.
                unsafe { attend(&block, heads, &mut Vec::new(), &out, dim, 0) };
            }
            let out = out.copied();
            for query in 0..tokens {
                let seen = (query + 1).saturating_sub(window)..query + 1;
                let at = |row: usize, first: usize| &values[row * width + first..][..dim];
                let weights: Vec<f64> = seen.clone().map(|key| {
                    at(query, 0).iter().zip(at(key, dim)).map(|(a, b)| f64::from(a * b)).sum::<f64>().exp()
                }).collect();
                for d in 0..dim {
                    let mixed: f64 = seen.clone().zip(&weights).map(|(key, w)| w * f64::from(at(key, 2 * dim + 1)[d])).sum();
                    let want = mixed / weights.iter().sum::<f64>();
                    prop_assert!((f64::from(out[query * dim + d]) - want).abs() < 1e-4);
                }
            }
        }
    }
}
