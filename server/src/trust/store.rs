//! The file `trust.json` in the config folder.
//!
//! Before each change the version before is kept as `trust.json.1`, the one before that as `trust.json.2`, up to 9. A
//! process that is killed at any moment leaves a whole file with every change that it had finished. The file of others'
//! making is what an attacker would want here, so it is refused where other users could have written it.

use super::error::TrustError;
use super::stored::{Contact, ContactKey, Pin, RevokedKey, Stored, VERSION, is_name, is_note};
use crate::private::{self, Stamp};
use bonafide_core::signature::key::PublicKey;
use bonafide_core::signature::published::Revocation;
use bonafide_core::signature::statement::Identity;
use bonafide_core::signature::time::Timestamp;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

/// Name of the file.
pub const TRUST_FILE: &str = "trust.json";
const LOCK_FILE: &str = "trust.lock";
/// How many older versions are kept.
const VERSIONS: u32 = 9;

/// What one config folder says of keys. Several processes may use the same folder.
#[derive(Debug)]
pub struct TrustStore {
    folder: PathBuf,
    read: Mutex<Option<(Stamp, Arc<Stored>)>>,
}

impl TrustStore {
    /// The store of a folder, which need not exist yet.
    #[must_use]
    pub fn new(config_folder: &Path) -> Self {
        Self { folder: config_folder.to_owned(), read: Mutex::new(None) }
    }

    /// Where the file stands.
    #[must_use]
    pub fn path(&self) -> PathBuf {
        self.folder.join(TRUST_FILE)
    }

    /// Trusts a key as a contact's, who may have others. A key that the contact has already stays as it is.
    ///
    /// # Errors
    /// [`TrustError`]: a bad name or note, a key of another contact, a file that can't be used.
    pub fn add_contact(
        &self,
        name: &str,
        key: &PublicKey,
        note: Option<&str>,
        now: Timestamp,
    ) -> Result<(), TrustError> {
        if !is_name(name) {
            return Err(TrustError::Name(name.to_owned()));
        }
        if !note.is_none_or(is_note) {
            return Err(TrustError::Note);
        }
        self.change(|stored| {
            match stored.owner(key) {
                Some(owner) if owner.name != name => return Err(TrustError::Taken(owner.name.clone())),
                _ => {}
            }
            let note = note.map(str::to_owned);
            let key = ContactKey { key: key.clone(), note, added: now, valid_from: None, valid_until: None };
            stored.add_key(name, key);
            Ok(())
        })
    }

    /// Ends trust in a contact, or in the one key that has this fingerprint; gives what was removed.
    ///
    /// # Errors
    /// [`TrustError`]: neither is known, or the file can't be used.
    pub fn remove_contact(&self, name_or_fingerprint: &str) -> Result<Contact, TrustError> {
        self.change(|stored| {
            if let Some(at) = stored.contacts.iter().position(|contact| contact.name == name_or_fingerprint) {
                return Ok(stored.contacts.remove(at));
            }
            let is_it = |known: &ContactKey| known.key.fingerprint() == name_or_fingerprint;
            let Some(at) = stored.contacts.iter().position(|contact| contact.keys.iter().any(is_it)) else {
                return Err(TrustError::UnknownContact(name_or_fingerprint.to_owned()));
            };
            let contact = &mut stored.contacts[at];
            let (removed, left) = std::mem::take(&mut contact.keys).into_iter().partition(is_it);
            let removed = Contact { name: contact.name.clone(), keys: removed };
            contact.keys = left;
            if contact.keys.is_empty() {
                stored.contacts.remove(at);
            }
            Ok(removed)
        })
    }

    /// All contacts, the oldest first.
    ///
    /// # Errors
    /// [`TrustError`]: the file can't be used.
    pub fn contacts(&self) -> Result<Vec<Contact>, TrustError> {
        Ok(self.current()?.contacts.clone())
    }

    /// The name of the contact whose key this is now.
    ///
    /// # Errors
    /// [`TrustError`]: the file can't be used.
    pub fn contact_of(&self, key: &PublicKey, now: Timestamp) -> Result<Option<String>, TrustError> {
        Ok(self.current()?.contact_of(key, now).map(str::to_owned))
    }

    /// Says that a key may no longer be trusted, whosever it is. If that was said before, the worse of both stays.
    ///
    /// # Errors
    /// [`TrustError`]: the file can't be used.
    pub fn revoke(&self, key: &PublicKey, revocation: Revocation) -> Result<(), TrustError> {
        self.change(|stored| {
            stored.revoke(key, revocation, None, false);
            Ok(())
        })
    }

    /// All revocations: those that this user made and those that were learnt.
    ///
    /// # Errors
    /// [`TrustError`]: the file can't be used.
    pub fn revocations(&self) -> Result<Vec<RevokedKey>, TrustError> {
        Ok(self.current()?.revocations.clone())
    }

