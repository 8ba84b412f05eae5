//! What the HTTP layer needs of signatures. The real ones are one; tests bring a small one of their own.

use super::App;
use super::error::ApiError;
use crate::document::read::Format;
use crate::keystore::KeystoreError;
use crate::signatures::{Keys, Order, Prepared, Signatures, SignaturesError, SignedText, Verified};
use axum::http::StatusCode;
use bonafide_core::signature::key::PublicKey;
use bonafide_core::signature::published::KeyFacts;
use bonafide_core::signature::statement::Identity;
use std::sync::Arc;

/// Checks and makes signatures. All methods take their time: files, passphrases, perhaps the network.
pub trait Desk: Send + Sync {
    /// Checks the statements in a text or a page; `online`: sites may be asked whose keys they are.
    fn verify(&self, source: &Source, online: bool) -> Result<Verified, Trouble>;

    /// What is known of keys, each with the identity that its statement names; `online` as in [`Desk::verify`].
    fn facts(&self, keys: &[(PublicKey, Option<Identity>)], online: bool) -> Result<Vec<KeyFacts>, Trouble>;

    /// The user's keys, and those of the user's contacts.
    fn keys(&self) -> Result<Keys, Trouble>;

    /// Makes the statement about a text, without signing it.
    fn prepare(&self, order: Order) -> Result<Prepared, Trouble>;

    /// Signs.
    fn sign(&self, prepared: &Prepared, passphrase: Option<String>) -> Result<SignedText, Trouble>;
}

/// What is to be checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// Plain text.
    Text(String),
    /// HTML, and where it came from. With an address the side files that it links to are fetched.
    Html {
        /// The HTML.
        html: String,
        /// Its address.
        url: Option<String>,
    },
    /// A page that is to be fetched.
    Url(String),
}

/// Why nothing came of it, in one line that says what to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Trouble {
    /// The request is at fault.
    Request(String),
    /// The passphrase is wrong.
    Passphrase,
    /// The machine is at fault.
    Machine(String),
}

impl Desk for Signatures {
    fn verify(&self, source: &Source, online: bool) -> Result<Verified, Trouble> {
        Ok(match source {
            Source::Text(text) if !online => self.verify_offline(text, Format::Text)?,
            Source::Html { html, .. } if !online => self.verify_offline(html, Format::Html)?,
            Source::Url(_) if !online => return Err(SignaturesError::Offline.into()),
            Source::Text(text) => Signatures::verify(self, text, Format::Text, None)?,
            Source::Html { html, url } => Signatures::verify(self, html, Format::Html, url.as_deref())?,
            Source::Url(url) => self.verify_url(url)?,
        })
    }

    fn facts(&self, keys: &[(PublicKey, Option<Identity>)], online: bool) -> Result<Vec<KeyFacts>, Trouble> {
        Ok(Signatures::facts(self, keys, online)?)
    }

    fn keys(&self) -> Result<Keys, Trouble> {
        Ok(Signatures::keys(self)?)
    }

    fn prepare(&self, order: Order) -> Result<Prepared, Trouble> {
        Ok(Signatures::prepare(self, order)?)
    }

    fn sign(&self, prepared: &Prepared, passphrase: Option<String>) -> Result<SignedText, Trouble> {
        Ok(Signatures::sign(self, prepared, passphrase)?)
    }
}

impl From<SignaturesError> for Trouble {
    fn from(error: SignaturesError) -> Self {
        if let SignaturesError::Keystore(KeystoreError::WrongPassphrase(_)) = error {
            return Self::Passphrase;
        }
        let message = error.to_string();
        if error.is_users() { Self::Request(message) } else { Self::Machine(message) }
    }
}

impl From<Trouble> for ApiError {
    fn from(trouble: Trouble) -> Self {
        match trouble {
            Trouble::Request(message) => Self::invalid("signature", message),
            Trouble::Passphrase => Self::invalid("wrong_passphrase", "the passphrase is wrong"),
            // The machine is the user's own, so what is wrong with it may be told.
            Trouble::Machine(message) => {
                Self::new(StatusCode::INTERNAL_SERVER_ERROR, "signature_failed", message)
            }
        }
    }
}

/// Runs a desk's work off the threads that serve connections. Some of it waits for other machines, so it does not
/// count as work for the cores, and has a bound of its own.
pub(super) async fn at_desk<T: Send + 'static>(
    app: &App,
    work: impl FnOnce(&dyn Desk) -> Result<T, Trouble> + Send + 'static,
) -> Result<T, ApiError> {
    let failed = || ApiError::internal("internal", "the daemon failed on this text");
    let permit = Arc::clone(&app.desks).acquire_owned().await.map_err(|_| failed())?;
    let desk = Arc::clone(&app.desk);
    let run = move || {
        // Held to the end even if the caller goes, for the work goes on.
        let _permit = permit;
        work(&*desk)
    };
    Ok(tokio::task::spawn_blocking(run).await.map_err(|_| failed())??)
}

/// Refuses more text than is taken in a request.
pub(super) fn check_length(app: &App, text: &str) -> Result<(), ApiError> {
    let (bytes, limit) = (text.len(), app.limits.text_bytes);
    if bytes <= limit {
        return Ok(());
    }
    let message = format!("the text has {bytes} bytes, and at most {limit} are taken in a request");
    Err(ApiError::too_large("text_too_large", message).hint("send it in several requests"))
}
