//! Who may call the daemon.
//!
//! Other programs of the same user, and web pages in the user's browser, can reach a loopback port as well as
//! the user can; a bearer token is what tells them apart. Tokens carry 256 random bits, so a single SHA-256 is
//! enough to keep them by: there is nothing to guess, and slow hashes are for passwords.

mod extension;
mod once;
mod pairing;
mod tokens;

pub use extension::{Browser, ExtensionOrigin};
pub use once::{CODE_LIFE, Links, SESSION_LIFE, Sessions};
pub use pairing::{Asked, NotTaken, PAIRING_LIFE, Pairing, Pairings, Pending};
pub use tokens::{AccessError, FIRST_NAME, FIRST_TOKEN_FILE, FirstToken, Named, TOKENS_FILE, TokenStore};

use bonafide_core::hex::hex;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// What a token allows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "snake_case")]
pub enum Scope {
    /// Score texts and check signatures; see models, keys and the API's description.
    Score,
    /// Read `/metrics`.
    Metrics,
    /// Make one-time links to the web page, and let browser extensions in.
    Admin,
    /// Ask the user to sign a text. It signs nothing by itself.
    Sign,
    /// Have the daemon fetch a page, to check its signatures.
    Fetch,
}

impl Scope {
    /// All there are.
    pub const ALL: [Self; 5] = [Self::Score, Self::Metrics, Self::Admin, Self::Sign, Self::Fetch];
    /// What a paired browser extension gets.
    pub const OF_EXTENSIONS: [Self; 3] = [Self::Score, Self::Sign, Self::Fetch];

    /// Its name in files and messages.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Score => "score",
            Self::Metrics => "metrics",
            Self::Admin => "admin",
            Self::Sign => "sign",
            Self::Fetch => "fetch",
        }
    }
}

/// A secret that was just made; only its hash is kept.
fn new_secret(prefix: &str) -> Result<String, getrandom::Error> {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes)?;
    Ok(format!("{prefix}{}", hex(&bytes)))
}

fn hash(secret: &str) -> [u8; 32] {
    Sha256::digest(secret.as_bytes()).into()
}
