//! Turns of a conversation in, what is to be said of it out.

use bonafide_core::scam::{Conversation, Setting, Side, Turn};
use serde::Deserialize;

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

/// A conversation that is followed as it grows.
pub(crate) struct Followed {
    conversation: Conversation,
    turns: usize,
}

impl Followed {
    pub(crate) fn new(setting: &str) -> Result<Self, String> {
        Ok(Self { conversation: Conversation::new(read_setting(setting)?), turns: 0 })
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
mod tests {
    use super::*;
    use bonafide_core::scam::Report;

    fn turn(side: &str, text: &str) -> String {
        serde_json::json!({ "side": side, "text": text, "at": null }).to_string()
    }

    fn followed() -> Followed {
        Followed::new("{}").unwrap()
    }

    fn turns(chat: &Followed) -> usize {
        serde_json::from_str::<Report>(&chat.report("en").unwrap()).unwrap().turns
    }

    #[test]
    fn a_conversation_grows_and_is_reported_on() {
        let mut chat = followed();
        assert_eq!(turns(&chat), 0);
        chat.add("[]").unwrap();
        chat.add(&format!("[{},{}]", turn("them", "Hello"), turn("me", "Hi"))).unwrap();
        chat.add(r#"[{"side":"them","text":"How are you?","at":1764324010000}]"#).unwrap();
        assert_eq!(turns(&chat), 3);
        chat.set(r#"{"new_contact":true}"#).unwrap();
        assert_eq!(turns(&chat), 3);
    }

    #[test]
    fn turns_one_by_one_come_to_what_they_come_to_at_once() {
        let said = [turn("them", "Hello"), turn("me", "Hi"), turn("them", "Send me the code.")];
        let mut at_once = followed();
        at_once.add(&format!("[{}]", said.join(","))).unwrap();
        let mut one_by_one = followed();
        for one in &said {
            one_by_one.add(&format!("[{one}]")).unwrap();
        }
        assert_eq!(one_by_one.report("en").unwrap(), at_once.report("en").unwrap());
    }

    #[test]
    fn a_wrong_turn_is_named_and_takes_nothing_along() {
        let mut chat = followed();
        let long = turn("them", &"x".repeat(MAX_TEXT + 1));
        for (turns, reason) in [
            ("[{", "the turns can't be read"),
            (r#"[{"side":"both","text":"","at":null}]"#, "unknown variant `both`"),
            (r#"[{"side":"me","text":"","at":1.5}]"#, "the turns can't be read"),
            (r#"[{"side":"me","text":"","at":null,"name":"x"}]"#, "unknown field `name`"),
            (r#"[{"side":"me","text":"","at":9000000000000000}]"#, "turn 0 has no time"),
            (r#"[{"side":"me","text":"","at":-9223372036854775808}]"#, "turn 0 has no time"),
            (&format!("[{},{long}]", turn("me", "Hi")), "turn 1 is too long"),
        ] {
            let error = chat.add(turns).unwrap_err();
            assert!(error.contains(reason), "{error}");
        }
        assert_eq!(turns(&chat), 0);
    }

    #[test]
    fn there_are_bounds() {
        let mut chat = followed();
        let many = vec![turn("them", ""); MAX_TURNS].join(",");
        chat.add(&format!("[{many}]")).unwrap();
        assert!(chat.add(&format!("[{}]", turn("them", "One more"))).unwrap_err().contains("turns at most"));
        assert!(chat.add(&" ".repeat(MAX_BYTES + 1)).unwrap_err().contains("send fewer"));
        assert!(chat.report(&"x".repeat(MAX_LANGUAGE + 1)).unwrap_err().contains("tag of a language"));
        assert_eq!(turns(&chat), MAX_TURNS);
    }

    #[test]
    fn a_wrong_setting_is_none() {
        for (setting, reason) in [
            ("", "the setting can't be read"),
            (r#"{"stranger":true}"#, "unknown field `stranger`"),
            (r#"{"ai_probability":1.5}"#, "from 0 to 1"),
            (r#"{"second_opinion":1e999}"#, "the setting"),
            (&format!(r#"{{"profile_link":"{}"}}"#, "x".repeat(MAX_SETTING)), "at most"),
        ] {
            let error = Followed::new(setting).err().unwrap();
            assert!(error.contains(reason), "{error}");
            assert_eq!(followed().set(setting).unwrap_err(), error);
        }
        Followed::new(r#"{"new_contact":false,"profile_link":"https://example.org","ai_probability":0.5,"second_opinion":-1.5}"#)
            .unwrap();
    }
}
