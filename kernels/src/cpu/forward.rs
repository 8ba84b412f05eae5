//! The forward pass: packed token sequences in, normalised hidden states of the predicting positions out.
//!
//! Sequences lie end to end, so that every product with a weight matrix runs over all tokens of the batch and nothing
//! is padded; attention alone is computed sequence by sequence, within the batch or against a cache. What follows a
//! product is done to each piece of it at once: biases, the residual sum, the gate.

use super::activation::{gelu_mul, silu_mul};
use super::attention::{cached, float};
use super::buffer::Buffer;
use super::input::{Form, Input, ROW_TILE};
use super::norm::{add, rms_norm};
use super::plan::{Plan, ROWS, Work, columns, pieces};
use super::product::{Out, PANEL, Packed};
use super::rotary::Angles;
use super::team::{Operation, Worker};
use crate::taps::Taps;
use crate::weights::{Activation, Matrix, Shape};
use std::ops::Range;
use std::sync::Mutex;

#[cfg(all(target_arch = "x86_64", target_os = "linux"))]
use super::attention::amx;

/// Pieces for each worker, if there is so much to do, so that none waits long for another.
const ENOUGH: usize = 4;

/// A decoder whose matrices are packed.
pub(super) struct Decoder {
    pub(super) shape: Shape,
    pub(super) embedding: Matrix,
    pub(super) layers: Vec<PackedLayer>,
    pub(super) output_norm: Vec<f32>,
    pub(super) output: Packed,
    /// Whether attention runs in AMX tiles.
    pub(super) tiles: bool,
}

/// A matrix, and what is added to its product.
pub(super) struct PackedLinear {
    pub(super) weight: Packed,
    pub(super) bias: Option<Vec<f32>>,
}

pub(super) struct PackedLayer {
    pub(super) attention_norm: Vec<f32>,
    /// Queries, keys and values, one below the other.
    pub(super) query_key_value: PackedLinear,
    pub(super) query_norm: Option<Vec<f32>>,
    pub(super) key_norm: Option<Vec<f32>>,
    pub(super) attention_output: PackedLinear,
    pub(super) post_attention_norm: Option<Vec<f32>>,
    pub(super) feed_forward_norm: Vec<f32>,
    pub(super) gate: PackedLinear,
    pub(super) up: PackedLinear,
    pub(super) down: PackedLinear,
    pub(super) post_feed_forward_norm: Option<Vec<f32>>,
    pub(super) local: bool,
}

/// Buffers of one decoder. They grow to the largest batch and are used again.
#[derive(Default)]
pub(super) struct Workspace {
    /// The residual stream.
    x: Buffer<f32>,
    /// What a layer adds, where a norm stands in between.
    added: Buffer<f32>,
    query_key_value: Buffer<f32>,
    mixed: Buffer<f32>,
    attention_in: Input,
    mixed_in: Input,
    feed_forward_in: Input,
    gated_in: Input,
    pub(super) head_in: Input,
    pub(super) target_logits: Buffer<f32>,
    /// What is pooled of each chunk.
    pub(super) pooled: Buffer<f32>,
    #[cfg(all(target_arch = "x86_64", target_os = "linux"))]
    heads: amx::PackedHeads,
    global: Angles,
    local: Angles,
    pub(super) workers: Vec<Mutex<Scratch>>,
}

/// What one worker needs for itself.
#[derive(Default)]
pub(super) struct Scratch {
    row: Vec<f32>,
    tile: Buffer<f32>,
    second: Buffer<f32>,
    scores: Vec<f32>,
    cached: cached::Scratch,
    #[cfg(all(target_arch = "x86_64", target_os = "linux"))]
    heads: amx::Scratch,
    pub(super) logits: Vec<f32>,
    pub(super) head: super::head::Share,
    pub(super) paired: super::paired::Share,
}