    /// Holds keys to be an identity's, beside those that are: so a user accepts a changed key.
    ///
    /// # Errors
    /// [`TrustError`]: the file can't be used.
    pub fn pin(&self, identity: &Identity, keys: &[PublicKey], now: Timestamp) -> Result<(), TrustError> {
        self.change(|stored| {
            stored.pin(identity, keys, now);
            Ok(())
        })
    }

    /// Forgets the keys of an identity: the next that it publishes are taken for its own.
    ///
    /// # Errors
    /// [`TrustError`]: nothing is known of it, or the file can't be used.
    pub fn unpin(&self, identity: &Identity) -> Result<Pin, TrustError> {
        let text = identity.text();
        self.change(|stored| stored.pins.remove(&text).ok_or(TrustError::NotPinned(text)))
    }

    /// What is known of an identity.
    ///
    /// # Errors
    /// [`TrustError`]: the file can't be used.
    pub fn pinned(&self, identity: &Identity) -> Result<Option<Pin>, TrustError> {
        Ok(self.current()?.pins.get(&identity.text()).cloned())
    }

    /// All identities that were seen, with what is known of them.
    ///
    /// # Errors
    /// [`TrustError`]: the file can't be used.
    pub fn pins(&self) -> Result<Vec<(String, Pin)>, TrustError> {
        Ok(self.current()?.pins.clone().into_iter().collect())
    }

    /// What the file has now, read again only if it was replaced.
    pub(super) fn current(&self) -> Result<Arc<Stored>, TrustError> {
        let stamp = self.stamp()?;
        let mut read = self.read.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((at, stored)) = read.as_ref()
            && *at == stamp
        {
            return Ok(Arc::clone(stored));
        }
        let stored = Arc::new(self.load()?);
        *read = Some((stamp, Arc::clone(&stored)));
        Ok(stored)
    }

    /// Changes what is stored. Nothing is written if nothing is different then, or on an error.
    pub(super) fn change<T>(
        &self,
        edit: impl FnOnce(&mut Stored) -> Result<T, TrustError>,
    ) -> Result<T, TrustError> {
        let path = self.path();
        let failed = |source| TrustError::Io { path: path.clone(), source };
        private::make_folder(&self.folder).map_err(failed)?;
        self.stamp()?;
        let _lock = private::lock(&self.folder.join(LOCK_FILE)).map_err(failed)?;
        let before = self.load()?;
        let mut stored = before.clone();
        let result = edit(&mut stored)?;
        if stored != before {
            let mut text = serde_json::to_vec_pretty(&stored).map_err(|error| failed(error.into()))?;
            text.push(b'\n');
            let write = || {
                private::remove_unfinished(&path)?;
                private::keep_old(&path, VERSIONS)?;
                private::replace(&path, &text)
            };
            write().map_err(failed)?;
        }
        Ok(result)
    }

    /// Refuses what others could have written.
    fn stamp(&self) -> Result<Stamp, TrustError> {
        let mut stamp = (None, 0, 0);
        // Others may see what is in the folder, but not change it; what is in the file is for nobody else's eyes.
        for (path, right, forbidden) in [(self.folder.clone(), 0o700, 0o022), (self.path(), 0o600, 0o077)] {
            let found = private::metadata(&path);
            let Some(meta) = found.map_err(|source| TrustError::Io { path: path.clone(), source })? else {
                return Ok((None, 0, 0));
            };
            if let Some(mode) = private::mode(&meta).filter(|mode| mode & forbidden != 0) {
                return Err(TrustError::Wide { path, mode, right });
            }
            stamp = private::stamp(&meta);
        }
        Ok(stamp)
    }

    fn load(&self) -> Result<Stored, TrustError> {
        self.stamp()?;
        let path = self.path();
        let bytes = match fs::read(&path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Stored::default()),
            Err(source) => return Err(TrustError::Io { path, source }),
        };
        match serde_json::from_slice::<Stored>(&bytes) {
            Ok(stored) if stored.version == VERSION => Ok(stored),
            Ok(stored) => Err(TrustError::Version { path, version: stored.version }),
            Err(source) => {
                // What a later version added is unknown here too.
                if let Some(version) = version(&bytes).filter(|&version| version > VERSION) {
                    return Err(TrustError::Version { path, version });
                }
                let whole = |older: &PathBuf| {
                    fs::read(older).is_ok_and(|bytes| serde_json::from_slice::<Stored>(&bytes).is_ok())
                };
                let older = (1..=VERSIONS).map(|number| private::version(&path, number)).find(whole);
                Err(TrustError::Damaged { path, source, older })
            }
        }
    }
}

fn version(bytes: &[u8]) -> Option<u32> {
    let value: serde_json::Value = serde_json::from_slice(bytes).ok()?;
    value.get("version")?.as_u64()?.try_into().ok()
}

#[cfg(test)]
mod tests;
