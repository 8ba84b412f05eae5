//! What no program should send and some will: a clear 4xx or a sensible verdict, and the next one is served.

use super::shared;
use bonafide_tests::{Answer, Daemon, Setup, raw};
use serde_json::{Value, json};

#[track_caller]
fn refused(answer: &Answer, status: u16, code: &str) {
    assert_eq!((answer.status, answer.code().as_deref()), (status, Some(code)), "{}", answer.text);
}

/// Verdicts that are sensible for what is no prose.
#[track_caller]
fn unclear(answer: &Answer) {
    assert_eq!(answer.status, 200, "{}", answer.text);
    for block in answer.json()["blocks"].as_array().unwrap() {
        assert_eq!(block["verdict"], "unclear", "{}", answer.text);
        assert!(!block["evidence"].as_array().unwrap().is_empty(), "it says why: {}", answer.text);
    }
}

#[track_caller]
fn still_serves(daemon: &Daemon) {
    assert_eq!(daemon.score(&json!({"text": "Still here."})).status, 200);
    assert!(!daemon.log().contains("panicked"), "{}", daemon.log());
}

#[test]
fn nothing_at_all() {
    let Some(daemon) = shared() else { return };
    refused(&daemon.post("/v1/score", b""), 400, "invalid_json");
    refused(&daemon.score(&json!({})), 422, "wrong_input");
    refused(&daemon.score(&json!({"text": ""})), 422, "empty");
    refused(&daemon.score(&json!({"text": "\n\t "})), 422, "empty");
    unclear(&daemon.score(&json!({"text": "\u{feff}"})));
    refused(&daemon.score(&json!({"blocks": []})), 422, "empty");
    refused(&daemon.score(&json!({"html": "<html><body></body></html>"})), 422, "empty");
    still_serves(&daemon);
}

#[test]
fn megabytes() {
    let Some(daemon) = shared() else { return };
    let text = "All work and no play makes a dull text. ".repeat(125_000);
    refused(&daemon.score(&json!({"text": text})), 413, "text_too_large");
    refused(&daemon.score(&json!({"text": text.repeat(2)})), 413, "body_too_large");
    refused(&daemon.score(&json!({"text": &text[..800_000]})), 413, "too_many_tokens");
    still_serves(&daemon);
}

