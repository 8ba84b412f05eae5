//! What identities published, kept in a folder.
//!
//! A file a identity, named by a hash of it. What it holds decides what is shown in green, so a file that others could
//! have written is not read.

use crate::private;
use bonafide_core::hex::hex;
use bonafide_core::signature::published::KeyList;
use bonafide_core::signature::statement::Identity;
use bonafide_core::signature::time::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::fs;
use std::path::{Path, PathBuf};

/// The folder inside the cache folder.
const FOLDER: &str = "directory";

#[derive(Debug)]
pub(super) struct Cache {
    folder: PathBuf,
}

/// An answer and how long it holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Kept {
    pub(super) fetched_at: Timestamp,
    pub(super) expires_at: Timestamp,
    pub(super) list: KeyList,
}

/// As it is written.
#[derive(Serialize, Deserialize)]
struct Written<T> {
    identity: String,
    #[serde(flatten)]
    kept: T,
}

impl Cache {
    pub(super) fn new(cache_folder: &Path) -> Self {
        Self { folder: cache_folder.join(FOLDER) }
    }

    /// What is kept of an identity, however old.
    pub(super) fn read(&self, identity: &Identity) -> Option<Kept> {
        let path = self.path(identity);
        let is_ours = |path: &Path| fs::metadata(path).is_ok_and(|meta| !private::is_wide(&meta));
        if !is_ours(&self.folder) || !is_ours(&path) {
            return None;
        }
        let written: Written<Kept> = serde_json::from_slice(&fs::read(path).ok()?).ok()?;
        (written.identity == identity.text()).then_some(written.kept)
    }

    /// Keeps an answer. That it could not be kept only costs a request.
    pub(super) fn write(&self, identity: &Identity, kept: &Kept) {
        let written = Written { identity: identity.text(), kept };
        let write = || {
            private::make_folder(&self.folder)?;
            private::replace(&self.path(identity), &serde_json::to_vec(&written)?)
        };
        if let Err(error) = write() {
            tracing::warn!("{} can't be used to keep published keys: {error}", self.folder.display());
        }
    }

    /// Forgets an identity that publishes nothing any more.
    pub(super) fn remove(&self, identity: &Identity) {
        // There is nothing to remove, or it is replaced or too old some day.
        let _ = fs::remove_file(self.path(identity));
    }

    fn path(&self, identity: &Identity) -> PathBuf {
        self.folder.join(format!("{}.json", hex(&Sha256::digest(identity.text().as_bytes()))))
    }
}
