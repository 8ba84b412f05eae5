#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use super::judge::PlannedChat;
use super::*;
use crate::engine::{EngineError, Window};
use crate::scam::opinion::Spoken;
use axum::body::Body;
use axum::http::{Method, Request, Response, header};
use bonafide_core::verdict::{BlockReport, Span, TokenReport, Verdict};
use bonafide_kernels::backend::TokenStats;
use serde_json::{Value, json};
use std::sync::Mutex;
use tower::ServiceExt;

mod guard;
mod pairing;
mod scam;
mod signatures;

const HOST: &str = "127.0.0.1:8017";
const EXTENSION: &str = "chrome-extension://abcdefghijklmnopabcdefghijklmnop";

/// A token a word; the words `panic` and `fail` do what they say; `hold` waits for the test.
#[derive(Default)]
struct Words {
    passes: Mutex<Vec<usize>>,
    gate: Mutex<()>,
}

impl Scorer for Words {
    fn score(&self, windows: &[&Window]) -> Result<Vec<Vec<TokenStats>>, EngineError> {
        self.passes.lock().unwrap().push(windows.len());
        let _gate = self.gate.lock().unwrap();
        Ok(windows.iter().map(|window| vec![TokenStats::default(); window.tokens.len()]).collect())
    }
}

impl Judge for Words {
    fn plan(self: Arc<Self>, text: &str, _: bool) -> Result<Planned, EngineError> {
        assert!(!text.contains("panic"), "as the text says");
        if text.contains("fail") {
            return Err(EngineError::Tokenize(text.to_owned()));
        }
        let words = text.split_whitespace().count();
        let window = Window { tokens: vec![7; words], skip: 0, lens: 0 };
        Ok(Planned::new(vec![window], move |id, stats, tokens| {
            report(id, stats.concat().len(), words, tokens)
        }))
    }

    fn plan_chat(self: Arc<Self>, spoken: &Spoken) -> Result<Option<PlannedChat>, EngineError> {
        let words = spoken.words.split_whitespace().count();
        let windows = vec![Window { tokens: vec![7; words], skip: 0, lens: 0 }];
        // It is sure of it, unless it does not understand.
        let opine = Box::new(|stats: &[Vec<TokenStats>]| (!stats.is_empty()).then_some(3.0));
        Ok((!spoken.words.contains("gibberish")).then_some(PlannedChat { windows, opine }))
    }

    fn model(&self) -> ModelIdentity {
        let name = |name: &str| name.to_owned();
        ModelIdentity {
            name: name("words"),
            sha256: name("00"),
            architecture: name("none"),
            backend: name("test"),
        }
    }

    fn calibrations(&self) -> Vec<CalibrationIdentity> {
        Vec::new()
    }
}

fn report(id: &str, token_count: usize, words: usize, tokens: bool) -> BlockReport {
    let token = TokenReport { span: Span { start: 0, end: 1 }, logprob: None, rank: None, entropy: None };
    BlockReport {
        id: id.to_owned(),
        verdict: Verdict::Unclear,
        probability: None,
        p_value: None,
        evidence: Vec::new(),
        sentences: Vec::new(),
        words,
        token_count,
        language: None,
        calibration: None,
        detectors: Default::default(),
        tokens: tokens.then(|| vec![token; token_count]),
    }
}

struct Daemon {
    app: Arc<App>,
    words: Arc<Words>,
    token: String,
    _folder: tempfile::TempDir,
}

struct Answer {
    status: u16,
    headers: HeaderMap,
    text: String,
}

use axum::http::HeaderMap;

impl Answer {
    fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("{error}: {}", self.text))
    }

    #[track_caller]
    fn is_error(&self, status: u16, code: &str) {
        assert_eq!(
            (self.status, self.json()["error"]["code"].as_str()),
            (status, Some(code)),
            "{}",
            self.text
        );
        assert!(self.json()["error"]["message"].as_str().is_some_and(|message| !message.is_empty()));
        assert_eq!(self.headers[header::CONTENT_TYPE], "application/json");
    }

    fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }
}

impl Daemon {
    fn loading(limits: Limits) -> Self {
        Self::of(limits, |app| app)
    }

