//! `watermark-keys.toml`: which marks to look for.
//!
//! ```toml
//! [[key]]
//! name = "acme"                   # what reports call it
//! who = "Acme's assistant"        # who marks texts with it
//! scheme = "kgw"                  # kgw, sweet, ewd, unigram, synthid, exp, exp-edit, dip
//! flavour = "transformers"        # transformers, original, markllm, three_bricks: whose arithmetic
//! seeding = "lefthash"            # lefthash, selfhash, minhash, skipgram, product, permuted, fold
//! gamma = 0.25
//! key = 123456789
//! tokenizer = "smollm2-135m"      # a model of the registry, or a tokenizer.json; absent: the loaded model's
//! vocabulary = 49152              # absent: as many tokens as the tokenizer has
//! public = false                  # whether anyone could know the key
//! ```

use crate::private;
use bonafide_core::watermark::scheme::{
    Dip, Exp, ExpEdit, Flavour, Kgw, Scheme, SchemeError, Seeding, SynthId, Unigram, Weighting,
};
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};
use toml::Spanned;

/// Name of the file in the config folder.
pub const FILE: &str = "watermark-keys.toml";

/// The keys that come with the program.
const PUBLIC: &str = include_str!("public.toml");

/// Most keys in a file: each costs time in every text.
const MOST_KEYS: usize = 1000;

/// A key as the file holds it; [`Entry::scheme`] needs the size of the vocabulary besides.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// What reports call it.
    pub name: String,
    /// Who marks texts with it.
    pub who: Option<String>,
    /// Whether anyone could know it.
    pub public: bool,
    /// Whether it came with the program.
    pub built_in: bool,
    /// Which tokenizer cut the marked texts.
    pub tokenizer: TokenizerSpec,
    raw: RawKey,
}

/// Which tokenizer a key is about.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum TokenizerSpec {
    /// That of the model that is loaded, whichever it is.
    Loaded,
    /// That of a model of the registry.
    Model(String),
    /// A `tokenizer.json`.
    File(PathBuf),
}

/// Why a key file can't be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum KeyFileError {
    /// It can't be read.
    #[error("the watermark keys in {} can't be read: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// It is not TOML, or has fields that no key has. The line itself is not quoted: it may hold a key.
    #[error("{}, line {line}: {problem}", path.display())]
    Parse {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
        /// What is wrong.
        problem: String,
    },
    /// A key's values don't fit together.
    #[error("{}, line {line}: the key `{name}`: {problem}", path.display())]
    Key {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
        /// The key.
        name: String,
        /// What is wrong, and what would be right.
        problem: String,
    },
    /// More keys than are looked for.
    #[error("{} holds {count} keys, and at most {MOST_KEYS} are looked for: take some out", path.display())]
    TooMany {
        /// The file.
        path: PathBuf,
        /// How many it holds.
        count: usize,
    },
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawFile {
    #[serde(default)]
    key: Vec<Spanned<RawKey>>,
}

/// The fields of a key, as the file holds them.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RawKey {
    pub(crate) name: String,
    pub(crate) scheme: String,
    pub(crate) who: Option<String>,
    pub(crate) flavour: Option<String>,
    pub(crate) seeding: Option<String>,
    pub(crate) context: Option<usize>,
    pub(crate) gamma: Option<f64>,
    pub(crate) last: Option<bool>,
    pub(crate) key: Option<RawNumber>,
    pub(crate) keys: Option<Vec<RawNumber>>,
    pub(crate) entropy: Option<f64>,
    pub(crate) delta: Option<f64>,
    pub(crate) ngram: Option<usize>,
    pub(crate) table_seed: Option<u32>,
    pub(crate) history: Option<usize>,
    pub(crate) length: Option<usize>,
    pub(crate) bits: Option<u32>,
    pub(crate) tokenizer: Option<String>,
    pub(crate) vocabulary: Option<u32>,
    pub(crate) public: Option<bool>,
}

/// A key is a number, or text: a number too great for TOML, or bytes in hexadecimal.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(untagged)]
pub(crate) enum RawNumber {
    Number(i64),
    Text(String),
}

