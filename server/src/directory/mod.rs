//! The keys that authors publish: on their own sites, and by their accounts at GitHub.
//!
//! A statement names its author's identity, and whoever wrote the statement may be lying, so every address here is
//! a stranger's: only https, only addresses of the public internet, no redirect to another origin, 1 MB and 5 s at
//! most. Answers are kept on disk, so that a site doesn't learn of each reading of a text, and as what they say
//! of keys, never as they came.

mod cache;
mod error;
mod github;
mod web;

pub use error::DirectoryError;

use crate::document::fetch::AddressPolicy;
use bonafide_core::signature::key::PublicKey;
use bonafide_core::signature::published::{KeyList, WELL_KNOWN_PATH};
use bonafide_core::signature::statement::Identity;
use bonafide_core::signature::time::Timestamp;
use cache::{Cache, Kept};
use std::collections::HashMap;
use std::path::Path;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use url::Url;
use web::Web;

const MINUTE: u64 = 60;
const HOUR: u64 = 60 * MINUTE;
const DAY: u64 = 24 * HOUR;
/// How long an answer is used that doesn't say.
const USUAL_LIFE: u64 = DAY;
/// How long an answer is used at least and at most, whatever it says.
const LIFE: std::ops::RangeInclusive<u64> = 5 * MINUTE..=7 * DAY;
/// How long it is not asked again after a failure, or because a key was not in the list.
const PAUSE: u64 = 10 * MINUTE;
/// How long an answer is used while the site can't be reached.
const STALE_LIFE: u64 = 30 * DAY;
/// The most failures that are remembered.
const MAX_FAILURES: usize = 1000;

/// Where identities publish their keys.
pub struct Directory {
    web: Web,
    cache: Cache,
    failures: Mutex<HashMap<Identity, (Timestamp, DirectoryError)>>,
}

/// What an identity publishes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fetched {
    /// The keys.
    pub list: KeyList,
    /// When it said so.
    pub fetched_at: Timestamp,
    /// Why there is nothing newer, if the list is older than it should be.
    pub stale: Option<DirectoryError>,
}

impl Directory {
    /// A directory that keeps answers in a folder, which need not exist yet, and goes where the policy lets it:
    /// [`crate::document::fetch::public_only`] but in tests.
    #[must_use]
    pub fn new(cache_folder: &Path, policy: AddressPolicy) -> Self {
        Self { web: Web::new(policy), cache: Cache::new(cache_folder), failures: Mutex::default() }
    }

    /// The same with other time limits than 5 s each.
    #[must_use]
    pub fn with_limits(mut self, connect: Duration, total: Duration) -> Self {
        self.web.set_limits(connect, total);
        self
    }

    /// A directory that may go to this address too, and to nothing but it in place of GitHub, by http.
    #[cfg(test)]
    pub(crate) fn for_tests(cache_folder: &Path, permitted: std::net::SocketAddr) -> Self {
        Self { web: Web::for_tests(permitted), cache: Cache::new(cache_folder), failures: Mutex::default() }
    }

    /// The keys that an identity publishes, from the folder if they are new enough.
    ///
    /// # Errors
    /// [`DirectoryError`].
    pub fn fetch(&self, identity: &Identity, now: Timestamp) -> Result<Fetched, DirectoryError> {
        self.fetch_unless(identity, now, |_| true)
    }

    /// The same to look for a key: if a kept list lacks it, the list is fetched again, at most every ten minutes.
    /// Otherwise nobody would know a new key for a day.
    ///
    /// # Errors
    /// [`DirectoryError`].
    pub fn fetch_for(
        &self,
        identity: &Identity,
        key: &PublicKey,
        now: Timestamp,
    ) -> Result<Fetched, DirectoryError> {
        self.fetch_unless(identity, now, |kept| {
            kept.list.find(key).is_some() || now < kept.fetched_at.plus(PAUSE)
        })
    }

    /// The DID document of an origin such as `https://example.org` (did:web). It is not kept.
    ///
    /// # Errors
    /// [`DirectoryError`].
    pub fn fetch_did(&self, origin: &str) -> Result<serde_json::Value, DirectoryError> {
        let Some(Identity::Origin(authority)) = Identity::parse(origin) else {
            return Err(DirectoryError::BadUrl { url: origin.to_owned() });
        };
        let url = self.web.url(&authority, "/.well-known/did.json")?;
        let answer = self.web.get(url, self.web.deadline())?;
        serde_json::from_str(&answer.text)
            .map_err(|error| DirectoryError::Unreadable { host: answer.host, reason: error.to_string() })
    }

