//! A signer for tests.
#![allow(clippy::unwrap_used)]

use super::canonical::Stream;
use super::carrier::Signed;
use super::ed25519::{RawSignature, Touch};
use super::key::PublicKey;
use super::sshsig::{HashAlgorithm, SshSignature, signed_data};
use super::statement::{Author, Facts, Statement};
use super::time::Timestamp;
use ed25519_dalek::{Signer, SigningKey};
use sha2::{Digest, Sha256};

/// 2026-11-25T08:00:00Z.
pub(super) const NOW: u64 = 1_795_593_600;

pub(super) fn now() -> Timestamp {
    Timestamp::from_unix(NOW)
}

pub(super) fn facts() -> Facts {
    Facts {
        author: Author { name: "Ada".to_owned(), identity: Some("https://ada.example".to_owned()) },
        language: "en".to_owned(),
        date: Timestamp::from_unix(NOW - 3600),
        assistance: "none".to_owned(),
        written_here: None,
        expires: None,
    }
}

pub(super) struct TestKey {
    secret: SigningKey,
    pub(super) public: PublicKey,
}

impl TestKey {
    pub(super) fn new(seed: u8) -> Self {
        let secret = SigningKey::from_bytes(&[seed; 32]);
        let public = PublicKey::ed25519(secret.verifying_key().to_bytes()).unwrap();
        Self { secret, public }
    }

    /// A key in an authenticator of software.
    pub(super) fn hardware(seed: u8) -> Self {
        let secret = SigningKey::from_bytes(&[seed; 32]);
        let public = PublicKey::security_key(secret.verifying_key().to_bytes(), "ssh:").unwrap();
        Self { secret, public }
    }

    pub(super) fn sign(&self, data: &[u8], flags: u8) -> RawSignature {
        let touch = self.public.is_hardware().then_some(Touch { flags, counter: 7 });
        let signed = match (touch, self.public.application()) {
            (Some(touch), Some(application)) => [
                Sha256::digest(application.as_bytes()).as_slice(),
                &[touch.flags],
                &touch.counter.to_be_bytes(),
                Sha256::digest(data).as_slice(),
            ]
            .concat(),
            _ => data.to_vec(),
        };
        RawSignature { bytes: self.secret.sign(&signed).to_bytes(), touch }
    }

    pub(super) fn sign_statement(&self, statement: Statement, flags: u8) -> Signed {
        let hash = HashAlgorithm::Sha512;
        let signature = self.sign(&signed_data(&statement.to_jcs(), hash), flags);
        Signed::Ssh { statement, signature: SshSignature { key: self.public.clone(), hash, signature } }
    }

    pub(super) fn sign_text(&self, text: &str) -> Signed {
        self.sign_statement(Statement::about(&Stream::of_text(text), facts()).unwrap(), 1)
    }

    pub(super) fn sign_message(&self, text: &str) -> Signed {
        self.sign_statement(Statement::about_message(&Stream::of_text(text), facts()).unwrap(), 1)
    }
}