/// By hand, because an error must say what would be right, and must not repeat the key.
impl<'de> Deserialize<'de> for RawNumber {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(NumberVisitor)
    }
}

#[derive(Clone, Copy)]
struct NumberVisitor;

/// What a key must be.
const A_NUMBER: &str = "a whole number from 0 to 2^64 - 1, or bytes in hexadecimal in quotes";

impl serde::de::Visitor<'_> for NumberVisitor {
    type Value = RawNumber;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(A_NUMBER)
    }

    fn visit_i64<E: serde::de::Error>(self, number: i64) -> Result<RawNumber, E> {
        Ok(RawNumber::Number(number))
    }

    fn visit_u64<E: serde::de::Error>(self, number: u64) -> Result<RawNumber, E> {
        Ok(i64::try_from(number).map_or_else(|_| RawNumber::Text(number.to_string()), RawNumber::Number))
    }

    fn visit_i128<E: serde::de::Error>(self, number: i128) -> Result<RawNumber, E> {
        u64::try_from(number).map_or_else(|_| self.visit_f64(0.0), |number| self.visit_u64(number))
    }

    fn visit_u128<E: serde::de::Error>(self, number: u128) -> Result<RawNumber, E> {
        u64::try_from(number).map_or_else(|_| self.visit_f64(0.0), |number| self.visit_u64(number))
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<RawNumber, E> {
        Ok(RawNumber::Text(text.to_owned()))
    }

    fn visit_f64<E: serde::de::Error>(self, _: f64) -> Result<RawNumber, E> {
        Err(E::custom(format_args!("a key must be {A_NUMBER}")))
    }

    fn visit_bool<E: serde::de::Error>(self, _: bool) -> Result<RawNumber, E> {
        Err(E::custom(format_args!("a key must be {A_NUMBER}")))
    }
}

/// Reads the user's keys; there need not be a file.
///
/// # Errors
/// If the file can't be read, or holds what is not allowed.
pub fn load(folder: &Path) -> Result<Vec<Entry>, KeyFileError> {
    let path = folder.join(FILE);
    match std::fs::read_to_string(&path) {
        Ok(text) => parse(&text, &path),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Vec::new()),
        Err(source) => Err(KeyFileError::Read { path, source }),
    }
}

/// Reads keys from a text; `path` is what errors call it.
///
/// # Errors
/// As [`load`].
pub fn parse(text: &str, path: &Path) -> Result<Vec<Entry>, KeyFileError> {
    let mut entries = read(text, path)?;
    // Whatever the file says of it, a key that a library comes with is known to everybody.
    for known in built_in()? {
        for entry in entries.iter_mut().filter(|entry| entry.raw.shares_key(&known.raw)) {
            entry.public = true;
        }
    }
    Ok(entries)
}

fn read(text: &str, path: &Path) -> Result<Vec<Entry>, KeyFileError> {
    let file: RawFile = toml::from_str(text).map_err(|error| {
        let before = error.span().and_then(|span| text.get(..span.start)).unwrap_or_default();
        let line = before.matches('\n').count() + 1;
        KeyFileError::Parse { path: path.to_owned(), line, problem: error.message().replace('\n', " ") }
    })?;
    if file.key.len() > MOST_KEYS {
        return Err(KeyFileError::TooMany { path: path.to_owned(), count: file.key.len() });
    }
    let mut entries: Vec<Entry> = Vec::new();
    for raw in file.key {
        let span = raw.span();
        let raw = raw.into_inner();
        let wrong = |parameter: &str, problem: String| KeyFileError::Key {
            path: path.to_owned(),
            line: line_of(text, span.clone(), parameter),
            name: raw.name.clone(),
            problem,
        };
        if raw.name.trim().is_empty() || raw.name.len() > 80 || raw.name.chars().any(char::is_control) {
            return Err(wrong("name", "`name` must have from 1 to 80 characters".to_owned()));
        }
        if entries.iter().any(|entry| entry.name == raw.name) {
            return Err(wrong("name", "another key has this `name`: give each its own".to_owned()));
        }
        let entry = Entry {
            name: raw.name.clone(),
            who: raw.who.clone(),
            public: raw.public.unwrap_or(false),
            built_in: false,
            tokenizer: tokenizer(raw.tokenizer.as_deref(), path),
            raw: raw.clone(),
        };
        // With any vocabulary that is large enough: what else is wrong is told now, with its line.
        if let Err(error) = entry.scheme(raw.vocabulary.unwrap_or(1 << 17)) {
            return Err(wrong(error.parameter, error.to_string()));
        }
        entries.push(entry);
    }
    Ok(entries)
}

