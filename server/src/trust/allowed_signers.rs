//! Contacts as OpenSSH keeps them, in a file of allowed signers (`ssh-keygen(1)`, ALLOWED SIGNERS).
//!
//! A line is `principals [options] key [comment]`. What would be a pattern in a principal is written as `%` and two
//! hexadecimal digits, and names with spaces stand in quotes.

use super::error::TrustError;
use super::store::TrustStore;
use super::stored::{ContactKey, is_name, is_note};
use bonafide_core::signature::key::PublicKey;
use bonafide_core::signature::time::Timestamp;
use std::fmt;
use std::fmt::Write as _;

mod options;
use options::Options;

/// The namespace of our signatures.
pub const NAMESPACE: &str = "generated-by-human";
/// What can't stand in a principal as it is: patterns, quotes, comments, and the sign that stands for them.
const SPECIAL: &[char] = &['%', ',', '*', '?', '!', '"', '#', '\\'];

/// A line: a key, and who may sign with it in our namespace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Names, at least one, none a pattern.
    pub principals: Vec<String>,
    /// The key.
    pub key: PublicKey,
    /// Not before.
    pub valid_after: Option<Timestamp>,
    /// Not from then on.
    pub valid_before: Option<Timestamp>,
    /// What stands after the key.
    pub comment: Option<String>,
}

/// What a file of allowed signers says.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Import {
    /// What can be used.
    pub entries: Vec<Entry>,
    /// What can't.
    pub skipped: Vec<Skipped>,
}

/// A line that was left out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Skipped {
    /// Its number, from 1.
    pub line: usize,
    /// Why.
    pub reason: String,
}

impl fmt::Display for Skipped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {} is left out: {}", self.line, self.reason)
    }
}

/// What came of an import.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Imported {
    /// Keys that are trusted now and weren't before.
    pub added: usize,
    /// Keys that were trusted already.
    pub known: usize,
    /// Lines that were left out.
    pub skipped: Vec<Skipped>,
}

impl TrustStore {
    /// All contacts as a file of allowed signers, but for revoked keys.
    ///
    /// # Errors
    /// [`TrustError`]: the trust store can't be used.
    pub fn export_allowed_signers(&self) -> Result<String, TrustError> {
        let stored = self.current()?;
        let mut entries = Vec::new();
        for contact in &stored.contacts {
            for known in contact.keys.iter().filter(|known| stored.revoked(&known.key, None).is_none()) {
                entries.push(Entry {
                    principals: vec![contact.name.clone()],
                    key: known.key.clone(),
                    valid_after: known.valid_from,
                    valid_before: known.valid_until,
                    comment: known.note.clone(),
                });
            }
        }
        Ok(export(&entries))
    }

    /// Trusts the keys of a file of allowed signers, each as its first principal's; all of them or, on an error, none.
    ///
    /// # Errors
    /// [`TrustError`]: the trust store can't be used.
    pub fn import_allowed_signers(&self, text: &str, now: Timestamp) -> Result<Imported, TrustError> {
        let Import { entries, skipped } = import(text);
        self.change(|stored| {
            let mut imported = Imported { skipped, ..Imported::default() };
            for entry in entries {
                if stored.owner(&entry.key).is_some() {
                    imported.known += 1;
                    continue;
                }
                let Some(name) = entry.principals.first() else { continue };
                imported.added += 1;
                stored.add_key(
                    name,
                    ContactKey {
                        key: entry.key,
                        note: entry.comment.filter(|comment| is_note(comment)),
                        added: now,
                        valid_from: entry.valid_after,
                        valid_until: entry.valid_before,
                    },
                );
            }
            Ok(imported)
        })
    }
}

