//! Signing and verifying, put together: documents, keys, trust and the network.
//!
//! What a signature is stands in `bonafide_core::signature`; here it meets files, the author's keys, the reader's
//! contacts and the sites that publish keys. The command line and the REST endpoint both go through this.

mod form;
mod sign;

pub use form::Form;
pub use sign::{Order, Prepared, SignedText};

use crate::directory::{Directory, DirectoryError};
use crate::document::fetch::{FetchError, Fetcher, public_only};
use crate::document::read::Format;
use crate::document::{DocumentError, signed};
use crate::keystore::{Keystore, KeystoreError, Profile, Source, now};
use crate::paths::Paths;
use crate::trust::{TrustError, TrustStore, Word};
use bonafide_core::signature::canonical::{Stream, words};
use bonafide_core::signature::carrier::{Carrier, CarrierError};
use bonafide_core::signature::check::{Checked, Report, check};
use bonafide_core::signature::credential::{CredentialError, key_in_did_document};
use bonafide_core::signature::key::PublicKey;
use bonafide_core::signature::page::Page;
use bonafide_core::signature::published::{KeyFacts, Revocation};
use bonafide_core::signature::statement::{Author, Identity, StatementError};
use bonafide_core::signature::time::Timestamp;
use bonafide_core::verdict::Span;
use serde::Serialize;
use std::time::{Duration, Instant};

/// The most side files that are fetched for one page.
const MAX_LINKS: usize = 4;
/// Sites are asked for this long for one page; later statements are by keys that are not known.
const ASKING: Duration = Duration::from_secs(15);

/// What is needed to sign and to verify. All methods block.
#[derive(Debug)]
pub struct Signatures {
    trust: TrustStore,
    keystore: Keystore,
    directory: Option<Directory>,
}

/// What was found out about a document.
#[derive(Debug, Clone, PartialEq, Serialize, utoipa::ToSchema)]
pub struct Verified {
    /// One report for each statement, in the order of the document.
    pub statements: Vec<Report>,
    /// Whether there is a statement, and all are `trusted` or `published`. Other text may stand beside theirs.
    pub verified: bool,
    /// Number of words of the document.
    pub words: u64,
    /// How many of them are in a text that is `trusted` or `published`.
    pub signed_words: u64,
    /// The text that the spans index, for HTML.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
}

/// The keys that are known here.
#[derive(Debug, Clone, PartialEq, Serialize, utoipa::ToSchema)]
pub struct Keys {
    /// The author's own.
    pub own: Vec<OwnKey>,
    /// Those of contacts.
    pub contacts: Vec<ContactKey>,
}

/// A key to sign with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct OwnKey {
    /// Its name on this machine.
    pub name: String,
    /// Its fingerprint, as `ssh-keygen -l` prints it.
    pub fingerprint: String,
    /// The public half, as OpenSSH writes it.
    pub public_key: PublicKey,
    /// Who signs with it.
    pub author: Author,
    /// Whether it is used when none is named.
    pub default: bool,
    /// Where the private half is: `file` or `agent`.
    pub source: String,
    /// Whether a passphrase protects it.
    pub has_passphrase: bool,
    /// Whether it is in hardware, which signs when it is touched.
    pub hardware: bool,
    /// That it was revoked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub revoked: Option<Revocation>,
}

impl OwnKey {
    /// Whether nobody can sign with it without what only the user has: a passphrase, or the device in his hand.
    #[must_use]
    pub fn is_guarded(&self) -> bool {
        self.has_passphrase || self.hardware
    }
}

/// A key of somebody else's.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct ContactKey {
    /// The contact's name.
    pub name: String,
    /// Its fingerprint.
    pub fingerprint: String,
    /// The key.
    pub public_key: PublicKey,
}

