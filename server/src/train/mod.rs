//! Training of detectors on top of the model: `probe` leaves the model as it is, `lora` adapts it.

pub mod lora;
pub mod probe;
