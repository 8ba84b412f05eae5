//! A statement with its signature, as JSON: an envelope of our own, or a Verifiable Credential.

use super::{CarrierError, json as once};
use crate::signature::credential::{Credential, Method};
use crate::signature::key::PublicKey;
use crate::signature::sshsig::SshSignature;
use crate::signature::statement::{Statement, StatementError};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The longest JSON that is read: ten thousand paragraphs and some room.
pub const MAX_JSON: usize = 4 << 20;
/// The most statements in one script or side file.
const MAX_STATEMENTS: usize = 100;

/// A statement with its signature.
#[derive(Debug, Clone, PartialEq)]
#[allow(clippy::large_enum_variant)] // Most are of the large one, and none is kept in numbers.
pub enum Signed {
    /// Signed as OpenSSH signs.
    Ssh {
        /// What was signed.
        statement: Statement,
        /// By whom.
        signature: SshSignature,
    },
    /// A Verifiable Credential.
    Credential(Box<Credential>),
}

#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct Envelope {
    statement: Statement,
    signature: String,
}

impl Signed {
    /// Reads one envelope or credential.
    ///
    /// # Errors
    /// [`CarrierError`] says what is wrong with it.
    pub fn from_value(value: Value) -> Result<Self, CarrierError> {
        if value.get("proof").is_some() {
            return Ok(Self::Credential(Box::new(Credential::from_json(&value)?)));
        }
        if value.get("statement").is_none() || value.get("signature").is_none() {
            return Err(CarrierError::Shape);
        }
        let written = value.get("statement").cloned();
        let wrong =
            |error: serde_json::Error| CarrierError::Statement(StatementError::Json(error.to_string()));
        let envelope: Envelope = serde_json::from_value(value).map_err(wrong)?;
        envelope.statement.check()?;
        // A member that is null would be absent here and signed elsewhere.
        if serde_json::to_value(&envelope.statement).ok() != written {
            return Err(CarrierError::Statement(StatementError::Json("a member is null".to_owned())));
        }
        let signature = SshSignature::parse(&envelope.signature)?;
        Ok(Self::Ssh { statement: envelope.statement, signature })
    }

    /// Reads one, or an array of several.
    #[must_use]
    pub fn all_from_json(json: &str) -> Vec<Result<Self, CarrierError>> {
        if json.len() > MAX_JSON {
            return vec![Err(CarrierError::TooLong(MAX_JSON))];
        }
        match once::parse(json) {
            Ok(Value::Array(values)) if values.is_empty() || values.len() > MAX_STATEMENTS => {
                vec![Err(CarrierError::Shape)]
            }
            Ok(Value::Array(values)) => values.into_iter().map(Self::from_value).collect(),
            Ok(value) => vec![Self::from_value(value)],
            Err(error) => vec![Err(CarrierError::Json(error.to_string()))],
        }
    }

    /// The JSON form, on one line.
    #[must_use]
    pub fn to_value(&self) -> Value {
        match self {
            Self::Ssh { statement, signature } => {
                let envelope = Envelope { statement: statement.clone(), signature: signature.to_armour() };
                // Strings and integers can always be written.
                serde_json::to_value(envelope).unwrap_or_default()
            }
            Self::Credential(credential) => credential.to_json().clone(),
        }
    }

    /// What was signed.
    #[must_use]
    pub fn statement(&self) -> &Statement {
        match self {
            Self::Ssh { statement, .. } => statement,
            Self::Credential(credential) => credential.statement(),
        }
    }

    /// The key, if it is in the statement itself.
    #[must_use]
    pub fn key(&self) -> Option<&PublicKey> {
        match self {
            Self::Ssh { signature, .. } => Some(&signature.key),
            Self::Credential(credential) => match credential.method() {
                Method::Key(key) => Some(key),
                Method::Web { .. } => None,
            },
        }
    }

    /// Checks the signature. `key` is the one that was found for a `did:web`; all others carry their own.
    ///
    /// # Errors
    /// [`CarrierError`] if it is not good.
    pub fn verify(&self, key: &PublicKey) -> Result<(), CarrierError> {
        match self {
            Self::Ssh { statement, signature } => Ok(signature.verify(&statement.to_jcs())?),
            Self::Credential(credential) => Ok(credential.verify(key)?),
        }
    }

    /// Whether a hardware key was touched for it.
    #[must_use]
    pub fn touched(&self) -> bool {
        matches!(self, Self::Ssh { signature, .. } if signature.signature.touch.is_some())
    }
}
