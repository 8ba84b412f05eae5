//! Browser extensions that ask to be let in, until the user has said yes or no.
//!
//! Anything that can name an extension's origin can ask; what counts is that the user finds the same code on the
//! daemon's page and in the extension. The daemon draws the code, no two that wait have the same, and an extension can
//! ask only a few times, so nobody can try for the code of another. All of it is in memory and ends with the program.

use super::extension::ExtensionOrigin;
use super::{hash, new_secret};
use bonafide_core::hex::hex;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use subtle::ConstantTimeEq;

/// How long a request waits, and how long it is remembered once it was answered.
pub const PAIRING_LIFE: Duration = Duration::from_secs(5 * 60);
/// Extensions that wait at once.
const MOST_WAITING: usize = 4;
/// How often one extension may ask within the life of a request.
const MOST_ASKED: usize = 5;
/// Requests that are remembered, whatever became of them.
const MOST_REMEMBERED: usize = 64;

/// All requests.
#[derive(Debug, Default)]
pub struct Pairings(Mutex<Vec<Request>>);

#[derive(Debug)]
struct Request {
    /// What the user's answer names; the extension does not know it.
    id: String,
    /// Hash of what only the extension knows.
    secret: [u8; 32],
    origin: ExtensionOrigin,
    code: String,
    stand: Stand,
    asked: Instant,
    ends: Instant,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stand {
    Waiting,
    Confirmed,
    Given,
    Refused,
    /// The same extension has asked again.
    Replaced,
}

/// A request that was taken.
#[derive(Debug)]
pub struct Asked {
    /// What the extension asks with how it stands.
    pub secret: String,
    /// What the user compares.
    pub code: String,
}

/// A request that waits, as the user is shown it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pending {
    /// Its name.
    pub id: String,
    /// Whose it is.
    pub origin: ExtensionOrigin,
    /// What the user compares.
    pub code: String,
    /// How long it waits yet.
    pub left: Duration,
}

/// How it stands with a request.
#[derive(Debug, PartialEq, Eq)]
pub enum Pairing<T> {
    /// The user has not answered.
    Waiting,
    /// The user has said yes; what was made for it comes with the first answer that says so.
    Confirmed(Option<T>),
    /// The user has said no.
    Refused,
    /// It waited too long, was replaced, or never was one of this extension's.
    Expired,
}

/// Why a request was not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotTaken {
    /// Too many are there; there will be room after this time.
    TooMany(Duration),
    /// The system has no random numbers.
    NoRandom,
}

impl Pairings {
    /// Takes a request; one of the same extension that waits is over.
    ///
    /// # Errors
    /// [`NotTaken`].
    pub fn ask(&self, origin: ExtensionOrigin, now: Instant) -> Result<Asked, NotTaken> {
        let mut held = self.at(now);
        let again = |request: &Request| (request.asked + PAIRING_LIFE).saturating_duration_since(now);
        let own = held.iter().filter(|request| request.origin == origin).map(again);
        let own: Vec<_> = own.filter(|left| !left.is_zero()).collect();
        if own.len() >= MOST_ASKED {
            return Err(NotTaken::TooMany(own.into_iter().min().unwrap_or_default()));
        }
        let others = held.iter().filter(|one| one.stand == Stand::Waiting && one.origin != origin);
        if others.count() >= MOST_WAITING || held.len() >= MOST_REMEMBERED {
            let soonest = held.iter().map(|one| one.ends.saturating_duration_since(now)).min();
            return Err(NotTaken::TooMany(soonest.unwrap_or_default()));
        }
        let no_random = |_| NotTaken::NoRandom;
        let code = loop {
            let code = new_code().map_err(no_random)?;
            if !held.iter().any(|request| request.code == code) {
                break code;
            }
        };
        let secret = new_secret("bfp_").map_err(no_random)?;
        let mut id = [0; 16];
        getrandom::fill(&mut id).map_err(no_random)?;
        for request in held.iter_mut().filter(|request| request.origin == origin) {
            if matches!(request.stand, Stand::Waiting | Stand::Confirmed) {
                request.stand = Stand::Replaced;
            }
        }
        held.push(Request {
            id: hex(&id),
            secret: hash(&secret),
            origin,
            code: code.clone(),
            stand: Stand::Waiting,
            asked: now,
            ends: now + PAIRING_LIFE,
        });
        Ok(Asked { secret, code })
    }