    fn of(limits: Limits, change: impl FnOnce(App) -> App) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let config =
            Config { allowed_extension_origins: vec![EXTENSION.to_owned()], limits, ..Config::default() };
        let app = Arc::new(change(App::new(HOST.parse().unwrap(), &config, folder.path()).unwrap()));
        app.tokens.ensure_first().unwrap();
        let token = std::fs::read_to_string(app.tokens.first_token_path()).unwrap().trim().to_owned();
        Self { app, words: Arc::default(), token, _folder: folder }
    }

    fn with(limits: Limits) -> Self {
        let daemon = Self::loading(limits);
        daemon.app.load(Arc::clone(&daemon.words), None).unwrap();
        daemon
    }

    fn new() -> Self {
        Self::with(Limits::default())
    }

    async fn send(&self, request: Request<Body>) -> Answer {
        let response: Response<Body> = router(Arc::clone(&self.app)).oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let bytes = axum::body::to_bytes(body, usize::MAX).await.unwrap();
        let text = String::from_utf8(bytes.to_vec()).unwrap();
        Answer { status: parts.status.as_u16(), headers: parts.headers, text }
    }

    fn request(&self, method: &str, path: &str) -> axum::http::request::Builder {
        Request::builder()
            .method(method)
            .uri(path)
            .header(header::HOST, HOST)
            .header("x-api-key", &self.token)
            .header(header::CONTENT_TYPE, "application/json")
    }

    async fn get(&self, path: &str) -> Answer {
        self.send(self.request("GET", path).body(Body::empty()).unwrap()).await
    }

    async fn post(&self, path: &str, body: impl Into<Body>) -> Answer {
        self.send(self.request("POST", path).body(body.into()).unwrap()).await
    }

    async fn score(&self, body: Value) -> Answer {
        self.post("/v1/score", body.to_string()).await
    }

    fn passes(&self) -> Vec<usize> {
        self.words.passes.lock().unwrap().clone()
    }
}

/// A request without a token.
fn bare(method: &str, path: &str) -> axum::http::request::Builder {
    Request::builder().method(method).uri(path).header(header::HOST, HOST)
}

fn empty(builder: axum::http::request::Builder) -> Request<Body> {
    builder.body(Body::empty()).unwrap()
}

#[tokio::test]
async fn scores_a_text_blocks_and_html() {
    let daemon = Daemon::new();
    let answer = daemon.score(json!({"text": "three words here"})).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    let reply = answer.json();
    assert_eq!(reply["blocks"][0]["token_count"], 3);
    assert_eq!(reply["model"]["name"], "words");
    assert_eq!(reply["version"], env!("CARGO_PKG_VERSION"));
    assert!(reply["blocks"][0].get("tokens").is_none() && reply["blocks"][0].get("text").is_none());

    let blocks = json!([{"id": "b", "text": "one two"}, {"id": "a", "text": ""}]);
    let reply = daemon.score(json!({"blocks": blocks, "tokens": true})).await.json();
    assert_eq!((&reply["blocks"][0]["id"], &reply["blocks"][1]["id"]), (&json!("b"), &json!("a")));
    assert_eq!(reply["blocks"][0]["tokens"].as_array().unwrap().len(), 2);

    let reply = daemon.score(json!({"html": "<p>Some words in HTML.</p>"})).await.json();
    assert_eq!(reply["blocks"][0]["text"], "Some words in HTML.", "spans index this text");
}

#[tokio::test]
async fn refuses_what_does_not_say_what_to_score() {
    let daemon = Daemon::new();
    for (body, code) in [
        (json!({}), "wrong_input"),
        (json!({"text": "a", "html": "b"}), "wrong_input"),
        (json!({"text": "a", "url": "http://example.org"}), "wrong_input"),
        (json!({"url": "http://example.org"}), "wrong_input"),
        (json!({"text": ""}), "empty"),
        (json!({"text": " \n "}), "empty"),
        (json!({"blocks": []}), "empty"),
        (json!({"html": "<table></table>"}), "empty"),
        (json!({"text": 5}), "wrong_shape"),
        (json!({"text": "a", "token": true}), "wrong_shape"),
        (json!({"blocks": [{"id": 1, "text": "a"}]}), "wrong_shape"),
        (json!([]), "wrong_shape"),
        (json!(["a text", null, null, null]), "wrong_shape"),
        (json!("a text"), "wrong_shape"),
    ] {
        daemon.score(body).await.is_error(422, code);
    }
}

