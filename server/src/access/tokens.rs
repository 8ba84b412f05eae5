//! The named tokens, kept in the config folder.
//!
//! `tokens.json` holds names, scopes and SHA-256 of the tokens. The first token is also kept as it is, in the
//! file `token`, so that programs of the same user can read it, as they read the cookie file of other local
//! daemons; every other token is shown once, when it is made. Both files have mode 0600.
//!
//! A token of a browser extension is bound to the extension's origin, which the browser writes into each request and no
//! page or other extension can: outside that extension the token is worth nothing in a browser.

use super::{ExtensionOrigin, Scope, hash, new_secret};
use crate::private::{self, Stamp};
use bonafide_core::hex::hex;
use serde::{Deserialize, Serialize};
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};
use subtle::ConstantTimeEq;

/// Name of the file of all tokens.
pub const TOKENS_FILE: &str = "tokens.json";
/// Name of the file that holds the first token.
pub const FIRST_TOKEN_FILE: &str = "token";
/// Name of the first token.
pub const FIRST_NAME: &str = "default";
const LOCK_FILE: &str = "tokens.lock";

/// Why tokens can't be read or changed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AccessError {
    /// A file or folder can't be used.
    #[error("{} can't be used: {source}", path.display())]
    Io {
        /// Which.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// The file of tokens is not what it should be.
    #[error("{} is damaged ({source}): repair it, or delete it to start with a new first token", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// Where and what.
        source: serde_json::Error,
    },
    /// A name that can't be one.
    #[error("`{0}` can't be a token's name: use 1 to 64 letters, digits, `.`, `-` or `_`")]
    Name(String),
    /// The name is taken.
    #[error("there is a token named `{0}` already: revoke it first, or choose another name")]
    Exists(String),
    /// There is no such token.
    #[error("there is no token named `{0}`: `bonafide token list` names all")]
    Unknown(String),
    /// The system has no random numbers.
    #[error("the system gives no random numbers: {0}")]
    Random(#[from] getrandom::Error),
}

/// A token without its secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Named {
    /// Its name.
    pub name: String,
    /// What it allows.
    pub scopes: Vec<Scope>,
    /// SHA-256 of the token, in hexadecimal.
    sha256: String,
    /// When it was made, in seconds since 1970.
    pub created: u64,
    /// The origin without which it opens nothing; absent for a program's token.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub origin: Option<String>,
}

#[derive(Debug, Default, Serialize, Deserialize)]
struct Stored {
    version: u32,
    tokens: Vec<Named>,
}

/// What a first start finds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FirstToken {
    /// It was made just now.
    Made,
    /// There were tokens already.
    Was,
}

/// The tokens of one config folder. Several processes may use the same folder.
#[derive(Debug)]
pub struct TokenStore {
    folder: PathBuf,
    read: Mutex<Option<(Stamp, Arc<Stored>)>>,
}

impl TokenStore {
    /// The tokens of a folder, which need not exist yet.
    #[must_use]
    pub fn new(folder: &Path) -> Self {
        Self { folder: folder.to_owned(), read: Mutex::new(None) }
    }

    /// Where the first token stands.
    #[must_use]
    pub fn first_token_path(&self) -> PathBuf {
        self.folder.join(FIRST_TOKEN_FILE)
    }

    /// Makes the first token if there never was one: a user who revoked it doesn't want it back.
    ///
    /// # Errors
    /// If the files can't be written.
    pub fn ensure_first(&self) -> Result<FirstToken, AccessError> {
        let _lock = self.lock()?;
        if self.exists()? {
            return Ok(FirstToken::Was);
        }
        let secret = self.insert(&mut Stored::default(), FIRST_NAME, &Scope::ALL, None)?;
        self.write(FIRST_TOKEN_FILE, format!("{secret}\n").as_bytes())?;
        Ok(FirstToken::Made)
    }

