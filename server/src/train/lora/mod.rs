//! Low-rank adapters of the language model, and the classification head on top of it.
//!
//! [`model`] computes the decoder with candle so that an [`adapter`]'s matrices have gradients, from single steps with
//! gradients of their own (`ops`). [`head`] is one loss over the last states, a language model's loss stands in [`model`].
//! [`optim`], [`schedule`] and [`checkpoint`] know parameters, not losses. [`data`] and [`noise`] make what a step is
//! trained on, [`run`] goes the steps. What comes out is a [`crate::model::lora::file::Adapter`].

pub mod adapter;
pub mod checkpoint;
mod composed;
pub mod data;
pub mod head;
pub mod model;
pub mod noise;
mod ops;
pub mod optim;
pub mod run;
pub mod schedule;
#[cfg(test)]
pub(crate) mod testing;
#[cfg(test)]
mod tests;
