//! The REST endpoint as other programs meet it: the real daemon with the real model, over real sockets.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod access;
mod bad_input;
mod load;
mod marks;
mod pairing;
mod scam;
mod score;
mod signatures;

use bonafide_tests::{Daemon, Setup};
use std::sync::{Mutex, PoisonError};

/// One daemon for all tests that need nothing special of it: loading the model takes seconds.
///
/// Statics are not dropped, so the last test to leave must stop it: tests hold it by count.
static SHARED: Mutex<Option<std::sync::Weak<Daemon>>> = Mutex::new(None);

fn shared() -> Option<std::sync::Arc<Daemon>> {
    let mut shared = SHARED.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(daemon) = shared.as_ref().and_then(std::sync::Weak::upgrade) {
        return Some(daemon);
    }
    let daemon = std::sync::Arc::new(Daemon::start(&Setup::default())?);
    *shared = Some(std::sync::Arc::downgrade(&daemon));
    Some(daemon)
}

/// A text of about so many words, none of them twice the same, so that no cache knows it.
fn words(count: usize, seed: usize) -> String {
    const WORDS: [&str; 12] = [
        "river", "stone", "the", "old", "window", "under", "quiet", "was", "market", "seldom", "open",
        "bridge",
    ];
    let word = |index: usize| WORDS[(index * 7 + seed * 5 + index / 11) % WORDS.len()];
    let sentence = |start: usize| (start..start + 10).map(word).collect::<Vec<_>>().join(" ");
    let sentences = (0..count.div_ceil(10)).map(|index| format!("{} {seed}. ", sentence(index * 10)));
    sentences.collect()
}
