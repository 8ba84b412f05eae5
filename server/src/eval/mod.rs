//! Measuring and calibrating: labelled texts in, honest numbers out.
//!
//! The commands `eval` and `calibrate` share these parts so that a calibration is fitted on exactly the statistics
//! on which it is measured: [`dataset`] reads and samples, [`scoring`] runs the texts through the engine in packed
//! batches, [`cache`] keeps the statistics (numbers only, never a text), [`metrics`] and [`report`] measure,
//! [`calibrate`] splits, cuts to all lengths and fits, [`splice`] makes texts by two authors.

pub mod cache;
pub mod calibrate;
pub mod chart;
pub mod dataset;
pub mod metrics;
pub mod report;
pub mod scoring;
pub mod splice;
