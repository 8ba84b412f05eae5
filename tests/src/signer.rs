//! A signer of software, for tests that need many signatures.

use bonafide_core::signature::canonical::Stream;
use bonafide_core::signature::carrier::Signed;
use bonafide_core::signature::ed25519::{RawSignature, Touch};
use bonafide_core::signature::key::PublicKey;
use bonafide_core::signature::sshsig::{HashAlgorithm, SshSignature, signed_data};
use bonafide_core::signature::statement::{Author, Facts, Statement};
use bonafide_core::signature::time::Timestamp;
use ed25519_dalek::{Signer as _, SigningKey};
use sha2::{Digest, Sha256};

/// An author with a key, plain or in an authenticator of software.
#[derive(Debug)]
pub struct Signer {
    secret: SigningKey,
    /// The public key.
    pub key: PublicKey,
}

impl Signer {
    /// A plain key from a seed.
    ///
    /// # Panics
    /// Never, for every seed gives a good key.
    #[must_use]
    pub fn new(seed: u8) -> Self {
        let secret = SigningKey::from_bytes(&[seed; 32]);
        let key = PublicKey::ed25519(secret.verifying_key().to_bytes()).expect("a good key");
        Self { secret, key }
    }

    /// A hardware key from a seed.
    ///
    /// # Panics
    /// Never, for every seed gives a good key.
    #[must_use]
    pub fn hardware(seed: u8) -> Self {
        let secret = SigningKey::from_bytes(&[seed; 32]);
        let key = PublicKey::security_key(secret.verifying_key().to_bytes(), "ssh:").expect("a good key");
        Self { secret, key }
    }

    /// What the author says of every text.
    #[must_use]
    pub fn facts() -> Facts {
        Facts {
            author: Author { name: "Ada".to_owned(), identity: Some("https://ada.example".to_owned()) },
            language: "und".to_owned(),
            date: Timestamp::from_unix(1_795_593_600),
            assistance: "none".to_owned(),
            written_here: None,
            expires: None,
        }
    }

    /// Signs bytes as the key would: hardware signs with a touch (`PROTOCOL.u2f`).
    #[must_use]
    pub fn sign(&self, data: &[u8]) -> RawSignature {
        let Some(application) = self.key.application() else {
            return RawSignature { bytes: self.secret.sign(data).to_bytes(), touch: None };
        };
        let touch = Touch { flags: 1, counter: 9 };
        let signed = [
            Sha256::digest(application.as_bytes()).as_slice(),
            &[touch.flags],
            &touch.counter.to_be_bytes(),
            Sha256::digest(data).as_slice(),
        ]
        .concat();
        RawSignature { bytes: self.secret.sign(&signed).to_bytes(), touch: Some(touch) }
    }

    /// Signs a statement.
    #[must_use]
    pub fn sign_statement(&self, statement: Statement) -> Signed {
        let hash = HashAlgorithm::Sha512;
        let signature = self.sign(&signed_data(&statement.to_jcs(), hash));
        Signed::Ssh { statement, signature: SshSignature { key: self.key.clone(), hash, signature } }
    }

    /// Signs a text with a table of its paragraphs.
    ///
    /// # Panics
    /// If the text can't be signed.
    #[must_use]
    pub fn sign_stream(&self, stream: &Stream) -> Signed {
        self.sign_statement(Statement::about(stream, Self::facts()).expect("a text that can be signed"))
    }

    /// Signs a message, as for a token.
    ///
    /// # Panics
    /// If the text can't be signed.
    #[must_use]
    pub fn sign_message(&self, stream: &Stream) -> Signed {
        self.sign_statement(
            Statement::about_message(stream, Self::facts()).expect("a text that can be signed"),
        )
    }
}
