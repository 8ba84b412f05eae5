//! The author's own keys: where they are kept, and signing with them.
//!
//! A key is either a file, in OpenSSH's own format and encrypted under a passphrase, or one that a running
//! `ssh-agent` holds, which may be a key in hardware. Both kinds have a profile: whose name and identity a statement
//! by this key carries, and whether it was revoked.
//!
//! Nothing here decides what is signed; that is `core::signature`.

pub mod agent;
mod files;
mod passphrase;
mod private;
mod signer;
mod store;
#[cfg(test)]
mod tests;

pub use passphrase::{AskPassphrase, FromUser, PASSPHRASE_VARIABLE, Passphrase, PassphraseError, Prompts};
pub use signer::Signer;
pub use store::Keystore;

use agent::AgentError;
use bonafide_core::signature::key::PublicKey;
use bonafide_core::signature::published::Revocation;
use bonafide_core::signature::statement::Author;
use bonafide_core::signature::time::Timestamp;
use serde::{Deserialize, Serialize};
use std::path::PathBuf;
use std::time::{SystemTime, UNIX_EPOCH};

/// A key of the author's, without its secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Profile {
    /// What it is called on this machine; also the name of its file.
    pub name: String,
    /// The public key.
    pub key: PublicKey,
    /// Who signs with it.
    pub author: Author,
    /// Who can sign with it.
    pub source: Source,
    /// Whether it signs when no other key is asked for.
    #[serde(default)]
    pub default: bool,
    /// When it came into this store.
    pub created: Timestamp,
    /// No statement by it can be earlier. Not known of a key that was made elsewhere.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub valid_from: Option<Timestamp>,
    /// That it was revoked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revoked: Option<Revocation>,
}

/// Where the secret of a key is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// In a file of the keys' folder.
    File,
    /// With the `ssh-agent`, which signs.
    Agent,
}

/// Why a key can't be made, read or used. Each is one line that says what to do.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum KeystoreError {
    /// A file or folder can't be used.
    #[error("{} can't be used: {source}", path.display())]
    Io {
        /// Which.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// Others could read a secret, or put another one in its place.
    #[error("others may use {}: keep it to yourself with `chmod {mode} {}` first", path.display(), path.display())]
    Wide {
        /// Which file or folder.
        path: PathBuf,
        /// The mode that it must have.
        mode: &'static str,
    },
    /// The file of profiles is not what it should be.
    #[error("{} is damaged ({source}): repair it, or move it away and import the keys beside it again", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// Where and what.
        source: serde_json::Error,
    },
    /// A name that can't be one.
    #[error(
        "`{0}` can't be a key's name: use 1 to 64 letters, digits, `.`, `-` or `_`, beginning with a letter or digit and not ending in .pub or .json"
    )]
    Name(String),
    /// The author's name or identity is not as a statement must have it.
    #[error("the author can't be named so: {0}")]
    Author(String),
    /// The name is taken.
    #[error("there is a key named `{0}` already: choose another name")]
    Exists(String),
    /// A file of that name is there, and no profile.
    #[error("{} is there already and is never overwritten: move it away, or choose another name", .0.display())]
    FileExists(PathBuf),
    /// The same key under another name.
    #[error("this key is here already, as `{0}`")]
    Known(String),
    /// There is no such key.
    #[error("there is no key named `{0}`: `bonafide key list` names all")]
    Unknown(String),
    /// There are no keys.
    #[error("there is no key to sign with: make one with `bonafide key new --author NAME`")]
    NoKey,
    /// There are several keys, and none is the default.
    #[error("no key is the default: choose one with `bonafide key default NAME`")]
    NoDefault,
    /// The key may not be used any more.
    #[error(
        "the key `{0}` was revoked: sign with another, or make one with `bonafide key new NAME --default`"
    )]
    Revoked(String),
    /// A key that is known to be stolen stays so.
    #[error("the key `{0}` was revoked as compromised, and that can't be taken back")]
    Compromised(String),
    /// Not a private key file that can be read.
    #[error("{} is not a private key in OpenSSH's format: give the file without `.pub`; `ssh-keygen -p -f FILE` changes older formats", .0.display())]
    NotAKey(PathBuf),
    /// A key of another type.
    #[error("{} is a key of type {algorithm}, and only ssh-ed25519 signs here: make one with `bonafide key new` or `ssh-keygen -t ed25519`", path.display())]
    Algorithm {
        /// The file.
        path: PathBuf,
        /// Its type.
        algorithm: String,
    },
    /// The file of a key in hardware, which holds no secret.
    #[error("{} is a key in hardware: give it to the agent with `ssh-add FILE`, then `bonafide key import --agent FINGERPRINT`", .0.display())]
    Hardware(PathBuf),
    /// The passphrase does not open the file.
    #[error("the passphrase does not open the key `{0}`: try again")]
    WrongPassphrase(String),
    /// The file holds another key than the profile says.
    #[error("{} does not hold the key that was put there: restore it from a backup, or revoke the key", .0.display())]
    Replaced(PathBuf),
    /// A key could not be written in OpenSSH's format.
    #[error("the key can't be written: {0}")]
    Encoding(ssh_key::Error),
    /// What came out is no signature by the key.
    #[error("what was made is not a valid signature by the key `{name}` ({reason}); nothing was signed")]
    BadSignature {
        /// The key.
        name: String,
        /// What is wrong.
        reason: String,
    },
    /// The passphrase can't be had.
    #[error(transparent)]
    Passphrase(#[from] PassphraseError),
    /// The agent does not help.
    #[error(transparent)]
    Agent(#[from] AgentError),
    /// The system has no random numbers.
    #[error("the system gives no random numbers: {0}")]
    Random(#[from] getrandom::Error),
}

/// The clock of this machine as statements write it.
#[must_use]
pub fn now() -> Timestamp {
    Timestamp::from_unix(SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs()))
}