/// Adds a key to the user's file, whose other contents stay as they are.
///
/// # Errors
/// As [`load`], and if the key itself is wrong; then nothing is written.
pub(crate) fn add(folder: &Path, key: &RawKey) -> Result<PathBuf, Box<dyn std::error::Error + Send + Sync>> {
    private::make_folder(folder)?;
    let path = folder.join(FILE);
    let _lock = private::lock(&folder.join(format!("{FILE}.lock")))?;
    let mut text = match std::fs::read_to_string(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => String::new(),
        Err(source) => return Err(KeyFileError::Read { path, source }.into()),
    };
    if parse(&text, &path)?.iter().any(|entry| entry.name == key.name) {
        let (name, path) = (&key.name, path.display());
        return Err(
            format!("there is a key `{name}` already: take another name, or take it out of {path}").into()
        );
    }
    if !text.is_empty() {
        text.push_str(if text.ends_with('\n') { "\n" } else { "\n\n" });
    }
    text.push_str("[[key]]\n");
    text.push_str(&toml::to_string(key)?);
    if let Some(entry) = parse(&text, &path)?.last() {
        super::check_tokenizer(entry)?;
    }
    private::replace(&path, text.as_bytes())
        .map_err(|error| format!("{} can't be written: {error}", path.display()))?;
    Ok(path)
}

/// The keys that come with the program.
///
/// # Errors
/// None, unless the program was built wrong.
pub fn built_in() -> Result<Vec<Entry>, KeyFileError> {
    let mut entries = read(PUBLIC, Path::new("public.toml"))?;
    for entry in &mut entries {
        entry.public = true;
        entry.built_in = true;
    }
    Ok(entries)
}

fn tokenizer(named: Option<&str>, path: &Path) -> TokenizerSpec {
    match named {
        None => TokenizerSpec::Loaded,
        Some(name) if name.ends_with(".json") => {
            // Beside the key file, unless the path is whole.
            TokenizerSpec::File(path.parent().unwrap_or(Path::new("")).join(name))
        }
        Some(name) => TokenizerSpec::Model(name.to_owned()),
    }
}

/// The line where a parameter of a key stands, or where the key begins.
fn line_of(text: &str, span: std::ops::Range<usize>, parameter: &str) -> usize {
    let before = text.get(..span.start).map_or(0, |before| before.matches('\n').count());
    // The value's span begins at its header, which may be a line above its first field.
    let rest = text.get(span.start..).unwrap_or_default();
    let mut headers = 0;
    for (at, line) in rest.lines().enumerate() {
        let line = line.trim_start();
        headers += usize::from(line.starts_with("[["));
        if headers > 1 {
            break;
        }
        let name = line.split(['=', ' ', '\t']).next().unwrap_or_default();
        if name == parameter {
            return before + at + 1;
        }
    }
    before + 1
}

impl Entry {
    /// The size of the vocabulary, if the file gives it.
    #[must_use]
    pub fn vocabulary(&self) -> Option<u32> {
        self.raw.vocabulary
    }

    /// The scheme's name.
    #[must_use]
    pub fn scheme_name(&self) -> &str {
        &self.raw.scheme
    }

    /// Whether it takes so long to look for that it is done when asked for only.
    #[must_use]
    pub fn slow(&self) -> bool {
        self.built_in && self.raw.scheme == "exp-edit"
    }

    /// How much a generator adds to the logits of green tokens.
    #[must_use]
    pub fn delta(&self) -> f64 {
        self.raw.delta.unwrap_or(2.0)
    }