#[tokio::test]
async fn refuses_what_is_not_json() {
    let daemon = Daemon::new();
    daemon.post("/v1/score", "").await.is_error(400, "invalid_json");
    daemon.post("/v1/score", r#"{"text":"\ud800"}"#).await.is_error(400, "invalid_json");
    daemon.post("/v1/score", "{\"text\":").await.is_error(400, "invalid_json");
    daemon.post("/v1/score", vec![b'"', 0xff, b'"']).await.is_error(400, "invalid_utf8");
    daemon.post("/v1/score", vec![0x89, b'P', b'N', b'G', 0]).await.is_error(400, "invalid_utf8");
    daemon.post("/v1/score", format!("{}1", "[".repeat(100_000))).await.is_error(400, "invalid_json");
    let deep = format!("{{\"text\":{}{}}}", "[".repeat(100_000), "]".repeat(100_000));
    assert!((400..500).contains(&daemon.post("/v1/score", deep).await.status));
}

#[tokio::test]
async fn errors_quote_no_text() {
    let daemon = Daemon::new();
    let secret = "secret words ".repeat(1000);
    let answer = daemon.score(json!({"tokens": secret})).await;
    answer.is_error(422, "wrong_shape");
    assert!(answer.text.len() < 1000, "{}", answer.text.len());
    let answer = daemon.score(json!({"text": "this must fail"})).await;
    answer.is_error(500, "tokenizer_failed");
    assert!(!answer.text.contains("must"));
    let answer = daemon.score(json!({"text": "this must panic"})).await;
    answer.is_error(500, "internal");
    assert!(!answer.text.contains("must"));
}

#[tokio::test]
async fn refuses_other_content_types() {
    let daemon = Daemon::new();
    let send = async |content_type: &'static str| {
        let request = bare("POST", "/v1/score").header("x-api-key", &daemon.token);
        let request = request.header(header::CONTENT_TYPE, content_type);
        daemon.send(request.body(Body::from("{\"text\":\"a\"}")).unwrap()).await
    };
    for wrong in [
        "",
        "text/plain",
        "application/x-www-form-urlencoded",
        "application/jsonp",
        "application/json; charset=latin1",
    ] {
        send(wrong).await.is_error(415, "not_json");
    }
    for right in ["application/json", "Application/JSON; charset=utf-8", "application/json;charset=\"UTF-8\""]
    {
        assert_eq!(send(right).await.status, 200, "{right}");
    }
}

#[tokio::test]
async fn keeps_its_bounds() {
    let limits =
        Limits { body_bytes: 2000, text_bytes: 1000, blocks: 3, request_tokens: 50, ..Limits::default() };
    let daemon = Daemon::with(limits);
    daemon.score(json!({"text": "x".repeat(1001)})).await.is_error(413, "text_too_large");
    daemon.score(json!({"text": "x ".repeat(51)})).await.is_error(413, "too_many_tokens");
    daemon.score(json!({"text": "x".repeat(2001)})).await.is_error(413, "body_too_large");
    let blocks: Vec<_> = (0..4).map(|id| json!({"id": id.to_string(), "text": "a"})).collect();
    daemon.score(json!({"blocks": blocks})).await.is_error(413, "too_many_blocks");
    assert_eq!(daemon.score(json!({"text": "x".repeat(1000)})).await.status, 200);
}

#[tokio::test]
async fn bounds_hold_for_bodies_without_a_length() {
    let daemon = Daemon::with(Limits { body_bytes: 2000, ..Limits::default() });
    let endless = futures(100);
    daemon
        .send(daemon.request("POST", "/v1/score").body(endless).unwrap())
        .await
        .is_error(413, "body_too_large");
}

/// A body in chunks of 100 bytes, without a length.
fn futures(chunks: usize) -> Body {
    struct Chunks(usize);
    impl axum::body::HttpBody for Chunks {
        type Data = axum::body::Bytes;
        type Error = std::convert::Infallible;
        fn poll_frame(
            mut self: std::pin::Pin<&mut Self>,
            _: &mut std::task::Context<'_>,
        ) -> std::task::Poll<Option<Result<hyper::body::Frame<Self::Data>, Self::Error>>> {
            self.0 = self.0.saturating_sub(1);
            let frame = hyper::body::Frame::data(axum::body::Bytes::from_static(&[b' '; 100]));
            std::task::Poll::Ready((self.0 > 0).then_some(Ok(frame)))
        }
    }
    Body::new(Chunks(chunks))
}

#[tokio::test]
async fn a_body_that_never_comes_is_given_up() {
    struct Never;
    impl axum::body::HttpBody for Never {
        type Data = axum::body::Bytes;
        type Error = std::convert::Infallible;
        fn poll_frame(
            self: std::pin::Pin<&mut Self>,
            _: &mut std::task::Context<'_>,
        ) -> std::task::Poll<Option<Result<hyper::body::Frame<Self::Data>, Self::Error>>> {
            std::task::Poll::Pending
        }
    }
    let daemon = Daemon::with(Limits { body_seconds: 0, ..Limits::default() });
    let request = daemon.request("POST", "/v1/score").body(Body::new(Never)).unwrap();
    daemon.send(request).await.is_error(408, "slow_body");
}

