//! Texts that wait for the user's word before they are signed. They live in memory only, and not for long.

use super::auth::Caller;
use super::desk::Trouble;
use crate::signatures::{Prepared, SignedText};
use bonafide_core::hex::hex;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// How long a request waits, and how long its end is remembered.
pub(super) const LIFE: Duration = Duration::from_secs(10 * 60);
/// Requests of programs that wait at once, and as many of our own page.
pub(super) const MOST: usize = 20;
/// How often a passphrase may be wrong.
pub(super) const TRIES: u8 = 3;

/// All requests.
#[derive(Debug, Default)]
pub(super) struct Waiting(Mutex<Vec<Entry>>);

#[derive(Debug)]
struct Entry {
    id: String,
    owner: Caller,
    state: State,
    /// Until when it waits, or is remembered.
    ends: Instant,
    wrong: u8,
}

/// How it stands with a request.
#[derive(Debug, Clone)]
pub(super) enum State {
    /// Nobody has said anything.
    Waiting(Arc<Prepared>),
    /// The user has said yes, and the key is at work.
    Signing(Arc<Prepared>),
    /// It is signed.
    Signed(Arc<SignedText>),
    /// The user said no, or the passphrase was wrong too often.
    Refused,
    /// Nobody said anything in time.
    Expired,
}

/// A request that waits.
#[derive(Debug)]
pub(super) struct Listed {
    pub(super) id: String,
    pub(super) owner: Caller,
    pub(super) prepared: Arc<Prepared>,
    pub(super) left: Duration,
}

/// Why a request was not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Turned {
    /// Too many wait.
    Full,
    /// The system has no random numbers.
    NoRandom,
}

/// Why a request can't be confirmed or refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Closed {
    /// There is none of this name.
    Unknown,
    /// It was answered already, or waited too long.
    Over,
    /// Its key can't be used without a passphrase.
    NoPassphrase,
}

/// What came of signing.
#[derive(Debug)]
pub(super) enum Finish {
    /// It is signed.
    Signed(Arc<SignedText>),
    /// The passphrase was wrong; it may be given so many times more. After the last time the request is refused.
    Wrong(u8),
    /// Something else went wrong; the request waits on.
    Failed(Trouble),
}

impl Waiting {
    /// Takes a request and names it.
    pub(super) fn add(&self, owner: Caller, prepared: Prepared, now: Instant) -> Result<String, Turned> {
        let mut bytes = [0; 16];
        getrandom::fill(&mut bytes).map_err(|_| Turned::NoRandom)?;
        let mut entries = self.at(now);
        // A program can't keep the user from signing, nor the user's page a program.
        let page = owner == Caller::Page;
        let alike = |entry: &&Entry| entry.state.is_open() && (entry.owner == Caller::Page) == page;
        if entries.iter().filter(alike).count() >= MOST {
            return Err(Turned::Full);
        }
        if entries.len() >= 4 * MOST
            && let Some(oldest) = entries.iter().position(|entry| !entry.state.is_open())
        {
            entries.remove(oldest);
        }
        let id = hex(&bytes);
        let state = State::Waiting(Arc::new(prepared));
        entries.push(Entry { id: id.clone(), owner, state, ends: now + LIFE, wrong: 0 });
        Ok(id)
    }

    /// What waits, oldest first.
    pub(super) fn list(&self, now: Instant) -> Vec<Listed> {
        let entries = self.at(now);
        let waiting = entries.iter().filter_map(|entry| match &entry.state {
            State::Waiting(prepared) => Some(Listed {
                id: entry.id.clone(),
                owner: entry.owner.clone(),
                prepared: Arc::clone(prepared),
                left: entry.ends.saturating_duration_since(now),
            }),
            _ => None,
        });
        waiting.collect()
    }

    /// How it stands with a request of this caller's; our own page sees all.
    pub(super) fn state(&self, id: &str, caller: &Caller, now: Instant) -> Option<State> {
        let entries = self.at(now);
        let entry = entries.iter().find(|entry| entry.id == id)?;
        (*caller == Caller::Page || *caller == entry.owner).then(|| entry.state.clone())
    }

    /// Takes a request to sign it: from now on nobody else can.
    pub(super) fn begin(&self, id: &str, passphrase: bool, now: Instant) -> Result<Arc<Prepared>, Closed> {
        let mut entries = self.at(now);
        let entry = entries.iter_mut().find(|entry| entry.id == id).ok_or(Closed::Unknown)?;
        let State::Waiting(prepared) = &entry.state else { return Err(Closed::Over) };
        if prepared.key.has_passphrase && !passphrase {
            return Err(Closed::NoPassphrase);
        }
        let prepared = Arc::clone(prepared);
        entry.state = State::Signing(Arc::clone(&prepared));
        Ok(prepared)
    }

    /// Notes what came of signing what [`Waiting::begin`] gave.
    pub(super) fn finish(&self, id: &str, outcome: Result<SignedText, Trouble>, now: Instant) -> Finish {
        let signed = outcome.map(Arc::new);
        let mut entries = self.at(now);
        let entry = entries.iter_mut().find(|entry| entry.id == id);
        match (signed, entry) {
            (Ok(signed), Some(entry)) => {
                entry.close(State::Signed(Arc::clone(&signed)), now);
                Finish::Signed(signed)
            }
            (Ok(signed), None) => Finish::Signed(signed),
            (Err(Trouble::Passphrase), Some(entry)) => {
                entry.wrong = entry.wrong.saturating_add(1);
                if entry.wrong >= TRIES {
                    entry.close(State::Refused, now);
                } else {
                    entry.reopen();
                }
                Finish::Wrong(TRIES.saturating_sub(entry.wrong))
            }
            (Err(trouble), entry) => {
                if let Some(entry) = entry {
                    entry.reopen();
                }
                Finish::Failed(trouble)
            }
        }
    }

    /// The user says no.
    pub(super) fn refuse(&self, id: &str, now: Instant) -> Result<(), Closed> {
        let mut entries = self.at(now);
        let entry = entries.iter_mut().find(|entry| entry.id == id).ok_or(Closed::Unknown)?;
        let State::Waiting(_) = entry.state else { return Err(Closed::Over) };
        entry.close(State::Refused, now);
        Ok(())
    }

    /// The requests as they stand at a time.
    fn at(&self, now: Instant) -> MutexGuard<'_, Vec<Entry>> {
        let mut entries = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for entry in entries.iter_mut() {
            let patience = match entry.state {
                State::Waiting(_) => Duration::ZERO,
                // It was confirmed in time; somebody may have to find his hardware key.
                State::Signing(_) => LIFE,
                _ => continue,
            };
            if now >= entry.ends + patience {
                let end = entry.ends;
                entry.close(State::Expired, end);
            }
        }
        entries.retain(|entry| now < entry.ends || entry.state.is_open());
        entries
    }
}

impl Entry {
    /// The text goes; what came of it is remembered for a while.
    fn close(&mut self, state: State, now: Instant) {
        self.state = state;
        self.ends = now + LIFE;
    }

    fn reopen(&mut self) {
        if let State::Signing(prepared) = &self.state {
            self.state = State::Waiting(Arc::clone(prepared));
        }
    }
}

impl State {
    fn is_open(&self) -> bool {
        matches!(self, Self::Waiting(_) | Self::Signing(_))
    }
}