    /// The scheme with its parameters, for a vocabulary of so many tokens.
    ///
    /// # Errors
    /// Names the parameter that is missing or can't be used.
    pub fn scheme(&self, vocabulary: u32) -> Result<Scheme, SchemeError> {
        let raw = &self.raw;
        let scheme = match raw.scheme.as_str() {
            "kgw" | "sweet" | "ewd" => Scheme::Kgw(raw.kgw(vocabulary)?),
            "unigram" => Scheme::Unigram(Unigram { vocabulary, gamma: raw.gamma()?, key: raw.key()? }),
            "synthid" => Scheme::SynthId(SynthId {
                keys: raw.keys()?,
                ngram: raw.ngram.unwrap_or(5),
                flavour: raw.flavour(Flavour::Transformers)?,
                table_seed: raw.table_seed.unwrap_or(0),
                history: raw.history.unwrap_or(1024),
            }),
            "exp" => Scheme::Exp(Exp {
                vocabulary,
                width: raw.context.unwrap_or(4),
                key: raw.key()?,
                flavour: raw.flavour(Flavour::MarkLlm)?,
            }),
            "exp-edit" => Scheme::ExpEdit(ExpEdit {
                vocabulary,
                length: required(raw.length, "length")?,
                key: raw.key()? as u32,
                bits: raw.bits.unwrap_or(32),
            }),
            "dip" => Scheme::Dip(Dip {
                vocabulary,
                gamma: raw.gamma()?,
                key: raw.bytes()?,
                width: raw.context.unwrap_or(5),
            }),
            other => {
                let known = "kgw, sweet, ewd, unigram, synthid, exp, exp-edit or dip";
                return wrong("scheme", format!("must be {known}, not `{other}`"));
            }
        };
        raw.superfluous()?;
        scheme.check()?;
        Ok(scheme)
    }
}

impl RawKey {
    fn kgw(&self, vocabulary: u32) -> Result<Kgw, SchemeError> {
        let context = |default| self.context.unwrap_or(default);
        let seeding = match self.seeding.as_deref().unwrap_or("lefthash") {
            "lefthash" | "simple_1" => Seeding::LeftHash,
            // Where the references' defaults differ there is none.
            "selfhash" => Seeding::SelfHash(required(self.context, "context")?),
            "minhash" => Seeding::MinHash(context(4)),
            "skipgram" => Seeding::SkipGram(context(5)),
            "product" => Seeding::Product(context(1)),
            "permuted" => Seeding::Permuted(context(1)),
            "fold" => Seeding::Fold(context(4)),
            other => {
                let known = "lefthash, selfhash, minhash, skipgram, product, permuted or fold";
                return wrong("seeding", format!("must be {known}, not `{other}`"));
            }
        };
        let flavour = match seeding {
            Seeding::MinHash(_) | Seeding::SkipGram(_) => Flavour::Original,
            Seeding::Product(_) | Seeding::Permuted(_) => Flavour::MarkLlm,
            Seeding::Fold(_) => Flavour::ThreeBricks,
            Seeding::LeftHash | Seeding::SelfHash(_) => Flavour::Transformers,
        };
        let weighting = match self.scheme.as_str() {
            "sweet" => Weighting::Sweet(self.entropy.unwrap_or(0.9)),
            "ewd" => Weighting::Ewd(required(self.delta, "delta")?),
            _ => Weighting::Plain,
        };
        Ok(Kgw {
            vocabulary,
            gamma: self.gamma()?,
            key: self.key()?,
            seeding,
            flavour: self.flavour(flavour)?,
            last: self.last.unwrap_or(false),
            weighting,
        })
    }

