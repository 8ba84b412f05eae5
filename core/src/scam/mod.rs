//! Whether a conversation is a scam: how dangerous, at which stage, and why, early enough to matter.
//!
//! A message becomes plain tokens (`text`), which show tactics (`taxonomy`) and a wording (`wording`). A [`Conversation`] adds
//! up what its messages show, and a trained head (`model`) weighs it (`judge`). Rules alone never give [`Risk::Danger`], and
//! one keyword never gives more than [`Risk::Caution`].
//!
//! The published patterns that this rests on are named in `taxonomy/sources.toml`.

mod bundle;
mod conversation;
mod engine;
mod few;
mod fields;
pub mod judge;
mod links;
pub mod model;
mod pace;
pub mod report;
mod taxonomy;
mod text;
pub mod turn;
mod wording;

#[cfg(test)]
mod tests;

pub use conversation::{Conversation, MOST_OPINION, Numbers, OTHERS};
pub use engine::Engine;
pub use model::{Expert, Head, Learned, Model};
pub use report::{Advice, Finding, Hotline, Place, Report, Risk, Stage};
pub use turn::{Setting, Side, Turn};
pub use wording::ASSUMED_OF_CHATS;
