//! Sequences that grow token by token: what generating text takes.
//!
//! A pass runs over new tokens only; keys and values of all earlier ones are in a [`Cache`]. New tokens of several
//! sequences go through the model together, since with few rows a product takes as long as its matrix needs to come
//! from memory. Products are those of scoring, in the same form; attention is in f32, whatever the form.

use super::CpuBackend;
use super::attention::cached::Cache;
use super::backend::lock;
use super::buffer::Buffer;
use super::forward::{Pass, Workspace};
use super::input::ROW_TILE;
use super::plan::{Extension, Plan, Work, columns};
use super::product::{Out, PANEL};
use super::team::{Operation, Worker};
use crate::backend::BackendError;
use std::ops::Range;

/// Tokens that go through the model together.
const CHUNK: usize = 512;
/// Rows of logits that exist at once where every token's are asked for.
const LOGITS: usize = 32;

/// Sequences that grow token by token, with the keys and values of what came before.
///
/// It has buffers of its own: sessions and [`score`](crate::backend::Backend::score) don't disturb one another, but
/// take turns with the backend's threads. There are sessions on the CPU only, even where a GPU scores; and if the
/// backend has an observer, that takes no part.
pub struct Session<'a> {
    backend: &'a CpuBackend,
    capacity: usize,
    /// Tokens of each sequence.
    lengths: Vec<usize>,
    cache: Cache,
    space: Workspace,
    logits: Buffer<f32>,
}

/// Which of the new tokens' logits are asked for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Asked {
    Last,
    All,
}

/// What goes through the model together.
struct Chunk<'t> {
    extensions: Vec<Extension<'t>>,
    /// Sequence and position of each token whose logits are asked for, and its row.
    asked: Vec<(usize, usize)>,
    rows: Vec<usize>,
}

impl CpuBackend {
    /// Begins so many empty sequences. `capacity` is the most tokens that one of them may come to hold; memory is
    /// taken as they grow.
    pub fn session(&self, sequences: usize, capacity: usize) -> Result<Session<'_>, BackendError> {
        if sequences == 0 || capacity == 0 {
            return Err(BackendError::Batch("a session needs a sequence and room for a token".to_owned()));
        }
        let shape = &self.decoder.shape;
        Ok(Session {
            backend: self,
            capacity,
            lengths: vec![0; sequences],
            cache: Cache::new(sequences, self.decoder.layers.len(), shape.kv_heads, shape.head_dim),
            space: Workspace::default(),
            logits: Buffer::default(),
        })
    }
}

