//! What is known of a key, from the user's own word and from what identities publish.
//!
//! **First use.** When a statement names an identity that publishes the statement's key, and the identity was never seen
//! before, the keys that it publishes are pinned: held to be its own from then on.
//!
//! **A new key.** If the identity still publishes a pinned key that is not revoked, a key beside it is an addition, and
//! is pinned too: whoever put it there can do what the owner of the pinned key can. An expired key that is still listed
//! counts, so that an orderly change of keys is quiet. If no pinned key is left, or all are revoked, the new key is
//! `changed`, also when the site publishes it: that is how a site that was taken over looks. It stays so until the
//! user accepts the key, by adding it as a contact's, by [`TrustStore::pin`] or by [`TrustStore::unpin`].
//!
//! **Revocations** are remembered, so that a site that drops the entry can't undo it. Anybody can list anybody's key, so
//! one that was published counts for statements that name its publisher; it counts for all others once the key itself
//! signed a statement that names the publisher. Call [`facts`] only for keys whose signature was found good.
//!
//! **Hearsay.** If another program says that it found the signature good ([`Word::Said`]), a lie must gain it nothing.
//! What is remembered then is what the identity publishes of itself: to be pinned, a key must be listed by the very
//! identity, so a liar gets no further than the identity does with a true statement by a key of its own. Two things rest
//! on the key's word alone, and are not believed: a revocation counts for no statement that names another, and a
//! contact's key vouches for no new key.

use super::error::TrustError;
use super::store::TrustStore;
use super::stored::{Published, Stored};
use crate::directory::{Directory, DirectoryError, Fetched};
use bonafide_core::signature::key::PublicKey;
use bonafide_core::signature::published::{KeyFacts, KeyList, ListedKey, Publication};
use bonafide_core::signature::statement::Identity;
use bonafide_core::signature::time::Timestamp;
use std::collections::HashSet;
use std::sync::Arc;

/// The most keys of one publication that are remembered; a site could list any number, and each reader of it would keep
/// them.
const MAX_REMEMBERED: usize = 64;

/// How it is known that the key signed a statement that names the identity.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Word {
    /// The signature was checked here.
    Checked,
    /// Somebody says so.
    Said,
}

/// Gathers what is known of the key of a statement that names this identity and whose signature is good. Without a
/// directory nothing is fetched; with one, first uses and revocations are remembered.
///
/// # Errors
/// [`TrustError`]: the trust store can't be used. That a site can't be reached is a fact, not an error.
pub fn facts(
    store: &TrustStore,
    directory: Option<&Directory>,
    key: &PublicKey,
    identity: Option<&Identity>,
    word: Word,
    now: Timestamp,
) -> Result<KeyFacts, TrustError> {
    let asked = directory.zip(identity).map(|(directory, identity)| directory.fetch_for(identity, key, now));
    let mut stored = store.current()?;
    if let (Some(identity), Some(Ok(fetched))) = (identity, &asked) {
        let mut learnt = Stored::clone(&stored);
        learn(&mut learnt, identity, fetched, key, word, now);
        if learnt != *stored {
            stored = store.change(|stored| {
                learn(stored, identity, fetched, key, word, now);
                Ok(Arc::new(stored.clone()))
            })?;
        }
    }
    let contact = stored.contact_of(key, now).map(str::to_owned);
    let name = identity.map(Identity::text);
    let pin = name.as_ref().and_then(|name| stored.pins.get(name));
    Ok(KeyFacts {
        own: false,
        changed: contact.is_none() && pin.is_some_and(|pin| !pin.holds(key)),
        contact,
        publication: asked.map_or(Publication::NotAsked, |asked| publication(asked, key)),
        revoked: stored.revoked(key, name.as_deref()),
    })
}

fn publication(asked: Result<Fetched, DirectoryError>, key: &PublicKey) -> Publication {
    match asked {
        Ok(fetched) => match (entry(&fetched.list, key), fetched.stale) {
            (Some(listed), _) => Publication::Listed(listed.clone()),
            // It may have been added since.
            (None, Some(error)) => Publication::Unreachable(error.to_string()),
            (None, None) => Publication::Absent,
        },
        Err(DirectoryError::NotPublished { .. }) => Publication::Absent,
        Err(error) => Publication::Unreachable(error.to_string()),
    }
}

/// What a list says of a key; of several entries one that revokes it.
fn entry<'a>(list: &'a KeyList, key: &PublicKey) -> Option<&'a ListedKey> {
    let revoked = list.keys.iter().find(|listed| listed.key == *key && listed.revoked.is_some());
    revoked.or_else(|| list.find(key))
}

/// Remembers what a publication says, and does nothing if all of it is known.
fn learn(
    stored: &mut Stored,
    identity: &Identity,
    fetched: &Fetched,
    key: &PublicKey,
    word: Word,
    now: Timestamp,
) {
    let (name, checked) = (identity.text(), word == Word::Checked);
    let revoked = fetched.list.keys.iter().filter_map(|listed| Some((&listed.key, listed.revoked?)));
    let (own, others): (Vec<_>, Vec<_>) = revoked.partition(|(listed, _)| *listed == key);
    for (listed, revocation) in own.iter().chain(others.iter().take(MAX_REMEMBERED)) {
        stored.revoke(listed, *revocation, Some(&name), checked && *listed == key);
    }
    let ended: HashSet<&PublicKey> = own.iter().chain(&others).map(|(listed, _)| *listed).collect();
    let sound: Vec<&PublicKey> =
        fetched.list.keys.iter().map(|listed| &listed.key).filter(|listed| !ended.contains(listed)).collect();

    if sound.contains(&key) {
        let vouches =
            |pinned: &PublicKey| sound.contains(&pinned) && stored.revoked(pinned, Some(&name)).is_none();
        let taken = match stored.pins.get(&name) {
            None => true,
            Some(pin) => {
                pin.holds(key)
                    || pin.keys.iter().any(|pinned| vouches(&pinned.key))
                    || (checked && stored.contact_of(key, now).is_some())
            }
        };
        if taken {
            let room = MAX_REMEMBERED.saturating_sub(stored.pins.get(&name).map_or(0, |pin| pin.keys.len()));
            let others = sound.iter().filter(|listed| **listed != key).take(room);
            let keys: Vec<PublicKey> = std::iter::once(&key).chain(others).map(|&key| key.clone()).collect();
            stored.pin(identity, &keys, now);
        }
    }
    if let Some(pin) = stored.pins.get_mut(&name) {
        let keys = fetched.list.keys.iter().take(MAX_REMEMBERED).cloned().collect();
        let newer = Published { fetched_at: fetched.fetched_at, keys };
        let differs = |known: &Published| known.keys != newer.keys && known.fetched_at <= newer.fetched_at;
        if pin.published.as_ref().is_none_or(differs) {
            pin.published = Some(newer);
        }
    }
}

#[cfg(test)]
mod tests;