impl Decoder {
    /// Makes room for a batch, and for `workers`.
    pub(super) fn reserve(&self, space: &mut Workspace, plan: &Plan<'_>, workers: usize) {
        let Shape { dim, feed_forward, heads, kv_heads, head_dim, .. } = self.shape;
        // Tiles of rows are written whole.
        let rows = plan.rows().next_multiple_of(ROW_TILE);
        let forms = |of: fn(&PackedLayer) -> &PackedLinear| {
            let mut forms: Vec<Form> = self.layers.iter().map(|layer| of(layer).weight.form()).collect();
            forms.dedup();
            forms
        };
        space.x.ensure(rows * dim);
        if self.layers.iter().any(PackedLayer::adds_normalised) {
            space.added.ensure(rows * dim);
        }
        space.query_key_value.ensure(rows * (heads + 2 * kv_heads) * head_dim);
        space.attention_in.reserve(rows, dim, &forms(|layer| &layer.query_key_value));
        space.mixed_in.reserve(rows, heads * head_dim, &forms(|layer| &layer.attention_output));
        space.feed_forward_in.reserve(rows, dim, &forms(|layer| &layer.gate));
        space.gated_in.reserve(rows, feed_forward, &forms(|layer| &layer.down));
        space.head_in.reserve(plan.predicting.len(), dim, &[self.output.form()]);
        space.target_logits.ensure(plan.targets.len());
        space.pooled.ensure(plan.pooled(dim));
        let positions = plan.positions.iter().max().map_or(0, |last| last + 1);
        space.global.ensure(positions, &self.shape.rotary);
        space.local.ensure(positions, &self.shape.rotary_local);
        space.workers.resize_with(workers.max(space.workers.len()), Mutex::default);
        #[cfg(all(target_arch = "x86_64", target_os = "linux"))]
        if plan.tiles {
            let tokens = plan.packed.last().copied().unwrap_or(0);
            space.heads.reserve(tokens, head_dim, heads, kv_heads);
            return;
        }
        space.mixed.ensure(rows * heads * head_dim);
    }
}

/// One worker's way through a pass.
///
/// The steps share the workspace without locks: within a step every piece writes to rows or columns of its own, and what
/// a step writes is only read after the barrier that ends it.
pub(super) struct Pass<'a> {
    pub(super) decoder: &'a Decoder,
    pub(super) worker: &'a Worker<'a>,
    pub(super) space: &'a Workspace,
    pub(super) plan: &'a Plan<'a>,
    /// Where keys and values go, and those of earlier passes are, if the plan is one of extensions.
    pub(super) cache: Option<&'a cached::Cache>,
}

