//! `/v1/scam` as other programs meet it.

use super::{shared, words};
use bonafide_tests::{Answer, Daemon};
use serde_json::{Value, json};
use std::time::Duration;

fn report(body: &Value) -> Option<Value> {
    let answer = shared()?.post("/v1/scam", body.to_string().as_bytes());
    assert_eq!(answer.status, 200, "{}", answer.text);
    Some(answer.json())
}

#[test]
fn a_chat_gets_a_report() {
    let turns = json!([
        {"side": "them", "text": "Shall we meet at the station at six?", "at": "2026-09-28T10:30:05Z"},
        {"side": "me", "text": "Yes, see you there.", "at": 1_790_591_465_000_i64},
    ]);
    let Some(report) = report(&json!({"turns": turns, "language": "en-GB"})) else { return };
    assert_eq!(report["turns"], 2);
    for (member, is_right) in [
        ("risk", report["risk"].is_string()),
        (
            "probability",
            report["probability"].as_f64().is_some_and(|probability| (0.0..=1.0).contains(&probability)),
        ),
        ("evidence", report["evidence"].is_array()),
        ("model", report["model"].is_string()),
    ] {
        assert!(is_right, "{member}: {report}");
    }
}

#[test]
fn the_language_model_reads_along_if_asked() {
    let Some(daemon) = shared() else { return };
    // The first text is too short for the model to be asked.
    for (count, asked) in [(40, false), (160, true)] {
        let before = tokens(&daemon);
        let body = json!({"turns": [{"side": "them", "text": words(count, 811)}], "ai": true});
        let answer = patiently(&daemon, &body);
        assert_eq!(answer.status, 200, "{}", answer.text);
        assert!(!asked || tokens(&daemon) > before, "the model has read");
    }
}

/// An answer, waited for as long as the daemon says while others keep it busy.
fn patiently(daemon: &Daemon, body: &Value) -> Answer {
    let ask = || daemon.post("/v1/scam", body.to_string().as_bytes());
    for _ in 0..20 {
        let answer = ask();
        if answer.status != 429 {
            return answer;
        }
        let seconds = answer.header("retry-after").and_then(|seconds| seconds.parse().ok());
        std::thread::sleep(Duration::from_secs(seconds.expect("a number of seconds")));
    }
    ask()
}

/// Tokens that the daemon has scored.
fn tokens(daemon: &Daemon) -> u64 {
    let metrics = daemon.get("/metrics").text;
    let line = metrics.lines().find_map(|line| line.strip_prefix("bonafide_queue_tokens_total "));
    line.expect("the metric").parse().unwrap()
}

#[test]
fn what_is_no_chat_is_refused_and_no_message_is_logged() {
    let Some(daemon) = shared() else { return };
    let secret = "unmentionable-zeugma";
    for (body, status, code) in [
        (json!({}), 422, "wrong_shape"),
        (json!({"turns": []}), 422, "empty"),
        (json!({"turns": [{"side": secret, "text": secret}]}), 422, "wrong_shape"),
        (json!({"turns": vec![json!({"side": "them", "text": secret}); 10_001]}), 413, "too_many_turns"),
        (json!({"turns": [{"side": "them", "text": secret.repeat(60_000)}]}), 413, "text_too_large"),
    ] {
        let answer = daemon.post("/v1/scam", body.to_string().as_bytes());
        assert_eq!((answer.status, answer.code().as_deref()), (status, Some(code)), "{}", answer.text);
    }
    let body = json!({"turns": [{"side": "them", "text": secret}]});
    assert_eq!(daemon.post("/v1/scam", body.to_string().as_bytes()).status, 200);
    assert!(!daemon.log().contains(secret), "{}", daemon.log());
}
