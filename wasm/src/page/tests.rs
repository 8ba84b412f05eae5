#![allow(clippy::unwrap_used)]
use super::*;
use bonafide_core::signature::canonical::Stream;
use bonafide_core::signature::carrier::{Signed as Statements, armour, token::Token};
use bonafide_core::signature::ed25519::RawSignature;
use bonafide_core::signature::sshsig::{HashAlgorithm, SshSignature, signed_data};
use bonafide_core::signature::statement::{Author, Facts, Statement};
use ed25519_dalek::{Signer, SigningKey};
use serde_json::json;

/// 2026-11-25T08:00:00Z.
const NOW: f64 = 1_795_593_600.0;
const TEXT: &str = "The ferry leaves at six, whether or not the baker has brought his bread.";

fn sign(message: bool) -> Statements {
    let secret = SigningKey::from_bytes(&[7; 32]);
    let key = PublicKey::ed25519(secret.verifying_key().to_bytes()).unwrap();
    let facts = Facts {
        author: Author { name: "Ada".to_owned(), identity: Some("https://ada.example".to_owned()) },
        language: "en".to_owned(),
        date: Timestamp::from_unix(NOW as u64 - 3600),
        assistance: "none".to_owned(),
        written_here: None,
        expires: None,
    };
    let stream = Stream::of_text(TEXT);
    let statement =
        if message { Statement::about_message(&stream, facts) } else { Statement::about(&stream, facts) };
    let statement = statement.unwrap();
    let hash = HashAlgorithm::Sha512;
    let bytes = secret.sign(&signed_data(&statement.to_jcs(), hash)).to_bytes();
    let signature = SshSignature { key, hash, signature: RawSignature { bytes, touch: None } };
    Statements::Ssh { statement, signature }
}

fn report(page: &Signed, facts: &Value) -> Vec<Report> {
    let reply: Value = serde_json::from_str(&page.report(&facts.to_string(), NOW).unwrap()).unwrap();
    serde_json::from_value(reply["statements"].clone()).unwrap()
}

fn wants(page: &Signed) -> Value {
    serde_json::from_str(&page.wants().unwrap()).unwrap()
}

/// The facts of all keys that are wanted.
fn known(page: &Signed, facts: &Value) -> Value {
    let Value::Array(mut keys) = wants(page) else { return Value::Null };
    keys.iter_mut().for_each(|key| key["facts"] = facts.clone());
    Value::Array(keys)
}

fn walk(text: &str) -> Value {
    let token = Token::of(&sign(true)).unwrap().print().unwrap();
    json!([["enter", "root", null], ["enter", "block", token], ["text", text], ["leave"], ["leave"]])
}

#[test]
fn a_walk_with_a_signed_block() {
    let page = Signed::of_walk(&walk(TEXT).to_string()).unwrap();
    let wanted = wants(&page);
    assert_eq!(wanted.as_array().unwrap().len(), 1);
    assert_eq!(wanted[0]["identity"], "https://ada.example");
    assert!(wanted[0]["public_key"].as_str().unwrap().starts_with("ssh-ed25519 "));
    for (facts, result) in [
        (json!({}), "unknown_key"),
        (json!({"contact": "A. L."}), "trusted"),
        (json!({"contact": "mine", "own": true, "publication": "not_asked"}), "trusted"),
        (json!({"publication": {"listed": {"key": wanted[0]["public_key"]}}}), "published"),
        (json!({"publication": {"unreachable": "no network"}}), "unknown_key"),
        (json!({"publication": "absent", "changed": true}), "key_changed"),
        (
            json!({"contact": "A. L.", "revoked": {"at": "2026-01-01T00:00:00Z", "reason": "compromised"}}),
            "revoked",
        ),
    ] {
        let reports = report(&page, &known(&page, &facts));
        assert_eq!(reports.len(), 1);
        assert_eq!(reports[0].result.name(), result, "{facts}");
        assert_eq!(reports[0].spans.len(), 1);
    }
    // Without facts, and with those of another identity, nothing is known.
    assert_eq!(report(&page, &json!([]))[0].result.name(), "unknown_key");
    let other = json!([{"public_key": wanted[0]["public_key"], "identity": null, "facts": {"contact": "x"}}]);
    assert_eq!(report(&page, &other)[0].result.name(), "unknown_key");
}