    /// Makes a token and gives its secret, which is not kept.
    ///
    /// # Errors
    /// If the name can't be used or the file can't be written.
    pub fn add(&self, name: &str, scopes: &[Scope]) -> Result<String, AccessError> {
        let fits = |byte: u8| byte.is_ascii_alphanumeric() || b".-_".contains(&byte);
        if name.is_empty() || name.len() > 64 || !name.bytes().all(fits) {
            return Err(AccessError::Name(name.to_owned()));
        }
        let _lock = self.lock()?;
        let mut stored = self.load()?;
        if stored.tokens.iter().any(|token| token.name == name) {
            return Err(AccessError::Exists(name.to_owned()));
        }
        self.insert(&mut stored, name, scopes, None)
    }

    /// Makes a token for an extension; gives its name and its secret. One extension may have several tokens: the same
    /// id stands for it in each browser and profile that it is installed in.
    ///
    /// # Errors
    /// If the file can't be written.
    pub fn add_for(&self, origin: &ExtensionOrigin) -> Result<(String, String), AccessError> {
        let _lock = self.lock()?;
        let mut stored = self.load()?;
        let taken = |name: &str| stored.tokens.iter().any(|token| token.name == name);
        let first = format!("extension-{}", origin.id().get(..8).unwrap_or_default());
        let others = (2..).map(|number: u32| format!("{first}-{number}"));
        let mut names = std::iter::once(first.clone()).chain(others).filter(|name| !taken(name));
        let name = names.next().unwrap_or(first);
        let secret =
            self.insert(&mut stored, &name, &Scope::OF_EXTENSIONS, Some(origin.as_str().to_owned()))?;
        Ok((name, secret))
    }

    /// Whether an origin has a token.
    ///
    /// # Errors
    /// If the file can't be read.
    pub fn is_bound(&self, origin: &ExtensionOrigin) -> Result<bool, AccessError> {
        let stored = self.current()?;
        Ok(stored.tokens.iter().any(|token| token.origin.as_deref() == Some(origin.as_str())))
    }

    /// All tokens, oldest first.
    ///
    /// # Errors
    /// If the file can't be read.
    pub fn list(&self) -> Result<Vec<Named>, AccessError> {
        Ok(self.load()?.tokens)
    }

    /// Ends a token; a daemon that runs refuses it from its next request on.
    ///
    /// # Errors
    /// If there is none of this name or the file can't be written.
    pub fn revoke(&self, name: &str) -> Result<(), AccessError> {
        self.remove(name, |token| token.name == name)
    }

    /// Ends exactly this token, and none that has got its name since.
    ///
    /// # Errors
    /// If it is not there any more or the file can't be written.
    pub fn end(&self, ended: &Named) -> Result<(), AccessError> {
        self.remove(&ended.name, |token| token.sha256 == ended.sha256)
    }

