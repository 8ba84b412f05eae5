//! Signing with one key.

use super::agent::Agent;
use super::{KeystoreError, Profile};
use bonafide_core::signature::ed25519::{self, RawSignature};
use bonafide_core::signature::key::PublicKey;
use bonafide_core::signature::statement::Author;
use ed25519_dalek::{Signer as _, SigningKey};
use std::fmt;

/// A key that is ready to sign. A secret that it holds is wiped from memory when it is dropped.
pub struct Signer {
    profile: Profile,
    by: By,
}

pub(super) enum By {
    Secret(Box<SigningKey>),
    Agent(Agent),
}

impl Signer {
    pub(super) fn new(profile: Profile, by: By) -> Self {
        Self { profile, by }
    }

    /// The public key.
    #[must_use]
    pub fn key(&self) -> &PublicKey {
        &self.profile.key
    }

    /// What the key is called on this machine.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.profile.name
    }

    /// Who signs.
    #[must_use]
    pub fn author(&self) -> &Author {
        &self.profile.author
    }

    /// Whether somebody has to touch a device for each signature, and should be told so.
    #[must_use]
    pub fn needs_touch(&self) -> bool {
        self.profile.key.is_hardware()
    }

    /// Signs bytes, which are those of `sshsig::signed_data` or what a credential's proof covers.
    ///
    /// # Errors
    /// If the agent refuses, or what it answers is not a good signature of these bytes.
    pub fn sign(&self, data: &[u8]) -> Result<RawSignature, KeystoreError> {
        let signature = match &self.by {
            By::Secret(secret) => {
                let made = secret.try_sign(data).map_err(|error| self.bad(&error))?;
                RawSignature { bytes: made.to_bytes(), touch: None }
            }
            By::Agent(agent) => agent.sign(&self.profile.key, data)?,
        };
        // Whatever a faulty machine or agent made of it, a bad signature never leaves here.
        ed25519::verify(&self.profile.key, data, &signature).map_err(|error| self.bad(&error))?;
        Ok(signature)
    }

    fn bad(&self, reason: &dyn fmt::Display) -> KeystoreError {
        KeystoreError::BadSignature { name: self.profile.name.clone(), reason: reason.to_string() }
    }
}

impl fmt::Debug for Signer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Signer").field("name", &self.profile.name).finish_non_exhaustive()
    }
}
