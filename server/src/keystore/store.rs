//! The keys of one data folder.

use super::agent::{Agent, AgentKey};
use super::private::{self, KeyFile};
use super::signer::By;
use super::{AskPassphrase, KeystoreError, Passphrase, Profile, Signer, Source, files, now};
use bonafide_core::signature::canonical::Stream;
use bonafide_core::signature::key::PublicKey;
use bonafide_core::signature::published::{KeyList, ListedKey, Reason, Revocation};
use bonafide_core::signature::statement::{Author, Facts, Statement, StatementError};
use bonafide_core::signature::time::Timestamp;
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};

const FOLDER: &str = "keys";
const PROFILES_FILE: &str = "profiles.json";
/// A key's name can't begin with a dot.
const LOCK_FILE: &str = ".lock";

/// The author's keys: files `keys/NAME` and `keys/NAME.pub`, and `keys/profiles.json` about all of them. Several
/// processes may use the same folder.
#[derive(Debug, Clone)]
pub struct Keystore {
    folder: PathBuf,
    agent: Option<Agent>,
}

#[derive(Debug, Default, Serialize, Deserialize)]
struct Stored {
    version: u32,
    keys: Vec<Profile>,
}

impl Keystore {
    /// The keys of a data folder, which need not exist yet.
    #[must_use]
    pub fn new(data_folder: &Path) -> Self {
        Self { folder: data_folder.join(FOLDER), agent: None }
    }

    /// Signs through this agent in place of the one that the environment names.
    #[must_use]
    pub fn with_agent(mut self, agent: Agent) -> Self {
        self.agent = Some(agent);
        self
    }

    /// The agent that holds keys which are in no file.
    ///
    /// # Errors
    /// If the environment names none.
    pub fn agent(&self) -> Result<Agent, KeystoreError> {
        match &self.agent {
            Some(agent) => Ok(agent.clone()),
            None => Ok(Agent::from_env()?),
        }
    }

    /// Where the private key of this name is kept, if it is in a file.
    #[must_use]
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// Makes a key. The first one becomes the default.
    ///
    /// # Errors
    /// If the name or the author can't be used, something of that name is there, or the files can't be written.
    pub fn create(
        &self,
        name: &str,
        author: Author,
        passphrase: Option<&Passphrase>,
    ) -> Result<Profile, KeystoreError> {
        self.check_free(name, &author)?;
        let made = private::make(name, passphrase)?;
        let now = now();
        self.insert(name, author, made.key.clone(), Some(made), Some(now), now)
    }

    /// Takes over a copy of a private key in OpenSSH's format, encrypted or not as it is.
    ///
    /// # Errors
    /// As [`Keystore::create`]; also if the file is not a private key of type ssh-ed25519, or others may read it.
    pub fn import_file(&self, name: &str, author: Author, path: &Path) -> Result<Profile, KeystoreError> {
        self.check_free(name, &author)?;
        let read = private::read(path)?;
        self.insert(name, author, read.key.clone(), Some(read), None, now())
    }

    /// Registers a key that the agent holds; its secret stays there.
    ///
    /// # Errors
    /// As [`Keystore::create`].
    pub fn import_agent(
        &self,
        name: &str,
        author: Author,
        held: &AgentKey,
    ) -> Result<Profile, KeystoreError> {
        self.check_free(name, &author)?;
        self.insert(name, author, held.key.clone(), None, None, now())
    }

    /// All keys, oldest first, revoked ones too.
    ///
    /// # Errors
    /// If the file of profiles can't be read.
    pub fn list(&self) -> Result<Vec<Profile>, KeystoreError> {
        Ok(self.load()?.keys)
    }

    /// The key of this name.
    ///
    /// # Errors
    /// [`KeystoreError::Unknown`], or if the file of profiles can't be read.
    pub fn get(&self, name: &str) -> Result<Profile, KeystoreError> {
        let found = self.list()?.into_iter().find(|profile| profile.name == name);
        found.ok_or_else(|| KeystoreError::Unknown(name.to_owned()))
    }