    /// How it stands with an extension's request. The first time that it is confirmed, `make` makes what the extension
    /// gets; if it can't, the next time is the first.
    ///
    /// # Errors
    /// Those of `make`.
    pub fn stand<T, E>(
        &self,
        secret: &str,
        origin: &ExtensionOrigin,
        now: Instant,
        make: impl FnOnce() -> Result<T, E>,
    ) -> Result<Pairing<T>, E> {
        let mut held = self.at(now);
        let presented = hash(secret);
        // Every entry is compared in full, whatever the ones before it gave.
        let found = held.iter_mut().fold(None, |found, request| {
            if bool::from(request.secret.ct_eq(&presented)) { Some(request) } else { found }
        });
        let Some(request) = found.filter(|request| request.origin == *origin) else {
            return Ok(Pairing::Expired);
        };
        Ok(match request.stand {
            Stand::Waiting => Pairing::Waiting,
            Stand::Confirmed => {
                let made = make()?;
                request.stand = Stand::Given;
                Pairing::Confirmed(Some(made))
            }
            Stand::Given => Pairing::Confirmed(None),
            Stand::Refused => Pairing::Refused,
            Stand::Replaced => Pairing::Expired,
        })
    }

    /// What waits, oldest first.
    #[must_use]
    pub fn list(&self, now: Instant) -> Vec<Pending> {
        let held = self.at(now);
        let waiting = held.iter().filter(|request| request.stand == Stand::Waiting);
        let pending = waiting.map(|request| Pending {
            id: request.id.clone(),
            origin: request.origin.clone(),
            code: request.code.clone(),
            left: request.ends.saturating_duration_since(now),
        });
        pending.collect()
    }

    /// The user's answer; `false` if nothing of this name waits any more.
    pub fn answer(&self, id: &str, yes: bool, now: Instant) -> bool {
        let mut held = self.at(now);
        let waits = |request: &&mut Request| request.id == id && request.stand == Stand::Waiting;
        let Some(request) = held.iter_mut().find(waits) else { return false };
        request.stand = if yes { Stand::Confirmed } else { Stand::Refused };
        request.ends = now + PAIRING_LIFE;
        true
    }

    /// The requests as they stand at a time. What is over is remembered only to count how often an extension asks.
    fn at(&self, now: Instant) -> MutexGuard<'_, Vec<Request>> {
        let mut held = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        held.retain(|request| now < request.ends);
        held
    }
}

