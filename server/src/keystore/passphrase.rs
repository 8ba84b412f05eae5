//! Where the passphrase of a key comes from: a person at a terminal, or the environment of a script.

use std::fmt;
use zeroize::Zeroizing;

/// The environment variable that scripts give a passphrase in.
pub const PASSPHRASE_VARIABLE: &str = "BONAFIDE_PASSPHRASE";

/// A passphrase: never empty, never printed, wiped from memory when it is dropped.
#[derive(Clone)]
pub struct Passphrase(Zeroizing<String>);

impl Passphrase {
    /// `None` if there is nothing in it, for that would not protect a key.
    #[must_use]
    pub fn new(text: String) -> Option<Self> {
        let text = Zeroizing::new(text);
        (!text.is_empty()).then_some(Self(text))
    }

    pub(super) fn bytes(&self) -> &[u8] {
        self.0.as_bytes()
    }

    fn from_env() -> Option<Self> {
        std::env::var(PASSPHRASE_VARIABLE).ok().and_then(Self::new)
    }
}

impl fmt::Debug for Passphrase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Passphrase(…)")
    }
}

/// Why there is no passphrase.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PassphraseError {
    /// Neither a terminal nor the variable.
    #[error("the key `{0}` needs a passphrase and there is no terminal to ask at: set {PASSPHRASE_VARIABLE}")]
    NoTerminal(String),
    /// A new key without protection, which nobody asked for.
    #[error(
        "an empty passphrase leaves the key to whoever gets the file: give one, or --no-passphrase if you mean it"
    )]
    Empty,
    /// Nothing was typed.
    #[error("no passphrase was given")]
    Missing,
    /// The second time something else was typed.
    #[error("the two passphrases differ; nothing was made: try again")]
    Differ,
}

/// Something that knows the passphrases of keys, or can ask for them.
pub trait AskPassphrase {
    /// The passphrase of a key that there is.
    ///
    /// # Errors
    /// If there is nobody to ask, or nothing was given.
    fn existing(&self, name: &str) -> Result<Passphrase, PassphraseError>;

    /// A passphrase for a key that is about to be made.
    ///
    /// # Errors
    /// As [`AskPassphrase::existing`]; also if it is empty or was typed differently the second time.
    fn fresh(&self, name: &str) -> Result<Passphrase, PassphraseError>;
}

/// What a person is asked, in the language of the interface; `{}` stands for the name of the key.
#[derive(Debug, Clone, Copy)]
pub struct Prompts {
    /// For a key that there is.
    pub existing: &'static str,
    /// For a new key.
    pub fresh: &'static str,
    /// For a new key, the second time.
    pub again: &'static str,
}

/// Takes the passphrase from `BONAFIDE_PASSPHRASE`, or else asks at the terminal.
#[derive(Debug, Clone, Copy)]
pub struct FromUser(pub Prompts);

impl AskPassphrase for FromUser {
    fn existing(&self, name: &str) -> Result<Passphrase, PassphraseError> {
        match Passphrase::from_env() {
            Some(given) => Ok(given),
            None => Passphrase::new(ask(self.0.existing, name)?).ok_or(PassphraseError::Missing),
        }
    }

    fn fresh(&self, name: &str) -> Result<Passphrase, PassphraseError> {
        if let Some(given) = Passphrase::from_env() {
            return Ok(given);
        }
        let first = Passphrase::new(ask(self.0.fresh, name)?).ok_or(PassphraseError::Empty)?;
        let second = Zeroizing::new(ask(self.0.again, name)?);
        if first.0 == second { Ok(first) } else { Err(PassphraseError::Differ) }
    }
}

/// Asks at the terminal itself, so that a text may come through standard input at the same time.
fn ask(prompt: &str, name: &str) -> Result<String, PassphraseError> {
    rpassword::prompt_password(prompt.replace("{}", name)).map_err(|error| match error.kind() {
        std::io::ErrorKind::Interrupted | std::io::ErrorKind::UnexpectedEof => PassphraseError::Missing,
        _ => PassphraseError::NoTerminal(name.to_owned()),
    })
}
