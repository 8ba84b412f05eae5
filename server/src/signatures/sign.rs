//! Making a signed text.

use super::{Form, OwnKey, Signatures, SignaturesError};
use crate::document::read::Format;
use crate::document::signed;
use crate::keystore::{AskPassphrase, KeystoreError, Passphrase, PassphraseError, now};
use bonafide_core::signature::carrier::{Carrier, Signed};
use bonafide_core::signature::check::{Outcome, check};
use bonafide_core::signature::credential::Unsigned;
use bonafide_core::signature::page::Page;
use bonafide_core::signature::published::KeyFacts;
use bonafide_core::signature::sshsig::{HashAlgorithm, SshSignature, signed_data};
use bonafide_core::signature::statement::{Facts, Statement, StatementError, WrittenHere};
use bonafide_core::signature::time::Timestamp;
use bonafide_core::text::language;

/// What is to be signed, and how.
#[derive(Debug, Clone, PartialEq)]
pub struct Order {
    /// The document.
    pub text: String,
    /// Its kind.
    pub format: Format,
    /// How it is to be published.
    pub form: Form,
    /// Name of the key; the default one if absent.
    pub key: Option<String>,
    /// BCP 47 tag; guessed if absent.
    pub language: Option<String>,
    /// Which help the author had; `none` if absent.
    pub assistance: Option<String>,
    /// When the statement ends.
    pub expires: Option<Timestamp>,
    /// What the editor counted.
    pub written_here: Option<WrittenHere>,
    /// A credential names the author's site and not the key itself.
    pub did_web: bool,
}

/// A statement that only lacks its signature.
#[derive(Debug, Clone, PartialEq)]
pub struct Prepared {
    /// What will be signed.
    pub statement: Statement,
    /// What was asked for.
    pub order: Order,
    /// The key that will sign.
    pub key: OwnKey,
}

/// What to publish.
#[derive(Debug, Clone, PartialEq)]
pub struct SignedText {
    /// The text with its statement, or the content of the side file.
    pub output: String,
    /// What was signed.
    pub statement: Statement,
    /// The form.
    pub form: Form,
}

impl Signatures {
    /// Checks that a text can be signed, and by which key.
    ///
    /// # Errors
    /// [`SignaturesError`] says what is in the way.
    pub fn prepare(&self, order: Order) -> Result<Prepared, SignaturesError> {
        order.form.check(order.format)?;
        let entry = match &order.key {
            Some(name) => self.keystore.get(name)?,
            None => self.keystore.default()?,
        };
        if entry.revoked.is_some() {
            return Err(KeystoreError::Revoked(entry.name).into());
        }
        let pages = signed::pages(&order.text, order.format)?;
        let Some(page) = pages.first() else { return Err(StatementError::NoText.into()) };
        if !order.form.is_side_file() && !page.finds.is_empty() {
            return Err(SignaturesError::SignedAlready);
        }
        let guessed = || language::detect(page.stream.text()).map(str::to_owned);
        let facts = Facts {
            author: entry.author.clone(),
            language: order.language.clone().or_else(guessed).unwrap_or_else(|| "und".to_owned()),
            date: now(),
            assistance: order.assistance.clone().unwrap_or_else(|| "none".to_owned()),
            written_here: order.written_here,
            expires: order.expires,
        };
        let statement = if order.form == Form::Line {
            Statement::about_message(&page.stream, facts)?
        } else {
            Statement::about(&page.stream, facts)?
        };
        Ok(Prepared { statement, order, key: self.own_key(entry)? })
    }

    /// Signs what was prepared, with a passphrase that was asked for already. The key must be one that no program can
    /// use by itself.
    ///
    /// # Errors
    /// [`SignaturesError`] says what is in the way.
    pub fn sign(
        &self,
        prepared: &Prepared,
        passphrase: Option<String>,
    ) -> Result<SignedText, SignaturesError> {
        // As it is now, for the passphrase may have been taken off since.
        let key = self.own_key(self.keystore.get(&prepared.key.name)?)?;
        if !key.is_guarded() {
            return Err(SignaturesError::Unguarded(key.name));
        }
        self.sign_asking(prepared, &Given(passphrase.and_then(Passphrase::new)))
    }

    /// The same, asking for the passphrase if the key has one.
    ///
    /// # Errors
    /// As [`Signatures::sign`].
    pub fn sign_asking(
        &self,
        prepared: &Prepared,
        ask: &dyn AskPassphrase,
    ) -> Result<SignedText, SignaturesError> {
        let Prepared { statement, order, key } = prepared;
        let signer = self.keystore.signer(&key.name, ask)?;
        let signed = if order.form == Form::Vc {
            let unsigned = Unsigned::new(statement.clone(), signer.key(), order.did_web)?;
            let signature = signer.sign(&unsigned.to_sign())?;
            Signed::Credential(Box::new(unsigned.finish(&signature)))
        } else {
            let hash = HashAlgorithm::Sha512;
            let signature = signer.sign(&signed_data(&statement.to_jcs(), hash))?;
            let signature = SshSignature { key: signer.key().clone(), hash, signature };
            Signed::Ssh { statement: statement.clone(), signature }
        };
        let output = order.form.publish(&order.text, order.format, &signed)?;
        self_check(order, &output, statement)?;
        Ok(SignedText { output, statement: statement.clone(), form: order.form })
    }
}

/// A passphrase that was asked for already.
struct Given(Option<Passphrase>);

impl AskPassphrase for Given {
    fn existing(&self, _: &str) -> Result<Passphrase, PassphraseError> {
        self.0.clone().ok_or(PassphraseError::Missing)
    }

    fn fresh(&self, name: &str) -> Result<Passphrase, PassphraseError> {
        self.existing(name)
    }
}

/// Reads what was made as a reader will, so that nothing is published that does not verify.
fn self_check(order: &Order, output: &str, statement: &Statement) -> Result<(), SignaturesError> {
    let mut pages: Vec<Page> = if order.form.is_side_file() {
        signed::pages(&order.text, order.format)?
    } else if order.form == Form::Html {
        signed::pages(output, Format::Html)?
    } else {
        signed::pages(output, order.format)?
    };
    let Some(page) = pages.first_mut() else { return Err(StatementError::NoText.into()) };
    if order.form.is_side_file() {
        page.add_side_file(Carrier::SideFile, output, signed::is_all_text(order.format));
    }
    let contact = KeyFacts { contact: Some(String::new()), ..KeyFacts::default() };
    let checked = check(page);
    let Some(last) = checked.last() else {
        return Err(SignaturesError::SelfCheck("the statement is not found again".to_owned()));
    };
    // The key of a did:web may be published later.
    if last.wants_key().is_some() {
        return Ok(());
    }
    let report = last.report(page, &contact, statement.date);
    if report.result == Outcome::Trusted { Ok(()) } else { Err(SignaturesError::SelfCheck(report.message)) }
}
