//! Turns of a conversation in, what is to be said of it out.

use bonafide_core::scam::{Conversation, Engine, Setting, Side, Turn};
use serde::Deserialize;
use std::sync::OnceLock;

/// The most turns of one conversation.
const MAX_TURNS: usize = 20_000;
/// The longest message, in bytes.
const MAX_TEXT: usize = 64 << 10;
/// The longest list of turns, in bytes.
const MAX_BYTES: usize = 16 << 20;
/// The longest setting, and within it the longest link, in bytes.
const MAX_SETTING: usize = 16 << 10;
/// The longest tag of a language, in bytes.
const MAX_LANGUAGE: usize = 100;
/// The latest time that a JavaScript date can be, in milliseconds since 1970; its negative is the earliest.
const MAX_TIME: i64 = 8_640_000_000_000_000;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Said {
    side: Side,
    text: String,
    at: Option<i64>,
}

/// What reads conversations, from the data that [`load`] was given.
static ENGINE: OnceLock<Engine> = OnceLock::new();

/// Makes the engine of a file of `Engine::bundle`. Once is enough: what comes later is not looked at.
pub(crate) fn load(data: &[u8]) -> Result<(), String> {
    load_into(&ENGINE, data)
}

fn load_into(place: &OnceLock<Engine>, data: &[u8]) -> Result<(), String> {
    if place.get().is_none() {
        let engine = Engine::from_bundle(data)?;
        // The one that was there first is as good.
        place.get_or_init(|| engine);
    }
    Ok(())
}

fn loaded(place: &OnceLock<Engine>) -> Result<&Engine, String> {
    place
        .get()
        .ok_or_else(|| "the scam data are missing: call loadScam(bytes) before the first chat".to_owned())
}

/// A conversation that is followed as it grows.
pub(crate) struct Followed {
    conversation: Conversation<'static>,
    turns: usize,
}

impl Followed {
    pub(crate) fn new(setting: &str) -> Result<Self, String> {
        Ok(Self { conversation: Conversation::with(loaded(&ENGINE)?, read_setting(setting)?), turns: 0 })
    }

    pub(crate) fn set(&mut self, setting: &str) -> Result<(), String> {
        self.conversation.set(read_setting(setting)?);
        Ok(())
    }

    /// Reads what was said next. If one turn is wrong none is read.
    pub(crate) fn add(&mut self, turns: &str) -> Result<(), String> {
        if turns.len() > MAX_BYTES {
            return Err(format!("turns may have {MAX_BYTES} bytes at most; send fewer at once"));
        }
        let turns: Vec<Said> =
            serde_json::from_str(turns).map_err(|error| format!("the turns can't be read: {error}"))?;
        if self.turns + turns.len() > MAX_TURNS {
            return Err(format!(
                "a conversation may have {MAX_TURNS} turns at most; begin again with the latest"
            ));
        }
        for (index, Said { text, at, .. }) in turns.iter().enumerate() {
            if text.len() > MAX_TEXT {
                return Err(format!(
                    "turn {index} is too long: {MAX_TEXT} bytes at most; send its beginning"
                ));
            }
            if at.is_some_and(|at| !(-MAX_TIME..=MAX_TIME).contains(&at)) {
                return Err(format!("turn {index} has no time: it must be in milliseconds since 1970"));
            }
        }
        self.turns += turns.len();
        for Said { side, text, at } in &turns {
            self.conversation.add(Turn { side: *side, text, at: *at });
        }
        Ok(())
    }

    pub(crate) fn report(&self, language: &str) -> Result<String, String> {
        if language.len() > MAX_LANGUAGE {
            return Err(format!("the tag of a language may have {MAX_LANGUAGE} bytes at most"));
        }
        serde_json::to_string(&self.conversation.report(language)).map_err(|error| error.to_string())
    }
}

fn read_setting(setting: &str) -> Result<Setting, String> {
    if setting.len() > MAX_SETTING {
        return Err(format!("a setting may have {MAX_SETTING} bytes at most; leave the link out"));
    }
    let setting: Setting =
        serde_json::from_str(setting).map_err(|error| format!("the setting can't be read: {error}"))?;
    if setting.ai_probability.is_some_and(|share| !(0.0..=1.0).contains(&share)) {
        return Err("the setting's ai_probability must be from 0 to 1".to_owned());
    }
    if setting.second_opinion.is_some_and(|odds| !odds.is_finite()) {
        return Err("the setting's second_opinion must be a finite number".to_owned());
    }
    Ok(setting)
}

#[cfg(test)]
mod tests;
