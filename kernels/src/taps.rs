//! Pooled hidden states: what a classifier on top of the model reads.
//!
//! A tap is the residual stream after some number of layers. Each position's vector is divided by its root mean square, so
//! that the few positions with enormous values don't drown the rest, and the positions of a chunk are summed. Sums of
//! chunks add up to those of any stretch made of whole chunks, and a causal model's chunks of a prefix are the prefix of
//! its chunks.

use crate::backend::{BackendError, PackedBatch};
use std::ops::Range;

/// Which hidden states of a batch are pooled, and how finely.
#[derive(Debug, Clone, Copy)]
pub struct Taps<'a> {
    depths: &'a [usize],
    chunk: usize,
    first: &'a [usize],
    weights: Option<&'a [f32]>,
}

impl<'a> Taps<'a> {
    /// The stream after each of `depths` layers, in rising order; sums of `chunk` positions each, the last of a sequence
    /// of fewer. `first` is the first position that counts, for each sequence of the batch; position 0 never does, because
    /// it has read nothing.
    pub fn new(depths: &'a [usize], chunk: usize, first: &'a [usize]) -> Result<Self, BackendError> {
        let wrong = |what: &str| Err(BackendError::Batch(what.to_owned()));
        if depths.is_empty() || depths.contains(&0) || !depths.windows(2).all(|pair| pair[0] < pair[1]) {
            return wrong("depths of hidden states must rise from 1");
        }
        if chunk == 0 {
            return wrong("a chunk of hidden states needs a position");
        }
        Ok(Self { depths, chunk, first, weights: None })
    }

    /// Instead of vectors, their products with `weights` (a vector for each depth, one after the other), summed over the
    /// depths: one number a chunk. That is all a linear classifier needs.
    #[must_use]
    pub fn projected(self, weights: &'a [f32]) -> Self {
        Self { weights: Some(weights), ..self }
    }

    /// Numbers that a chunk gives in a model of this width.
    pub(crate) fn width(&self, dim: usize) -> usize {
        if self.weights.is_some() { 1 } else { self.depths.len() * dim }
    }

    /// Adds a row of the stream at one of the depths to a chunk's numbers.
    pub(crate) fn add(&self, sums: &mut [f32], slot: usize, row: &[f32]) {
        let of_slot = slot * row.len()..(slot + 1) * row.len();
        match self.weights {
            None => add_normalised(&mut sums[of_slot], row),
            Some(weights) => sums[0] += product(&weights[of_slot], row),
        }
    }

    /// The numbers of layers.
    #[must_use]
    pub fn depths(&self) -> &'a [usize] {
        self.depths
    }

    /// Number of sums that a sequence of so many tokens gives; each holds a vector for each depth, one after the other.
    #[must_use]
    pub fn chunks(&self, tokens: usize, first: usize) -> usize {
        tokens.saturating_sub(first.max(1)).div_ceil(self.chunk)
    }

    /// The rows of each chunk of a batch, in order.
    pub(crate) fn pieces(&self, batch: &PackedBatch<'_>) -> Vec<Range<usize>> {
        let each = batch.sequences().zip(self.first);
        each.flat_map(|(rows, first)| {
            let start = (rows.start + first.max(&1)).min(rows.end);
            let end = rows.end;
            (start..end).step_by(self.chunk).map(move |from| from..(from + self.chunk).min(end))
        })
        .collect()
    }

    /// Whether they suit a batch and a model.
    pub(crate) fn check(
        &self,
        batch: &PackedBatch<'_>,
        layers: usize,
        dim: usize,
    ) -> Result<(), BackendError> {
        let wanted = self.depths.len() * dim;
        if let Some(weights) = self.weights.filter(|weights| weights.len() != wanted) {
            let given = weights.len();
            return Err(BackendError::Batch(format!("{given} weights of hidden states instead of {wanted}")));
        }
        let sequences = batch.starts().len() - 1;
        if self.first.len() != sequences {
            let given = self.first.len();
            return Err(BackendError::Batch(format!("{given} first positions for {sequences} sequences")));
        }
        match self.depths.last() {
            Some(&deepest) if deepest >= layers => Err(BackendError::Batch(format!(
                "hidden states after {deepest} layers were asked for, and the model has {layers}: \
                 they can be pooled below the last one only"
            ))),
            _ => Ok(()),
        }
    }

    /// The same for some of the sequences.
    pub(crate) fn of(&self, sequences: Range<usize>) -> Self {
        Self { first: &self.first[sequences], ..*self }
    }
}

/// Adds a row divided by its root mean square to a sum. A row of zeros adds nothing.
fn add_normalised(sum: &mut [f32], row: &[f32]) {
    let square: f32 = row.iter().map(|x| x * x).sum();
    let scale = (row.len() as f32 / square.max(f32::MIN_POSITIVE)).sqrt();
    for (sum, x) in sum.iter_mut().zip(row) {
        *sum += scale * x;
    }
}

/// The product of weights with a row divided by its root mean square.
fn product(weights: &[f32], row: &[f32]) -> f32 {
    let (mut square, mut sum) = (0.0, 0.0);
    for (weight, x) in weights.iter().zip(row) {
        square += x * x;
        sum += weight * x;
    }
    sum * (row.len() as f32 / square.max(f32::MIN_POSITIVE)).sqrt()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn chunks_cover_what_counts() {
        let tokens = [0; 12];
        let starts = [0, 7, 7, 8, 12];
        let batch = PackedBatch::new(&tokens, &starts).unwrap();
        let taps = Taps::new(&[1, 3], 4, &[0, 0, 0, 2]).unwrap();
        assert_eq!(taps.pieces(&batch), [1..5, 5..7, 10..12]);
        let counts: Vec<usize> =
            batch.sequences().zip([0, 0, 0, 2]).map(|(s, f)| taps.chunks(s.len(), f)).collect();
        assert_eq!(counts, [2, 0, 0, 1]);
        assert!(taps.check(&batch, 4, 2).is_ok());
        assert!(taps.check(&batch, 3, 2).is_err());
        assert!(Taps::new(&[1, 3], 4, &[0]).unwrap().check(&batch, 4, 2).is_err());
        assert!(taps.projected(&[0.0; 4]).check(&batch, 4, 2).is_ok());
        assert!(taps.projected(&[0.0; 3]).check(&batch, 4, 2).is_err());
    }

    #[test]
    fn senseless_taps_are_refused() {
        assert!(Taps::new(&[], 4, &[]).is_err());
        assert!(Taps::new(&[0, 1], 4, &[]).is_err());
        assert!(Taps::new(&[2, 2], 4, &[]).is_err());
        assert!(Taps::new(&[2], 0, &[]).is_err());
    }

    #[test]
    fn a_row_counts_by_its_direction() {
        let mut sum = vec![0.0; 2];
        add_normalised(&mut sum, &[3e6, 4e6]);
        add_normalised(&mut sum, &[0.0, 0.0]);
        assert!((sum[0] - 0.6 * 2_f32.sqrt()).abs() < 1e-5 && (sum[1] - 0.8 * 2_f32.sqrt()).abs() < 1e-5);
    }
}
