//! Measuring the scam engine on labelled conversations and messages.

pub mod dataset;
pub mod outcome;
pub mod report;