#[test]
fn altered_texts_and_hazards_are_not_green() {
    let page = Signed::of_walk(&walk("The ferry leaves at five.").to_string()).unwrap();
    assert_eq!(wants(&page), json!([]));
    assert_eq!(report(&page, &json!([]))[0].result.name(), "altered");
    for hazard in [
        "shadow",
        "embedded",
        "field",
        "picture",
        "generated",
        "order",
        "direction",
        "hidden",
        "closed",
        "list",
        "formula",
    ] {
        for step in ["hazard", "hazardous"] {
            let mut walk = walk(TEXT);
            walk.as_array_mut().unwrap().insert(2, json!([step, hazard]));
            let page = Signed::of_walk(&walk.to_string()).unwrap();
            let reports = report(&page, &known(&page, &json!({"contact": "A. L."})));
            assert_eq!(reports[0].result.name(), "altered", "{hazard}");
        }
    }
}

#[test]
fn a_walk_need_not_be_balanced() {
    let mut unclosed = walk(TEXT);
    unclosed.as_array_mut().unwrap().truncate(3);
    let mut closed_twice = walk(TEXT);
    closed_twice.as_array_mut().unwrap().insert(0, json!(["leave"]));
    for walk in [unclosed, closed_twice] {
        let page = Signed::of_walk(&walk.to_string()).unwrap();
        assert_eq!(report(&page, &known(&page, &json!({"contact": "A. L."})))[0].result.name(), "trusted");
    }
    assert!(wants(&Signed::of_walk("[]").unwrap()).as_array().unwrap().is_empty());
}

#[test]
fn wrong_walks_are_refused() {
    for walk in [
        "",
        "{}",
        "[1]",
        "[[]]",
        "[[1]]",
        r#"[["dance"]]"#,
        r#"[["text"]]"#,
        r#"[["text", 1]]"#,
        r#"[["text", "a", "b"]]"#,
        r#"[["enter", "block"]]"#,
        r#"[["enter", "table", null]]"#,
        r#"[["enter", "block", 1]]"#,
        r#"[["hazard", "bear"]]"#,
        r#"[["leave", 1]]"#,
        r#"[["br"], null]"#,
    ] {
        assert!(Signed::of_walk(walk).is_err(), "{walk}");
    }
    let all = r#"[["br"], ["text", "a"], ["script", "{"], ["link", "x"], ["hazard", "field"], ["enter", "inline", null], ["leave"]]"#;
    let page = Signed::of_walk(all).unwrap();
    assert_eq!(report(&page, &json!([]))[0].result.name(), "malformed");
}

#[test]
fn quotations_in_a_text_are_pages_too() {
    let signed = format!("{TEXT}\n\n{}", armour::print(&sign(false)));
    let quoted: String = signed.lines().map(|line| format!("> {line}\n")).collect();
    let page = Signed::of_text(&format!("He wrote:\n\n{quoted}\nI agree.\n\n{signed}")).unwrap();
    assert_eq!(wants(&page).as_array().unwrap().len(), 1);
    let reports = report(&page, &known(&page, &json!({"contact": "A. L."})));
    let found: Vec<(usize, &str)> =
        reports.iter().map(|report| (report.quotes, report.result.name())).collect();
    assert!(found.contains(&(1, "trusted")), "{found:?}");
    assert_eq!(found.len(), 2);
}

#[test]
fn wrong_facts_and_times_are_refused() {
    let page = Signed::of_walk(&walk(TEXT).to_string()).unwrap();
    let wanted = wants(&page);
    let strange = json!([{"public_key": "ssh-rsa AAAA", "identity": null, "facts": {}}]);
    for facts in ["", "{}", "[1]", r#"[{"facts": {}}]"#, &strange.to_string()] {
        assert!(page.report(facts, NOW).is_err(), "{facts}");
    }
    let publication =
        json!([{"public_key": wanted[0]["public_key"], "identity": null, "facts": {"publication": "maybe"}}]);
    assert!(page.report(&publication.to_string(), NOW).is_err());
    for time in [f64::NAN, f64::INFINITY, -1.0] {
        assert!(page.report("[]", time).is_err());
    }
    assert!(page.report("[]", f64::MAX).is_ok());
}

#[test]
fn fingerprints_are_those_of_ssh_keygen() {
    let key = SigningKey::from_bytes(&[7; 32]).verifying_key().to_bytes();
    let key = PublicKey::ed25519(key).unwrap();
    assert_eq!(fingerprint(&key.to_openssh()), Ok(key.fingerprint()));
    assert_eq!(fingerprint(&format!("{} ada@home\n", key.to_openssh())), Ok(key.fingerprint()));
    for wrong in ["", "ssh-ed25519", "ssh-ed25519 AAAA", "-----BEGIN OPENSSH PRIVATE KEY-----"] {
        assert!(fingerprint(wrong).is_err(), "{wrong}");
    }
}
