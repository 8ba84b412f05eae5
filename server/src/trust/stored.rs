//! What `trust.json` holds, and what follows from it.

use bonafide_core::signature::key::PublicKey;
use bonafide_core::signature::published::{ListedKey, Reason, Revocation};
use bonafide_core::signature::statement::Identity;
use bonafide_core::signature::time::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The version that is written.
pub(super) const VERSION: u32 = 1;
const MAX_NAME: usize = 64;
const MAX_NOTE: usize = 280;

/// Somebody whose keys this user trusts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Contact {
    /// What the user calls them.
    pub name: String,
    /// Their keys, at least one.
    pub keys: Vec<ContactKey>,
}

/// A key of a contact.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ContactKey {
    /// The key.
    pub key: PublicKey,
    /// What the user wrote about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// When it was added.
    pub added: Timestamp,
    /// It is not the contact's before; from `valid-after` of a file of allowed signers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub valid_from: Option<Timestamp>,
    /// It is not the contact's from then on; from `valid-before`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub valid_until: Option<Timestamp>,
}

/// The keys that an identity was seen with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pin {
    /// When it was seen first.
    pub first_seen: Timestamp,
    /// Its keys.
    pub keys: Vec<PinnedKey>,
    /// The last publication that was not the same as the one before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub published: Option<Published>,
}

/// A key that is held to be an identity's.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PinnedKey {
    /// The key.
    pub key: PublicKey,
    /// When it was seen first.
    pub first_seen: Timestamp,
}

/// What an identity published.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Published {
    /// When it was fetched.
    pub fetched_at: Timestamp,
    /// The keys, the first of them if there are many.
    pub keys: Vec<ListedKey>,
}

/// A key that may no longer be trusted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RevokedKey {
    /// The key.
    pub key: PublicKey,
    /// Since when and why.
    pub revocation: Revocation,
    /// The identity that published this; absent if this user said so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
    /// Whether the key itself signed that this identity is its author's. Without that, anybody could revoke anybody's
    /// key by listing it, so it counts for statements that name the identity and for no others.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub confirmed: bool,
}

/// The whole file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Stored {
    pub(super) version: u32,
    #[serde(default)]
    pub(super) contacts: Vec<Contact>,
    #[serde(default)]
    pub(super) pins: BTreeMap<String, Pin>,
    #[serde(default)]
    pub(super) revocations: Vec<RevokedKey>,
}

impl Default for Stored {
    fn default() -> Self {
        Self { version: VERSION, contacts: Vec::new(), pins: BTreeMap::new(), revocations: Vec::new() }
    }
}

impl Stored {
    /// Whose key this is, whether or not it is in its time.
    pub(super) fn owner(&self, key: &PublicKey) -> Option<&Contact> {
        self.contacts.iter().find(|contact| contact.keys.iter().any(|known| known.key == *key))
    }

    /// The contact whose key this is now.
    pub(super) fn contact_of(&self, key: &PublicKey, now: Timestamp) -> Option<&str> {
        let contact = self.owner(key)?;
        contact.keys.iter().any(|known| known.key == *key && known.in_time(now)).then_some(&contact.name)
    }

    /// Gives a contact a key; does nothing if it has it.
    pub(super) fn add_key(&mut self, name: &str, key: ContactKey) {
        let contact = match self.contacts.iter_mut().position(|contact| contact.name == name) {
            Some(at) => &mut self.contacts[at],
            None => {
                self.contacts.push(Contact { name: name.to_owned(), keys: Vec::new() });
                let last = self.contacts.len() - 1;
                &mut self.contacts[last]
            }
        };
        if !contact.keys.iter().any(|known| known.key == key.key) {
            contact.keys.push(key);
        }
    }

    /// Holds keys to be an identity's, beside those that are.
    pub(super) fn pin(&mut self, identity: &Identity, keys: &[PublicKey], now: Timestamp) {
        let pin = self.pins.entry(identity.text()).or_insert_with(|| Pin {
            first_seen: now,
            keys: Vec::new(),
            published: None,
        });
        for key in keys {
            if !pin.holds(key) {
                pin.keys.push(PinnedKey { key: key.clone(), first_seen: now });
            }
        }
    }

    /// Remembers a revocation; of two by the same, the worse stays.
    pub(super) fn revoke(
        &mut self,
        key: &PublicKey,
        revocation: Revocation,
        by: Option<&str>,
        confirmed: bool,
    ) {
        match self.revocations.iter_mut().find(|known| known.key == *key && known.by.as_deref() == by) {
            Some(known) => {
                known.revocation = worse(known.revocation, revocation);
                known.confirmed |= confirmed;
            }
            None => self.revocations.push(RevokedKey {
                key: key.clone(),
                revocation,
                by: by.map(str::to_owned),
                confirmed,
            }),
        }
    }

    /// The worst that is known of a key, for a statement that names this identity.
    pub(super) fn revoked(&self, key: &PublicKey, identity: Option<&str>) -> Option<Revocation> {
        let counts = |known: &&RevokedKey| {
            known.key == *key && (known.by.is_none() || known.confirmed || known.by.as_deref() == identity)
        };
        self.revocations.iter().filter(counts).map(|known| known.revocation).reduce(worse)
    }
}

impl ContactKey {
    fn in_time(&self, now: Timestamp) -> bool {
        self.valid_from.is_none_or(|from| from <= now) && self.valid_until.is_none_or(|until| now < until)
    }
}

impl Pin {
    /// Whether a key is held to be this identity's.
    #[must_use]
    pub fn holds(&self, key: &PublicKey) -> bool {
        self.keys.iter().any(|pinned| pinned.key == *key)
    }
}

/// Compromise before all others, for it reaches back; then the earlier.
pub(super) fn worse(a: Revocation, b: Revocation) -> Revocation {
    let rank = |revocation: &Revocation| (revocation.reason != Reason::Compromised, revocation.at);
    if rank(&b) < rank(&a) { b } else { a }
}

/// Whether a contact can have this name.
pub(super) fn is_name(name: &str) -> bool {
    !name.is_empty() && is_visible(name, MAX_NAME) && name.trim() == name
}

/// Whether a note can be this.
pub(super) fn is_note(note: &str) -> bool {
    is_visible(note, MAX_NOTE)
}

/// Whether a text is short and on one line, and holds nothing that can't be seen or changes how the rest is seen:
/// it is shown in a terminal beside a verdict.
fn is_visible(text: &str, most: usize) -> bool {
    let hidden = |c: char| {
        c.is_control()
            || (c.is_whitespace() && c != ' ')
            || matches!(c, '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{180e}' | '\u{feff}' | '\u{200b}'..='\u{200f}'
                | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{fe00}'..='\u{fe0f}'
                | '\u{e0000}'..='\u{e0fff}')
    };
    text.chars().count() <= most && !text.chars().any(hidden)
}
