//! Whose keys this user trusts: contacts, what identities were first seen with, and what was revoked.
//!
//! All of it is one file that a person can read, `trust.json` in the config folder. What a reader knows of a key
//! is put together in [`facts()`].

mod allowed_signers;
mod error;
mod facts;
mod store;
mod stored;

pub use allowed_signers::{Entry, Import, Imported, NAMESPACE, Skipped, export, import};
pub use error::TrustError;
pub use facts::{Word, facts};
pub use store::{TRUST_FILE, TrustStore};
pub use stored::{Contact, ContactKey, Pin, PinnedKey, Published, RevokedKey};

#[cfg(test)]
pub(crate) mod testing;
