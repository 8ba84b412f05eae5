//! What an author signs: a statement about a text (SPEC.md, section 2).

use super::canonical::{self, Stream};
use super::paragraphs::{self, Paragraph};
use super::time::Timestamp;
use crate::hex::hex;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// Type and version.
pub const TYPE: &str = "generated-by-human/1";
/// Name of the canonical form.
pub const CANONICALIZATION: &str = "bonafide-text-1";
/// The most paragraphs in a statement.
pub const MAX_PARAGRAPHS: usize = 10_000;
/// The largest integer that JSON carries safely (RFC 7493).
const MAX_INTEGER: u64 = (1 << 53) - 1;
const MAX_NAME: usize = 64;
const MAX_SENTENCE: usize = 280;
const MAX_LANGUAGE: usize = 35;
const MAX_IDENTITY: usize = 255;

/// A statement about a text. Its fields are those of the JSON form; a value of this type that came through
/// [`Statement::from_json`] or [`Statement::about`] keeps all rules of the specification.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct Statement {
    /// Always [`TYPE`].
    pub r#type: String,
    /// Always [`CANONICALIZATION`].
    pub canonicalization: String,
    /// Which text.
    pub text: TextDigest,
    /// BCP 47 language tag, `und` if not known.
    pub language: String,
    /// Who says so.
    pub author: Author,
    /// When it was signed, by the author's clock.
    pub date: Timestamp,
    /// Which help the author had: `none`, `spelling`, `translation`, or a sentence.
    pub assistance: String,
    /// What the editor counted while the text was written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub written_here: Option<WrittenHere>,
    /// When it ends.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires: Option<Timestamp>,
}

/// The digest of a text and of its paragraphs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct TextDigest {
    /// Bytes of the canonical form.
    pub length: u64,
    /// SHA-256 of it, in hexadecimal.
    pub sha256: String,
    /// Number of words.
    pub words: u64,
    /// The table of paragraphs.
    pub paragraphs: Vec<Paragraph>,
}

/// The author by his own account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct Author {
    /// A name.
    pub name: String,
    /// An https origin or `github:user` that publishes the key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub identity: Option<String>,
}

/// What the "written here" editor counted. Never what was typed, nor when.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct WrittenHere {
    /// Keys that put in text.
    pub keystrokes: u64,
    /// Deletions.
    pub deletions: u64,
    /// Share of the text that was pasted, in percent.
    pub pasted_percent: u64,
    /// Minutes in which something was written.
    pub active_minutes: u64,
    /// Changes of text that stood there already.
    pub revisions: u64,
}

/// What an author says beside the text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Facts {
    /// Who says so.
    pub author: Author,
    /// BCP 47 language tag.
    pub language: String,
    /// Now.
    pub date: Timestamp,
    /// Which help the author had.
    pub assistance: String,
    /// What the editor counted.
    pub written_here: Option<WrittenHere>,
    /// When the statement ends.
    pub expires: Option<Timestamp>,
}

/// Why a text is not signed, or a statement is none. Every message says what is wrong.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum StatementError {
    /// Nothing is left of the text.
    #[error("there is no text: it is empty, or holds only spaces and invisible characters")]
    NoText,
    /// The text holds what could change how it is read.
    #[error("the text can't be signed: {0}")]
    Hazard(#[from] canonical::Hazard),
    /// Too many paragraphs.
    #[error("the text has {0} paragraphs and at most {MAX_PARAGRAPHS} are signed at once: sign it in parts")]
    TooManyParagraphs(usize),
    /// A member of a statement that is not as it must be.
    #[error("`{member}` {rule}")]
    Member {
        /// Which.
        member: &'static str,
        /// What it must be.
        rule: &'static str,
    },
    /// Not the JSON of a statement.
    #[error("this is not a statement: {0}")]
    Json(String),
}

impl Statement {
    /// The statement about a text, with a table of its paragraphs.
    ///
    /// # Errors
    /// [`StatementError`] if the text can't be signed or a fact is not as it must be.
    pub fn about(stream: &Stream, facts: Facts) -> Result<Self, StatementError> {
        let pieces = stream.paragraphs();
        if pieces.len() > MAX_PARAGRAPHS {
            return Err(StatementError::TooManyParagraphs(pieces.len()));
        }
        Self::with(stream, facts, paragraphs::table(stream.text(), pieces))
    }

    /// The statement about a message, whose table has one entry, as a token has it (SPEC.md, 5.1).
    ///
    /// # Errors
    /// As [`Statement::about`].
    pub fn about_message(stream: &Stream, facts: Facts) -> Result<Self, StatementError> {
        Self::with(stream, facts, paragraphs::whole(stream.text()))
    }

