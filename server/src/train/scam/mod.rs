//! Training of the scam engine's model: conversations ([`ready`]), the n-grams that tell ([`wordings`], fitted by [`ftrl`]), the
//! experts that weigh them with the tactics ([`expert`], fitted by [`head`]), and the thresholds ([`threshold`]); all of it in
//! order in [`run`].

mod expert;
pub mod ftrl;
pub mod head;
pub(super) mod ready;
pub mod run;
mod threshold;
mod wordings;

pub use threshold::LeftOut;
