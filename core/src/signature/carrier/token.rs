//! The token: a whole statement in one word of fewer than 220 characters (SPEC.md, 5.1).
//!
//! It leaves out whatever can be computed from the message that it ends.

use super::{CarrierError, Signed};
use crate::signature::canonical::is_dropped;
use crate::signature::classes::is_cjk;
use crate::signature::ed25519::{RawSignature, Touch};
use crate::signature::key::PublicKey;
use crate::signature::sshsig::{HashAlgorithm, SshSignature};
use crate::signature::statement::{Author, Facts, Identity, Statement, StatementError, TextDigest};
use crate::signature::time::Timestamp;
use std::ops::Range;

/// What every token begins with.
const PREFIX: &str = "human1";
/// The most characters of a token.
pub const MAX_LENGTH: usize = 219;
/// Fewer can't hold a key and a signature.
const MIN_LENGTH: usize = 130;
const DEFAULT_APPLICATION: &str = "ssh:";
const HELP: [&str; 3] = ["none", "spelling", "translation"];

const HARDWARE: u8 = 1;
const IDENTITY: u8 = 2;
const EXPIRES: u8 = 4;
const HELP_SHIFT: u32 = 3;
const SENTENCE: u8 = 3;
const KNOWN: u8 = 0b1_1111;

/// A statement without what the message itself tells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Token {
    signature: SshSignature,
    author: Author,
    language: String,
    date: Timestamp,
    expires: Option<Timestamp>,
    assistance: String,
    length: u32,
}

impl Token {
    /// The token of a signed statement about a message.
    ///
    /// # Errors
    /// [`CarrierError::NotInToken`] and [`CarrierError::TokenTooLong`].
    pub fn of(signed: &Signed) -> Result<Self, CarrierError> {
        let Signed::Ssh { statement, signature } = signed else {
            return Err(CarrierError::NotInToken("a credential"));
        };
        if statement.written_here.is_some() {
            return Err(CarrierError::NotInToken("what the editor counted"));
        }
        if statement.text.paragraphs.len() != 1 {
            return Err(CarrierError::NotInToken("a table of paragraphs"));
        }
        if signature.hash != HashAlgorithm::Sha512 {
            return Err(CarrierError::NotInToken("a signature over SHA-256"));
        }
        let in_u32 = |date: Timestamp| u32::try_from(date.unix()).is_ok();
        if !in_u32(statement.date) || !statement.expires.is_none_or(in_u32) {
            return Err(CarrierError::NotInToken("dates after the year 2105"));
        }
        let length = u32::try_from(statement.text.length);
        Ok(Self {
            signature: signature.clone(),
            author: statement.author.clone(),
            language: statement.language.clone(),
            date: statement.date,
            expires: statement.expires,
            assistance: statement.assistance.clone(),
            length: length.map_err(|_| CarrierError::NotInToken("so long a text"))?,
        })
    }

    /// Writes the token.
    ///
    /// # Errors
    /// [`CarrierError::TokenTooLong`].
    pub fn print(&self) -> Result<String, CarrierError> {
        let token = format!("{PREFIX}{}", bs58::encode(self.to_bytes()?).into_string());
        if token.len() > MAX_LENGTH { Err(CarrierError::TokenTooLong(token.len())) } else { Ok(token) }
    }

    /// Reads a token.
    ///
    /// # Errors
    /// [`CarrierError`] if it is none or was damaged.
    pub fn parse(token: &str) -> Result<Self, CarrierError> {
        let dense: String = token.chars().filter(|&c| !is_dropped(c)).collect();
        let digits = dense.strip_prefix(PREFIX).ok_or(CarrierError::Token)?;
        if dense.len() > MAX_LENGTH {
            return Err(CarrierError::TokenTooLong(dense.len()));
        }
        let bytes = bs58::decode(digits).into_vec().map_err(|_| CarrierError::Base58)?;
        let read = Self::from_bytes(&bytes)?;
        // One form only, or a token could be changed without becoming invalid.
        if read.print()? == dense { Ok(read) } else { Err(CarrierError::Token) }
    }

