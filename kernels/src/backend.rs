//! The seam between what scores and what asks for scores.

use crate::taps::Taps;

/// What the model says of one token, given the tokens before it. Logarithms are natural.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct TokenStats {
    /// log p(token | context).
    pub logprob: f32,
    /// 1 for the likeliest token; 1 + the number of tokens that are strictly likelier.
    pub rank: u32,
    /// Entropy of the next-token distribution (nats).
    pub entropy: f32,
    /// Expectation of log p under the model's own distribution (nats): minus the entropy.
    pub mean_logprob: f32,
    /// Variance of log p under the model's own distribution (nats squared).
    pub variance: f32,
    /// Cross-entropy (nats) of this model's distribution under a second model's, where there is a second one.
    pub cross_entropy: Option<f32>,
    /// What a linear classifier of hidden states reads at this token, where one was asked for ([`crate::taps`]).
    pub projection: Option<f32>,
}

/// Several token sequences laid end to end, without padding. Attention never crosses from one to another.
#[derive(Debug, Clone, Copy)]
pub struct PackedBatch<'a> {
    tokens: &'a [u32],
    starts: &'a [usize],
}

/// Why a batch could not be scored.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BackendError {
    /// The batch's shape is wrong.
    #[error("malformed batch: {0}")]
    Batch(String),
    /// The weights are not those of a model.
    #[error("the model's weights can't be used: {0}")]
    Weights(String),
    /// The device can't be used.
    #[error("{0}")]
    Device(String),
    /// The arithmetic failed.
    #[error("the model's forward pass failed: {0}")]
    Forward(String),
}

impl<'a> PackedBatch<'a> {
    /// `starts` holds the first index of each sequence and, last, the number of tokens; it never falls.
    pub fn new(tokens: &'a [u32], starts: &'a [usize]) -> Result<Self, BackendError> {
        let fits = starts.first() == Some(&0)
            && starts.last() == Some(&tokens.len())
            && starts.windows(2).all(|pair| pair[0] <= pair[1]);
        if fits {
            Ok(Self { tokens, starts })
        } else {
            Err(BackendError::Batch(format!(
                "sequence starts must rise from 0 to {}, the number of tokens",
                tokens.len()
            )))
        }
    }

    /// All tokens.
    #[must_use]
    pub fn tokens(&self) -> &'a [u32] {
        self.tokens
    }

    /// Where each sequence starts, and last the number of tokens.
    #[must_use]
    pub fn starts(&self) -> &'a [usize] {
        self.starts
    }

    /// The sequences, one by one, as ranges of `tokens`.
    pub fn sequences(&self) -> impl Iterator<Item = std::ops::Range<usize>> + 'a {
        self.starts.windows(2).map(|pair| pair[0]..pair[1])
    }
}

/// Time that went into one kind of operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OperationTime {
    /// What it is, in words.
    pub name: &'static str,
    /// All time since the model was loaded.
    pub time: std::time::Duration,
}

/// A loaded model on some device.
pub trait Backend: Send + Sync {
    /// Short name of device and number format, for example `cpu-f32`.
    fn name(&self) -> String;

    /// Number of threads or of compute units in use.
    fn threads(&self) -> usize;

    /// Scores every token but the first of each sequence, in order: a sequence of n tokens gives max(n - 1, 0) entries.
    /// With taps it also gives the pooled hidden states of that very pass: for each sequence in order its chunks, each a
    /// vector for each depth, one after the other, or a number if they are projected.
    fn pass(
        &self,
        batch: &PackedBatch<'_>,
        taps: Option<&Taps<'_>>,
    ) -> Result<(Vec<TokenStats>, Vec<f32>), BackendError>;

    /// The statistics alone.
    fn score(&self, batch: &PackedBatch<'_>) -> Result<Vec<TokenStats>, BackendError> {
        Ok(self.pass(batch, None)?.0)
    }

    /// Statistics and pooled hidden states.
    fn score_tapped(
        &self,
        batch: &PackedBatch<'_>,
        taps: &Taps<'_>,
    ) -> Result<(Vec<TokenStats>, Vec<f32>), BackendError> {
        self.pass(batch, Some(taps))
    }

    /// The logits after each token of one sequence, handed over a row at a time. They are asked for rarely, so a backend
    /// need not have them: then this is an error.
    fn each_logits(&self, tokens: &[u32], row: &mut dyn FnMut(usize, &[f32])) -> Result<(), BackendError> {
        let _ = (tokens, row);
        Err(BackendError::Device(format!("{} gives no logits: use --device cpu", self.name())))
    }

    /// Tokens that fill the device: what a caller with many texts best packs into one batch.
    fn preferred_batch_tokens(&self) -> usize {
        2048
    }

    /// Where the time went so far, if the backend keeps count.
    fn times(&self) -> Vec<OperationTime> {
        Vec::new()
    }
}
