//! The forward pass: packed token sequences in, normalised hidden states of the predicting positions out.
//!
//! Sequences lie end to end, so that every product with a weight matrix runs over all tokens of the batch and nothing
//! is padded; attention alone is computed sequence by sequence. What follows a product is done to each piece of it
//! at once: biases, the residual sum, the gate.

use super::activation::{gelu_mul, silu_mul};
use super::attention::{Block, float};
use super::buffer::Buffer;
use super::input::{Form, Input, ROW_TILE};
use super::norm::{add, rms_norm};
use super::product::{Out, PANEL, Packed};
use super::rotary::Angles;
use super::team::{Operation, Worker};
use crate::backend::PackedBatch;
use crate::weights::{Activation, Matrix, Shape};
use std::ops::Range;
use std::sync::Mutex;

#[cfg(all(target_arch = "x86_64", target_os = "linux"))]
use super::attention::amx;

/// Rows in a piece of those steps that go row by row.
const ROWS: usize = 16;
/// Bytes of inputs that the pieces of a product go over again and again: they stay in the second cache.
const INPUT_BYTES: usize = 768 * 1024;

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

/// Where everything of one batch lies.
pub(super) struct Plan<'a> {
    tokens: &'a [u32],
    /// Of each token within its sequence.
    positions: Vec<usize>,
    sequences: Vec<Range<usize>>,
    /// Some rows of one sequence each.
    pieces: Vec<(usize, Range<usize>)>,
    /// Where each sequence begins if all take whole blocks, and last where the next would.
    packed: Vec<usize>,
    /// Sequence and queries, for layers that see everything and for those that see a window.
    global: Vec<(usize, Block)>,
    local: Vec<(usize, Block)>,
    /// Rows that predict a token of the batch, in order.
    predicting: Vec<usize>,
    pub(super) targets: Vec<u32>,
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
    #[cfg(all(target_arch = "x86_64", target_os = "linux"))]
    heads: amx::Scratch,
    pub(super) logits: Vec<f32>,
    pub(super) head: super::head::Share,
    pub(super) paired: super::paired::Share,
}

impl<'a> Plan<'a> {
    pub(super) fn new(batch: &PackedBatch<'a>, shape: &Shape, tiles: bool) -> Self {
        let sequences: Vec<Range<usize>> = batch.sequences().filter(|range| !range.is_empty()).collect();
        let queries = if tiles { ROW_TILE } else { float::QUERIES };
        let blocks = |window: Option<usize>| {
            let each = sequences.iter().enumerate();
            each.flat_map(|(at, range)| {
                Block::cut(range.clone(), queries, window).map(move |block| (at, block))
            })
            .collect::<Vec<_>>()
        };
        let pieces = sequences.iter().enumerate().flat_map(|(at, range)| {
            range.clone().step_by(ROWS).map(move |first| (at, first..(first + ROWS).min(range.end)))
        });
        let pieces = pieces.collect();
        let mut packed = vec![0];
        for range in &sequences {
            packed.push(packed.last().copied().unwrap_or(0) + range.len().next_multiple_of(ROW_TILE));
        }
        // The last position of a sequence predicts nothing that is in it.
        let predicting: Vec<usize> = sequences.iter().flat_map(|range| range.start..range.end - 1).collect();
        Self {
            tokens: batch.tokens(),
            positions: sequences.iter().flat_map(|range| 0..range.len()).collect(),
            pieces,
            packed,
            global: blocks(None),
            local: if shape.window.is_some() { blocks(shape.window) } else { Vec::new() },
            targets: predicting.iter().map(|row| batch.tokens()[row + 1]).collect(),
            predicting,
            sequences,
        }
    }

    fn rows(&self) -> usize {
        self.tokens.len()
    }

