#![allow(clippy::unwrap_used)]
use super::token::Token;
use super::*;
use crate::signature::canonical::Stream;
use crate::signature::statement::{Author, Facts, Statement, WrittenHere};
use crate::signature::testing::{TestKey, facts};
use crate::signature::time::Timestamp;
use proptest::prelude::*;

const MESSAGE: &str = "See you at eight at the old bridge, and bring the map with you.";

#[test]
fn a_token_fits_into_a_post() {
    let token = Token::of(&TestKey::new(1).sign_message(MESSAGE)).unwrap().print().unwrap();
    assert!(token.starts_with("human1") && token.len() < 220, "{} {token}", token.len());
    assert!(token.bytes().all(|byte| byte.is_ascii_alphanumeric()), "{token}");
    let hardware = Token::of(&TestKey::hardware(1).sign_message(MESSAGE)).unwrap().print().unwrap();
    assert!(hardware.len() < 220, "{}", hardware.len());
}

#[test]
fn what_does_not_fit_is_refused_with_the_way_out() {
    let key = TestKey::new(1);
    let with = |change: fn(&mut Facts)| {
        let mut facts = facts();
        change(&mut facts);
        let statement = Statement::about_message(&Stream::of_text(MESSAGE), facts).unwrap();
        Token::of(&key.sign_statement(statement, 1)).and_then(|token| token.print()).unwrap_err()
    };
    let long = with(|facts| facts.author.name = "n".repeat(64));
    assert!(matches!(long, CarrierError::TokenTooLong(_)) && long.to_string().contains("--as armour"));
    let counted = with(|facts| {
        facts.written_here = Some(WrittenHere {
            keystrokes: 1,
            deletions: 0,
            pasted_percent: 0,
            active_minutes: 1,
            revisions: 0,
        });
    });
    assert!(matches!(counted, CarrierError::NotInToken(_)));
    let late = with(|facts| facts.date = Timestamp::from_unix(1 << 33));
    assert!(matches!(late, CarrierError::NotInToken(_)));
    let table = Token::of(&key.sign_text(&format!("{MESSAGE}\n\n{MESSAGE}"))).unwrap_err();
    assert!(matches!(table, CarrierError::NotInToken(_)));
}

#[test]
fn damaged_tokens_are_refused() {
    let token = Token::of(&TestKey::new(1).sign_message(MESSAGE)).unwrap().print().unwrap();
    assert_eq!(Token::parse(&token).unwrap().print().unwrap(), token);
    assert_eq!(Token::parse(&token.replace("human1", "human1\u{200B}")).unwrap().print().unwrap(), token);
    for wrong in [
        String::new(),
        "human1".to_owned(),
        token[..token.len() - 1].to_owned(),
        token.clone() + "1",
        token.replace("human1", "human2"),
        token.replace("human1", "human11"),
        token.clone() + "0",
        "human1".to_owned() + &"z".repeat(213),
        "human1".to_owned() + &"z".repeat(100_000),
    ] {
        assert!(Token::parse(&wrong).is_err(), "{wrong:.300}");
    }
}

#[test]
fn json_that_is_no_statement_says_why() {
    let signed = TestKey::new(1).sign_text(MESSAGE).to_value();
    let one = |json: &str| Signed::all_from_json(json).remove(0);
    assert!(one(&signed.to_string()).is_ok());
    assert_eq!(Signed::all_from_json(&format!("[{signed},{signed}]")).len(), 2);
    assert!(matches!(one("{"), Err(CarrierError::Json(_))));
    assert_eq!(one("{}"), Err(CarrierError::Shape));
    assert_eq!(one("[]"), Err(CarrierError::Shape));
    assert_eq!(one(&" ".repeat(5 << 20)), Err(CarrierError::TooLong(envelope::MAX_JSON)));
    let mut more = signed.clone();
    more["extra"] = 1.into();
    assert!(matches!(one(&more.to_string()), Err(CarrierError::Statement(_))));
    let mut hidden = signed.clone();
    hidden["statement"]["endorsed"] = true.into();
    assert!(matches!(one(&hidden.to_string()), Err(CarrierError::Statement(_))));
    let mut null = signed.clone();
    null["statement"]["expires"] = serde_json::Value::Null;
    assert!(one(&null.to_string()).unwrap_err().to_string().contains("null"));
    let twice = signed.to_string().replacen("\"author\":", "\"author\":{\"name\":\"Eve\"},\"author\":", 1);
    assert!(one(&twice).unwrap_err().to_string().contains("twice"));
    let mut other = signed;
    other["statement"]["type"] = "generated-by-human/2".into();
    assert!(one(&other.to_string()).unwrap_err().to_string().contains("generated-by-human/1"));
    assert!(one(&"[".repeat(100_000)).is_err());
}

fn author() -> impl Strategy<Value = (String, Option<String>, String)> {
    let name = "[A-Za-zé中 ]{0,10}[a-z中]";
    let identity = prop::option::of(prop_oneof!["https://[a-z]{1,10}\\.example", "github:[a-z]{1,12}"]);
    let help = prop::sample::select(vec!["none", "spelling", "translation", "My son read it."]);
    (name, identity, help.prop_map(str::to_owned))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn what_is_printed_is_read_back(
        (name, identity, assistance) in author(), seed: u8, hardware: bool, text in "[a-z ]{0,300}[a-z]",
        date in 0_u64..4_000_000_000, expires in prop::option::of(1_u64..200_000_000),
    ) {
        let key = if hardware { TestKey::hardware(seed) } else { TestKey::new(seed) };
        let date = Timestamp::from_unix(date);
        let facts = Facts {
            author: Author { name, identity },
            language: "en".to_owned(),
            date,
            assistance,
            written_here: None,
            expires: expires.map(|seconds| date.plus(seconds)),
        };
        let stream = Stream::of_text(&text);
        let signed = key.sign_statement(Statement::about_message(&stream, facts).unwrap(), 1);
        if let Ok(printed) = Token::of(&signed).unwrap().print() {
            let token = Token::parse(&printed).unwrap();
            prop_assert_eq!(token.signed(token.digest_of(stream.text()).unwrap()).unwrap(), signed.clone());
        }
        let json = signed.to_value().to_string();
        prop_assert_eq!(Signed::all_from_json(&json).remove(0).unwrap(), signed.clone());
        let block = armour::print(&signed);
        prop_assert!(block.lines().all(|line| line.len() <= 76));
        let (range, inside) = armour::find(&block, 0).unwrap();
        prop_assert_eq!(&block[range], block.trim_end());
        prop_assert_eq!(armour::parse(inside).remove(0).unwrap(), signed.clone());
        prop_assert_eq!(armour::parse_attribute(&json).remove(0).unwrap(), signed);
    }

    #[test]
    fn nothing_makes_the_readers_panic(text: String, json in "[\\[\\]{}\":,a-z0-9]{0,60}") {
        let _ = Token::parse(&text);
        let _ = Token::parse(&format!("human1{text}"));
        let _ = Signed::all_from_json(&text);
        let _ = Signed::all_from_json(&json);
        let _ = armour::parse(&text);
        let _ = armour::parse_attribute(&text);
        let _ = token::find_all(&text);
    }
}
