//! Watermarks: statistical marks that a generator left in its choice of tokens, found with the key.

pub mod detector;
pub mod dip;
pub mod edit;
pub mod evidence;
pub mod exponential;
pub mod find;
pub mod greens;
pub mod kgw;
pub mod make;
pub mod random;
pub mod scheme;
pub mod synthid;
pub mod tail;
pub mod unigram;
