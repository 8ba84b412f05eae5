//! Private keys in OpenSSH's own format, so that its tools can use the files as they are.

use super::{AskPassphrase, KeystoreError, Passphrase, files};
use bonafide_core::signature::key::PublicKey;
use ed25519_dalek::SigningKey;
use ssh_key::private::{Ed25519Keypair, KeypairData};
use ssh_key::{Algorithm, Cipher, Kdf, LineEnding, PrivateKey};
use std::path::Path;
use zeroize::Zeroizing;

/// How often bcrypt is applied to a passphrase; what `ssh-keygen` does since OpenSSH 9.4.
const ROUNDS: u32 = 24;
const SALT: usize = 16;

/// The text of a key file, and the key in it.
pub(super) struct KeyFile {
    pub(super) text: Zeroizing<Vec<u8>>,
    pub(super) key: PublicKey,
}

/// Makes a key.
pub(super) fn make(comment: &str, passphrase: Option<&Passphrase>) -> Result<KeyFile, KeystoreError> {
    let mut seed = Zeroizing::new([0; 32]);
    getrandom::fill(seed.as_mut_slice())?;
    let pair = Ed25519Keypair::from_seed(&seed);
    let mut private = PrivateKey::new(KeypairData::from(pair), comment).map_err(KeystoreError::Encoding)?;
    if let Some(passphrase) = passphrase {
        let mut salt = vec![0; SALT];
        getrandom::fill(&mut salt)?;
        let mut check = [0; 4];
        getrandom::fill(&mut check)?;
        private = private
            .encrypt_with(
                Cipher::Aes256Ctr,
                Kdf::Bcrypt { salt, rounds: ROUNDS },
                u32::from_be_bytes(check),
                passphrase.bytes(),
            )
            .map_err(KeystoreError::Encoding)?;
    }
    let text = private.to_openssh(LineEnding::LF).map_err(KeystoreError::Encoding)?;
    let key = public(&private).ok_or(KeystoreError::Encoding(ssh_key::Error::PublicKey))?;
    Ok(KeyFile { text: Zeroizing::new(text.as_bytes().to_vec()), key })
}

/// Reads the file of a key that was made elsewhere. Its passphrase is not needed for that.
pub(super) fn read(path: &Path) -> Result<KeyFile, KeystoreError> {
    let text = files::read_secret(path)?;
    let private = parse(&text, path)?;
    let key = match private.algorithm() {
        Algorithm::Ed25519 => public(&private).ok_or_else(|| KeystoreError::NotAKey(path.to_owned()))?,
        Algorithm::SkEd25519 => return Err(KeystoreError::Hardware(path.to_owned())),
        other => {
            return Err(KeystoreError::Algorithm {
                path: path.to_owned(),
                algorithm: other.as_str().to_owned(),
            });
        }
    };
    Ok(KeyFile { text, key })
}

/// Whether the file of a key is encrypted.
pub(super) fn is_encrypted(path: &Path) -> Result<bool, KeystoreError> {
    Ok(parse(&files::read_secret(path)?, path)?.is_encrypted())
}

/// The secret in the file of a key, which must be the expected one.
pub(super) fn open(
    path: &Path,
    name: &str,
    expected: &PublicKey,
    ask: &dyn AskPassphrase,
) -> Result<SigningKey, KeystoreError> {
    let mut private = parse(&files::read_secret(path)?, path)?;
    if public(&private).as_ref() != Some(expected) {
        return Err(KeystoreError::Replaced(path.to_owned()));
    }
    if private.is_encrypted() {
        let passphrase = ask.existing(name)?;
        private = private
            .decrypt(passphrase.bytes())
            .map_err(|_| KeystoreError::WrongPassphrase(name.to_owned()))?;
    }
    match private.key_data() {
        KeypairData::Ed25519(pair) => {
            let secret = SigningKey::from(&pair.private);
            let holds = ssh_key::public::Ed25519PublicKey::from(secret.verifying_key()) == pair.public;
            // Signing with a secret and a public key that do not belong together gives the secret away.
            if holds { Ok(secret) } else { Err(KeystoreError::Replaced(path.to_owned())) }
        }
        _ => Err(KeystoreError::NotAKey(path.to_owned())),
    }
}

fn parse(text: &[u8], path: &Path) -> Result<PrivateKey, KeystoreError> {
    PrivateKey::from_openssh(text).map_err(|_| KeystoreError::NotAKey(path.to_owned()))
}

/// The public half, which every file has in the open.
fn public(private: &PrivateKey) -> Option<PublicKey> {
    PublicKey::from_blob(&private.public_key().to_bytes().ok()?).ok()
}