/// Six digits in two groups, so that they can be compared at a glance.
fn new_code() -> Result<String, getrandom::Error> {
    let number = getrandom::u64()? % 1_000_000;
    Ok(format!("{:03} {:03}", number / 1000, number % 1000))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use std::convert::Infallible;

    const SECOND: Duration = Duration::from_secs(1);

    fn origin(letter: char) -> ExtensionOrigin {
        let id: String = std::iter::repeat_n(letter, 32).collect();
        ExtensionOrigin::parse(&format!("chrome-extension://{id}")).unwrap()
    }

    fn stand(pairings: &Pairings, secret: &str, letter: char, now: Instant) -> Pairing<&'static str> {
        pairings.stand(secret, &origin(letter), now, || Ok::<_, Infallible>("token")).unwrap()
    }

    #[test]
    fn what_was_confirmed_is_given_once_and_to_whom_it_was_promised() {
        let (pairings, now) = (Pairings::default(), Instant::now());
        let asked = pairings.ask(origin('a'), now).unwrap();
        assert_eq!(stand(&pairings, &asked.secret, 'a', now), Pairing::Waiting);
        let listed = pairings.list(now);
        assert_eq!((listed.len(), &listed[0].code, listed[0].left), (1, &asked.code, PAIRING_LIFE));
        assert!(!asked.secret.contains(&listed[0].id));
        assert!(pairings.answer(&listed[0].id, true, now));
        assert!(!pairings.answer(&listed[0].id, false, now), "it was answered");
        assert_eq!(stand(&pairings, &asked.secret, 'b', now), Pairing::Expired);
        assert_eq!(stand(&pairings, &listed[0].id, 'a', now), Pairing::Expired);
        let broken = pairings.stand(&asked.secret, &origin('a'), now, || Err::<(), _>("no room"));
        assert_eq!(broken, Err("no room"));
        assert_eq!(stand(&pairings, &asked.secret, 'a', now), Pairing::Confirmed(Some("token")));
        assert_eq!(stand(&pairings, &asked.secret, 'a', now), Pairing::Confirmed(None));
        assert!(pairings.list(now).is_empty());
    }

    #[test]
    fn what_was_refused_stays_refused() {
        let (pairings, now) = (Pairings::default(), Instant::now());
        let asked = pairings.ask(origin('a'), now).unwrap();
        let id = pairings.list(now)[0].id.clone();
        assert!(!pairings.answer("", false, now));
        assert!(pairings.answer(&id, false, now));
        assert!(!pairings.answer(&id, true, now));
        assert_eq!(stand(&pairings, &asked.secret, 'a', now), Pairing::Refused);
    }

    #[test]
    fn nothing_waits_longer_than_its_life() {
        let (pairings, now) = (Pairings::default(), Instant::now());
        let asked = pairings.ask(origin('a'), now).unwrap();
        let id = pairings.list(now)[0].id.clone();
        assert_eq!(stand(&pairings, &asked.secret, 'a', now + PAIRING_LIFE - SECOND), Pairing::Waiting);
        assert_eq!(stand(&pairings, &asked.secret, 'a', now + PAIRING_LIFE), Pairing::Expired);
        assert!(!pairings.answer(&id, true, now + PAIRING_LIFE));
    }

    #[test]
    fn who_does_not_fetch_what_was_confirmed_loses_it() {
        let (pairings, now) = (Pairings::default(), Instant::now());
        let asked = pairings.ask(origin('a'), now).unwrap();
        let late = now + PAIRING_LIFE - SECOND;
        assert!(pairings.answer(&pairings.list(late)[0].id, true, late));
        assert_eq!(stand(&pairings, &asked.secret, 'a', late + PAIRING_LIFE), Pairing::Expired);
    }

    #[test]
    fn a_new_request_replaces_the_one_before_and_no_others() {
        let (pairings, now) = (Pairings::default(), Instant::now());
        let other = pairings.ask(origin('b'), now).unwrap();
        let first = pairings.ask(origin('a'), now).unwrap();
        let id = pairings.list(now)[1].id.clone();
        let second = pairings.ask(origin('a'), now).unwrap();
        assert_eq!(stand(&pairings, &first.secret, 'a', now), Pairing::Expired);
        assert!(!pairings.answer(&id, true, now), "what the user saw is not what would be confirmed");
        assert_eq!(stand(&pairings, &second.secret, 'a', now), Pairing::Waiting);
        assert_eq!(stand(&pairings, &other.secret, 'b', now), Pairing::Waiting);
        assert_eq!(pairings.list(now).len(), 2);
        // Nor can what was confirmed be fetched beside it.
        assert!(pairings.answer(&pairings.list(now)[1].id, true, now));
        pairings.ask(origin('a'), now).unwrap();
        assert_eq!(stand(&pairings, &second.secret, 'a', now), Pairing::Expired);
    }

    #[test]
    fn nobody_asks_without_end() {
        let (pairings, now) = (Pairings::default(), Instant::now());
        (0..MOST_ASKED).for_each(|_| drop(pairings.ask(origin('a'), now).unwrap()));
        let refused = pairings.ask(origin('a'), now + SECOND).unwrap_err();
        assert_eq!(refused, NotTaken::TooMany(PAIRING_LIFE - SECOND));
        for letter in 'b'..'e' {
            pairings.ask(origin(letter), now).unwrap();
        }
        assert!(matches!(pairings.ask(origin('e'), now), Err(NotTaken::TooMany(_))), "four wait");
        assert_eq!(pairings.list(now).len(), MOST_WAITING);
        assert!(pairings.ask(origin('a'), now + PAIRING_LIFE).is_ok());
        assert!(pairings.ask(origin('e'), now + PAIRING_LIFE).is_ok());
    }

    #[test]
    fn codes_can_be_compared_and_are_told_apart() {
        let (pairings, now) = (Pairings::default(), Instant::now());
        let codes: Vec<_> =
            ('a'..'e').map(|letter| pairings.ask(origin(letter), now).unwrap().code).collect();
        for (index, code) in codes.iter().enumerate() {
            let (left, right) = code.split_once(' ').unwrap();
            let digits = |part: &str| part.len() == 3 && part.bytes().all(|byte| byte.is_ascii_digit());
            assert!(digits(left) && digits(right) && !codes[..index].contains(code), "{code}");
        }
    }
}