#[tokio::test]
async fn says_that_the_model_is_loading() {
    let daemon = Daemon::loading(Limits::default());
    let answer = daemon.score(json!({"text": "a"})).await;
    answer.is_error(503, "loading");
    assert!(answer.header("retry-after").is_some());
    assert_eq!(daemon.get("/v1/health").await.json()["status"], "loading");
    assert_eq!(daemon.get("/v1/models").await.json(), json!({"models": []}));
    daemon.app.load(Arc::clone(&daemon.words), None).unwrap();
    assert_eq!(daemon.get("/v1/health").await.json()["status"], "ok");
}

#[tokio::test]
async fn only_static_files_and_a_bare_health_need_no_token() {
    let daemon = Daemon::new();
    for (method, path) in [
        ("POST", "/v1/score"),
        ("GET", "/v1/models"),
        ("GET", "/metrics"),
        ("GET", "/openapi.json"),
        ("POST", "/v1/links"),
    ] {
        let answer = daemon.send(empty(bare(method, path))).await;
        answer.is_error(401, "no_token");
        assert_eq!(answer.header("www-authenticate"), Some("Bearer realm=\"bonafide\""));
        let wrong = daemon.send(empty(bare(method, path).header("x-api-key", "bft_00"))).await;
        wrong.is_error(401, "wrong_token");
    }
    for path in ["/", "/sign", "/pair", "/app.js", "/style.css", "/docs", "/docs.css"] {
        assert_eq!(daemon.send(empty(bare("GET", path))).await.status, 200, "{path}");
    }
    let health = daemon.send(empty(bare("GET", "/v1/health"))).await;
    assert_eq!(health.json(), json!({"status": "ok"}));
    assert_eq!(daemon.get("/v1/health").await.json()["model"]["name"], "words");
    daemon
        .send(empty(bare("GET", "/v1/health").header("x-api-key", "no")))
        .await
        .is_error(401, "wrong_token");
}

#[tokio::test]
async fn takes_a_token_in_either_header() {
    let daemon = Daemon::new();
    let bearer = |value: String| empty(bare("GET", "/v1/models").header(header::AUTHORIZATION, value));
    assert_eq!(daemon.send(bearer(format!("Bearer {}", daemon.token))).await.status, 200);
    assert_eq!(daemon.send(bearer(format!("bearer {}", daemon.token))).await.status, 200);
    daemon.send(bearer(format!("Basic {}", daemon.token))).await.is_error(401, "no_token");
    daemon.send(bearer(daemon.token.clone())).await.is_error(401, "no_token");
    daemon.send(bearer("Bearer ".to_owned())).await.is_error(401, "wrong_token");
}

#[tokio::test]
async fn tokens_open_only_their_scopes_until_revoked() {
    let daemon = Daemon::new();
    let secret = daemon.app.tokens.add("prometheus", &[Scope::Metrics]).unwrap();
    let get = |path: &str| empty(bare("GET", path).header("x-api-key", &secret));
    let metrics = daemon.send(get("/metrics")).await;
    assert_eq!(metrics.status, 200);
    assert!(metrics.text.contains("bonafide_model_ready 1"), "{}", metrics.text);
    daemon.send(get("/v1/models")).await.is_error(403, "missing_scope");
    daemon.app.tokens.revoke("prometheus").unwrap();
    daemon.send(get("/metrics")).await.is_error(401, "wrong_token");
}

#[tokio::test]
async fn a_link_opens_the_page_once() {
    let daemon = Daemon::new();
    let link = daemon.post("/v1/links", "{}").await.json();
    let path = link["url"].as_str().unwrap().strip_prefix("http://127.0.0.1:8017").unwrap().to_owned();
    let code = path.strip_prefix("/?k=").unwrap().to_owned();
    for _ in 0..3 {
        assert_eq!(daemon.send(empty(bare("GET", &path))).await.status, 200, "a GET uses nothing up");
    }
    let exchange = || {
        let request = bare("POST", "/v1/session").header(header::CONTENT_TYPE, "application/json");
        request.body(Body::from(json!({"code": code}).to_string())).unwrap()
    };
    let token = daemon.send(exchange()).await.json()["token"].as_str().unwrap().to_owned();
    daemon.send(exchange()).await.is_error(401, "wrong_code");
    let with =
        |method, path| empty(bare(method, path).header(header::AUTHORIZATION, format!("Bearer {token}")));
    assert_eq!(daemon.send(with("GET", "/v1/models")).await.status, 200);
    daemon.send(with("GET", "/metrics")).await.is_error(403, "missing_scope");
    daemon.send(with("POST", "/v1/links")).await.is_error(403, "missing_scope");
}