    fn with(stream: &Stream, facts: Facts, paragraphs: Vec<Paragraph>) -> Result<Self, StatementError> {
        if let Some(hazard) = stream.hazards().next() {
            return Err(hazard.into());
        }
        if stream.text().is_empty() {
            return Err(StatementError::NoText);
        }
        Self::of_digest(TextDigest::new(stream.text(), paragraphs), facts)
    }

    /// The statement about a text of which only the digest is at hand.
    ///
    /// # Errors
    /// [`StatementError::Member`] if a fact is not as it must be.
    pub fn of_digest(text: TextDigest, facts: Facts) -> Result<Self, StatementError> {
        let Facts { author, language, date, assistance, written_here, expires } = facts;
        let statement = Self {
            r#type: TYPE.to_owned(),
            canonicalization: CANONICALIZATION.to_owned(),
            text,
            language,
            author,
            date,
            assistance,
            written_here,
            expires,
        };
        statement.check()?;
        Ok(statement)
    }

    /// Reads a statement and checks every rule.
    ///
    /// # Errors
    /// [`StatementError::Json`] and [`StatementError::Member`].
    pub fn from_json(json: &str) -> Result<Self, StatementError> {
        let statement: Self =
            serde_json::from_str(json).map_err(|error| StatementError::Json(error.to_string()))?;
        statement.check()?;
        Ok(statement)
    }

    /// The bytes that are signed (RFC 8785).
    #[must_use]
    pub fn to_jcs(&self) -> Vec<u8> {
        // Strings and integers can always be written.
        serde_json_canonicalizer::to_vec(self).unwrap_or_default()
    }

    /// Checks every rule of the specification.
    ///
    /// # Errors
    /// [`StatementError::Member`].
    pub fn check(&self) -> Result<(), StatementError> {
        let text = &self.text;
        let rules: [(&'static str, bool, &'static str); 12] = [
            ("type", self.r#type == TYPE, "is not `generated-by-human/1`, the only one that is known here"),
            ("canonicalization", self.canonicalization == CANONICALIZATION, "is not `bonafide-text-1`"),
            ("text.length", (1..=MAX_INTEGER).contains(&text.length), "must be from 1 to 2^53 - 1"),
            ("text.words", text.words <= MAX_INTEGER, "must be at most 2^53 - 1"),
            ("text.sha256", is_hex(&text.sha256, 64), "must be 64 digits of lower-case hexadecimal"),
            (
                "text.paragraphs",
                paragraphs::is_table(&text.paragraphs, text.length),
                "is not a table of the text",
            ),
            (
                "language",
                is_language(&self.language),
                "must be a BCP 47 language tag such as `en` or `zh-Hans`",
            ),
            (
                "author.name",
                is_plain(&self.author.name, MAX_NAME),
                "must have 1 to 64 characters, all visible, and no spaces but the usual one (U+0020)",
            ),
            (
                "author.identity",
                self.author.identity.as_deref().is_none_or(|identity| Identity::parse(identity).is_some()),
                "must be an origin such as `https://example.org`, or `github:user`",
            ),
            (
                "assistance",
                is_plain(&self.assistance, MAX_SENTENCE),
                "must be `none`, `spelling`, `translation`, or a sentence of at most 280 characters, all visible, and no \
                 spaces but the usual one (U+0020)",
            ),
            (
                "written_here",
                self.written_here.is_none_or(WrittenHere::is_sound),
                "holds an impossible number",
            ),
            ("expires", self.expires.is_none_or(|end| end > self.date), "must be later than `date`"),
        ];
        match rules.into_iter().find(|(_, holds, _)| !holds) {
            Some((member, _, rule)) => Err(StatementError::Member { member, rule }),
            None => Ok(()),
        }
    }
}

impl TextDigest {
    fn new(canonical: &str, paragraphs: Vec<Paragraph>) -> Self {
        Self {
            length: canonical.len() as u64,
            sha256: sha256(canonical.as_bytes()),
            words: canonical::words(canonical),
            paragraphs,
        }
    }

    /// The digest of a message, whose table has one entry; nothing if there is no text.
    #[must_use]
    pub fn of_message(canonical: &str) -> Option<Self> {
        (!canonical.is_empty()).then(|| Self::new(canonical, paragraphs::whole(canonical)))
    }
}

impl WrittenHere {
    fn is_sound(self) -> bool {
        let all = [self.keystrokes, self.deletions, self.active_minutes, self.revisions];
        self.pasted_percent <= 100 && all.iter().all(|&count| count <= MAX_INTEGER)
    }
}

/// Who publishes a key.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Identity {
    /// What follows `https://` in an origin: a host, and a port if it is not 443.
    Origin(String),
    /// The name of a GitHub user.
    GitHub(String),
}

