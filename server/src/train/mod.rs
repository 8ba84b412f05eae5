//! Training: what makes the files that a detector reads.
//!
//! [`probe`] leaves the model as it is and fits a linear classifier of its hidden states; [`lora`] adapts the model's lower
//! layers and a head over their pooled states; [`style`] adapts them to one author's texts; [`opinion`] fits
//! probes of chats.

pub mod lora;
pub mod opinion;
pub mod probe;
pub mod scam;
pub mod style;