    /// Bytes of canonical text that the token speaks of.
    #[must_use]
    pub fn text_length(&self) -> usize {
        self.length as usize
    }

    /// The digest of the text that ends at the end of a canonical text, as this token would have it.
    #[must_use]
    pub fn digest_of(&self, canonical: &str) -> Option<TextDigest> {
        let start = canonical.len().checked_sub(self.text_length())?;
        TextDigest::of_message(canonical.get(start..)?)
    }

    /// The statement about a text of this digest.
    ///
    /// # Errors
    /// [`StatementError::Member`] if the token holds something impossible.
    pub fn signed(&self, text: TextDigest) -> Result<Signed, StatementError> {
        let facts = Facts {
            author: self.author.clone(),
            language: self.language.clone(),
            date: self.date,
            assistance: self.assistance.clone(),
            written_here: None,
            expires: self.expires,
        };
        let statement = Statement::of_digest(text, facts)?;
        Ok(Signed::Ssh { statement, signature: self.signature.clone() })
    }

    fn to_bytes(&self) -> Result<Vec<u8>, CarrierError> {
        let help = HELP.iter().position(|&help| help == self.assistance);
        let help = help.and_then(|code| u8::try_from(code).ok()).unwrap_or(SENTENCE);
        let identity = self.author.identity.as_deref().map(Identity::parse);
        let key = &self.signature.key;
        let flag = |is_set, flag| if is_set { flag } else { 0 };
        let flags = flag(key.is_hardware(), HARDWARE)
            | flag(identity.is_some(), IDENTITY)
            | flag(self.expires.is_some(), EXPIRES);
        let mut out = vec![flags | (help << HELP_SHIFT)];
        out.extend_from_slice(key.point());
        out.extend_from_slice(&self.signature.signature.bytes);
        if let Some(application) = key.application() {
            let touch = self.signature.signature.touch.ok_or(CarrierError::Token)?;
            out.push(touch.flags);
            out.extend_from_slice(&touch.counter.to_be_bytes());
            put(&mut out, if application == DEFAULT_APPLICATION { "" } else { application })?;
        }
        let seconds = |date: Timestamp| u32::try_from(date.unix()).map_err(|_| CarrierError::Token);
        out.extend_from_slice(&seconds(self.date)?.to_be_bytes());
        if let Some(end) = self.expires {
            out.extend_from_slice(&seconds(end)?.to_be_bytes());
        }
        let mut length = self.length;
        while length >= 0x80 {
            out.push((length & 0x7F) as u8 | 0x80);
            length >>= 7;
        }
        out.push((length & 0x7F) as u8);
        put(&mut out, &self.language)?;
        put(&mut out, &self.author.name)?;
        match identity {
            Some(Some(Identity::Origin(authority))) => {
                out.push(0);
                put(&mut out, &authority)?;
            }
            Some(Some(Identity::GitHub(user))) => {
                out.push(1);
                put(&mut out, &user)?;
            }
            Some(None) => return Err(CarrierError::Token),
            None => {}
        }
        if help == SENTENCE {
            put(&mut out, &self.assistance)?;
        }
        Ok(out)
    }