    fn blocks(&self, local: bool) -> &[(usize, Block)] {
        if local && !self.local.is_empty() { &self.local } else { &self.global }
    }
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
        space.target_logits.ensure(plan.predicting.len());
        let positions = plan.positions.iter().max().map_or(0, |last| last + 1);
        space.global.ensure(positions, &self.shape.rotary);
        space.local.ensure(positions, &self.shape.rotary_local);
        space.workers.resize_with(workers.max(space.workers.len()), Mutex::default);
        #[cfg(all(target_arch = "x86_64", target_os = "linux"))]
        if self.tiles {
            let tokens = plan.packed.last().copied().unwrap_or(0);
            space.heads.reserve(tokens, head_dim, heads, kv_heads);
            return;
        }
        space.mixed.ensure(rows * heads * head_dim);
    }

    /// Runs one worker's part. At the end `head_in` and `target_logits` hold a row for each target.
    ///
    /// The steps share the workspace without locks: within a step every piece writes to rows or columns of its own,
    /// and what a step writes is only read after the barrier that ends it.
    pub(super) fn run(&self, worker: &Worker<'_>, space: &Workspace, scratch: &mut Scratch, plan: &Plan<'_>) {
        scratch.row.resize(self.shape.dim.max(self.shape.heads * self.shape.head_dim), 0.0);
        self.embed(worker, space, plan);
        let mut pending = None;
        for layer in &self.layers {
            let form = layer.query_key_value.weight.form();
            let into = (&space.attention_in, form);
            self.normalise(worker, space, scratch, plan, pending, &layer.attention_norm, into);
            self.query_key_value(worker, space, scratch, plan, layer);
            self.place_heads(worker, space, scratch, plan, layer);
            self.attention(worker, space, scratch, plan, layer);
            let post = layer.post_attention_norm.as_deref();
            let operation = Operation::AttentionOutput;
            self.add(worker, operation, space, scratch, plan, &layer.attention_output, &space.mixed_in, post);
            let into = (&space.feed_forward_in, layer.gate.weight.form());
            self.normalise(worker, space, scratch, plan, post, &layer.feed_forward_norm, into);
            self.gate_up(worker, space, scratch, plan, layer);
            pending = layer.post_feed_forward_norm.as_deref();
            self.add(worker, Operation::Down, space, scratch, plan, &layer.down, &space.gated_in, pending);
        }
        self.finish(worker, space, scratch, plan, pending);
    }

    fn embed(&self, worker: &Worker<'_>, space: &Workspace, plan: &Plan<'_>) {
        let dim = self.shape.dim;
        worker.each(Operation::Embed, plan.rows().div_ceil(ROWS), |piece| {
            for row in pieces(piece, ROWS, plan.rows()) {
                // SAFETY: the row is in this piece alone.
                let x = unsafe { space.x.part_mut(row * dim..(row + 1) * dim) };
                self.embedding.row(plan.tokens[row] as usize, x);
                if self.shape.embedding_scale != 1.0 {
                    x.iter_mut().for_each(|x| *x *= self.shape.embedding_scale);
                }
            }
        });
    }

    /// Adds what a layer had to normalise first, then normalises the row for the next product.
    #[allow(clippy::too_many_arguments)]
    fn normalise(
        &self,
        worker: &Worker<'_>,
        space: &Workspace,
        scratch: &mut Scratch,
        plan: &Plan<'_>,
        pending: Option<&[f32]>,
        weight: &[f32],
        into: (&Input, Form),
    ) {
        worker.each(Operation::Norm, plan.rows().div_ceil(ROWS), |piece| {
            for row in pieces(piece, ROWS, plan.rows()) {
                self.normalise_row(space, &mut scratch.row, row, pending, weight);
                // SAFETY: the row is in this piece alone.
                unsafe { into.0.put(into.1, row, 0, &scratch.row[..self.shape.dim]) };
            }
        });
    }

    fn normalise_row(
        &self,
        space: &Workspace,
        out: &mut [f32],
        row: usize,
        pending: Option<&[f32]>,
        weight: &[f32],
    ) {
        let Shape { dim, norm_eps, .. } = self.shape;
        let out = &mut out[..dim];
        // SAFETY: a step normalises every row in one piece only, and no other part of the step looks at it.
        let x = unsafe { space.x.part_mut(row * dim..(row + 1) * dim) };
        if let Some(post) = pending {
            // SAFETY: as above.
            rms_norm(unsafe { space.added.part(row * dim..(row + 1) * dim) }, post, norm_eps, out);
            add(x, out);
        }
        rms_norm(x, weight, norm_eps, out);
    }

    fn query_key_value(
        &self,
        worker: &Worker<'_>,
        space: &Workspace,
        scratch: &mut Scratch,
        plan: &Plan<'_>,
        layer: &PackedLayer,
    ) {
        let linear = &layer.query_key_value;
        let operation = Operation::QueryKeyValue;
        let input = &space.attention_in;
        self.multiply(worker, operation, scratch, plan, linear, input, &space.query_key_value, false);
    }

    /// A product of all rows, with its bias, into `out` or onto it.
    #[allow(clippy::too_many_arguments)]
    fn multiply(
        &self,
        worker: &Worker<'_>,
        operation: Operation,
        scratch: &mut Scratch,
        plan: &Plan<'_>,
        linear: &PackedLinear,
        input: &Input,
        out: &Buffer<f32>,
        onto: bool,
    ) {
        let all = linear.weight.rows();
        assert!(out.len() >= plan.rows().next_multiple_of(ROW_TILE) * all);
        let work = Work::new(plan.rows(), &linear.weight);
        worker.each(operation, work.pieces(), |piece| {
            let (rows, panels, next) = work.piece(piece);
            let columns = columns(&panels, all);
            let whole = columns.len() == panels.len() * PANEL;
            if whole {
                let first = rows.start * all + columns.start;
                // SAFETY: the rows are there up to whole tiles, the columns too; they are in this piece alone.
                unsafe {
                    let out = Out { at: out.pointer().add(first), stride: all, add: onto };
                    linear.weight.tile_to(input, rows.clone(), panels.clone(), next, out);
                }
            }
            let tile = if whole {
                None
            } else {
                Some(product(linear, input, &rows, &panels, next, &mut scratch.tile))
            };
            let bias = linear.bias.as_ref().map(|bias| &bias[columns.clone()]);
            for (at, row) in rows.enumerate() {
                let range = row * all + columns.start..row * all + columns.end;
                // SAFETY: these columns of the row are in this piece alone.
                let out = unsafe { out.part_mut(range) };
                match (&tile, bias) {
                    (Some(tile), _) if onto => add(out, &tile[at * panels.len() * PANEL..][..out.len()]),
                    (Some(tile), _) => out.copy_from_slice(&tile[at * panels.len() * PANEL..][..out.len()]),
                    (None, Some(bias)) => add(out, bias),
                    (None, None) => break,
                }
            }
        });
    }

    /// Norms and turns queries and keys, and puts them and the values where attention wants them.
    fn place_heads(
        &self,
        worker: &Worker<'_>,
        space: &Workspace,
        scratch: &mut Scratch,
        plan: &Plan<'_>,
        layer: &PackedLayer,
    ) {
        let Shape { heads, kv_heads, head_dim, norm_eps, pairs, .. } = self.shape;
        let width = (heads + 2 * kv_heads) * head_dim;
        let angles = if layer.local { &space.local } else { &space.global };
        let scale = (head_dim as f32).powf(-0.5);
        worker.each(Operation::Rotary, plan.pieces.len(), |piece| {
            let (sequence, rows) = &plan.pieces[piece];
            for row in rows.clone() {
                // SAFETY: the row is in this piece alone.
                let all = unsafe { space.query_key_value.part_mut(row * width..(row + 1) * width) };
                for (at, head) in all.chunks_exact_mut(head_dim).enumerate().take(heads + kv_heads) {
                    let norm = if at < heads { &layer.query_norm } else { &layer.key_norm };
                    if let Some(norm) = norm {
                        rms_norm(head, norm, norm_eps, &mut scratch.row[..head_dim]);
                        head.copy_from_slice(&scratch.row[..head_dim]);
                    }
                    angles.rotate(head, plan.positions[row], pairs);
                    if at < heads {
                        head.iter_mut().for_each(|x| *x *= scale);
                    }
                }
                self.pack_heads(space, scratch, plan, *sequence, row, all);
            }
        });
    }

    #[cfg(all(target_arch = "x86_64", target_os = "linux"))]
    fn pack_heads(
        &self,
        space: &Workspace,
        scratch: &mut Scratch,
        plan: &Plan<'_>,
        sequence: usize,
        row: usize,
        all: &[f32],
    ) {
        let Shape { heads, kv_heads, head_dim, .. } = self.shape;
        if !self.tiles {
            return;
        }
        let range = &plan.sequences[sequence];
        let token = plan.packed[sequence] + row - range.start;
        for (at, head) in all.chunks_exact(head_dim).enumerate() {
            // SAFETY: the token is in this piece alone, and what lies behind a sequence's end in its last one's.
            unsafe {
                if at < heads {
                    space.heads.put_query(at, token, head);
                } else if at < heads + kv_heads {
                    space.heads.put_key(at - heads, token, head, &mut scratch.heads);
                } else {
                    space.heads.put_value(at - heads - kv_heads, token, head, &mut scratch.heads);
                }
            }
        }
        if row + 1 == range.end {
            // SAFETY: as above.
            unsafe { space.heads.clear(kv_heads, token + 1..plan.packed[sequence + 1], &mut scratch.heads) };
        }
    }

    #[cfg(not(all(target_arch = "x86_64", target_os = "linux")))]
    fn pack_heads(&self, _: &Workspace, _: &mut Scratch, _: &Plan<'_>, _: usize, _: usize, _: &[f32]) {}

    fn attention(
        &self,
        worker: &Worker<'_>,
        space: &Workspace,
        scratch: &mut Scratch,
        plan: &Plan<'_>,
        layer: &PackedLayer,
    ) {
        let Shape { heads, kv_heads, head_dim, .. } = self.shape;
        let blocks = plan.blocks(layer.local);
        let group = heads / kv_heads;
        // The longest first, so that no worker is left with one at the end.
        worker.each(Operation::Attention, blocks.len() * heads, |piece| {
            let (sequence, block) = &blocks[blocks.len() - 1 - piece / heads];
            let head = piece % heads;
            #[cfg(all(target_arch = "x86_64", target_os = "linux"))]
            if self.tiles {
                // SAFETY: tiles are only chosen where the CPU has them; the block's rows of this head are in this
                // piece alone.
                unsafe {
                    space.heads.attend(
                        block,
                        plan.packed[*sequence],
                        (head, head / group),
                        &mut scratch.heads,
                        (&space.mixed_in, layer.attention_output.weight.form()),
                        head * head_dim,
                    );
                }
                return;
            }
            let _ = sequence;
            let of = float::Heads {
                rows: &space.query_key_value,
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
                    &space.mixed,
                    heads * head_dim,
                    head * head_dim,
                );
            }
        });
        if self.tiles {
            return;
        }
        let (width, form) = (heads * head_dim, layer.attention_output.weight.form());
        worker.each(Operation::Norm, plan.rows().div_ceil(ROWS), |piece| {
            for row in pieces(piece, ROWS, plan.rows()) {
                // SAFETY: the row is in this piece alone.
                unsafe {
                    let mixed = space.mixed.part(row * width..(row + 1) * width);
                    space.mixed_in.put(form, row, 0, mixed);
                }
            }
        });
    }

    /// Adds a product to the residual stream, or leaves it to be normalised first.
    #[allow(clippy::too_many_arguments)]
    fn add(
        &self,
        worker: &Worker<'_>,
        operation: Operation,
        space: &Workspace,
        scratch: &mut Scratch,
        plan: &Plan<'_>,
        linear: &PackedLinear,
        input: &Input,
        post: Option<&[f32]>,
    ) {
        let out = if post.is_some() { &space.added } else { &space.x };
        self.multiply(worker, operation, scratch, plan, linear, input, out, post.is_none());
    }

    fn gate_up(
        &self,
        worker: &Worker<'_>,
        space: &Workspace,
        scratch: &mut Scratch,
        plan: &Plan<'_>,
        layer: &PackedLayer,
    ) {
        let form = layer.down.weight.form();
        let work = Work::new(plan.rows(), &layer.gate.weight);
        worker.each(Operation::GateUp, work.pieces(), |piece| {
            let (rows, panels, next) = work.piece(piece);
            let input = &space.feed_forward_in;
            let gate = product(&layer.gate, input, &rows, &panels, next, &mut scratch.tile);
            let up = product(&layer.up, input, &rows, &panels, next, &mut scratch.second);
            let columns = columns(&panels, self.shape.feed_forward);
            let width = panels.len() * PANEL;
            let some = ROWS * width;
            for (at, (gate, up)) in gate.chunks_mut(some).zip(up.chunks(some)).enumerate() {
                match self.shape.activation {
                    Activation::Silu => silu_mul(gate, up),
                    Activation::Gelu => gelu_mul(gate, up),
                }
                let gated = gate.chunks_exact(width).map(|gate| &gate[..columns.len()]);
                // SAFETY: these columns of the rows are in this piece alone; they begin at a whole panel.
                unsafe { space.gated_in.put_rows(form, rows.start + at * ROWS, columns.start, gated) };
            }
        });
    }

    fn finish(
        &self,
        worker: &Worker<'_>,
        space: &Workspace,
        scratch: &mut Scratch,
        plan: &Plan<'_>,
        pending: Option<&[f32]>,
    ) {
        let form = self.output.form();
        worker.each(Operation::Norm, plan.predicting.len().div_ceil(ROWS), |piece| {
            for at in pieces(piece, ROWS, plan.predicting.len()) {
                self.normalise_row(space, &mut scratch.row, plan.predicting[at], pending, &self.output_norm);
                // SAFETY: this row of the head's input is in this piece alone.
                unsafe {
                    space.head_in.put(form, at, 0, &scratch.row[..self.shape.dim]);
                    let target = plan.targets[at] as usize;
                    space.target_logits.part_mut(at..at + 1)[0] = self.output.dot(&space.head_in, at, target);
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

/// How a product is cut into pieces: blocks of rows, and for each of them all panels, so that each worker reads its own
/// part of the matrix.
struct Work {
    rows: usize,
    block: usize,
    panels: usize,
    at_once: usize,
}

impl Work {
    fn new(rows: usize, weight: &Packed) -> Self {
        let row_bytes = match weight.form() {
            Form::F32 => 4,
            Form::Int8 { .. } => 2,
            Form::Bf16 { parts } => 2 * parts,
        } * weight.cols();
        let most = (INPUT_BYTES / row_bytes / ROW_TILE).max(1) * ROW_TILE;
        let block = rows.div_ceil(rows.div_ceil(most)).next_multiple_of(ROW_TILE);
        Self { rows, block, panels: weight.panels(), at_once: weight.panels_at_once() }
    }

    fn pieces(&self) -> usize {
        self.rows.div_ceil(self.block) * self.panels.div_ceil(self.at_once)
    }

    /// Rows and panels of a piece, and the panel of the next one.
    fn piece(&self, piece: usize) -> (Range<usize>, Range<usize>, usize) {
        let across = self.panels.div_ceil(self.at_once);
        let panels = pieces(piece % across, self.at_once, self.panels);
        let rows = pieces(piece / across, self.block, self.rows);
        (rows, panels.clone(), panels.end % self.panels)
    }
}

fn pieces(piece: usize, size: usize, all: usize) -> Range<usize> {
    piece * size..((piece + 1) * size).min(all)
}

fn columns(panels: &Range<usize>, all: usize) -> Range<usize> {
    panels.start * PANEL..(panels.end * PANEL).min(all)
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
