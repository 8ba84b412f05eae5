#![allow(clippy::unwrap_used)]
use super::*;
use bonafide_core::scam::Report;

fn turn(side: &str, text: &str) -> String {
    serde_json::json!({ "side": side, "text": text, "at": null }).to_string()
}

/// As every test begins, in whatever order they run.
fn data() {
    load(&Engine::bundle()).unwrap();
}

fn followed() -> Followed {
    data();
    Followed::new("{}").unwrap()
}

fn turns(chat: &Followed) -> usize {
    serde_json::from_str::<Report>(&chat.report("en").unwrap()).unwrap().turns
}

#[test]
fn without_its_data_there_is_no_chat() {
    let place = OnceLock::new();
    assert!(loaded(&place).unwrap_err().contains("loadScam"));
    let bundle = Engine::bundle();
    assert!(load_into(&place, &bundle[..bundle.len() / 2]).unwrap_err().contains("cut off"));
    assert!(load_into(&place, b"<!doctype html>").unwrap_err().contains("no scam data"));
    assert!(loaded(&place).is_err(), "a failure is not kept");
    load_into(&place, &bundle).unwrap();
    let first: *const Engine = loaded(&place).unwrap();
    load_into(&place, &bundle).unwrap();
    assert!(std::ptr::eq(loaded(&place).unwrap(), first), "made once");
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
    data();
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