    fn from_bytes(bytes: &[u8]) -> Result<Self, CarrierError> {
        let mut read = Reader(bytes);
        let [flags] = read.array()?;
        if flags & !KNOWN != 0 {
            return Err(CarrierError::Token);
        }
        let point = read.array::<32>()?;
        let signature = read.array::<64>()?;
        let (key, touch) = if flags & HARDWARE == 0 {
            (PublicKey::ed25519(point)?, None)
        } else {
            let [touch] = read.array()?;
            let counter = u32::from_be_bytes(read.array()?);
            let application = read.text()?;
            let application =
                if application.is_empty() { DEFAULT_APPLICATION.to_owned() } else { application };
            (PublicKey::security_key(point, &application)?, Some(Touch { flags: touch, counter }))
        };
        let date = Timestamp::from_unix(u64::from(u32::from_be_bytes(read.array()?)));
        let expires = if flags & EXPIRES == 0 {
            None
        } else {
            Some(Timestamp::from_unix(u64::from(u32::from_be_bytes(read.array()?))))
        };
        let length = read.leb128()?;
        let language = read.text()?;
        let name = read.text()?;
        let identity = if flags & IDENTITY == 0 {
            None
        } else {
            let [kind] = read.array()?;
            let rest = read.text()?;
            Some(match kind {
                0 => format!("https://{rest}"),
                1 => format!("github:{rest}"),
                _ => return Err(CarrierError::Token),
            })
        };
        let help = flags >> HELP_SHIFT;
        let assistance = match HELP.get(usize::from(help)) {
            Some(help) => (*help).to_owned(),
            None => read.text()?,
        };
        if !read.0.is_empty() {
            return Err(CarrierError::Token);
        }
        let signature = SshSignature {
            key,
            hash: HashAlgorithm::Sha512,
            signature: RawSignature { bytes: signature, touch },
        };
        Ok(Self { signature, author: Author { name, identity }, language, date, expires, assistance, length })
    }
}

/// A text with its length before it.
fn put(out: &mut Vec<u8>, text: &str) -> Result<(), CarrierError> {
    // What is longer than a byte can say is longer than a token anyway.
    out.push(u8::try_from(text.len()).map_err(|_| CarrierError::TokenTooLong(2 * text.len() + MIN_LENGTH))?);
    out.extend_from_slice(text.as_bytes());
    Ok(())
}

struct Reader<'a>(&'a [u8]);

impl Reader<'_> {
    fn array<const N: usize>(&mut self) -> Result<[u8; N], CarrierError> {
        let (first, rest) = self.0.split_first_chunk().ok_or(CarrierError::Token)?;
        self.0 = rest;
        Ok(*first)
    }

    fn text(&mut self) -> Result<String, CarrierError> {
        let [length] = self.array()?;
        let (text, rest) = self.0.split_at_checked(usize::from(length)).ok_or(CarrierError::Token)?;
        self.0 = rest;
        String::from_utf8(text.to_vec()).map_err(|_| CarrierError::Token)
    }

    fn leb128(&mut self) -> Result<u32, CarrierError> {
        let mut value: u64 = 0;
        for shift in (0..35).step_by(7) {
            let [byte] = self.array()?;
            value |= u64::from(byte & 0x7F) << shift;
            if byte & 0x80 == 0 {
                return u32::try_from(value).map_err(|_| CarrierError::Token);
            }
        }
        Err(CarrierError::Token)
    }
}

/// All tokens in a text that stand free, in order, with their places.
pub(crate) fn find_all(text: &str) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    let mut from = 0;
    while let Some(start) = text[from..].find(PREFIX).map(|at| from + at) {
        let belongs = |c: char| c.is_ascii_alphanumeric() || is_dropped(c);
        let length = text[start..].find(|c| !belongs(c)).unwrap_or(text.len() - start);
        let end = start + length;
        let before = text[..start].chars().next_back();
        let after = text[end..].chars().next();
        let begins = before.is_none_or(|c| c.is_whitespace() || is_dropped(c) || is_cjk(c));
        let ends = after.is_none_or(|c| c.is_whitespace() || c.is_ascii_punctuation() || is_cjk(c));
        if length >= MIN_LENGTH && begins && ends {
            found.push(start..end);
        }
        from = end.max(start + PREFIX.len());
    }
    found
}

/// Whether an attribute's value is a token.
pub(crate) fn is_token(value: &str) -> bool {
    value.trim().starts_with(PREFIX)
}
