//! `/v1/scam`. What is found in a chat is the engine's matter; here it is how the chat gets there.

use super::*;

impl Daemon {
    async fn scam(&self, body: Value) -> Answer {
        self.post("/v1/scam", body.to_string()).await
    }
}

fn them(text: &str) -> Value {
    json!({"side": "them", "text": text})
}

#[tokio::test]
async fn a_chat_gets_a_report_even_while_the_model_is_loading() {
    for daemon in [Daemon::loading(Limits::default()), Daemon::new()] {
        let turns = json!([
            {"side": "them", "text": "Hi, is this Dr. Li?", "at": "2026-09-28T10:30:05+02:00"},
            {"side": "me", "text": "No.", "at": 1_790_591_465_000_i64},
            {"side": "them", "text": "[image]", "at": null},
        ]);
        let setting = json!({"new_contact": true, "profile_link": "https://example.org"});
        let answer = daemon.scam(json!({"turns": turns, "setting": setting, "language": "zh-CN"})).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        let reply = answer.json();
        assert_eq!(reply["turns"], 3);
        assert!(reply["risk"].is_string() && reply["probability"].is_number(), "{reply}");
        assert!(reply["evidence"].is_array(), "{reply}");
        assert!(daemon.passes().is_empty(), "the model is not asked");
    }
}

#[tokio::test]
async fn refuses_what_is_no_chat() {
    let daemon = Daemon::new();
    for (body, code) in [
        (json!({}), "wrong_shape"),
        (json!([]), "wrong_shape"),
        (json!({"turns": []}), "empty"),
        (json!({"turns": [them(" \n")]}), "empty"),
        (json!({"turns": [{"side": "you", "text": "a"}]}), "wrong_shape"),
        (json!({"turns": [{"from": "them", "text": "a"}]}), "wrong_shape"),
        (json!({"turns": [{"side": "them", "text": "a", "name": "Anna"}]}), "wrong_shape"),
        (json!({"turns": [{"side": "them", "text": "a", "at": "yesterday"}]}), "wrong_shape"),
        (json!({"turns": [them("a")], "tokens": true}), "wrong_shape"),
        (json!({"turns": [them("a")], "language": "klingon, please"}), "wrong_shape"),
        (json!({"turns": [them("a")], "setting": {"ai_probability": 1}}), "wrong_shape"),
        (json!({"turns": [them("a")], "setting": null}), "wrong_shape"),
    ] {
        daemon.scam(body).await.is_error(422, code);
    }
    daemon.post("/v1/scam", "{").await.is_error(400, "invalid_json");
    assert!(daemon.get("/v1/scam").await.status == 405);
}

#[tokio::test]
async fn keeps_its_bounds() {
    let daemon = Daemon::with(Limits { body_bytes: 2000, text_bytes: 1000, turns: 3, ..Limits::default() });
    let scam = async |turns: Vec<Value>| daemon.scam(json!({"turns": turns})).await;
    scam(vec![them("a"); 4]).await.is_error(413, "too_many_turns");
    scam(vec![them(&"x".repeat(501)); 2]).await.is_error(413, "text_too_large");
    scam(vec![them(&"x".repeat(2000))]).await.is_error(413, "body_too_large");
    assert_eq!(scam(vec![them(&"x".repeat(500)), them(&"x".repeat(500))]).await.status, 200);
    let link = json!({"profile_link": "x".repeat(1000)});
    daemon.scam(json!({"turns": [them("a")], "setting": link})).await.is_error(413, "text_too_large");
}

#[tokio::test]
async fn only_who_may_score_may_ask() {
    let daemon = Daemon::new();
    let body = || Body::from(json!({"turns": [them("a")]}).to_string());
    let ask = |token: &str| {
        let request = bare("POST", "/v1/scam").header("x-api-key", token);
        request.header(header::CONTENT_TYPE, "application/json").body(body()).unwrap()
    };
    let metrics = daemon.app.tokens.add("metrics", &[Scope::Metrics]).unwrap();
    let score = daemon.app.tokens.add("score", &[Scope::Score]).unwrap();
    daemon.send(ask(&metrics)).await.is_error(403, "missing_scope");
    assert_eq!(daemon.send(ask(&score)).await.status, 200);
    let bare = bare("POST", "/v1/scam").header(header::CONTENT_TYPE, "application/json");
    daemon.send(bare.body(body()).unwrap()).await.is_error(401, "no_token");
}