/// Why something can't be signed or verified. Every message says what to do.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SignaturesError {
    /// The document can't be read.
    #[error(transparent)]
    Document(#[from] DocumentError),
    /// The page can't be fetched.
    #[error(transparent)]
    Fetch(#[from] FetchError),
    /// The text can't be signed, or a fact is not as it must be.
    #[error(transparent)]
    Statement(#[from] StatementError),
    /// It does not fit into what was asked for.
    #[error(transparent)]
    Carrier(#[from] CarrierError),
    /// A credential can't be made.
    #[error(transparent)]
    Credential(#[from] CredentialError),
    /// The private key can't be used.
    #[error(transparent)]
    Keystore(#[from] KeystoreError),
    /// The trust store can't be used.
    #[error(transparent)]
    Trust(#[from] TrustError),
    /// There is no network to ask.
    #[error("pages are not fetched in this mode: give the page's text")]
    Offline,
    /// A key that any program could sign with.
    #[error(
        "the key `{0}` has no passphrase and is not in hardware, so any program could sign with it here: sign with `bonafide sign`"
    )]
    Unguarded(String),
    /// A form that doesn't go with the kind of document.
    #[error("{form} can't be put into {kind}: use --as {instead}")]
    Form {
        /// What was asked for.
        form: &'static str,
        /// The kind of document.
        kind: &'static str,
        /// What goes.
        instead: &'static str,
    },
    /// The text carries a statement already.
    #[error("the text ends with a statement already: remove it first")]
    SignedAlready,
    /// What was made does not verify.
    #[error("the signed text does not verify as it stands ({0}): sign it with --as side")]
    SelfCheck(String),
}

impl SignaturesError {
    /// Whether the request is at fault, not the machine.
    #[must_use]
    pub fn is_users(&self) -> bool {
        match self {
            Self::Trust(_) => false,
            Self::Keystore(error) => {
                !matches!(error, KeystoreError::Io { .. } | KeystoreError::Damaged { .. })
            }
            _ => true,
        }
    }
}

impl Signatures {
    /// With the user's folders; `online`: sites may be asked for their authors' keys.
    #[must_use]
    pub fn new(paths: &Paths, online: bool) -> Self {
        Self {
            trust: TrustStore::new(&paths.config),
            keystore: Keystore::new(&paths.data),
            directory: online.then(|| Directory::new(&paths.cache, public_only())),
        }
    }

    /// The author's private keys.
    #[must_use]
    pub fn keystore(&self) -> &Keystore {
        &self.keystore
    }

    /// The reader's contacts.
    #[must_use]
    pub fn trust(&self) -> &TrustStore {
        &self.trust
    }

    /// The sites that publish keys, unless this is offline.
    #[must_use]
    pub fn directory(&self) -> Option<&Directory> {
        self.directory.as_ref()
    }

    /// Checks all statements in a document; `url` is where it came from.
    ///
    /// # Errors
    /// If the document or the trust store can't be read. A bad statement is no error but a result.
    pub fn verify(&self, text: &str, format: Format, url: Option<&str>) -> Result<Verified, SignaturesError> {
        self.verify_pages(signed::pages(text, format)?, format, url, self.directory.as_ref())
    }

    /// The same without asking anybody on the network.
    ///
    /// # Errors
    /// As [`Signatures::verify`].
    pub fn verify_offline(&self, text: &str, format: Format) -> Result<Verified, SignaturesError> {
        self.verify_pages(signed::pages(text, format)?, format, None, None)
    }

    /// The same with the content of a side file.
    ///
    /// # Errors
    /// As [`Signatures::verify`].
    pub fn verify_with_side_file(
        &self,
        text: &str,
        format: Format,
        side: &str,
    ) -> Result<Verified, SignaturesError> {
        let mut pages = signed::pages(text, format)?;
        if let Some(page) = pages.first_mut() {
            page.add_side_file(Carrier::SideFile, side, signed::is_all_text(format));
        }
        self.verify_pages(pages, format, None, self.directory.as_ref())
    }

    /// Fetches a page and checks all statements in it.
    ///
    /// # Errors
    /// [`SignaturesError::Fetch`] besides those of [`Signatures::verify`].
    pub fn verify_url(&self, url: &str) -> Result<Verified, SignaturesError> {
        if self.directory.is_none() {
            return Err(SignaturesError::Offline);
        }
        let fetched = Fetcher::default().fetch(url)?;
        let mut pages = signed::pages(&fetched.text, fetched.format)?;
        if let Some(page) = pages.first_mut() {
            page.links.extend(fetched.statements);
        }
        self.verify_pages(pages, fetched.format, Some(&fetched.url), self.directory.as_ref())
    }

    fn verify_pages(
        &self,
        mut pages: Vec<Page>,
        format: Format,
        url: Option<&str>,
        directory: Option<&Directory>,
    ) -> Result<Verified, SignaturesError> {
        let (now, started) = (now(), Instant::now());
        let own = self.keystore.list()?;
        let mut statements = Vec::new();
        for page in &mut pages {
            if let Some((directory, url)) = directory.zip(url) {
                follow_links(page, directory, url);
            }
            for mut checked in check(page) {
                let directory = directory.filter(|_| started.elapsed() < ASKING);
                resolve(&mut checked, page, directory);
                statements.push(self.report(&checked, page, &own, directory, now)?);
            }
        }
        let verified = !statements.is_empty() && statements.iter().all(|report| report.result.is_green());
        let document = pages.first().map(|page| &page.stream);
        let text = document.filter(|_| format != Format::Text).map(|stream| stream.raw().to_owned());
        Ok(Verified {
            words: document.map_or(0, |stream| words(stream.text())),
            signed_words: document.map_or(0, |stream| signed_words(stream.raw(), &statements)),
            statements,
            verified,
            text,
        })
    }

    fn report(
        &self,
        checked: &Checked,
        page: &Page,
        own: &[Profile],
        directory: Option<&Directory>,
        now: Timestamp,
    ) -> Result<Report, SignaturesError> {
        let Some(key) = checked.key() else {
            return Ok(checked.report(page, &Default::default(), now));
        };
        let identity = checked.identity();
        let mut facts =
            crate::trust::facts(&self.trust, directory, key, identity.as_ref(), Word::Checked, now)?;
        add_own(&mut facts, own, key);
        Ok(checked.report(page, &facts, now))
    }

    /// What is known of keys whose signatures another program has found good: each with the identity that its statement
    /// names. `online`: the identities may be asked, for a while. What a lie would gain it is said in [`crate::trust`].
    ///
    /// # Errors
    /// If the key folder or the trust store can't be used.
    pub fn facts(
        &self,
        keys: &[(PublicKey, Option<Identity>)],
        online: bool,
    ) -> Result<Vec<KeyFacts>, SignaturesError> {
        let (now, started) = (now(), Instant::now());
        let own = self.keystore.list()?;
        let directory = self.directory.as_ref().filter(|_| online);
        let of = |(key, identity): &(PublicKey, Option<Identity>)| {
            let directory = directory.filter(|_| started.elapsed() < ASKING);
            let mut facts =
                crate::trust::facts(&self.trust, directory, key, identity.as_ref(), Word::Said, now)?;
            add_own(&mut facts, &own, key);
            Ok(facts)
        };
        keys.iter().map(of).collect()
    }

    /// The keys that are known here.
    ///
    /// # Errors
    /// If the key folder or the trust store can't be read.
    pub fn keys(&self) -> Result<Keys, SignaturesError> {
        let own = self.keystore.list()?;
        let own = own.into_iter().map(|profile| self.own_key(profile)).collect::<Result<_, _>>()?;
        let mut contacts = Vec::new();
        for contact in self.trust.contacts()? {
            contacts.extend(contact.keys.into_iter().map(|known| ContactKey {
                name: contact.name.clone(),
                fingerprint: known.key.fingerprint(),
                public_key: known.key,
            }));
        }
        Ok(Keys { own, contacts })
    }

    fn own_key(&self, profile: Profile) -> Result<OwnKey, SignaturesError> {
        let source = match profile.source {
            Source::File => "file",
            Source::Agent => "agent",
        };
        Ok(OwnKey {
            fingerprint: profile.key.fingerprint(),
            source: source.to_owned(),
            has_passphrase: self.keystore.is_encrypted(&profile)? == Some(true),
            name: profile.name,
            hardware: profile.key.is_hardware(),
            public_key: profile.key,
            author: profile.author,
            default: profile.default,
            revoked: profile.revoked,
        })
    }
}

/// One's own key needs no contact.
fn add_own(facts: &mut KeyFacts, own: &[Profile], key: &PublicKey) {
    if let Some(own) = own.iter().find(|own| own.key == *key) {
        facts.contact = Some(own.name.clone());
        facts.own = true;
        facts.revoked = facts.revoked.or(own.revoked);
    }
}

/// Words of a document in the spans of green reports, each counted once.
fn signed_words(raw: &str, reports: &[Report]) -> u64 {
    let green = reports.iter().filter(|report| report.result.is_green() && report.quotes == 0);
    let mut spans: Vec<Span> = green.flat_map(|report| report.spans.iter().copied()).collect();
    spans.sort_by_key(|span| span.start);
    let mut chars = raw.chars();
    let (mut at, mut count) = (0, 0);
    for span in spans {
        let start = span.start.max(at);
        let text: String = chars.by_ref().skip(start - at).take(span.end.saturating_sub(start)).collect();
        at = start.max(span.end);
        count += words(Stream::of_text(&text).text());
    }
    count
}

/// Side files that the page links to. One that can't be had is as if it were not there: nothing is signed then.
fn follow_links(page: &mut Page, directory: &Directory, url: &str) {
    for link in page.links.clone().into_iter().take(MAX_LINKS) {
        match directory.fetch_side(&link, url) {
            Ok(json) => page.add_side_file(Carrier::Link, &json, false),
            // Not which, for what people read is not logged.
            Err(_) => tracing::info!("a linked statement could not be fetched"),
        }
    }
}

/// Finds the key of a `did:web`.
fn resolve(checked: &mut Checked, page: &Page, directory: Option<&Directory>) {
    let Some((origin, id)) = checked.wants_key() else { return };
    // Without a network it stays a statement by a key that is not known.
    let Some(directory) = directory else { return };
    let key = directory
        .fetch_did(origin)
        .map_err(|error: DirectoryError| error.to_string())
        .and_then(|document| key_in_did_document(&document, id).map_err(|error| error.to_string()));
    checked.resolve(page, key);
}

#[cfg(test)]
mod tests;
