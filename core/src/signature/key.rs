//! Public keys of authors: `ssh-ed25519`, and `sk-ssh-ed25519@openssh.com`, whose secret never leaves a device.
//!
//! A value of [`PublicKey`] is always a usable key: its point is on the curve, canonically encoded and not of small
//! order. Each key has one form in each encoding, so equal keys are equal bytes.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};
use ed25519_dalek::VerifyingKey;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use sha2::{Digest, Sha256};
use ssh_key::public::KeyData;

/// Name of plain keys and of their signatures.
pub(super) const PLAIN: &str = "ssh-ed25519";
/// Name of keys in hardware and of their signatures.
pub(super) const HARDWARE: &str = "sk-ssh-ed25519@openssh.com";
/// What a `did:key` begins with.
pub(super) const DID_KEY: &str = "did:key:";
/// The multicodec name of an Ed25519 public key, 0xED, as a varint.
const MULTICODEC: [u8; 2] = [0xED, 0x01];
/// The longest application that a token can hold.
const MAX_APPLICATION: usize = 255;
/// Keys of other kinds are longer, and are only read to say what they are.
const MAX_BLOB: usize = 16 << 10;
const MAX_LINE: usize = 32 << 10;
/// 34 bytes in base58 are shorter.
const MAX_MULTIBASE: usize = 64;
/// The longest name of an algorithm (RFC 4251).
const MAX_NAME: usize = 64;

/// A public key, of either kind.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PublicKey {
    point: [u8; 32],
    /// What the device signs for; only keys in hardware have one.
    application: Option<String>,
}

/// Why something is not a key that can be used here. Every message says what to do.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum KeyError {
    /// A key of another kind, such as RSA.
    #[error(
        "this is a key of type {0:?}, and only ssh-ed25519 and sk-ssh-ed25519@openssh.com keys are used: make one \
         with `bonafide key new` or `ssh-keygen -t ed25519`"
    )]
    Algorithm(String),
    /// The secret half.
    #[error(
        "this is a private key: show it to nobody, and give the one line of the file that ends in `.pub`"
    )]
    Private,
    /// Not a line as OpenSSH writes it.
    #[error("this is not a public key: it must be one line such as `ssh-ed25519 AAAAC3Nza... name`")]
    Line,
    /// The line names one kind of key and holds another.
    #[error("the key is damaged: its line begins with {0:?}, but it holds a key of another type")]
    Name(String),
    /// The wire form ends too early or goes on too long.
    #[error("the key is damaged: its bytes are cut off or go on too long; copy it again")]
    Blob,
    /// No point of the curve, or one that is encoded in a second way.
    #[error("the key is damaged: it is no point of the curve Ed25519 in its one encoding; copy it again")]
    Point,
    /// A point of small order: anyone can sign for it.
    #[error("this key is unsafe, for anyone can sign with it (its point has small order): make a new one")]
    Weak,
    /// An application that can't be written everywhere.
    #[error(
        "the application of a key in hardware must have 1 to {MAX_APPLICATION} printable ASCII characters"
    )]
    Application,
    /// Not a `did:key` of an Ed25519 key.
    #[error("this is not the did:key of an Ed25519 key: it must look like `did:key:z6Mk...`")]
    DidKey,
}

impl PublicKey {
    /// A plain key.
    ///
    /// # Errors
    /// [`KeyError::Point`] and [`KeyError::Weak`].
    pub fn ed25519(point: [u8; 32]) -> Result<Self, KeyError> {
        verifying_key(&point)?;
        Ok(Self { point, application: None })
    }

    /// A key in hardware.
    ///
    /// # Errors
    /// [`KeyError::Point`], [`KeyError::Weak`] and [`KeyError::Application`].
    pub fn security_key(point: [u8; 32], application: &str) -> Result<Self, KeyError> {
        verifying_key(&point)?;
        let printable = application.bytes().all(|byte| matches!(byte, b' '..=b'~'));
        if !printable || !(1..=MAX_APPLICATION).contains(&application.len()) {
            return Err(KeyError::Application);
        }
        Ok(Self { point, application: Some(application.to_owned()) })
    }