#[tokio::test]
async fn the_model_reads_the_other_side_if_asked_and_if_there_is_enough() {
    let body = |words: usize| {
        let half = them(&"word ".repeat(words / 2));
        let mine = json!({"side": "me", "text": "and mine ".repeat(200)});
        json!({"turns": [half, mine, half], "ai": true})
    };
    Daemon::loading(Limits::default()).scam(body(10)).await.is_error(503, "loading");
    let daemon = Daemon::new();
    assert_eq!(daemon.scam(body(98)).await.status, 200);
    assert!(daemon.passes().is_empty(), "98 words say too little");
    for _ in 0..2 {
        assert_eq!(daemon.scam(body(100)).await.status, 200);
        assert_eq!(daemon.passes(), [1], "once, then it is known");
    }
    let metrics = daemon.get("/metrics").await.text;
    assert!(metrics.contains("bonafide_blocks_total{verdict=\"unclear\"} 2"), "{metrics}");
}

/// Somebody whom the engine is not sure about, or is sure about.
fn acquaintance(doubtful: bool) -> Vec<Value> {
    let mut turns: Vec<Value> = (0..8)
        .map(|turn| json!({"side": if turn % 3 == 2 { "me" } else { "them" }, "text": "we had soup again today"}))
        .collect();
    if doubtful {
        turns.push(them(
            "My uncle has inside information, the platform guarantees a profit of 20 percent a week.",
        ));
        turns.push(json!({"side": "me", "text": "sounds good"}));
    }
    turns
}

#[tokio::test]
async fn a_second_opinion_is_asked_where_the_engine_is_not_sure() {
    let body = |doubtful: bool| json!({"turns": acquaintance(doubtful), "second_opinion": true});
    Daemon::loading(Limits::default()).scam(body(true)).await.is_error(503, "loading");
    let daemon = Daemon::new();
    let without = daemon.scam(json!({"turns": acquaintance(true)})).await.json();
    assert!(daemon.passes().is_empty());
    let with = daemon.scam(body(true)).await.json();
    assert_eq!(daemon.passes(), [1]);
    let probability = |report: &Value| report["probability"].as_f64().unwrap();
    assert!(probability(&with) > probability(&without), "{with}");
    let codes = |report: &Value| report["evidence"].to_string();
    assert!(codes(&with).contains("second_opinion") && !codes(&without).contains("second_opinion"));
    assert_eq!(daemon.scam(body(false)).await.status, 200);
    let mut strange = acquaintance(true);
    strange.push(them("gibberish"));
    let strange = daemon.scam(json!({"turns": strange, "second_opinion": true})).await;
    assert!(!strange.text.contains("second_opinion"), "{}", strange.text);
    assert_eq!(daemon.passes(), [1], "neither was the model's matter");
}

#[tokio::test]
async fn the_model_reads_no_more_than_it_may() {
    let daemon = Daemon::with(Limits { request_tokens: 1200, ..Limits::default() });
    let turns: Vec<Value> = (0..50).map(|_| them(&"a ".repeat(50))).collect();
    let answer = daemon.scam(json!({"turns": turns, "ai": true})).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    assert_eq!(daemon.passes(), [1]);
}

#[tokio::test]
async fn errors_quote_no_message() {
    let daemon = Daemon::new();
    for (word, code) in [("fail", "tokenizer_failed"), ("panic", "internal")] {
        let turns = json!([them(&format!("secret {word} {}", "word ".repeat(100)))]);
        let answer = daemon.scam(json!({"turns": turns, "ai": true})).await;
        answer.is_error(500, code);
        assert!(!answer.text.contains("secret"), "{}", answer.text);
    }
}