    fn remove(&self, name: &str, is_it: impl Fn(&Named) -> bool) -> Result<(), AccessError> {
        let _lock = self.lock()?;
        let mut stored = self.load()?;
        let before = stored.tokens.len();
        stored.tokens.retain(|token| !is_it(token));
        if stored.tokens.len() == before {
            return Err(AccessError::Unknown(name.to_owned()));
        }
        self.store(&stored)?;
        if name == FIRST_NAME {
            let path = self.first_token_path();
            match fs::remove_file(&path) {
                Err(source) if source.kind() != std::io::ErrorKind::NotFound => {
                    return Err(AccessError::Io { path, source });
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// Which token this is, if it is one.
    ///
    /// # Errors
    /// If the file can't be read: nobody gets in then.
    pub fn authenticate(&self, secret: &str) -> Result<Option<Named>, AccessError> {
        let stored = self.current()?;
        let presented = hex(&hash(secret));
        // Every entry is compared in full, whatever the ones before it gave.
        Ok(stored.tokens.iter().fold(None, |found, token| {
            if bool::from(token.sha256.as_bytes().ct_eq(presented.as_bytes())) {
                Some(token.clone())
            } else {
                found
            }
        }))
    }

    fn insert(
        &self,
        stored: &mut Stored,
        name: &str,
        scopes: &[Scope],
        origin: Option<String>,
    ) -> Result<String, AccessError> {
        let secret = new_secret("bft_")?;
        let mut scopes = scopes.to_vec();
        scopes.sort_by_key(|scope| *scope as u8);
        scopes.dedup();
        let created = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
        let sha256 = hex(&hash(&secret));
        stored.tokens.push(Named { name: name.to_owned(), scopes, sha256, created, origin });
        self.store(stored)?;
        Ok(secret)
    }

    /// The tokens as the file has them now, read again only if it was replaced.
    fn current(&self) -> Result<Arc<Stored>, AccessError> {
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

    fn stamp(&self) -> Result<Stamp, AccessError> {
        let path = self.path();
        match private::metadata(&path) {
            Ok(meta) => Ok(meta.as_ref().map_or((None, 0, 0), private::stamp)),
            Err(source) => Err(AccessError::Io { path, source }),
        }
    }

    fn path(&self) -> PathBuf {
        self.folder.join(TOKENS_FILE)
    }

    fn exists(&self) -> Result<bool, AccessError> {
        let path = self.path();
        path.try_exists().map_err(|source| AccessError::Io { path, source })
    }

    fn load(&self) -> Result<Stored, AccessError> {
        let path = self.path();
        match fs::read(&path) {
            Ok(bytes) => {
                serde_json::from_slice(&bytes).map_err(|source| AccessError::Damaged { path, source })
            }
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Stored::default()),
            Err(source) => Err(AccessError::Io { path, source }),
        }
    }

    fn store(&self, stored: &Stored) -> Result<(), AccessError> {
        let with_version = Stored { version: 1, tokens: stored.tokens.clone() };
        let text = serde_json::to_vec_pretty(&with_version)
            .map_err(|source| AccessError::Damaged { path: self.path(), source })?;
        self.write(TOKENS_FILE, &text)
    }

    fn write(&self, name: &str, bytes: &[u8]) -> Result<(), AccessError> {
        let path = self.folder.join(name);
        private::replace(&path, bytes).map_err(|source| AccessError::Io { path, source })
    }

    /// Keeps other processes from changing the tokens until it is dropped.
    fn lock(&self) -> Result<File, AccessError> {
        private::make_folder(&self.folder)
            .map_err(|source| AccessError::Io { path: self.folder.clone(), source })?;
        let path = self.folder.join(LOCK_FILE);
        private::lock(&path).map_err(|source| AccessError::Io { path, source })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn store() -> (tempfile::TempDir, TokenStore) {
        let folder = tempfile::tempdir().unwrap();
        let store = TokenStore::new(&folder.path().join("config"));
        (folder, store)
    }

    #[test]
    fn the_first_start_makes_a_token_that_can_be_read_and_works() {
        let (_folder, store) = store();
        assert_eq!(store.ensure_first().unwrap(), FirstToken::Made);
        assert_eq!(store.ensure_first().unwrap(), FirstToken::Was);
        let secret = fs::read_to_string(store.first_token_path()).unwrap();
        let token = store.authenticate(secret.trim()).unwrap().unwrap();
        assert_eq!((token.name.as_str(), token.scopes.as_slice()), (FIRST_NAME, &Scope::ALL[..]));
    }

    #[cfg(unix)]
    #[test]
    fn only_the_user_reads_the_files() {
        use std::os::unix::fs::PermissionsExt;
        let (_folder, store) = store();
        store.ensure_first().unwrap();
        for name in [TOKENS_FILE, FIRST_TOKEN_FILE] {
            let mode = fs::metadata(store.folder.join(name)).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600, "{name}");
        }
        assert_eq!(fs::metadata(&store.folder).unwrap().permissions().mode() & 0o777, 0o700);
    }

    #[test]
    fn secrets_of_added_tokens_are_nowhere_on_disk() {
        let (_folder, store) = store();
        let secret = store.add("script", &[Scope::Score]).unwrap();
        for entry in fs::read_dir(&store.folder).unwrap() {
            let text = fs::read_to_string(entry.unwrap().path()).unwrap();
            assert!(!text.contains(&secret) && !text.contains(&secret[4..]));
        }
    }

    #[test]
    fn a_revoked_token_ends_at_once_in_another_process() {
        let (_folder, store) = store();
        let daemon = TokenStore::new(&store.folder);
        let secret = store.add("script", &[Scope::Score, Scope::Score]).unwrap();
        let found = daemon.authenticate(&secret).unwrap().unwrap();
        assert_eq!((found.name.as_str(), found.scopes), ("script", vec![Scope::Score]));
        store.revoke("script").unwrap();
        assert_eq!(daemon.authenticate(&secret).unwrap(), None);
        assert!(matches!(store.revoke("script").unwrap_err(), AccessError::Unknown(_)));
    }

    #[test]
    fn a_revoked_first_token_does_not_come_back() {
        let (_folder, store) = store();
        store.ensure_first().unwrap();
        store.revoke(FIRST_NAME).unwrap();
        assert!(!store.first_token_path().exists());
        assert_eq!(store.ensure_first().unwrap(), FirstToken::Was);
        assert!(store.list().unwrap().is_empty());
    }

    #[test]
    fn tokens_of_extensions_have_names_of_their_own_and_end_alone() {
        let (_folder, store) = store();
        let origin = ExtensionOrigin::parse("chrome-extension://abcdefghijklmnopabcdefghijklmnop").unwrap();
        assert!(!store.is_bound(&origin).unwrap());
        let (first, secret) = store.add_for(&origin).unwrap();
        let (second, other) = store.add_for(&origin).unwrap();
        assert_eq!((first.as_str(), second.as_str()), ("extension-abcdefgh", "extension-abcdefgh-2"));
        let token = store.authenticate(&secret).unwrap().unwrap();
        assert_eq!(token.origin.as_deref(), Some(origin.as_str()));
        assert_eq!(token.scopes, Scope::OF_EXTENSIONS);
        assert!(store.is_bound(&origin).unwrap());

        store.revoke(&first).unwrap();
        let (again, _) = store.add_for(&origin).unwrap();
        assert_eq!(again, first);
        assert!(store.end(&token).is_err(), "that was another token of this name");
        store.end(&store.authenticate(&other).unwrap().unwrap()).unwrap();
        assert_eq!(store.list().unwrap().len(), 1);
    }

    #[test]
    fn files_from_before_there_were_extensions_still_read() {
        let (_folder, store) = store();
        let secret = store.add("script", &[Scope::Score]).unwrap();
        let text = fs::read_to_string(store.path()).unwrap();
        assert!(!text.contains("origin"), "{text}");
        assert_eq!(store.authenticate(&secret).unwrap().unwrap().origin, None);
    }

    #[test]
    fn wrong_secrets_open_nothing() {
        let (_folder, store) = store();
        let secret = store.add("script", &[Scope::Score]).unwrap();
        for wrong in ["", "bft_", &secret[..secret.len() - 1], &secret.to_uppercase(), &format!("{secret} ")]
        {
            assert_eq!(store.authenticate(wrong).unwrap(), None, "{wrong:?}");
        }
    }

    #[test]
    fn names_are_plain_and_unique() {
        let (_folder, store) = store();
        for name in ["", "a b", "é", "../x", &"x".repeat(65)] {
            assert!(
                matches!(store.add(name, &[Scope::Score]).unwrap_err(), AccessError::Name(_)),
                "{name:?}"
            );
        }
        store.add("a", &[Scope::Score]).unwrap();
        assert!(matches!(store.add("a", &[Scope::Score]).unwrap_err(), AccessError::Exists(_)));
    }

    #[test]
    fn a_damaged_file_lets_nobody_in_and_is_not_overwritten() {
        let (_folder, store) = store();
        store.ensure_first().unwrap();
        let secret = fs::read_to_string(store.first_token_path()).unwrap();
        fs::write(store.path(), "{").unwrap();
        assert!(matches!(store.authenticate(secret.trim()).unwrap_err(), AccessError::Damaged { .. }));
        assert!(store.add("a", &[Scope::Score]).is_err());
        assert_eq!(fs::read_to_string(store.path()).unwrap(), "{");
    }

    #[test]
    fn two_writers_lose_nothing() {
        let (_folder, store) = store();
        std::thread::scope(|scope| {
            for writer in 0..4 {
                let folder = &store.folder;
                scope.spawn(move || {
                    let store = TokenStore::new(folder);
                    (0..5).for_each(|n| drop(store.add(&format!("t{writer}-{n}"), &[Scope::Score]).unwrap()));
                });
            }
        });
        assert_eq!(store.list().unwrap().len(), 20);
    }
}