#[tokio::test]
async fn wrong_addresses_and_methods_have_the_one_shape() {
    let daemon = Daemon::new();
    daemon.get("/v1/nothing").await.is_error(404, "not_found");
    for (method, path, allow) in
        [("GET", "/v1/score", "POST"), ("POST", "/v1/models", "GET,HEAD"), ("PUT", "/", "GET,HEAD")]
    {
        let answer = daemon.send(empty(daemon.request(method, path))).await;
        answer.is_error(405, "method_not_allowed");
        assert_eq!(answer.header("allow"), Some(allow));
    }
    let odd = Request::builder().method(Method::from_bytes(b"BREW").unwrap()).uri("/v1/score");
    daemon.send(empty(odd.header(header::HOST, HOST))).await.is_error(405, "method_not_allowed");
}

#[tokio::test]
async fn a_repeated_text_is_scored_once_and_keeps_its_own_id() {
    let daemon = Daemon::new();
    let of = |id: &str| json!({"blocks": [{"id": id, "text": "the same words"}]});
    daemon.score(of("first")).await;
    let second = daemon.score(of("second")).await.json();
    assert_eq!(second["blocks"][0]["id"], "second");
    assert_eq!(daemon.passes(), [1]);
    daemon.score(json!({"text": "the same words", "tokens": true})).await;
    assert_eq!(daemon.passes(), [1, 1], "with tokens it is another report");
}

#[tokio::test]
async fn callers_at_once_share_a_pass() {
    let daemon = Daemon::new();
    let gate = daemon.words.gate.lock().unwrap();
    let one = daemon.score(json!({"text": "first"}));
    let others = async {
        // The first pass is in the scorer's hands, and the queue's state says what waits behind it.
        let waiting = || daemon.app.metrics.queue.waiting_callers.get();
        while daemon.passes().is_empty() {
            tokio::task::yield_now().await;
        }
        let all = tokio::join!(
            daemon.score(json!({"text": "second"})),
            daemon.score(json!({"text": "third"})),
            async {
                while waiting() < 3 {
                    tokio::task::yield_now().await;
                }
                drop(gate);
            }
        );
        (all.0, all.1)
    };
    let (first, (second, third)) = tokio::join!(one, others);
    assert_eq!([first.status, second.status, third.status], [200; 3]);
    assert_eq!(daemon.passes(), [1, 2]);
}

#[tokio::test]
async fn overload_is_answered_with_429_and_a_time() {
    let daemon = Daemon::with(Limits { waiting_requests: 1, ..Limits::default() });
    let gate = daemon.words.gate.lock().unwrap();
    let refused = async {
        while daemon.passes().is_empty() {
            tokio::task::yield_now().await;
        }
        let refused = daemon.score(json!({"text": "second"})).await;
        drop(gate);
        refused
    };
    let (first, refused) = tokio::join!(daemon.score(json!({"text": "first"})), refused);
    assert_eq!(first.status, 200);
    refused.is_error(429, "overloaded");
    assert!(refused.header("retry-after").unwrap().parse::<u64>().unwrap() >= 1);
}

#[tokio::test]
async fn describes_itself() {
    let daemon = Daemon::new();
    let api = daemon.get("/openapi.json").await.json();
    for path in ["/v1/score", "/v1/health", "/v1/models", "/v1/session", "/v1/links", "/metrics"] {
        assert!(api["paths"].get(path).is_some(), "{path}");
    }
    for path in ["/v1/pair", "/v1/pair/state", "/v1/pair/end", "/v1/status", "/v1/facts", "/v1/sign/{id}"] {
        assert!(api["paths"][path]["post"].is_object(), "{path}");
    }
    assert_eq!(api["paths"]["/v1/pair"]["post"]["security"], json!([{}]));
    assert!(api["components"]["schemas"]["BlockInput"]["properties"]["part"].is_object());
    let text = api.to_string();
    let schemas = api["components"]["schemas"].as_object().unwrap();
    for part in text.split("#/components/schemas/").skip(1) {
        let name = part.split('"').next().unwrap();
        assert!(schemas.contains_key(name), "{name} is used and not described");
    }
    let page = daemon.get("/docs").await.text;
    assert!(page.contains("POST /v1/score") && page.contains("id=\"BlockReport\""));
    assert!(!page.contains("<script") && !page.contains("style="));
}
