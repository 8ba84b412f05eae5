//! Measuring and calibrating: labelled texts in, honest numbers out.
//!
//! The commands `eval` and `calibrate` share these parts so that a calibration is fitted on exactly the statistics
//! on which it is measured: [`dataset`] reads and samples, [`scoring`] runs the texts through the engine in packed
//! batches, [`cache`] keeps the statistics and [`scores`] what came of each text (numbers only, never a text),
//! [`metrics`], [`lengths`], [`reliability`], [`targets`] and [`report`] measure, [`tables`] and [`chart`] show it,
//! [`calibrate`] splits, cuts to all lengths and fits, [`splice`] makes texts by two authors.

pub mod cache;
pub mod calibrate;
pub mod chart;
pub mod dataset;
pub mod lengths;
pub mod metrics;
pub mod reliability;
pub mod report;
pub mod scam;
pub mod scores;
pub mod scoring;
pub mod splice;
pub mod tables;
pub mod targets;