#[test]
fn bytes_that_are_no_text() {
    let Some(daemon) = shared() else { return };
    let png = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\x01\0";
    refused(&daemon.post("/v1/score", png), 400, "invalid_utf8");
    refused(&daemon.post("/v1/score", b"{\"text\":\"\xff\xfe\"}"), 400, "invalid_utf8");
    refused(&daemon.post("/v1/score", br#"{"text":"\ud800"}"#), 400, "invalid_json");
    let controls: String = (0..500).map(|n| char::from(n as u8 % 32)).collect();
    unclear(&daemon.score(&json!({"text": controls})));
    unclear(&daemon.score(&json!({"text": "\u{fffd}".repeat(300)})));
    still_serves(&daemon);
}

#[test]
fn texts_that_are_no_prose() {
    let Some(daemon) = shared() else { return };
    unclear(&daemon.score(&json!({"text": "a".repeat(4_000)})));
    unclear(&daemon.score(&json!({"text": "🙂👨‍👩‍👧‍👦🇩🇪".repeat(40)})));
    unclear(&daemon.score(&json!({"text": "e\u{301}\u{302}\u{303}".repeat(100)})));
    unclear(&daemon.score(&json!({"text": "هذا نص عربي قصير يكتبه إنسان عن يومه في السوق. ".repeat(6)})));
    unclear(&daemon.score(&json!({"text": "\u{202e}txet desrever\u{202c} ".repeat(5)})));
    still_serves(&daemon);
}

#[test]
fn one_endless_word() {
    let Some(daemon) = shared() else { return };
    let answer = daemon.score(&json!({"text": "x".repeat(990_000)}));
    assert!(answer.status == 200 || answer.code().as_deref() == Some("too_many_tokens"), "{}", answer.text);
    still_serves(&daemon);
}

#[test]
fn ten_thousand_blocks() {
    let Some(daemon) = shared() else { return };
    let blocks =
        |count: usize| (0..count).map(|id| json!({"id": id.to_string(), "text": "b"})).collect::<Vec<_>>();
    refused(&daemon.score(&json!({"blocks": blocks(10_000)})), 413, "too_many_blocks");
    let answer = daemon.score(&json!({"blocks": blocks(300)}));
    assert_eq!(answer.json()["blocks"].as_array().unwrap().len(), 300);
    still_serves(&daemon);
}

#[test]
fn deep_nesting() {
    let Some(daemon) = shared() else { return };
    let html = format!("{}deep{}", "<div>".repeat(200_000), "</div>".repeat(200_000));
    let answer = daemon.score(&json!({"html": html}));
    assert!(answer.status == 422 || answer.status == 413, "{} {}", answer.status, answer.text);
    assert!(answer.code().is_some());
    let deep = format!("{{\"text\":{}1{}}}", "[".repeat(500_000), "]".repeat(500_000));
    assert!((400..=422).contains(&daemon.post("/v1/score", deep.as_bytes()).status));
    still_serves(&daemon);
}

#[test]
fn shapes_and_types_that_are_not_ours() {
    let Some(daemon) = shared() else { return };
    for body in [json!([]), json!("text"), json!(null), json!({"text": ["a"]}), json!({"text": "a", "x": 1})]
    {
        refused(&daemon.score(&body), 422, "wrong_shape");
    }
    refused(&daemon.score(&json!({"text": "a", "blocks": []})), 422, "wrong_input");
    let key: (&str, &str) = ("x-api-key", &daemon.token);
    for wrong in ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"] {
        let answer = daemon.send("POST", "/v1/score", &[key, ("content-type", wrong)], b"{\"text\":\"a\"}");
        refused(&answer, 415, "not_json");
    }
    refused(&daemon.get("/v1/score"), 405, "method_not_allowed");
    refused(&daemon.get("/v2/score"), 404, "not_found");
    refused(&daemon.get("/../../etc/passwd"), 404, "not_found");
}

#[test]
fn bytes_that_are_no_http() {
    let Some(daemon) = shared() else { return };
    let answer = raw(&daemon.address, b"\x16\x03\x01 hello\r\n\r\n");
    assert_eq!(answer.status, 400);
    let long = format!("GET /{} HTTP/1.1\r\nhost: {}\r\n\r\n", "a".repeat(200_000), daemon.address);
    assert!((400..500).contains(&raw(&daemon.address, long.as_bytes()).status));
    still_serves(&daemon);
}

#[test]
fn a_body_that_does_not_come() {
    let setup = Setup { config: "[limits]\nbody_seconds = 1".into(), ..Setup::default() };
    let Some(daemon) = Daemon::start(&setup) else { return };
    let head = daemon.head(
        "POST",
        "/v1/score",
        &[("x-api-key", &daemon.token), ("content-type", "application/json")],
        100,
    );
    let mut stream = std::net::TcpStream::connect(&daemon.address).unwrap();
    std::io::Write::write_all(&mut stream, head.as_bytes()).unwrap();
    let mut start = [0; 12];
    std::io::Read::read_exact(&mut stream, &mut start).unwrap();
    assert_eq!(&start, b"HTTP/1.1 408");
    still_serves(&daemon);
}

#[test]
fn no_text_reaches_the_log_or_the_disk() {
    let Some(daemon) = Daemon::start(&Setup::default()) else { return };
    const MARK: &str = "Zanzibarquux";
    let bodies: [Value; 5] = [
        json!({"text": MARK.repeat(10)}),
        json!({"html": format!("<p>{MARK}</p>"), "url": format!("https://{MARK}.example/")}),
        json!({"text": MARK, "wrong": MARK}),
        json!({ MARK: MARK }),
        json!({"tokens": MARK}),
    ];
    let statuses: Vec<_> = bodies.iter().map(|body| daemon.score(body).status).collect();
    assert_eq!(statuses, [200, 200, 422, 422, 422]);
    let _ = daemon.get(&format!("/{MARK}?q={MARK}"));
    assert!(!daemon.log().contains(MARK), "{}", daemon.log());
    let files =
        std::process::Command::new("grep").args(["-r", MARK]).arg(daemon.home.path()).output().unwrap();
    assert_eq!(files.status.code(), Some(1), "{}", String::from_utf8_lossy(&files.stdout));
}
