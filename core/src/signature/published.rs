//! The keys that an author's site publishes (SPEC.md, section 7), and what is known of a key.

use super::key::PublicKey;
use super::time::Timestamp;
use serde::{Deserialize, Serialize};

/// Where a site publishes its authors' keys.
pub const WELL_KNOWN_PATH: &str = "/.well-known/human-keys.json";
/// The most keys in one list.
const MAX_KEYS: usize = 1000;

/// The file `human-keys.json`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct KeyList {
    /// Always 1.
    pub version: u32,
    /// The keys.
    pub keys: Vec<ListedKey>,
}

/// A key that is published.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ListedKey {
    /// The key.
    pub key: PublicKey,
    /// Whose it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Statements of an earlier date are not by this key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub valid_from: Option<Timestamp>,
    /// Statements of this date or a later one are not by this key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub valid_until: Option<Timestamp>,
    /// That it was revoked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revoked: Option<Revocation>,
}

/// That a key may no longer be trusted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Revocation {
    /// Since when.
    pub at: Timestamp,
    /// Why.
    #[serde(default)]
    pub reason: Reason,
}

/// Why a key was revoked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// Somebody else may have it: nothing that it signed can be relied on, for dates are the signer's word.
    Compromised,
    /// Another took its place.
    Superseded,
    /// It is not used any more.
    Retired,
    /// Not said.
    #[default]
    #[serde(other)]
    Unspecified,
}

/// Why a list of keys can't be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum KeyListError {
    /// Not JSON, or not of this shape.
    #[error("the list of keys is not readable: {0}")]
    Json(String),
    /// Of another version.
    #[error("the list of keys has version {0}, and only 1 is known here")]
    Version(u32),
    /// Longer than is read.
    #[error("the list has {0} keys, and at most {MAX_KEYS} are read")]
    TooMany(usize),
}

impl KeyList {
    /// Reads the file. Keys of other types than ours are an error, for a list that is half read misleads.
    ///
    /// # Errors
    /// [`KeyListError`].
    pub fn from_json(json: &str) -> Result<Self, KeyListError> {
        let list: Self = serde_json::from_str(json).map_err(|error| KeyListError::Json(error.to_string()))?;
        if list.version != 1 {
            return Err(KeyListError::Version(list.version));
        }
        if list.keys.len() > MAX_KEYS {
            return Err(KeyListError::TooMany(list.keys.len()));
        }
        Ok(list)
    }

    /// What it says of a key.
    #[must_use]
    pub fn find(&self, key: &PublicKey) -> Option<&ListedKey> {
        self.keys.iter().find(|listed| listed.key == *key)
    }
}

/// What is known of the key of a statement, gathered by whoever has a trust store and a network.
///
/// What is absent in JSON is not known.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(default)]
pub struct KeyFacts {
    /// The name of the contact whose key it is, or of the reader's own key.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub contact: Option<String>,
    /// Whether it is the reader's own.
    pub own: bool,
    /// Whether the identity that the statement names publishes it.
    pub publication: Publication,
    /// That the identity was seen with other keys before, and not with this one.
    pub changed: bool,
    /// That it was revoked, by its owner or by this user: the earliest that is known, compromise first.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub revoked: Option<Revocation>,
}

/// Whether an identity publishes a key.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Publication {
    /// The statement names no identity, or nobody asked.
    #[default]
    NotAsked,
    /// It could not be found out, and why.
    Unreachable(String),
    /// The identity publishes other keys, or none.
    Absent,
    /// The identity publishes the key.
    Listed(ListedKey),
}