impl Pass<'_> {
    /// Takes all steps. At the end `head_in` holds a row for each prediction, `target_logits` a number for each target.
    pub(super) fn run(&self, scratch: &mut Scratch) {
        let Shape { dim, heads, head_dim, .. } = self.decoder.shape;
        scratch.row.resize(dim.max(heads * head_dim), 0.0);
        self.embed();
        let mut pending = None;
        for (index, layer) in self.decoder.layers.iter().enumerate() {
            let form = layer.query_key_value.weight.form();
            let into = (&self.space.attention_in, form);
            self.normalise(scratch, pending, &layer.attention_norm, into);
            if let Some(taps) = &self.plan.taps {
                self.pool(taps, index);
            }
            self.query_key_value(scratch, layer);
            self.place_heads(scratch, (index, layer));
            self.attention(scratch, (index, layer));
            let post = layer.post_attention_norm.as_deref();
            let operation = Operation::AttentionOutput;
            self.add(operation, scratch, &layer.attention_output, &self.space.mixed_in, post);
            let into = (&self.space.feed_forward_in, layer.gate.weight.form());
            self.normalise(scratch, post, &layer.feed_forward_norm, into);
            self.gate_up(scratch, layer);
            pending = layer.post_feed_forward_norm.as_deref();
            self.add(Operation::Down, scratch, &layer.down, &self.space.gated_in, pending);
        }
        self.finish(scratch, pending);
    }

    fn embed(&self) {
        let dim = self.decoder.shape.dim;
        self.each_row(Operation::Embed, self.plan.rows(), |row| {
            // SAFETY: the row is in this piece alone.
            let x = unsafe { self.space.x.part_mut(row * dim..(row + 1) * dim) };
            self.decoder.embedding.row(self.plan.tokens[row] as usize, x);
            if self.decoder.shape.embedding_scale != 1.0 {
                x.iter_mut().for_each(|x| *x *= self.decoder.shape.embedding_scale);
            }
        });
    }

    /// A step that goes row by row. Few rows are cut into small pieces, so that every worker gets some.
    fn each_row(&self, operation: Operation, rows: usize, mut row: impl FnMut(usize)) {
        let size = (rows / (ENOUGH * self.worker.workers())).clamp(1, ROWS);
        self.worker
            .each(operation, rows.div_ceil(size), |piece| pieces(piece, size, rows).for_each(&mut row));
    }

    /// Adds what a layer had to normalise first, then normalises the row for the next product.
    fn normalise(
        &self,
        scratch: &mut Scratch,
        pending: Option<&[f32]>,
        weight: &[f32],
        into: (&Input, Form),
    ) {
        self.each_row(Operation::Norm, self.plan.rows(), |row| {
            self.normalise_row(&mut scratch.row, row, pending, weight);
            // SAFETY: the row is in this piece alone.
            unsafe { into.0.put(into.1, row, 0, &scratch.row[..self.decoder.shape.dim]) };
        });
    }

    /// Pools the residual stream over each chunk. The step before has added all that belongs to it, and the next that
    /// writes to it comes after the barrier.
    fn pool(&self, taps: &Taps<'_>, depth: usize) {
        let Some(slot) = taps.depths().iter().position(|tapped| *tapped == depth) else { return };
        let dim = self.decoder.shape.dim;
        let width = taps.width(dim);
        self.worker.each(Operation::Pool, self.plan.tapped.len(), |piece| {
            // SAFETY: the chunk is in this piece alone.
            let sums = unsafe { self.space.pooled.part_mut(piece * width..(piece + 1) * width) };
            if slot == 0 {
                sums.fill(0.0);
            }
            for row in self.plan.tapped[piece].clone() {
                // SAFETY: nobody writes to the stream in this step.
                taps.add(sums, slot, unsafe { self.space.x.part(row * dim..(row + 1) * dim) });
            }
        });
    }

    fn normalise_row(&self, out: &mut [f32], row: usize, pending: Option<&[f32]>, weight: &[f32]) {
        let Shape { dim, norm_eps, .. } = self.decoder.shape;
        let out = &mut out[..dim];
        // SAFETY: a step normalises every row in one piece only, and no other part of the step looks at it.
        let x = unsafe { self.space.x.part_mut(row * dim..(row + 1) * dim) };
        if let Some(post) = pending {
            // SAFETY: as above.
            rms_norm(unsafe { self.space.added.part(row * dim..(row + 1) * dim) }, post, norm_eps, out);
            add(x, out);
        }
        rms_norm(x, weight, norm_eps, out);
    }

    fn query_key_value(&self, scratch: &mut Scratch, layer: &PackedLayer) {
        let linear = &layer.query_key_value;
        let operation = Operation::QueryKeyValue;
        let input = &self.space.attention_in;
        self.multiply(operation, scratch, linear, input, &self.space.query_key_value, false);
    }

    /// A product of all rows, with its bias, into `out` or onto it.
    fn multiply(
        &self,
        operation: Operation,
        scratch: &mut Scratch,
        linear: &PackedLinear,
        input: &Input,
        out: &Buffer<f32>,
        onto: bool,
    ) {
        let all = linear.weight.rows();
        assert!(out.len() >= self.plan.rows().next_multiple_of(ROW_TILE) * all);
        let work = Work::new(self.plan.rows(), &linear.weight);
        self.worker.each(operation, work.pieces(), |piece| {
            let (rows, panels, next) = work.piece(piece);
            let (columns, width) = (columns(&panels, all), panels.len() * PANEL);
            // SAFETY: these columns of the row are in this piece alone.
            let place =
                |row: usize| unsafe { out.part_mut(row * all + columns.start..row * all + columns.end) };
            if columns.len() < width {
                // Only a part of the last panel has a place.
                let tile = product(linear, input, &rows, &panels, next, &mut scratch.tile);
                for (row, tile) in rows.zip(tile.chunks_exact(width)) {
                    let tile = &tile[..columns.len()];
                    if onto { add(place(row), tile) } else { place(row).copy_from_slice(tile) }
                }
                return;
            }
            // SAFETY: the rows are there up to whole tiles, the columns too; they are in this piece alone.
            unsafe {
                let at = out.pointer().add(rows.start * all + columns.start);
                let out = Out { at, stride: all, add: onto };
                linear.weight.tile_to(input, rows.clone(), panels, next, out);
            }
            if let Some(bias) = &linear.bias {
                rows.for_each(|row| add(place(row), &bias[columns.clone()]));
            }
        });
    }

    /// Norms and turns queries and keys, and puts them and the values where attention wants them.
    fn place_heads(&self, scratch: &mut Scratch, (index, layer): (usize, &PackedLayer)) {
        let Shape { heads, kv_heads, head_dim, norm_eps, pairs, .. } = self.decoder.shape;
        let width = (heads + 2 * kv_heads) * head_dim;
        let angles = if layer.local { &self.space.local } else { &self.space.global };
        let scale = (head_dim as f32).powf(-0.5);
        self.worker.each(Operation::Rotary, self.plan.pieces.len(), |piece| {
            let (sequence, rows) = &self.plan.pieces[piece];
            for row in rows.clone() {
                // SAFETY: the row is in this piece alone.
                let all = unsafe { self.space.query_key_value.part_mut(row * width..(row + 1) * width) };
                for (at, head) in all.chunks_exact_mut(head_dim).enumerate().take(heads + kv_heads) {
                    let norm = if at < heads { &layer.query_norm } else { &layer.key_norm };
                    if let Some(norm) = norm {
                        rms_norm(head, norm, norm_eps, &mut scratch.row[..head_dim]);
                        head.copy_from_slice(&scratch.row[..head_dim]);
                    }
                    angles.rotate(head, self.plan.positions[row], pairs);
                    if at < heads {
                        head.iter_mut().for_each(|x| *x *= scale);
                    }
                }
                match self.cache {
                    Some(cache) => self.keep_heads(cache, index, *sequence, row, all),
                    None => self.pack_heads(scratch, *sequence, row, all),
                }
            }
        });
    }

    fn keep_heads(&self, cache: &cached::Cache, layer: usize, sequence: usize, row: usize, all: &[f32]) {
        let Shape { heads, kv_heads, head_dim, .. } = self.decoder.shape;
        let (sequence, token) = (self.plan.cached[sequence], self.plan.positions[row]);
        let (keys, values) = all[heads * head_dim..].split_at(kv_heads * head_dim);
        let both = keys.chunks_exact(head_dim).zip(values.chunks_exact(head_dim));
        for (head, (key, value)) in both.enumerate() {
            let at = cached::Place { sequence, layer, head };
            // SAFETY: the token is in this piece alone.
            unsafe {
                cache.put_key(at, token, key);
                cache.put_value(at, token, value);
            }
        }
    }

    #[cfg(all(target_arch = "x86_64", target_os = "linux"))]
    fn pack_heads(&self, scratch: &mut Scratch, sequence: usize, row: usize, all: &[f32]) {
        let Shape { heads, kv_heads, head_dim, .. } = self.decoder.shape;
        if !self.plan.tiles {
            return;
        }
        let range = &self.plan.sequences[sequence];
        let token = self.plan.packed[sequence] + row - range.start;
        for (at, head) in all.chunks_exact(head_dim).enumerate() {
            // SAFETY: the token is in this piece alone, and what lies behind a sequence's end in its last one's.
            unsafe {
                if at < heads {
                    self.space.heads.put_query(at, token, head);
                } else if at < heads + kv_heads {
                    self.space.heads.put_key(at - heads, token, head, &mut scratch.heads);
                } else {
                    self.space.heads.put_value(at - heads - kv_heads, token, head, &mut scratch.heads);
                }
            }
        }
        if row + 1 == range.end {
            // SAFETY: as above.
            unsafe {
                let rest = token + 1..self.plan.packed[sequence + 1];
                self.space.heads.clear(kv_heads, rest, &mut scratch.heads);
            };
        }
    }

    #[cfg(not(all(target_arch = "x86_64", target_os = "linux")))]
    fn pack_heads(&self, _: &mut Scratch, _: usize, _: usize, _: &[f32]) {}

    fn attention(&self, scratch: &mut Scratch, (index, layer): (usize, &PackedLayer)) {
        match self.cache {
            Some(cache) => self.attend_cached(scratch, cache, index, layer.local),
            None => self.attend(scratch, layer),
        }
        if self.plan.tiles {
            return;
        }
        let Shape { heads, head_dim, .. } = self.decoder.shape;
        let (width, form) = (heads * head_dim, layer.attention_output.weight.form());
        self.each_row(Operation::Norm, self.plan.rows(), |row| {
            // SAFETY: the row is in this piece alone.
            unsafe {
                let mixed = self.space.mixed.part(row * width..(row + 1) * width);
                self.space.mixed_in.put(form, row, 0, mixed);
            }
        });
    }

    /// Attention within the batch.
    fn attend(&self, scratch: &mut Scratch, layer: &PackedLayer) {
        let Shape { heads, kv_heads, head_dim, .. } = self.decoder.shape;
        let blocks = self.plan.blocks(layer.local);
        let group = heads / kv_heads;
        // The longest first, so that no worker is left with one at the end.
        self.worker.each(Operation::Attention, blocks.len() * heads, |piece| {
            let (sequence, block) = &blocks[blocks.len() - 1 - piece / heads];
            let head = piece % heads;
            #[cfg(all(target_arch = "x86_64", target_os = "linux"))]
            if self.plan.tiles {
                // SAFETY: tiles are only chosen where the CPU has them; the block's rows of this head are in this
                // piece alone.
                unsafe {
                    self.space.heads.attend(
                        block,
                        self.plan.packed[*sequence],
                        (head, head / group),
                        &mut scratch.heads,
                        (&self.space.mixed_in, layer.attention_output.weight.form()),
                        head * head_dim,
                    );
                }
                return;
            }
            let _ = sequence;
            let of = float::Heads {
                rows: &self.space.query_key_value,
                width: (heads + 2 * kv_heads) * head_dim,
                head_dim,
                query: head * head_dim,
                key: (heads + head / group) * head_dim,
                value: (heads + kv_heads + head / group) * head_dim,
            };
            // SAFETY: the block's rows of this head are in this piece alone.
            unsafe {
                float::attend(
                    block,
                    of,
                    &mut scratch.scores,
                    &self.space.mixed,
                    heads * head_dim,
                    head * head_dim,
                );
            }
        });
    }

    /// Attention to what the cache holds, this batch's own tokens included.
    fn attend_cached(&self, scratch: &mut Scratch, cache: &cached::Cache, layer: usize, local: bool) {
        let Shape { heads, kv_heads, head_dim, .. } = self.decoder.shape;
        let blocks = self.plan.blocks(local);
        let group = heads / kv_heads;
        // Heads that share their keys go together where there is enough to do without cutting them apart.
        let together = if blocks.len() * kv_heads < ENOUGH * self.worker.workers() { 1 } else { group };
        let shares = heads / together;
        self.worker.each(Operation::Attention, blocks.len() * shares, |piece| {
            let (sequence, block) = &blocks[blocks.len() - 1 - piece / shares];
            let first = piece % shares * together;
            let row = self.plan.sequences[*sequence].start;
            let row = row + block.queries.start - self.plan.positions[row];
            let rows = |buffer, width| cached::Rows { buffer, width, first: row };
            // SAFETY: keys and values were written in an earlier step; these heads of the block's rows are in this
            // piece alone.
            unsafe {
                cache.attend(
                    cached::Place { sequence: self.plan.cached[*sequence], layer, head: first / group },
                    block,
                    first..first + together,
                    rows(&self.space.query_key_value, (heads + 2 * kv_heads) * head_dim),
                    &mut scratch.cached,
                    rows(&self.space.mixed, heads * head_dim),
                );
            }
        });
    }

    /// Adds a product to the residual stream, or leaves it to be normalised first.
    fn add(
        &self,
        operation: Operation,
        scratch: &mut Scratch,
        linear: &PackedLinear,
        input: &Input,
        post: Option<&[f32]>,
    ) {
        let out = if post.is_some() { &self.space.added } else { &self.space.x };
        self.multiply(operation, scratch, linear, input, out, post.is_none());
    }

    fn gate_up(&self, scratch: &mut Scratch, layer: &PackedLayer) {
        let form = layer.down.weight.form();
        let work = Work::new(self.plan.rows(), &layer.gate.weight);
        self.worker.each(Operation::GateUp, work.pieces(), |piece| {
            let (rows, panels, next) = work.piece(piece);
            let input = &self.space.feed_forward_in;
            let gate = product(&layer.gate, input, &rows, &panels, next, &mut scratch.tile);
            let up = product(&layer.up, input, &rows, &panels, next, &mut scratch.second);
            let columns = columns(&panels, self.decoder.shape.feed_forward);
            let width = panels.len() * PANEL;
            let some = ROWS * width;
            for (at, (gate, up)) in gate.chunks_mut(some).zip(up.chunks(some)).enumerate() {
                match self.decoder.shape.activation {
                    Activation::Silu => silu_mul(gate, up),
                    Activation::Gelu => gelu_mul(gate, up),
                }
                let gated = gate.chunks_exact(width).map(|gate| &gate[..columns.len()]);
                // SAFETY: these columns of the rows are in this piece alone; they begin at a whole panel.
                unsafe { self.space.gated_in.put_rows(form, rows.start + at * ROWS, columns.start, gated) };
            }
        });
    }

    fn finish(&self, scratch: &mut Scratch, pending: Option<&[f32]>) {
        let form = self.decoder.output.form();
        self.each_row(Operation::Norm, self.plan.predicting.len(), |at| {
            let row = self.plan.predicting[at];
            self.normalise_row(&mut scratch.row, row, pending, &self.decoder.output_norm);
            // SAFETY: this row of the head's input is in this piece alone.
            unsafe {
                self.space.head_in.put(form, at, 0, &scratch.row[..self.decoder.shape.dim]);
                if let Some(target) = self.plan.targets.get(at) {
                    self.space.target_logits.part_mut(at..at + 1)[0] =
                        self.decoder.output.dot(&self.space.head_in, at, *target as usize);
                }
            }
        });
    }
}

impl PackedLayer {
    fn adds_normalised(&self) -> bool {
        self.post_attention_norm.is_some() || self.post_feed_forward_norm.is_some()
    }
}

/// A piece of a product with its bias: a row of `PANEL` numbers a panel for each row.
fn product<'a>(
    linear: &PackedLinear,
    input: &Input,
    rows: &Range<usize>,
    panels: &Range<usize>,
    next: usize,
    out: &'a mut Buffer<f32>,
) -> &'a mut [f32] {
    let width = panels.len() * PANEL;
    let room = rows.len().next_multiple_of(ROW_TILE) * width;
    out.ensure(room);
    // SAFETY: the buffer is borrowed mutably; the input was filled in an earlier step.
    let tile = unsafe {
        let tile = out.part_mut(0..room);
        linear.weight.tile(input, rows.clone(), panels.clone(), next, tile);
        &mut tile[..rows.len() * width]
    };
    if let Some(bias) = &linear.bias {
        let bias = &bias[columns(panels, bias.len())];
        for row in tile.chunks_exact_mut(width) {
            add(&mut row[..bias.len()], bias);
        }
    }
    tile
}
