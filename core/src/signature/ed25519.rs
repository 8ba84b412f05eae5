//! Signatures of Ed25519, checked strictly (SPEC.md, section 3).

use super::key::{HARDWARE, KeyError, PLAIN, PublicKey, check_name, put_string, string, verifying_key};
use ed25519_dalek::Signature;
use sha2::{Digest, Sha256};
use ssh_key::Algorithm;

/// The bit of [`Touch::flags`] that says that somebody touched the device.
const USER_PRESENT: u8 = 1;
/// The order of the group, little endian: 2^252 + 27742317777372353535851937790883648493.
const ORDER: [u8; 32] = [
    0xED, 0xD3, 0xF5, 0x5C, 0x1A, 0x63, 0x12, 0x58, 0xD6, 0x9C, 0xF7, 0xA2, 0xDE, 0xF9, 0xDE, 0x14, 0, 0, 0,
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x10,
];
/// Signatures of other kinds are longer, and are only read to say what they are.
const MAX_BLOB: usize = 4 << 10;

/// A signature as a key made it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RawSignature {
    /// R and S.
    pub bytes: [u8; 64],
    /// What a device signed beside the data; plain keys sign nothing but the data.
    pub touch: Option<Touch>,
}

/// What a device says of the moment at which it signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Touch {
    /// Bit 0: somebody touched the device. Bit 2: the device knows that it was its owner.
    pub flags: u8,
    /// How often the device signed.
    pub counter: u32,
}

/// Why a signature is not good.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SignatureError {
    /// The equation does not hold.
    #[error("the signature is wrong: it was made by another key or over something else, or was changed")]
    Wrong,
    /// Not in the one form that is valid.
    #[error("the signature is not strictly valid Ed25519: its S is too large, or its R is no proper point")]
    NotStrict,
    /// The device signed without having been touched.
    #[error("the signature says that nobody touched the hardware key: sign again with touch required")]
    NoTouch,
    /// A plain key with a signature of hardware, or the reverse.
    #[error("the signature is of another type than the key")]
    Kind,
    /// Made for another purpose.
    #[error(
        "the signature was made for {0:?} and not for generated-by-human: sign with \
         `ssh-keygen -Y sign -n generated-by-human`"
    )]
    Namespace(String),
    /// Not a signature at all, or a damaged one.
    #[error("this is not a signature that can be read: {0}")]
    Format(&'static str),
    /// The key in the signature can't be used.
    #[error(transparent)]
    Key(#[from] KeyError),
}

impl SignatureError {
    /// Whether all that is wrong is that nobody touched the device.
    #[must_use]
    pub fn is_about_touch(&self) -> bool {
        matches!(self, Self::NoTouch)
    }
}

impl RawSignature {
    /// Reads the form that is in SSHSIG and that `ssh-agent` answers: name, signature, and what a device adds.
    ///
    /// # Errors
    /// [`SignatureError::Format`], and [`SignatureError::Key`] for signatures of other kinds.
    pub fn from_ssh_blob(blob: &[u8]) -> Result<Self, SignatureError> {
        const DAMAGED: SignatureError = SignatureError::Format("its bytes are cut off or go on too long");
        if blob.len() > MAX_BLOB {
            return Err(DAMAGED);
        }
        let (name, _) = string(blob).ok_or(DAMAGED)?;
        check_name(name)?;
        let read = ssh_key::Signature::try_from(blob).map_err(|_| DAMAGED)?;
        let (bytes, device) = read.as_bytes().split_first_chunk().ok_or(DAMAGED)?;
        let touch = match (read.algorithm(), device) {
            (Algorithm::Ed25519, []) => None,
            (Algorithm::SkEd25519, &[flags, a, b, c, d]) => {
                Some(Touch { flags, counter: u32::from_be_bytes([a, b, c, d]) })
            }
            _ => return Err(DAMAGED),
        };
        let signature = Self { bytes: *bytes, touch };
        // The library doesn't look at what follows.
        if signature.to_ssh_blob() == blob { Ok(signature) } else { Err(DAMAGED) }
    }

    /// The form that is in SSHSIG.
    #[must_use]
    pub fn to_ssh_blob(&self) -> Vec<u8> {
        let mut blob = Vec::new();
        put_string(&mut blob, if self.touch.is_some() { HARDWARE } else { PLAIN }.as_bytes());
        put_string(&mut blob, &self.bytes);
        if let Some(touch) = self.touch {
            blob.push(touch.flags);
            blob.extend_from_slice(&touch.counter.to_be_bytes());
        }
        blob
    }
}

/// Checks a signature over data: S less than the order; key and R canonical and not of small order; the equation
/// without cofactor. A device signs digests of the data and of its application with what it says of the touch
/// (`PROTOCOL.u2f`), and somebody must have touched it.
///
/// # Errors
/// [`SignatureError`] if it is not good.
pub fn verify(key: &PublicKey, data: &[u8], signature: &RawSignature) -> Result<(), SignatureError> {
    match (key.application(), signature.touch) {
        (None, None) => verify_strict(key, data, &signature.bytes),
        (Some(application), Some(touch)) => {
            let signed = [
                Sha256::digest(application.as_bytes()).as_slice(),
                &[touch.flags],
                &touch.counter.to_be_bytes(),
                Sha256::digest(data).as_slice(),
            ]
            .concat();
            verify_strict(key, &signed, &signature.bytes)?;
            // Last, so that only who holds the key can be said not to have touched it.
            if touch.flags & USER_PRESENT == 0 { Err(SignatureError::NoTouch) } else { Ok(()) }
        }
        _ => Err(SignatureError::Kind),
    }
}

fn verify_strict(key: &PublicKey, message: &[u8], bytes: &[u8; 64]) -> Result<(), SignatureError> {
    let point = verifying_key(key.point())?;
    if !is_strict(bytes) {
        return Err(SignatureError::NotStrict);
    }
    point.verify_strict(message, &Signature::from_bytes(bytes)).map_err(|_| SignatureError::Wrong)
}

/// Whether S is less than the order, and R a canonical point that is not of small order. The library sees to most of
/// that itself, but does not say what was wrong.
fn is_strict(bytes: &[u8; 64]) -> bool {
    let Some((r, s)) = bytes.split_first_chunk::<32>() else { return false };
    s.iter().rev().lt(ORDER.iter().rev()) && verifying_key(r).is_ok()
}

#[cfg(test)]
mod tests;
