//! A model as its file holds it: shape, vectors, and matrices in the file's own number formats.
//!
//! Nothing is computed here. A backend takes a [`Model`] and packs the matrices as its device wants them.

mod format;
mod mapped;

pub use format::Format;
pub use mapped::Bytes;

use crate::backend::BackendError;

/// The gate of the feed-forward layers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Activation {
    /// x * sigmoid(x), as LLaMA and Qwen have it.
    Silu,
    /// GELU in its tanh form, as Gemma has it.
    Gelu,
}

/// Which two numbers of a head the rotary embedding turns together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RotaryPairs {
    /// 2 i and 2 i + 1. GGUF keeps llama's query and key rows permuted for this.
    Neighbours,
    /// i and i + half of the head.
    Halves,
}

/// Shape and constants of a decoder.
#[derive(Debug, Clone, PartialEq)]
pub struct Shape {
    /// Width of the residual stream.
    pub dim: usize,
    /// Width of the feed-forward layers.
    pub feed_forward: usize,
    /// Query heads.
    pub heads: usize,
    /// Key and value heads; divides `heads`.
    pub kv_heads: usize,
    /// Numbers in a head; even.
    pub head_dim: usize,
    /// Words of the vocabulary.
    pub vocab: usize,
    /// Added to the mean square by RMSNorm.
    pub norm_eps: f32,
    /// What gates the feed-forward layers.
    pub activation: Activation,
    /// How the rotary embedding pairs numbers.
    pub pairs: RotaryPairs,
    /// What embeddings are multiplied by.
    pub embedding_scale: f32,
    /// Rotary angle per position of each pair, in layers that see the whole context; `head_dim / 2` numbers.
    pub rotary: Vec<f64>,
    /// The same in layers that see a window.
    pub rotary_local: Vec<f64>,
    /// Tokens that a local layer sees, the token itself included.
    pub window: Option<usize>,
}

/// A matrix of `rows` outputs by `cols` inputs, row by row.
#[derive(Debug, Clone)]
pub struct Matrix {
    format: Format,
    rows: usize,
    cols: usize,
    bytes: Bytes,
}

impl Matrix {
    /// Checks that the bytes are those of so many rows.
    pub fn new(format: Format, rows: usize, cols: usize, bytes: Bytes) -> Result<Self, BackendError> {
        let row = format
            .row_bytes(cols)
            .ok_or_else(|| BackendError::Weights(format!("rows of {cols} numbers don't fit {format:?}")))?;
        if rows == 0 || cols == 0 || row.checked_mul(rows) != Some(bytes.len()) {
            return Err(BackendError::Weights(format!(
                "{} bytes are not {rows} rows of {cols} numbers in {format:?}",
                bytes.len()
            )));
        }
        Ok(Self { format, rows, cols, bytes })
    }

    /// A matrix of plain numbers.
    pub fn from_f32(rows: usize, cols: usize, values: &[f32]) -> Result<Self, BackendError> {
        let bytes: Vec<u8> = values.iter().flat_map(|x| x.to_le_bytes()).collect();
        Self::new(Format::F32, rows, cols, Bytes::from(bytes))
    }

    /// Outputs.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// Inputs.
    #[must_use]
    pub fn cols(&self) -> usize {
        self.cols
    }

    /// How the file holds the numbers.
    #[must_use]
    pub fn format(&self) -> Format {
        self.format
    }

    /// The numbers of one row. `out` holds `cols` numbers, `row` is below `rows`.
    pub fn row(&self, row: usize, out: &mut [f32]) {
        self.format.dequantize(self.row_bytes(row), &mut out[..self.cols]);
    }

    /// One row as w = scale * code + min, a scale and a min for every [`Format::group`] numbers.
    ///
    /// Formats without codes of 8 bits or less are rounded to such: to the nearest of 255 steps of a group of 32.
    pub fn codes(&self, row: usize, codes: &mut [u8], scales: &mut [f32], mins: &mut [f32]) {
        self.format.unpack(self.row_bytes(row), &mut codes[..self.cols], scales, mins);
    }

    fn row_bytes(&self, row: usize) -> &[u8] {
        let len = self.bytes.len() / self.rows;
        &self.bytes[row * len..(row + 1) * len]
    }
}

/// A matrix, and what is added to its product.
#[derive(Debug, Clone)]
pub struct Linear {
    /// The matrix.
    pub weight: Matrix,
    /// One number an output.
    pub bias: Option<Vec<f32>>,
}

