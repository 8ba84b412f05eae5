//! Training of the scam engine's model: the weights of wording ([`wording`]), the head that weighs it with the tactics
//! ([`head`]), and the thresholds ([`run`]).

pub mod head;
pub mod run;
pub mod wording;
