//! How a signed statement travels with its text (SPEC.md, section 5).

pub mod armour;
pub mod envelope;
mod json;
pub mod token;

pub use envelope::Signed;

use super::credential::CredentialError;
use super::ed25519::SignatureError;
use super::key::KeyError;
use super::statement::StatementError;

/// What a statement came in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Carrier {
    /// A block of lines below a text.
    Armour,
    /// One word at the end of a message.
    Token,
    /// The attribute `data-human-statement`.
    Attribute,
    /// A script of type `application/human-statement+json`.
    Script,
    /// What a link leads to.
    Link,
    /// The file `NAME.human.json`.
    SideFile,
}

/// Why something that looks like a signed statement is none.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CarrierError {
    /// Not JSON.
    #[error("it is not JSON: {0}")]
    Json(String),
    /// JSON of another shape.
    #[error("it is neither an object of `statement` and `signature` nor a credential with a `proof`")]
    Shape,
    /// More than is read.
    #[error("it is longer than {0} bytes")]
    TooLong(usize),
    /// Not base64.
    #[error("it is not base64, or was damaged on its way")]
    Base64,
    /// Not base58.
    #[error("the token is not base58, or was damaged on its way")]
    Base58,
    /// A token that ends too early, goes on too long, or is of an unknown kind.
    #[error("the token is damaged or of a kind that is not known here")]
    Token,
    /// A statement that doesn't fit into a token.
    #[error(
        "the token would have {0} characters, and at most {most} fit: use a shorter name or --as armour",
        most = token::MAX_LENGTH
    )]
    TokenTooLong(usize),
    /// What a token has no place for.
    #[error("a token has no place for {0}: use --as armour")]
    NotInToken(&'static str),
    /// The statement breaks a rule.
    #[error(transparent)]
    Statement(#[from] StatementError),
    /// The signature can't be read.
    #[error(transparent)]
    Signature(#[from] SignatureError),
    /// The key can't be used.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// The credential breaks a rule.
    #[error(transparent)]
    Credential(#[from] CredentialError),
}

#[cfg(test)]
mod tests;