    /// The key that signs when no other is asked for: the one that was chosen, or the only one that is not revoked.
    ///
    /// # Errors
    /// [`KeystoreError::NoKey`] and [`KeystoreError::NoDefault`].
    pub fn default(&self) -> Result<Profile, KeystoreError> {
        let usable: Vec<_> = self.list()?.into_iter().filter(|profile| profile.revoked.is_none()).collect();
        let chosen = usable.iter().position(|profile| profile.default);
        let mut usable = usable;
        match (chosen, usable.len()) {
            (Some(index), _) => Ok(usable.swap_remove(index)),
            (None, 0) => Err(KeystoreError::NoKey),
            (None, 1) => Ok(usable.swap_remove(0)),
            (None, _) => Err(KeystoreError::NoDefault),
        }
    }

    /// Makes a key the default.
    ///
    /// # Errors
    /// If there is none of this name, it was revoked, or the file can't be written.
    pub fn set_default(&self, name: &str) -> Result<(), KeystoreError> {
        self.change(name, |keys, index| {
            if keys.get(index).is_some_and(|profile| profile.revoked.is_some()) {
                return Err(KeystoreError::Revoked(name.to_owned()));
            }
            for (place, profile) in keys.iter_mut().enumerate() {
                profile.default = place == index;
            }
            Ok(())
        })
    }

    /// Notes that a key was revoked, so that it no longer signs and is published as revoked. A later call changes
    /// the reason and the date, but a key that somebody else has can't be made a good one again.
    ///
    /// # Errors
    /// If there is none of this name, it was revoked as compromised before, or the file can't be written.
    pub fn revoke(&self, name: &str, revocation: Revocation) -> Result<(), KeystoreError> {
        self.change(name, |keys, index| {
            if let Some(profile) = keys.get_mut(index) {
                let compromised = |revoked: Revocation| revoked.reason == Reason::Compromised;
                if profile.revoked.is_some_and(compromised) && !compromised(revocation) {
                    return Err(KeystoreError::Compromised(name.to_owned()));
                }
                profile.revoked = Some(revocation);
                profile.default = false;
            }
            Ok(())
        })
    }

    /// What the author's site is to publish: all keys, or those that are named. Revoked keys belong to it, for that
    /// is how readers hear of it.
    ///
    /// # Errors
    /// If there is none of a name, or the file of profiles can't be read.
    pub fn publish_list(&self, names: &[String]) -> Result<KeyList, KeystoreError> {
        let keys = self.list()?;
        if let Some(name) = names.iter().find(|&name| keys.iter().all(|profile| profile.name != *name)) {
            return Err(KeystoreError::Unknown(name.clone()));
        }
        let keys = keys
            .into_iter()
            .filter(|profile| names.is_empty() || names.contains(&profile.name))
            .map(|profile| ListedKey {
                key: profile.key,
                name: Some(profile.author.name),
                valid_from: profile.valid_from,
                valid_until: None,
                revoked: profile.revoked,
            })
            .collect();
        Ok(KeyList { version: 1, keys })
    }

    /// Whether the file of a key is encrypted; `None` if the agent holds the key.
    ///
    /// # Errors
    /// If the file can't be read.
    pub fn is_encrypted(&self, profile: &Profile) -> Result<Option<bool>, KeystoreError> {
        match profile.source {
            Source::File => private::is_encrypted(&self.path(&profile.name)).map(Some),
            Source::Agent => Ok(None),
        }
    }

    /// Gets a key ready to sign; its passphrase is asked for once, if it has one.
    ///
    /// # Errors
    /// If there is no such key, it was revoked, or its file or the agent can't be used.
    pub fn signer(&self, name: &str, ask: &dyn AskPassphrase) -> Result<Signer, KeystoreError> {
        let profile = self.get(name)?;
        if profile.revoked.is_some() {
            return Err(KeystoreError::Revoked(profile.name));
        }
        let by = match profile.source {
            Source::Agent => By::Agent(self.agent()?),
            Source::File => {
                let path = self.path(&profile.name);
                By::Secret(Box::new(private::open(&path, &profile.name, &profile.key, ask)?))
            }
        };
        Ok(Signer::new(profile, by))
    }

    /// Whether a key of this name and author could be made: told before the work is done or a person is asked.
    ///
    /// # Errors
    /// As [`Keystore::create`].
    pub fn check_free(&self, name: &str, author: &Author) -> Result<(), KeystoreError> {
        check_name(name)?;
        check_author(author)?;
        if self.list()?.iter().any(|profile| profile.name == name) {
            return Err(KeystoreError::Exists(name.to_owned()));
        }
        for path in [self.path(name), self.public_path(name)] {
            if files::is_taken(&path)? {
                return Err(KeystoreError::FileExists(path));
            }
        }
        Ok(())
    }