    /// Whether the secret is the same, whatever the scheme.
    fn shares_key(&self, other: &Self) -> bool {
        let same = |a: &RawNumber, b: &RawNumber| a.number().is_some() && a.number() == b.number() || a == b;
        let one = self.key.as_ref().zip(other.key.as_ref()).is_some_and(|(a, b)| same(a, b));
        let all = self.keys.as_ref().zip(other.keys.as_ref());
        one || all.is_some_and(|(a, b)| a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b)))
    }

    fn gamma(&self) -> Result<f64, SchemeError> {
        required(self.gamma, "gamma")
    }

    fn key(&self) -> Result<u64, SchemeError> {
        let key = required(self.key.as_ref(), "key")?;
        match key {
            // Its reference takes the key as a signed number.
            RawNumber::Number(number) if self.scheme == "unigram" => Ok(*number as u64),
            _ => key.whole("key"),
        }
    }

    fn keys(&self) -> Result<Vec<u64>, SchemeError> {
        required(self.keys.as_ref(), "keys")?.iter().map(|key| key.whole("keys")).collect()
    }

    fn bytes(&self) -> Result<Vec<u8>, SchemeError> {
        let problem = "must be text: the key's bytes in hexadecimal";
        let RawNumber::Text(text) = required(self.key.as_ref(), "key")? else {
            return wrong("key", problem);
        };
        let digits = text.as_bytes();
        if digits.is_empty() || digits.len() % 2 == 1 || digits.len() > 4096 {
            return wrong("key", problem);
        }
        let pairs = digits.chunks(2).map(|pair| {
            let pair = std::str::from_utf8(pair).ok()?;
            u8::from_str_radix(pair, 16).ok()
        });
        match pairs.collect() {
            Some(bytes) => Ok(bytes),
            None => wrong("key", problem),
        }
    }

    fn flavour(&self, default: Flavour) -> Result<Flavour, SchemeError> {
        let Some(name) = self.flavour.as_deref() else { return Ok(default) };
        match Flavour::ALL.into_iter().find(|flavour| flavour.name() == name) {
            Some(flavour) => Ok(flavour),
            None => {
                let known = Flavour::ALL.map(Flavour::name).join(", ");
                wrong("flavour", format!("must be one of {known}, not `{name}`"))
            }
        }
    }

    /// A parameter that the scheme doesn't have: more likely a mistake than a wish.
    fn superfluous(&self) -> Result<(), SchemeError> {
        let scheme = self.scheme.as_str();
        let kgw = ["kgw", "sweet", "ewd"].contains(&scheme);
        let given: [(&'static str, bool, bool); 12] = [
            ("seeding", self.seeding.is_some(), kgw),
            ("last", self.last.is_some(), kgw),
            ("context", self.context.is_some(), kgw || scheme == "exp" || scheme == "dip"),
            ("gamma", self.gamma.is_some(), kgw || scheme == "unigram" || scheme == "dip"),
            ("key", self.key.is_some(), scheme != "synthid"),
            ("keys", self.keys.is_some(), scheme == "synthid"),
            ("entropy", self.entropy.is_some(), scheme == "sweet"),
            ("delta", self.delta.is_some(), kgw),
            ("ngram", self.ngram.is_some(), scheme == "synthid"),
            ("table_seed", self.table_seed.is_some(), scheme == "synthid"),
            ("history", self.history.is_some(), scheme == "synthid"),
            ("length", self.length.is_some(), scheme == "exp-edit"),
        ];
        match given.into_iter().find(|(_, given, wanted)| *given && !wanted) {
            Some((name, ..)) => wrong(name, format!("is not a parameter of {scheme}: take it out")),
            None => Ok(()),
        }
    }
}

fn required<T>(value: Option<T>, parameter: &'static str) -> Result<T, SchemeError> {
    value.ok_or(SchemeError { parameter, problem: "is missing, and this scheme needs it".to_owned() })
}

fn wrong<T>(parameter: &'static str, problem: impl Into<String>) -> Result<T, SchemeError> {
    Err(SchemeError { parameter, problem: problem.into() })
}

impl RawNumber {
    fn number(&self) -> Option<u64> {
        match self {
            Self::Number(number) => u64::try_from(*number).ok(),
            Self::Text(text) => text.parse().ok(),
        }
    }

    fn whole(&self, parameter: &'static str) -> Result<u64, SchemeError> {
        let wrong = || SchemeError {
            parameter,
            problem: "must be a whole number from 0 to 2^64 - 1; one above 2^63 - 1 stands in quotes"
                .to_owned(),
        };
        self.number().ok_or_else(wrong)
    }
}

#[cfg(test)]
mod tests;