/// Writes a file of allowed signers.
#[must_use]
pub fn export(entries: &[Entry]) -> String {
    let mut text = String::new();
    for entry in entries {
        let principals: Vec<String> = entry.principals.iter().map(|name| escaped(name)).collect();
        let principals = principals.join(",");
        let quote = if principals.contains(' ') { "\"" } else { "" };
        // Writing to a String can't fail.
        let _ = write!(text, "{quote}{principals}{quote} namespaces=\"{NAMESPACE}\"");
        for (name, date) in [("valid-after", entry.valid_after), ("valid-before", entry.valid_before)] {
            if let Some(date) = date {
                let digits: String = date.to_string().chars().filter(char::is_ascii_digit).collect();
                let _ = write!(text, ",{name}=\"{digits}Z\"");
            }
        }
        let key = entry.key.to_openssh();
        // A key's own comment is not ours.
        let key: Vec<&str> = key.split_whitespace().take(2).collect();
        let _ = write!(text, " {}", key.join(" "));
        if let Some(comment) = &entry.comment {
            let _ = write!(text, " {comment}");
        }
        text.push('\n');
    }
    text
}

/// Reads a file of allowed signers. Lines that can't be used are told, and don't spoil the others.
#[must_use]
pub fn import(text: &str) -> Import {
    let mut import = Import::default();
    for (at, line) in text.lines().enumerate() {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        match entry(line) {
            Ok(entry) => import.entries.push(entry),
            Err(reason) => import.skipped.push(Skipped { line: at + 1, reason }),
        }
    }
    import
}

fn entry(line: &str) -> Result<Entry, String> {
    let (principals, rest) = principals(line)?;
    let (options, rest) = match rest.split(char::is_whitespace).next() {
        Some(word) if is_key_type(word) => (Options::default(), rest),
        _ => Options::take(rest)?,
    };
    let mut words = rest.splitn(3, char::is_whitespace);
    let (Some(kind), Some(key)) = (words.next(), words.next()) else {
        return Err("it has no key".to_owned());
    };
    let comment = words.next().map(str::trim).filter(|comment| !comment.is_empty()).map(str::to_owned);
    if options.cert_authority {
        return Err(
            "it names an authority that certifies keys, and only keys themselves are trusted here".to_owned()
        );
    }
    if !options.allows(NAMESPACE) {
        return Err(format!("it is for other namespaces than {NAMESPACE}"));
    }
    if !matches!(kind, "ssh-ed25519" | "sk-ssh-ed25519@openssh.com") {
        return Err(format!("keys of type {kind:?} can't sign statements; ssh-ed25519 can"));
    }
    let key = PublicKey::from_openssh(&format!("{kind} {key}")).map_err(|error| error.to_string())?;
    Ok(Entry {
        principals,
        key,
        valid_after: options.valid_after,
        valid_before: options.valid_before,
        comment,
    })
}

/// The names at the beginning of a line, and what follows them.
fn principals(line: &str) -> Result<(Vec<String>, &str), String> {
    let (text, rest) = match line.strip_prefix('"') {
        Some(quoted) => quoted.split_once('"').ok_or("a quote is not closed")?,
        None => line.split_once(char::is_whitespace).ok_or("it has no key")?,
    };
    let mut names = Vec::new();
    for name in text.split(',') {
        if name.starts_with('!') || name.contains(['*', '?']) {
            return Err(format!("{name:?} is a pattern, and a contact needs a name"));
        }
        let name = plain(name);
        if !is_name(&name) {
            return Err(format!("{name:?} can't be a contact's name"));
        }
        names.push(name);
    }
    Ok((names, rest.trim_start()))
}

fn is_key_type(word: &str) -> bool {
    ["ssh-", "sk-", "ecdsa-", "rsa-", "webauthn-"].iter().any(|start| word.starts_with(start))
}

fn escaped(name: &str) -> String {
    name.chars().fold(String::new(), |mut text, c| {
        if SPECIAL.contains(&c) {
            let _ = write!(text, "%{:02X}", u32::from(c));
        } else {
            text.push(c);
        }
        text
    })
}

/// Undoes [`escaped`], and leaves other uses of `%` alone.
fn plain(name: &str) -> String {
    let mut text = String::new();
    let mut rest = name;
    while let Some((before, after)) = rest.split_once('%') {
        text.push_str(before);
        let code = after.get(..2).and_then(|digits| u8::from_str_radix(digits, 16).ok()).map(char::from);
        match code.filter(|c| SPECIAL.contains(c)) {
            Some(c) => {
                text.push(c);
                rest = &after[2..];
            }
            None => {
                text.push('%');
                rest = after;
            }
        }
    }
    text + rest
}

#[cfg(test)]
mod tests;