    /// Reads a line of a `.pub` file: name, base64, and perhaps a comment, which is not looked at.
    ///
    /// # Errors
    /// [`KeyError`] says what the line is instead.
    pub fn from_openssh(line: &str) -> Result<Self, KeyError> {
        let line = line.trim_ascii();
        // One may be named in the comment, but none begins so.
        if line.starts_with("-----BEGIN ") && line.contains("PRIVATE KEY-----") {
            return Err(KeyError::Private);
        }
        if line.len() > MAX_LINE || line.contains(['\n', '\r']) {
            return Err(KeyError::Line);
        }
        let mut words = line.split([' ', '\t']).filter(|word| !word.is_empty());
        let (Some(name), Some(base64)) = (words.next(), words.next()) else { return Err(KeyError::Line) };
        // Without padding that is too much, and without bits that would be lost.
        let blob = STANDARD.decode(base64).map_err(|_| KeyError::Line)?;
        let key = Self::from_blob(&blob)?;
        if key.name() == name { Ok(key) } else { Err(KeyError::Name(shortened(name))) }
    }

    /// The line of a `.pub` file, without a comment.
    #[must_use]
    pub fn to_openssh(&self) -> String {
        format!("{} {}", self.name(), STANDARD.encode(self.to_blob()))
    }

    /// Reads the wire form (RFC 4253, 6.6; RFC 8709; `PROTOCOL.u2f`).
    ///
    /// # Errors
    /// [`KeyError`].
    pub fn from_blob(blob: &[u8]) -> Result<Self, KeyError> {
        if blob.len() > MAX_BLOB {
            return Err(KeyError::Blob);
        }
        let (name, _) = string(blob).ok_or(KeyError::Blob)?;
        check_name(name)?;
        let key = match ssh_key::PublicKey::from_bytes(blob).map_err(|_| KeyError::Blob)?.key_data() {
            KeyData::Ed25519(key) => Self::ed25519(key.0),
            KeyData::SkEd25519(key) => Self::security_key(key.public_key().0, key.application()),
            _ => Err(KeyError::Blob),
        }?;
        // The library takes a point whose length is said to be greater than it is.
        if key.to_blob() == blob { Ok(key) } else { Err(KeyError::Blob) }
    }

    /// The wire form.
    #[must_use]
    pub fn to_blob(&self) -> Vec<u8> {
        let mut blob = Vec::new();
        put_string(&mut blob, self.name().as_bytes());
        put_string(&mut blob, &self.point);
        if let Some(application) = &self.application {
            put_string(&mut blob, application.as_bytes());
        }
        blob
    }

    /// `SHA256:` and a digest, as `ssh-keygen -l` prints it.
    #[must_use]
    pub fn fingerprint(&self) -> String {
        format!("SHA256:{}", STANDARD_NO_PAD.encode(Sha256::digest(self.to_blob())))
    }

    /// Whether the secret is in a device that must be touched.
    #[must_use]
    pub fn is_hardware(&self) -> bool {
        self.application.is_some()
    }

    /// The point of the curve.
    #[must_use]
    pub fn point(&self) -> &[u8; 32] {
        &self.point
    }

    /// What the device signs for; nothing for a plain key.
    #[must_use]
    pub fn application(&self) -> Option<&str> {
        self.application.as_deref()
    }

    /// The `did:key`; there is none for keys in hardware, whose signatures are not over the data alone.
    #[must_use]
    pub fn to_did_key(&self) -> Option<String> {
        Some(format!("{DID_KEY}{}", self.to_multibase()?))
    }

