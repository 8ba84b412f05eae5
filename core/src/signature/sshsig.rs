//! OpenSSH's signatures of files (`PROTOCOL.sshsig`), as `ssh-keygen -Y sign` writes them.

use super::ed25519::{self, RawSignature, SignatureError};
use super::key::{PublicKey, put_string, string};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256, Sha512};

/// What signatures are made for: one that was made for anything else is not taken.
pub const NAMESPACE: &str = "generated-by-human";

const BEGIN: &str = "-----BEGIN SSH SIGNATURE-----";
const END: &str = "-----END SSH SIGNATURE-----";
const MAGIC: &[u8] = b"SSHSIG";
const VERSION: &[u8] = &[0, 0, 0, 1];
/// The longest that is read.
const MAX_ARMOUR: usize = 4 << 10;
/// As `ssh-keygen` breaks lines.
const COLUMNS: usize = 70;

/// How the message is hashed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HashAlgorithm {
    /// SHA-256; accepted.
    Sha256,
    /// SHA-512, which `ssh-keygen` takes if it is told nothing.
    Sha512,
}

impl HashAlgorithm {
    fn name(self) -> &'static str {
        match self {
            Self::Sha256 => "sha256",
            Self::Sha512 => "sha512",
        }
    }

    fn from_name(name: &[u8]) -> Option<Self> {
        [Self::Sha256, Self::Sha512].into_iter().find(|hash| hash.name().as_bytes() == name)
    }
}

/// What a key signs for a message.
#[must_use]
pub fn signed_data(message: &[u8], hash: HashAlgorithm) -> Vec<u8> {
    let mut data = MAGIC.to_vec();
    put_string(&mut data, NAMESPACE.as_bytes());
    put_string(&mut data, &[]);
    put_string(&mut data, hash.name().as_bytes());
    match hash {
        HashAlgorithm::Sha256 => put_string(&mut data, &Sha256::digest(message)),
        HashAlgorithm::Sha512 => put_string(&mut data, &Sha512::digest(message)),
    }
    data
}

/// A signature with its key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SshSignature {
    /// The key that says that it signed.
    pub key: PublicKey,
    /// How the message was hashed.
    pub hash: HashAlgorithm,
    /// What it signed with.
    pub signature: RawSignature,
}

impl SshSignature {
    /// Reads the armour. Lines may be of any length; nothing but white space stands before and after.
    ///
    /// # Errors
    /// [`SignatureError`] says what is wrong with it.
    pub fn parse(armoured: &str) -> Result<Self, SignatureError> {
        if armoured.len() > MAX_ARMOUR {
            return Err(SignatureError::Format("it is longer than 4096 bytes"));
        }
        let body = armoured.trim_ascii().strip_prefix(BEGIN).and_then(|rest| rest.strip_suffix(END)).ok_or(
            SignatureError::Format("it must begin with `-----BEGIN SSH SIGNATURE-----` and end likewise"),
        )?;
        if !body.starts_with(['\n', '\r']) || !body.ends_with(['\n', '\r']) {
            return Err(SignatureError::Format("its first and last lines must stand alone"));
        }
        let base64: String = body.split_ascii_whitespace().collect();
        let blob = STANDARD.decode(base64).map_err(|_| SignatureError::Format("its base64 is damaged"))?;
        Self::from_blob(&blob)
    }

    /// The armour as `ssh-keygen` writes it, with a line feed at the end.
    #[must_use]
    pub fn to_armour(&self) -> String {
        let base64 = STANDARD.encode(self.to_blob());
        let mut armour = format!("{BEGIN}\n");
        for (place, digit) in base64.chars().enumerate() {
            if place > 0 && place % COLUMNS == 0 {
                armour.push('\n');
            }
            armour.push(digit);
        }
        armour + "\n" + END + "\n"
    }

    /// Checks that the key signed the message.
    ///
    /// # Errors
    /// [`SignatureError`] if it did not.
    pub fn verify(&self, message: &[u8]) -> Result<(), SignatureError> {
        ed25519::verify(&self.key, &signed_data(message, self.hash), &self.signature)
    }

    // By hand, for `ssh-key` reads armour of 70 columns only, takes version 0, and loses what is reserved.
    fn from_blob(blob: &[u8]) -> Result<Self, SignatureError> {
        const DAMAGED: SignatureError = SignatureError::Format("its bytes are cut off or go on too long");
        let rest = blob.strip_prefix(MAGIC).ok_or(SignatureError::Format("it does not hold an SSHSIG"))?;
        let rest = rest.strip_prefix(VERSION).ok_or(SignatureError::Format("its version is not 1"))?;
        let (key, rest) = string(rest).ok_or(DAMAGED)?;
        let (namespace, rest) = string(rest).ok_or(DAMAGED)?;
        let (reserved, rest) = string(rest).ok_or(DAMAGED)?;
        let (hash, rest) = string(rest).ok_or(DAMAGED)?;
        let (signature, rest) = string(rest).ok_or(DAMAGED)?;
        if !rest.is_empty() {
            return Err(DAMAGED);
        }
        if namespace != NAMESPACE.as_bytes() {
            let namespace = String::from_utf8_lossy(namespace).chars().take(NAMESPACE.len() * 4).collect();
            return Err(SignatureError::Namespace(namespace));
        }
        if !reserved.is_empty() {
            return Err(SignatureError::Format("a field of it that must be empty is not"));
        }
        let hash = HashAlgorithm::from_name(hash)
            .ok_or(SignatureError::Format("its hash is neither sha512 nor sha256"))?;
        let key = PublicKey::from_blob(key)?;
        let signature = RawSignature::from_ssh_blob(signature)?;
        if key.is_hardware() != signature.touch.is_some() {
            return Err(SignatureError::Kind);
        }
        Ok(Self { key, hash, signature })
    }

    fn to_blob(&self) -> Vec<u8> {
        let mut blob = [MAGIC, VERSION].concat();
        put_string(&mut blob, &self.key.to_blob());
        put_string(&mut blob, NAMESPACE.as_bytes());
        put_string(&mut blob, &[]);
        put_string(&mut blob, self.hash.name().as_bytes());
        put_string(&mut blob, &self.signature.to_ssh_blob());
        blob
    }
}

#[cfg(test)]
mod tests;
