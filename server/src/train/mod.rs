//! Training of detectors on top of the model.

pub mod probe;