    /// Reads a `did:key`, without a fragment.
    ///
    /// # Errors
    /// [`KeyError::DidKey`], or what is wrong with the point.
    pub fn from_did_key(did: &str) -> Result<Self, KeyError> {
        Self::from_multibase(did.strip_prefix(DID_KEY).ok_or(KeyError::DidKey)?)
    }

    /// The key as a Multikey: `z6Mk...`.
    pub(super) fn to_multibase(&self) -> Option<String> {
        if self.is_hardware() {
            return None;
        }
        let bytes = [MULTICODEC.as_slice(), &self.point].concat();
        Some(format!("z{}", bs58::encode(bytes).into_string()))
    }

    pub(super) fn from_multibase(text: &str) -> Result<Self, KeyError> {
        let digits = text.strip_prefix('z').ok_or(KeyError::DidKey)?;
        // Decoding takes the square of the length.
        if digits.len() > MAX_MULTIBASE {
            return Err(KeyError::DidKey);
        }
        let bytes = bs58::decode(digits).into_vec().map_err(|_| KeyError::DidKey)?;
        let point = bytes.strip_prefix(&MULTICODEC).and_then(|point| point.try_into().ok());
        Self::ed25519(point.ok_or(KeyError::DidKey)?)
    }

    /// The name of the kind.
    pub(super) fn name(&self) -> &'static str {
        if self.is_hardware() { HARDWARE } else { PLAIN }
    }
}

impl Serialize for PublicKey {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.to_openssh())
    }
}

impl<'de> Deserialize<'de> for PublicKey {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let line = String::deserialize(deserializer)?;
        Self::from_openssh(&line).map_err(serde::de::Error::custom)
    }
}

#[cfg(feature = "openapi")]
impl utoipa::PartialSchema for PublicKey {
    fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::schema::Schema> {
        utoipa::openapi::schema::Object::builder()
            .schema_type(utoipa::openapi::schema::Type::String)
            .description(Some("A public key as OpenSSH writes it: `ssh-ed25519 AAAAC3Nza...`"))
            .into()
    }
}

#[cfg(feature = "openapi")]
impl utoipa::ToSchema for PublicKey {}

/// The point, if it is on the curve, in its one encoding, and of large order.
pub(super) fn verifying_key(point: &[u8; 32]) -> Result<VerifyingKey, KeyError> {
    // The library takes a y of 2^255 - 19 and more, too. A wrong sign of x = 0 is left, but those points are weak.
    let [first, middle @ .., last] = point;
    if last & 0x7F == 0x7F && middle.iter().all(|&byte| byte == 0xFF) && *first >= 0xED {
        return Err(KeyError::Point);
    }
    let key = VerifyingKey::from_bytes(point).map_err(|_| KeyError::Point)?;
    if key.is_weak() { Err(KeyError::Weak) } else { Ok(key) }
}

/// Refuses all names but the two.
pub(super) fn check_name(name: &[u8]) -> Result<(), KeyError> {
    if name == PLAIN.as_bytes() || name == HARDWARE.as_bytes() {
        return Ok(());
    }
    match std::str::from_utf8(name) {
        Ok(name) if name.len() <= MAX_NAME => Err(KeyError::Algorithm(name.to_owned())),
        _ => Err(KeyError::Blob),
    }
}

/// A `string` of RFC 4251 and what follows it.
pub(super) fn string(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, rest) = bytes.split_first_chunk()?;
    rest.split_at_checked(usize::try_from(u32::from_be_bytes(*length)).ok()?)
}

/// Writes a `string` of RFC 4251. Whatever is written here is short.
pub(super) fn put_string(out: &mut Vec<u8>, bytes: &[u8]) {
    out.extend_from_slice(&u32::try_from(bytes.len()).unwrap_or(u32::MAX).to_be_bytes());
    out.extend_from_slice(bytes);
}

fn shortened(name: &str) -> String {
    name.chars().take(MAX_NAME).collect()
}

#[cfg(test)]
mod tests;