    fn insert(
        &self,
        name: &str,
        author: Author,
        key: PublicKey,
        file: Option<KeyFile>,
        valid_from: Option<Timestamp>,
        created: Timestamp,
    ) -> Result<Profile, KeystoreError> {
        let _lock = self.lock()?;
        let mut stored = self.load()?;
        if stored.keys.iter().any(|profile| profile.name == name) {
            return Err(KeystoreError::Exists(name.to_owned()));
        }
        if let Some(known) = stored.keys.iter().find(|profile| profile.key == key) {
            return Err(KeystoreError::Known(known.name.clone()));
        }
        let profile = Profile {
            name: name.to_owned(),
            key,
            author,
            source: if file.is_some() { Source::File } else { Source::Agent },
            default: stored.keys.iter().all(|profile| profile.revoked.is_some()),
            created,
            valid_from,
            revoked: None,
        };
        // The profile comes last: a key without one is in nobody's way but its own name's.
        if let Some(file) = file {
            files::write_new(&self.path(name), &file.text)?;
        }
        let line = format!("{} {name}\n", profile.key.to_openssh().trim_end());
        files::write_new(&self.public_path(name), line.as_bytes())?;
        stored.keys.push(profile.clone());
        self.store(stored)?;
        Ok(profile)
    }

    fn change(
        &self,
        name: &str,
        change: impl FnOnce(&mut [Profile], usize) -> Result<(), KeystoreError>,
    ) -> Result<(), KeystoreError> {
        // Nothing is made where there are no keys.
        self.get(name)?;
        let _lock = self.lock()?;
        let mut stored = self.load()?;
        let index = stored.keys.iter().position(|profile| profile.name == name);
        let index = index.ok_or_else(|| KeystoreError::Unknown(name.to_owned()))?;
        change(&mut stored.keys, index)?;
        self.store(stored)
    }

    fn public_path(&self, name: &str) -> PathBuf {
        self.folder.join(format!("{name}.pub"))
    }

    fn lock(&self) -> Result<std::fs::File, KeystoreError> {
        files::make_folder(&self.folder)?;
        files::lock(&self.folder.join(LOCK_FILE))
    }

    fn load(&self) -> Result<Stored, KeystoreError> {
        let path = self.folder.join(PROFILES_FILE);
        match files::read_open(&path)? {
            Some(bytes) => {
                serde_json::from_slice(&bytes).map_err(|source| KeystoreError::Damaged { path, source })
            }
            None => Ok(Stored::default()),
        }
    }

    fn store(&self, stored: Stored) -> Result<(), KeystoreError> {
        let path = self.folder.join(PROFILES_FILE);
        match serde_json::to_vec_pretty(&Stored { version: 1, ..stored }) {
            Ok(text) => files::replace(&path, &text),
            Err(source) => Err(KeystoreError::Damaged { path, source }),
        }
    }
}

fn check_name(name: &str) -> Result<(), KeystoreError> {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || b".-_".contains(&byte);
    let begins = name.bytes().next().is_some_and(|byte| byte.is_ascii_alphanumeric());
    let lower = name.to_ascii_lowercase();
    let ours = lower.ends_with(".pub") || lower.ends_with(".json");
    if begins && name.len() <= 64 && name.bytes().all(fits) && !ours {
        Ok(())
    } else {
        Err(KeystoreError::Name(name.to_owned()))
    }
}

/// Holds an author to the rules of a statement by making one, so that these rules stand in one place only.
fn check_author(author: &Author) -> Result<(), KeystoreError> {
    let facts = Facts {
        author: author.clone(),
        language: "und".to_owned(),
        date: Timestamp::from_unix(0),
        assistance: "none".to_owned(),
        written_here: None,
        expires: None,
    };
    match Statement::about_message(&Stream::of_text("text"), facts) {
        Ok(_) => Ok(()),
        Err(StatementError::Member { member, rule }) => {
            Err(KeystoreError::Author(format!("`{member}` {rule}")))
        }
        Err(error) => Err(KeystoreError::Author(error.to_string())),
    }
}
