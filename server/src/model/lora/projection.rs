//! Which matrices of a decoder are adapted.

use bonafide_kernels::weights::{Layer, Linear, Shape};

/// A matrix of a layer that is adapted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[allow(missing_docs)] // the names of [`Layer`]'s fields
pub enum Projection {
    Query,
    Key,
    Value,
    Output,
    Gate,
    Up,
    Down,
}

impl Projection {
    /// All of them, in the order of their numbers.
    pub const ALL: [Self; 7] =
        [Self::Query, Self::Key, Self::Value, Self::Output, Self::Gate, Self::Up, Self::Down];

    /// The name in files.
    #[must_use]
    pub fn name(self) -> &'static str {
        ["q", "k", "v", "o", "gate", "up", "down"][self as usize]
    }

    /// Its outputs and inputs.
    #[must_use]
    pub fn size(self, shape: &Shape) -> (usize, usize) {
        let (queries, keys) = (shape.heads * shape.head_dim, shape.kv_heads * shape.head_dim);
        match self {
            Self::Query => (queries, shape.dim),
            Self::Key | Self::Value => (keys, shape.dim),
            Self::Output => (shape.dim, queries),
            Self::Gate | Self::Up => (shape.feed_forward, shape.dim),
            Self::Down => (shape.dim, shape.feed_forward),
        }
    }

    /// The matrix in a layer.
    #[must_use]
    pub fn of(self, layer: &Layer) -> &Linear {
        match self {
            Self::Query => &layer.query,
            Self::Key => &layer.key,
            Self::Value => &layer.value,
            Self::Output => &layer.attention_output,
            Self::Gate => &layer.gate,
            Self::Up => &layer.up,
            Self::Down => &layer.down,
        }
    }

    /// The same, to be changed.
    pub fn of_mut(self, layer: &mut Layer) -> &mut Linear {
        match self {
            Self::Query => &mut layer.query,
            Self::Key => &mut layer.key,
            Self::Value => &mut layer.value,
            Self::Output => &mut layer.attention_output,
            Self::Gate => &mut layer.gate,
            Self::Up => &mut layer.up,
            Self::Down => &mut layer.down,
        }
    }
}

/// The name of a tensor: `layers.{index}.{projection}.{a|b}`.
#[must_use]
pub fn tensor_name(layer: usize, which: Projection, side: &str) -> String {
    format!("layers.{layer}.{}.{side}", which.name())
}