    /// A file of statements that a page links to, by an address that may be relative to the page's. It must be of the
    /// page's origin: another could be made to answer for it. It is not kept.
    ///
    /// # Errors
    /// [`DirectoryError`].
    pub fn fetch_side(&self, url: &str, page_url: &str) -> Result<String, DirectoryError> {
        let bad = |url: &str| DirectoryError::BadUrl { url: url.to_owned() };
        let page = Url::parse(page_url.trim()).map_err(|_| bad(page_url))?;
        let url = page.join(url.trim()).map_err(|_| bad(url))?;
        if url.origin() != page.origin() {
            return Err(DirectoryError::ForeignSide { url: url.to_string(), page: page.to_string() });
        }
        Ok(self.web.get(url, self.web.deadline())?.text)
    }

    fn fetch_unless(
        &self,
        identity: &Identity,
        now: Timestamp,
        enough: impl Fn(&Kept) -> bool,
    ) -> Result<Fetched, DirectoryError> {
        // What is dated in the future was kept by a wrong clock.
        let kept = self.cache.read(identity).filter(|kept| kept.fetched_at <= now);
        if let Some(kept) = &kept
            && now < kept.expires_at
            && enough(kept)
        {
            return Ok(Fetched { list: kept.list.clone(), fetched_at: kept.fetched_at, stale: None });
        }
        if let Some(error) = self.recent_failure(identity, now) {
            return fall_back(kept, error, now);
        }
        match self.ask(identity) {
            Ok((list, life)) => {
                self.failures().remove(identity);
                let kept = Kept { list, fetched_at: now, expires_at: now.plus(life) };
                self.cache.write(identity, &kept);
                Ok(Fetched { list: kept.list, fetched_at: now, stale: None })
            }
            Err(error) => {
                self.remember(identity, now, &error);
                if matches!(error, DirectoryError::NotPublished { .. }) {
                    self.cache.remove(identity);
                }
                fall_back(kept, error, now)
            }
        }
    }

    /// Asks the identity, and for how many seconds the answer holds.
    fn ask(&self, identity: &Identity) -> Result<(KeyList, u64), DirectoryError> {
        match identity {
            Identity::Origin(authority) => {
                let answer = self.web.get(self.web.url(authority, WELL_KNOWN_PATH)?, self.web.deadline())?;
                let list = KeyList::from_json(&answer.text)
                    .map_err(|source| DirectoryError::List { host: answer.host, source })?;
                let life = answer.max_age.map_or(USUAL_LIFE, |age| age.clamp(*LIFE.start(), *LIFE.end()));
                Ok((list, life))
            }
            // It says one minute, and lets an address ask sixty times an hour.
            Identity::GitHub(user) => Ok((github::keys(&self.web, user)?, HOUR)),
        }
    }

    fn recent_failure(&self, identity: &Identity, now: Timestamp) -> Option<DirectoryError> {
        let failures = self.failures();
        let (at, error) = failures.get(identity)?;
        (*at <= now && now < at.plus(PAUSE)).then(|| error.clone())
    }

    fn remember(&self, identity: &Identity, now: Timestamp, error: &DirectoryError) {
        let mut failures = self.failures();
        if failures.len() >= MAX_FAILURES {
            failures.retain(|_, (at, _)| *at <= now && now < at.plus(PAUSE));
        }
        // More than that in ten minutes are nobody's reading.
        if failures.len() < MAX_FAILURES {
            failures.insert(identity.clone(), (now, error.clone()));
        }
    }

    fn failures(&self) -> std::sync::MutexGuard<'_, HashMap<Identity, (Timestamp, DirectoryError)>> {
        self.failures.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl std::fmt::Debug for Directory {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Directory").field("cache", &self.cache).finish_non_exhaustive()
    }
}

/// What was kept, if the site can't be asked; what it says now, if it says something else than keys.
fn fall_back(kept: Option<Kept>, error: DirectoryError, now: Timestamp) -> Result<Fetched, DirectoryError> {
    match kept {
        Some(kept) if error.is_unreachable() && now < kept.fetched_at.plus(STALE_LIFE) => {
            Ok(Fetched { list: kept.list, fetched_at: kept.fetched_at, stale: Some(error) })
        }
        _ => Err(error),
    }
}

#[cfg(test)]
pub(crate) mod testing;
#[cfg(test)]
mod tests;
