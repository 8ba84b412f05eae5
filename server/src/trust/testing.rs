//! Keys and dates for tests.
#![allow(clippy::unwrap_used)]

use super::TrustStore;
use bonafide_core::signature::key::PublicKey;
use bonafide_core::signature::published::{Reason, Revocation};
use bonafide_core::signature::time::Timestamp;
use sha2::{Digest, Sha256};

/// 2026-11-25T08:00:00Z, and so many seconds.
pub(crate) fn at(seconds: u64) -> Timestamp {
    Timestamp::from_unix(1_795_593_600 + seconds)
}

/// One of many keys. Nobody can sign with it, for it is any point.
pub(crate) fn key(number: u32) -> PublicKey {
    points(number).find_map(|point| PublicKey::ed25519(point).ok()).unwrap()
}

/// One of many keys in hardware.
pub(crate) fn hardware(number: u32) -> PublicKey {
    points(number).find_map(|point| PublicKey::security_key(point, "ssh:").ok()).unwrap()
}

/// About every second number is the y of a point.
fn points(number: u32) -> impl Iterator<Item = [u8; 32]> {
    (0..u32::MAX).map(move |attempt| Sha256::digest(format!("{number} {attempt}")).into())
}

pub(crate) fn revocation(seconds: u64, reason: Reason) -> Revocation {
    Revocation { at: at(seconds), reason }
}

pub(crate) fn store() -> (tempfile::TempDir, TrustStore) {
    let folder = tempfile::tempdir().unwrap();
    let store = TrustStore::new(&folder.path().join("config"));
    (folder, store)
}