impl Identity {
    /// Reads `https://host[:port]` or `github:user`; nothing else is one.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        if text.len() > MAX_IDENTITY {
            return None;
        }
        if let Some(user) = text.strip_prefix("github:") {
            let fits = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
            let sound = (1..=39).contains(&user.len()) && user.bytes().all(fits) && !user.starts_with('-');
            return sound.then(|| Self::GitHub(user.to_owned()));
        }
        let authority = text.strip_prefix("https://")?;
        let (host, port) = match authority.split_once(':') {
            Some((host, port)) => (host, Some(port)),
            None => (authority, None),
        };
        let label = |label: &str| {
            (1..=63).contains(&label.len())
                && label.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
                && !label.starts_with('-')
                && !label.ends_with('-')
        };
        // To a browser such a name is an IPv4 address.
        let last = host.rsplit('.').next().unwrap_or_default();
        let address = last.starts_with("0x") || last.bytes().all(|byte| byte.is_ascii_digit());
        let lettered = host.bytes().any(|byte| byte.is_ascii_lowercase());
        let named = host.split('.').all(label) && lettered && !address;
        let numbered = port.is_none_or(|port| {
            port.parse::<u16>().is_ok_and(|number| number > 0 && number != 443 && number.to_string() == port)
        });
        (named && numbered).then(|| Self::Origin(authority.to_owned()))
    }

    /// The same as a statement has it.
    #[must_use]
    pub fn text(&self) -> String {
        match self {
            Self::Origin(authority) => format!("https://{authority}"),
            Self::GitHub(user) => format!("github:{user}"),
        }
    }
}

/// SHA-256 in hexadecimal.
pub(super) fn sha256(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

/// Whether a text is exactly so many digits of lower-case hexadecimal.
pub(super) fn is_hex(text: &str, digits: usize) -> bool {
    text.len() == digits && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
}

/// Whether a text is short, not empty, and holds nothing invisible that could change how it is read, or make another
/// name that looks the same.
fn is_plain(text: &str, most: usize) -> bool {
    // So that no long text is looked at closely.
    let short = text.chars().take(most + 1).count() <= most;
    if !short || text.trim().is_empty() || !text.chars().all(is_visible) {
        return false;
    }
    let stream = Stream::of_text(text);
    // Persian and Hindi names have joiners; where they do nothing, the canonical form has none.
    let joiners = |text: &str| text.chars().filter(|&c| canonical::is_joiner(c)).count();
    stream.hazards().next().is_none() && joiners(stream.text()) == joiners(text)
}

fn is_visible(c: char) -> bool {
    c == ' '
        || canonical::is_joiner(c)
        || !(canonical::is_space(c)
            || canonical::is_dropped(c)
            || matches!(c,
                '\u{61C}' | '\u{115F}' | '\u{1160}' | '\u{200E}' | '\u{200F}' | '\u{206A}'..='\u{206F}' | '\u{2800}'
                | '\u{3164}' | '\u{FFA0}' | '\u{FFF9}'..='\u{FFFB}'))
}

fn is_language(tag: &str) -> bool {
    let part = |part: &str| (1..=8).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_alphanumeric());
    let first = tag.split('-').next().unwrap_or_default();
    let begins = (2..=8).contains(&first.len()) && first.bytes().all(|b| b.is_ascii_lowercase());
    tag.len() <= MAX_LANGUAGE && begins && tag.split('-').all(part)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_visible() {
        for name in
            ["Ada Lovelace", "می\u{200C}نا", "क\u{94D}\u{200D}ष", "👩\u{200D}🔬", "山田 太郎", "e\u{301}"]
        {
            assert!(is_plain(name, MAX_NAME), "{name:?}");
        }
        let marks = format!("a{}", "\u{301}".repeat(31));
        let long = "a".repeat(65);
        for name in
            ["", "  ", "A\u{A0}B", "A\u{3000}B", "A\tB", "A\u{2028}B", &marks, &long, "\u{202E}adA", "A\0"]
        {
            assert!(!is_plain(name, MAX_NAME), "{name:?}");
        }
        let invisible = "\u{AD}\u{61C}\u{115F}\u{1160}\u{200B}\u{200C}\u{200D}\u{200E}\u{200F}\u{206A}\u{206F}\
                         \u{2800}\u{3164}\u{FFA0}\u{FFF9}\u{FFFB}\u{FE0F}";
        for c in invisible.chars() {
            assert!(!is_plain(&format!("A{c}da"), MAX_NAME), "{c:?}");
        }
    }

    #[test]
    fn identities_are_names() {
        for good in [
            "https://a.example",
            "https://1.2.3.a",
            "https://localhost:8080",
            "https://x0.org",
            "github:0x7f",
        ] {
            assert!(Identity::parse(good).is_some(), "{good}");
        }
        for bad in [
            "https://0x7f.1",
            "https://1.2.3.0x4",
            "https://a.1",
            "https://0x",
            "https://a.0x:80",
            "https://1.2.3.4",
            "https://a.",
            "https://0xabc",
        ] {
            assert!(Identity::parse(bad).is_none(), "{bad}");
        }
    }
}
