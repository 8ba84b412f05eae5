//! How the web page gets a token: a link that works once, exchanged for a token that lives in the page.
//!
//! The link can end up in a browser's history or a terminal's scrollback, so what it carries is worth
//! nothing once used. Both kinds are kept by hash and only in memory: they end with the program.

use super::{hash, new_secret};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use subtle::ConstantTimeEq;

/// How long a link may wait for its use.
pub const CODE_LIFE: Duration = Duration::from_secs(10 * 60);
/// How long a page keeps its token.
pub const SESSION_LIFE: Duration = Duration::from_secs(12 * 60 * 60);
/// Links and pages at once; the oldest goes first.
const MOST: usize = 64;

/// Codes of one-time links.
#[derive(Debug, Default)]
pub struct Links(Secrets);

/// Tokens of web pages.
#[derive(Debug, Default)]
pub struct Sessions(Secrets);

impl Links {
    /// Makes a code.
    ///
    /// # Errors
    /// If the system has no random numbers.
    pub fn make(&self, now: Instant) -> Result<String, getrandom::Error> {
        self.0.make("", now, CODE_LIFE)
    }

    /// Uses a code up; `false` if it was used before, is too old, or never was one.
    pub fn redeem(&self, code: &str, now: Instant) -> bool {
        self.0.take(code, now)
    }
}

impl Sessions {
    /// Makes a token.
    ///
    /// # Errors
    /// If the system has no random numbers.
    pub fn make(&self, now: Instant) -> Result<String, getrandom::Error> {
        self.0.make("bfs_", now, SESSION_LIFE)
    }

    /// Whether a token is good.
    #[must_use]
    pub fn knows(&self, token: &str, now: Instant) -> bool {
        self.0.has(token, now)
    }
}

#[derive(Debug, Default)]
struct Secrets(Mutex<Vec<Secret>>);

#[derive(Debug)]
struct Secret {
    hash: [u8; 32],
    ends: Instant,
}

impl Secrets {
    fn make(&self, prefix: &str, now: Instant, life: Duration) -> Result<String, getrandom::Error> {
        let secret = new_secret(prefix)?;
        let mut held = self.living(now);
        if held.len() >= MOST {
            held.remove(0);
        }
        held.push(Secret { hash: hash(&secret), ends: now + life });
        Ok(secret)
    }

    fn has(&self, secret: &str, now: Instant) -> bool {
        find(&self.living(now), secret).is_some()
    }

    fn take(&self, secret: &str, now: Instant) -> bool {
        let mut held = self.living(now);
        match find(&held, secret) {
            Some(index) => {
                held.remove(index);
                true
            }
            None => false,
        }
    }

    fn living(&self, now: Instant) -> MutexGuard<'_, Vec<Secret>> {
        let mut held = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        held.retain(|secret| now < secret.ends);
        held
    }
}

fn find(held: &[Secret], secret: &str) -> Option<usize> {
    let hash = hash(secret);
    // Every entry is compared in full, whatever the ones before it gave.
    held.iter().enumerate().fold(
        None,
        |found, (index, secret)| {
            if bool::from(secret.hash.ct_eq(&hash)) { Some(index) } else { found }
        },
    )
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn a_code_works_once() {
        let (links, now) = (Links::default(), Instant::now());
        let code = links.make(now).unwrap();
        assert!(!links.redeem("", now));
        assert!(!links.redeem(&code[1..], now));
        assert!(links.redeem(&code, now));
        assert!(!links.redeem(&code, now));
    }

    #[test]
    fn a_code_ends_after_its_time() {
        let (links, now) = (Links::default(), Instant::now());
        let (early, late) = (links.make(now).unwrap(), links.make(now).unwrap());
        assert!(links.redeem(&early, now + CODE_LIFE - Duration::from_secs(1)));
        assert!(!links.redeem(&late, now + CODE_LIFE));
    }

    #[test]
    fn a_session_works_until_its_end() {
        let (sessions, now) = (Sessions::default(), Instant::now());
        let token = sessions.make(now).unwrap();
        assert!(sessions.knows(&token, now));
        assert!(sessions.knows(&token, now + SESSION_LIFE - Duration::from_secs(1)));
        assert!(!sessions.knows(&token, now + SESSION_LIFE));
    }

    #[test]
    fn there_are_never_more_than_the_most() {
        let (sessions, now) = (Sessions::default(), Instant::now());
        let first = sessions.make(now).unwrap();
        let last = (0..MOST).map(|_| sessions.make(now).unwrap()).last().unwrap();
        assert!(!sessions.knows(&first, now));
        assert!(sessions.knows(&last, now));
    }
}
