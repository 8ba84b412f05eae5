//! How a batch, and the product of all its rows, is cut into pieces of work.

use super::attention::{Block, cached, float};
use super::input::{Form, ROW_TILE};
use super::product::{PANEL, Packed};
use crate::backend::PackedBatch;
use crate::taps::Taps;
use crate::weights::Shape;
use std::ops::Range;

/// Rows in a piece of those steps that go row by row.
pub(super) const ROWS: usize = 16;
/// Bytes of inputs that the pieces of a product go over again and again: they stay in the second cache.
const INPUT_BYTES: usize = 768 * 1024;

/// Where everything of one batch lies.
pub(super) struct Plan<'a> {
    pub(super) tokens: &'a [u32],
    /// Of each token within its sequence.
    pub(super) positions: Vec<usize>,
    pub(super) sequences: Vec<Range<usize>>,
    /// Which sequence of a cache each of them goes on with, if there is a cache.
    pub(super) cached: Vec<usize>,
    /// Whether attention runs in AMX tiles.
    pub(super) tiles: bool,
    /// Some rows of one sequence each.
    pub(super) pieces: Vec<(usize, Range<usize>)>,
    /// Where each sequence begins if all take whole blocks, and last where the next would.
    pub(super) packed: Vec<usize>,
    /// Sequence and queries, for layers that see everything and for those that see a window. With a cache they count
    /// in tokens of the sequence.
    global: Vec<(usize, Block)>,
    local: Vec<(usize, Block)>,
    /// Rows whose predictions are asked for, in order.
    pub(super) predicting: Vec<usize>,
    /// The tokens that they ought to predict, if those are known.
    pub(super) targets: Vec<u32>,
    /// Rows whose hidden states are pooled together, and how.
    pub(super) tapped: Vec<Range<usize>>,
    pub(super) taps: Option<Taps<'a>>,
}

/// New tokens of a sequence whose earlier ones are in a cache.
#[derive(Debug, Clone, Copy)]
pub(super) struct Extension<'a> {
    /// Of the cache.
    pub(super) sequence: usize,
    /// Tokens that are there.
    pub(super) before: usize,
    pub(super) tokens: &'a [u32],
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
        let (global, local) = (blocks(None), shape.window.map(|window| blocks(Some(window))));
        // The last position of a sequence predicts nothing that is in it.
        let predicting: Vec<usize> = sequences.iter().flat_map(|range| range.start..range.end - 1).collect();
        Self {
            positions: sequences.iter().flat_map(|range| 0..range.len()).collect(),
            global,
            local: local.unwrap_or_default(),
            tiles,
            targets: predicting.iter().map(|row| batch.tokens()[row + 1]).collect(),
            predicting,
            ..Self::of(batch.tokens(), sequences)
        }
    }

    /// The same, with hidden states pooled on the way.
    pub(super) fn tapping(self, batch: &PackedBatch<'_>, taps: Option<&Taps<'a>>) -> Self {
        match taps {
            Some(taps) => Self { tapped: taps.pieces(batch), taps: Some(*taps), ..self },
            None => self,
        }
    }

    /// Numbers that are pooled in a model of this width.
    pub(super) fn pooled(&self, dim: usize) -> usize {
        self.taps.map_or(0, |taps| taps.width(dim) * self.tapped.len())
    }

    /// `tokens` are those of the extensions end to end; `predicting` are the rows whose predictions are asked for.
    pub(super) fn extending(
        tokens: &'a [u32],
        extensions: &[Extension<'_>],
        predicting: Vec<usize>,
        shape: &Shape,
    ) -> Self {
        let blocks = |window: Option<usize>| {
            let each = extensions.iter().enumerate();
            each.flat_map(|(at, Extension { before, tokens, .. })| {
                let all = 0..before + tokens.len();
                Block::cut_behind(all, *before, cached::QUERIES, window).map(move |block| (at, block))
            })
            .collect::<Vec<_>>()
        };
        let (global, local) = (blocks(None), shape.window.map(|window| blocks(Some(window))));
        let mut sequences: Vec<Range<usize>> = Vec::new();
        for extension in extensions {
            let first = sequences.last().map_or(0, |range| range.end);
            sequences.push(first..first + extension.tokens.len());
        }
        let positions =
            extensions.iter().flat_map(|extension| (extension.before..).take(extension.tokens.len()));
        Self {
            positions: positions.collect(),
            global,
            local: local.unwrap_or_default(),
            cached: extensions.iter().map(|extension| extension.sequence).collect(),
            predicting,
            ..Self::of(tokens, sequences)
        }
    }

    /// What follows from where the sequences lie.
    fn of(tokens: &'a [u32], sequences: Vec<Range<usize>>) -> Self {
        let pieces = sequences.iter().enumerate().flat_map(|(at, range)| {
            range.clone().step_by(ROWS).map(move |first| (at, first..(first + ROWS).min(range.end)))
        });
        let pieces = pieces.collect();
        let mut packed = vec![0];
        for range in &sequences {
            packed.push(packed.last().copied().unwrap_or(0) + range.len().next_multiple_of(ROW_TILE));
        }
        Self {
            tokens,
            positions: Vec::new(),
            sequences,
            cached: Vec::new(),
            tiles: false,
            pieces,
            packed,
            global: Vec::new(),
            local: Vec::new(),
            predicting: Vec::new(),
            targets: Vec::new(),
            tapped: Vec::new(),
            taps: None,
        }
    }

    pub(super) fn rows(&self) -> usize {
        self.tokens.len()
    }

    pub(super) fn blocks(&self, local: bool) -> &[(usize, Block)] {
        if local && !self.local.is_empty() { &self.local } else { &self.global }
    }
}

/// How a product is cut into pieces: blocks of rows, and for each of them all panels, so that each worker reads its own
/// part of the matrix.
pub(super) struct Work {
    rows: usize,
    block: usize,
    panels: usize,
    at_once: usize,
}

impl Work {
    pub(super) fn new(rows: usize, weight: &Packed) -> Self {
        let row_bytes = match weight.form() {
            Form::F32 => 4,
            Form::Int8 { .. } => 2,
            Form::Bf16 { parts } => 2 * parts,
        } * weight.cols();
        let most = (INPUT_BYTES / row_bytes / ROW_TILE).max(1) * ROW_TILE;
        let block = rows.div_ceil(rows.div_ceil(most)).next_multiple_of(ROW_TILE);
        Self { rows, block, panels: weight.panels(), at_once: weight.panels_at_once() }
    }

    pub(super) fn pieces(&self) -> usize {
        self.rows.div_ceil(self.block) * self.panels.div_ceil(self.at_once)
    }

    /// Rows and panels of a piece, and the panel of the next one.
    pub(super) fn piece(&self, piece: usize) -> (Range<usize>, Range<usize>, usize) {
        let across = self.panels.div_ceil(self.at_once);
        let panels = pieces(piece % across, self.at_once, self.panels);
        let rows = pieces(piece / across, self.block, self.rows);
        (rows, panels.clone(), panels.end % self.panels)
    }
}

pub(super) fn pieces(piece: usize, size: usize, all: usize) -> Range<usize> {
    piece * size..((piece + 1) * size).min(all)
}

pub(super) fn columns(panels: &Range<usize>, all: usize) -> Range<usize> {
    panels.start * PANEL..(panels.end * PANEL).min(all)
}