/// One layer. A norm is its vector of weights: of `dim` numbers, of `head_dim` for queries and keys.
#[derive(Debug, Clone)]
pub struct Layer {
    /// Before attention.
    pub attention_norm: Vec<f32>,
    /// To `heads * head_dim`.
    pub query: Linear,
    /// To `kv_heads * head_dim`.
    pub key: Linear,
    /// To `kv_heads * head_dim`.
    pub value: Linear,
    /// Of each query head, before the rotary embedding.
    pub query_norm: Option<Vec<f32>>,
    /// Of each key head, before the rotary embedding.
    pub key_norm: Option<Vec<f32>>,
    /// From the heads back to `dim`.
    pub attention_output: Linear,
    /// Of what attention adds.
    pub post_attention_norm: Option<Vec<f32>>,
    /// Before the feed-forward layer.
    pub feed_forward_norm: Vec<f32>,
    /// To `feed_forward`; goes through the activation.
    pub gate: Linear,
    /// To `feed_forward`; is multiplied by the gate.
    pub up: Linear,
    /// Back to `dim`.
    pub down: Linear,
    /// Of what the feed-forward layer adds.
    pub post_feed_forward_norm: Option<Vec<f32>>,
    /// Whether the layer sees `Shape::window` tokens only, with `Shape::rotary_local`.
    pub local: bool,
}

/// A decoder.
#[derive(Debug, Clone)]
pub struct Model {
    /// Sizes and constants.
    pub shape: Shape,
    /// `vocab` by `dim`.
    pub embedding: Matrix,
    /// `vocab` by `dim`; the embedding where the two are tied.
    pub output: Matrix,
    /// Before the output matrix.
    pub output_norm: Vec<f32>,
    /// The layers, first to last.
    pub layers: Vec<Layer>,
}

impl Model {
    /// Whether all parts have the sizes that the shape names; a backend may count on it.
    pub fn check(&self) -> Result<(), BackendError> {
        let Shape { dim, feed_forward, heads, kv_heads, head_dim, vocab, .. } = self.shape;
        let sizes = [dim, feed_forward, heads, kv_heads, head_dim, vocab];
        if sizes.contains(&0) || !heads.is_multiple_of(kv_heads) || !head_dim.is_multiple_of(2) {
            return Err(BackendError::Weights(format!("no model has the sizes {sizes:?}")));
        }
        let frequencies = [&self.shape.rotary, &self.shape.rotary_local];
        if frequencies.iter().any(|list| list.len() != head_dim / 2) || self.shape.window == Some(0) {
            return Err(BackendError::Weights("the rotary embedding or the window has no size".to_owned()));
        }
        let (queries, keys) = (heads * head_dim, kv_heads * head_dim);
        matrix("embedding", &self.embedding, vocab, dim)?;
        matrix("output", &self.output, vocab, dim)?;
        vector("output norm", Some(&self.output_norm), dim)?;
        for layer in &self.layers {
            for (name, linear, out, input) in [
                ("query", &layer.query, queries, dim),
                ("key", &layer.key, keys, dim),
                ("value", &layer.value, keys, dim),
                ("attention output", &layer.attention_output, dim, queries),
                ("gate", &layer.gate, feed_forward, dim),
                ("up", &layer.up, feed_forward, dim),
                ("down", &layer.down, dim, feed_forward),
            ] {
                matrix(name, &linear.weight, out, input)?;
                vector(name, linear.bias.as_ref(), out)?;
            }
            for (name, norm, size) in [
                ("attention norm", Some(&layer.attention_norm), dim),
                ("query norm", layer.query_norm.as_ref(), head_dim),
                ("key norm", layer.key_norm.as_ref(), head_dim),
                ("post-attention norm", layer.post_attention_norm.as_ref(), dim),
                ("feed-forward norm", Some(&layer.feed_forward_norm), dim),
                ("post-feed-forward norm", layer.post_feed_forward_norm.as_ref(), dim),
            ] {
                vector(name, norm, size)?;
            }
        }
        Ok(())
    }
}

fn matrix(name: &str, matrix: &Matrix, rows: usize, cols: usize) -> Result<(), BackendError> {
    if (matrix.rows, matrix.cols) == (rows, cols) {
        return Ok(());
    }
    Err(BackendError::Weights(format!(
        "{name} is {} by {} where {rows} by {cols} is expected",
        matrix.rows, matrix.cols
    )))
}

fn vector(name: &str, vector: Option<&Vec<f32>>, size: usize) -> Result<(), BackendError> {
    match vector {
        Some(vector) if vector.len() != size => Err(BackendError::Weights(format!(
            "{name} has {} numbers where {size} are expected",
            vector.len()
        ))),
        _ => Ok(()),
    }
}