impl Session<'_> {
    /// Appends tokens to sequences (index, at least one token each; a sequence at most once), and gives the logits
    /// after the last one of each, in the same order: a row of one number a word of the vocabulary.
    ///
    /// After an error all sequences are what they were before.
    pub fn extend(&mut self, new: &[(usize, &[u32])]) -> Result<Vec<&mut [f32]>, BackendError> {
        self.check(new)?;
        let stride = self.stride();
        // A chunk's rows are written up to a whole tile.
        self.logits.ensure((new.len() + ROW_TILE) * stride);
        let mut first = 0;
        for chunk in chunks(new, &self.lengths, Asked::Last) {
            self.pass(&chunk)?;
            self.head(0..chunk.rows.len(), first)?;
            first += chunk.rows.len();
        }
        self.grow(new);
        Ok(self.rows(new.len()))
    }

    /// Appends tokens as [`extend`](Self::extend) does, and hands over the logits after every one of them: to `row`,
    /// with the sequence and the token's position in it. Only some tens of rows exist at once.
    ///
    /// The rows of a sequence come in order; those of different sequences come one sequence after another.
    pub fn each_logits(
        &mut self,
        new: &[(usize, &[u32])],
        mut row: impl FnMut(usize, usize, &mut [f32]),
    ) -> Result<(), BackendError> {
        self.check(new)?;
        self.logits.ensure(LOGITS * self.stride());
        for chunk in chunks(new, &self.lengths, Asked::All) {
            self.pass(&chunk)?;
            for (at, asked) in chunk.asked.chunks(LOGITS).enumerate() {
                let first = at * LOGITS;
                self.head(first..first + asked.len(), 0)?;
                for ((sequence, position), logits) in asked.iter().zip(self.rows(asked.len())) {
                    row(*sequence, *position, logits);
                }
            }
        }
        self.grow(new);
        Ok(())
    }

    /// Tokens of a sequence; 0 if there is none of this number.
    #[must_use]
    pub fn len(&self, sequence: usize) -> usize {
        self.lengths.get(sequence).copied().unwrap_or(0)
    }

    /// Number of sequences.
    #[must_use]
    pub fn sequences(&self) -> usize {
        self.lengths.len()
    }

    /// The most tokens that a sequence may come to hold.
    #[must_use]
    pub fn capacity(&self) -> usize {
        self.capacity
    }

    /// Forgets all but the first `tokens` of a sequence, so that another text can go on from there, or with 0 begin.
    /// Does nothing if it has no more. The memory is kept for what comes.
    pub fn truncate(&mut self, sequence: usize, tokens: usize) -> Result<(), BackendError> {
        self.check_sequence(sequence)?;
        self.lengths[sequence] = self.lengths[sequence].min(tokens);
        self.cache.hold(sequence, self.lengths[sequence]);
        Ok(())
    }

    /// Memory of keys and values.
    #[must_use]
    pub fn cache_bytes(&self) -> usize {
        self.cache.bytes()
    }

    fn check_sequence(&self, sequence: usize) -> Result<(), BackendError> {
        let all = self.lengths.len();
        if sequence < all {
            return Ok(());
        }
        Err(BackendError::Batch(format!("there is no sequence {sequence} in a session of {all}")))
    }

    fn check(&self, new: &[(usize, &[u32])]) -> Result<(), BackendError> {
        let wrong = |what: String| Err(BackendError::Batch(what));
        if new.is_empty() {
            return wrong("no sequence is to be extended".to_owned());
        }
        let mut seen = vec![false; self.lengths.len()];
        for &(sequence, tokens) in new {
            self.check_sequence(sequence)?;
            if std::mem::replace(&mut seen[sequence], true) {
                return wrong(format!("sequence {sequence} is to be extended twice"));
            }
            if tokens.is_empty() {
                return wrong(format!("no token to extend sequence {sequence} by"));
            }
            let (length, capacity) = (self.lengths[sequence], self.capacity);
            if tokens.len() > capacity.saturating_sub(length) {
                let new = tokens.len();
                return wrong(format!(
                    "sequence {sequence} has {length} tokens and room for {capacity}, not for {new} more"
                ));
            }
            self.backend.check_tokens(tokens)?;
        }
        Ok(())
    }

    /// Takes new tokens through the model, up to the head's input.
    fn pass(&mut self, chunk: &Chunk<'_>) -> Result<(), BackendError> {
        let CpuBackend { decoder, team, .. } = self.backend;
        let tokens: Vec<u32> = chunk.extensions.iter().flat_map(|new| new.tokens).copied().collect();
        let plan = Plan::extending(&tokens, &chunk.extensions, chunk.rows.clone(), &decoder.shape);
        decoder.reserve(&mut self.space, &plan, team.threads());
        for new in &chunk.extensions {
            self.cache.hold(new.sequence, new.before + new.tokens.len());
        }
        let (space, plan, cache) = (&self.space, &plan, Some(&self.cache));
        team.run(|worker| {
            let mut scratch = lock(&space.workers[worker.index]);
            Pass { decoder, worker, space, plan, cache }.run(&mut scratch);
        })
    }

    /// Logits of some rows of the head's input, into rows of `logits` from `first` on.
    fn head(&mut self, rows: Range<usize>, first: usize) -> Result<(), BackendError> {
        if rows.is_empty() {
            return Ok(());
        }
        let (output, stride) = (&self.backend.decoder.output, self.stride());
        let work = Work::new(rows.len(), output);
        let (input, logits) = (&self.space.head_in, &self.logits);
        assert!(rows.start.is_multiple_of(ROW_TILE));
        assert!((first + rows.len().next_multiple_of(ROW_TILE)) * stride <= logits.len());
        self.backend.team.run(|worker: &Worker<'_>| {
            worker.each(Operation::Head, work.pieces(), |piece| {
                let (some, panels, next) = work.piece(piece);
                let at = (first + some.start) * stride + columns(&panels, stride).start;
                let some = rows.start + some.start..rows.start + some.end;
                // SAFETY: the head's input was written in an earlier pass. The rows are there up to whole tiles, the
                // columns up to whole panels; they are in this piece alone.
                unsafe {
                    let out = Out { at: logits.pointer().add(at), stride, add: false };
                    output.tile_to(input, some, panels, next, out);
                }
            });
        })
    }

    /// Numbers from row to row of the logits: the vocabulary up to a whole panel.
    fn stride(&self) -> usize {
        self.backend.decoder.output.panels() * PANEL
    }

    fn rows(&mut self, count: usize) -> Vec<&mut [f32]> {
        let (vocab, stride) = (self.backend.decoder.shape.vocab, self.stride());
        let rows = self.logits.whole_mut().chunks_exact_mut(stride).take(count);
        rows.map(|row| &mut row[..vocab]).collect()
    }

    fn grow(&mut self, new: &[(usize, &[u32])]) {
        for (sequence, tokens) in new {
            self.lengths[*sequence] += tokens.len();
        }
    }
}

/// Cuts new tokens into what goes through the model together. A sequence may be cut: what comes later finds the keys
/// and values of what came before.
fn chunks<'t>(new: &[(usize, &'t [u32])], lengths: &[usize], asked: Asked) -> Vec<Chunk<'t>> {
    let empty = || Chunk { extensions: Vec::new(), asked: Vec::new(), rows: Vec::new() };
    let (mut chunks, mut chunk, mut filled) = (Vec::new(), empty(), 0);
    for &(sequence, all) in new {
        let mut before = lengths[sequence];
        let end = before + all.len();
        let mut rest = all;
        while !rest.is_empty() {
            if filled == CHUNK {
                chunks.push(std::mem::replace(&mut chunk, empty()));
                filled = 0;
            }
            let (tokens, later) = rest.split_at(rest.len().min(CHUNK - filled));
            for at in 0..tokens.len() {
                if asked == Asked::All || before + at + 1 == end {
                    chunk.asked.push((sequence, before + at));
                    chunk.rows.push(filled + at);
                }
            }
            chunk.extensions.push(Extension { sequence, before, tokens });
            (before, filled, rest) = (before + tokens.len(), filled + tokens.len(), later);
        }
    }
    chunks.push(chunk);
    chunks
}

#[cfg(test)]
mod tests;
