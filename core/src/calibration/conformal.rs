//! Split-conformal p-values.

use serde::{Deserialize, Serialize};

/// Lengths in tokens at which one table of comparable texts ends and the next begins.
pub const BUCKET_EDGES: [usize; 3] = [80, 160, 320];

/// A score and how many of the table's texts reach it.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Point(
    /// The score.
    pub f32,
    /// Number of texts with at least this score.
    pub u32,
);

/// The scores of texts of one origin, one group and one range of lengths.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Table {
    /// The group, or empty for all groups together.
    pub group: String,
    /// Index into the ranges that [`BUCKET_EDGES`] separates.
    pub bucket: usize,
    /// Number of texts.
    pub count: u32,
    /// Scores, falling: the highest ones all, the rest thinned out.
    pub points: Vec<Point>,
}
