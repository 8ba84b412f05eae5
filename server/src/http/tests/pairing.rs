//! `/v1/pair`, what tokens of extensions open and from where, and the routes that are there for extensions.

use super::*;
use crate::access::{ExtensionOrigin, PAIRING_LIFE};
use std::time::Duration;

const ORIGIN: &str = "http://127.0.0.1:8017";
const STRANGER: &str = "chrome-extension://ponmlkjihgfedcbaponmlkjihgfedcba";
const FIREFOX: &str = "moz-extension://01234567-89ab-cdef-0123-456789abcdef";

/// What an extension's worker sends.
async fn worker(daemon: &Daemon, origin: &str, path: &str, token: Option<&str>, body: Value) -> Answer {
    let mut request = bare("POST", path)
        .header(header::ORIGIN, origin)
        .header("sec-fetch-site", if origin == FIREFOX { "cross-site" } else { "none" })
        .header(header::CONTENT_TYPE, "application/json");
    if let Some(token) = token {
        request = request.header(header::AUTHORIZATION, format!("Bearer {token}"));
    }
    daemon.send(request.body(Body::from(body.to_string())).unwrap()).await
}

async fn page(daemon: &Daemon, method: &str, path: &str, body: Value) -> Answer {
    let token = daemon.app.sessions.make(Instant::now()).unwrap();
    let mut request = bare(method, path)
        .header(header::AUTHORIZATION, format!("Bearer {token}"))
        .header(header::CONTENT_TYPE, "application/json")
        .header("sec-fetch-site", "same-origin");
    if method != "GET" {
        request = request.header(header::ORIGIN, ORIGIN);
    }
    daemon.send(request.body(Body::from(body.to_string())).unwrap()).await
}

async fn ask(daemon: &Daemon, origin: &str) -> Value {
    let answer = worker(daemon, origin, "/v1/pair", None, json!({})).await;
    assert_eq!(answer.status, 202, "{}", answer.text);
    assert_eq!(answer.header("access-control-allow-origin"), Some(origin));
    answer.json()
}

/// The token of an extension that was paired.
fn paired(daemon: &Daemon, origin: &str) -> String {
    daemon.app.tokens.add_for(&ExtensionOrigin::parse(origin).unwrap()).unwrap().1
}

#[tokio::test]
async fn an_extension_gets_its_token_after_the_users_word() {
    for origin in [STRANGER, FIREFOX] {
        let daemon = Daemon::new();
        let asked = ask(&daemon, origin).await;
        assert_eq!(
            (&asked["confirm_url"], &asked["expires_in"]),
            (&json!("http://127.0.0.1:8017/pair"), &json!(300))
        );
        let state = || worker(&daemon, origin, "/v1/pair/state", None, json!({"request": asked["request"]}));
        assert_eq!(state().await.json(), json!({"state": "waiting"}));

        let listed = page(&daemon, "GET", "/v1/pair", Value::Null).await;
        assert!(
            !listed.text.contains(asked["request"].as_str().unwrap()),
            "the secret stays with the extension"
        );
        let one = listed.json()["requests"][0].clone();
        assert_eq!((&one["code"], &one["origin"]), (&asked["code"], &json!(origin)));
        assert_eq!(one["browser"], if origin == FIREFOX { "firefox" } else { "chromium" });
        assert!(origin.ends_with(one["extension"].as_str().unwrap()));

        let confirm = || page(&daemon, "POST", "/v1/pair/confirm", json!({"id": one["id"]}));
        assert_eq!(confirm().await.json(), json!({"state": "confirmed"}));
        confirm().await.is_error(409, "pairing_over");
        assert!(daemon.app.tokens.list().unwrap().len() == 1, "what nobody fetches is never made");
        let given = state().await.json();
        assert_eq!(
            (&given["state"], state().await.json()),
            (&json!("confirmed"), json!({"state": "confirmed"}))
        );
        let token = given["token"].as_str().unwrap();
        let status = worker(&daemon, origin, "/v1/status", Some(token), json!({})).await;
        assert_eq!(status.status, 200, "{}", status.text);
        assert_eq!(status.header("access-control-allow-origin"), Some(origin));
        let named = daemon.app.tokens.authenticate(token).unwrap().unwrap();
        assert_eq!((json!(named.name), named.origin.as_deref()), (given["name"].clone(), Some(origin)));
    }
}

#[tokio::test]
async fn only_extensions_ask_and_only_who_asked_gets() {
    let daemon = Daemon::new();
    for origin in ["http://evil.example", "null", "chrome-extension://short", "https://127.0.0.1:8017"] {
        worker(&daemon, origin, "/v1/pair", None, json!({})).await.is_error(403, "wrong_origin");
    }
    worker(&daemon, ORIGIN, "/v1/pair", None, json!({})).await.is_error(403, "wrong_origin");
    daemon.post("/v1/pair", "{}").await.is_error(403, "wrong_origin");
    let asked = ask(&daemon, STRANGER).await;
    let body = json!({"request": asked["request"]});
    let id = daemon.get("/v1/pair").await.json()["requests"][0]["id"].clone();
    let confirmed = daemon.post("/v1/pair/confirm", json!({"id": id}).to_string()).await;
    assert_eq!(confirmed.json(), json!({"state": "confirmed"}), "who may make links may say yes");
    let state = |origin: &'static str| worker(&daemon, origin, "/v1/pair/state", None, body.clone());
    assert_eq!(state(FIREFOX).await.json(), json!({"state": "expired"}));
    daemon.post("/v1/pair/state", body.to_string()).await.is_error(403, "wrong_origin");
    assert!(state(STRANGER).await.json()["token"].is_string());
}

#[tokio::test]
async fn nobody_but_the_page_and_an_admin_lets_in() {
    let daemon = Daemon::new();
    ask(&daemon, STRANGER).await;
    let extension = paired(&daemon, FIREFOX);
    let program = daemon.app.tokens.add("program", &[Scope::Score, Scope::Sign]).unwrap();
    for path in ["/v1/pair/confirm", "/v1/pair/refuse"] {
        let body = json!({"id": "0"});
        worker(&daemon, FIREFOX, path, Some(&extension), body.clone()).await.is_error(403, "page_only");
        worker(&daemon, STRANGER, path, None, body.clone()).await.is_error(403, "unpaired_extension");
        let request =
            bare("POST", path).header("x-api-key", &program).header(header::CONTENT_TYPE, "application/json");
        daemon.send(request.body(Body::from(body.to_string())).unwrap()).await.is_error(403, "page_only");
        daemon.send(empty(bare("POST", path))).await.is_error(401, "no_token");
        // A page's token without a browser that says so.
        let session = daemon.app.sessions.make(Instant::now()).unwrap();
        let request =
            bare("POST", path).header("x-api-key", session).header(header::CONTENT_TYPE, "application/json");
        daemon.send(request.body(Body::from(body.to_string())).unwrap()).await.is_error(403, "page_only");
    }
    daemon
        .send(empty(bare("GET", "/v1/pair").header("x-api-key", &program)))
        .await
        .is_error(403, "page_only");
    assert_eq!(daemon.get("/v1/pair").await.json()["requests"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn an_extension_that_is_not_paired_can_only_ask() {
    let daemon = Daemon::new();
    for path in ["/v1/score", "/v1/status", "/v1/pair/end", "/v1/session", "/v1/pair/", "/v1/nothing", "/"] {
        // Not even with a good token.
        let answer = worker(&daemon, STRANGER, path, Some(&daemon.token), json!({"text": "a"})).await;
        answer.is_error(403, "unpaired_extension");
        assert!(answer.json()["error"]["hint"].as_str().unwrap().contains("pair"));
        assert_eq!(answer.header("access-control-allow-origin"), None);
    }
    let send = |method: &str, path: &str| {
        let request = bare(method, path).header(header::ORIGIN, STRANGER);
        empty(request.header("access-control-request-method", "POST"))
    };
    assert_eq!(daemon.send(send("OPTIONS", "/v1/pair")).await.status, 204);
    daemon.send(send("OPTIONS", "/v1/score")).await.is_error(403, "unpaired_extension");
    daemon.send(send("GET", "/v1/pair")).await.is_error(403, "unpaired_extension");
    paired(&daemon, STRANGER);
    let answer = daemon.send(send("OPTIONS", "/v1/score")).await;
    assert_eq!((answer.status, answer.header("access-control-allow-origin")), (204, Some(STRANGER)));
}

#[tokio::test]
async fn a_token_and_its_origin_go_together() {
    let daemon = Daemon::new();
    let (own, other) = (paired(&daemon, STRANGER), paired(&daemon, FIREFOX));
    let score = |origin: &'static str, token: &str| {
        let token = token.to_owned();
        let daemon = &daemon;
        async move { worker(daemon, origin, "/v1/score", Some(&token), json!({"text": "a b"})).await }
    };
    assert_eq!(score(STRANGER, &own).await.status, 200);
    score(STRANGER, &other).await.is_error(403, "foreign_token");
    score(STRANGER, &daemon.token).await.is_error(403, "foreign_token");
    score(EXTENSION, &own).await.is_error(403, "foreign_token");
    assert_eq!(score(EXTENSION, &daemon.token).await.status, 200, "it is listed");
    let session = daemon.app.sessions.make(Instant::now()).unwrap();
    score(STRANGER, &session).await.is_error(403, "foreign_token");
    score(ORIGIN, &own).await.is_error(403, "foreign_token");
    worker(&daemon, STRANGER, "/v1/score", None, json!({"text": "a"})).await.is_error(401, "no_token");
    // What carries no origin: a program, and the GET of a worker.
    let request =
        bare("POST", "/v1/score").header("x-api-key", &own).header(header::CONTENT_TYPE, "application/json");
    daemon.send(request.body(Body::from("{\"text\":\"a\"}")).unwrap()).await.is_error(403, "foreign_token");
    for path in ["/v1/models", "/v1/health", "/v1/keys"] {
        let get = bare("GET", path).header("x-api-key", &own).header("sec-fetch-site", "none");
        daemon.send(empty(get)).await.is_error(403, "foreign_token");
    }
    worker(&daemon, STRANGER, "/v1/links", Some(&own), json!({})).await.is_error(403, "missing_scope");
}

#[tokio::test]
async fn either_side_ends_it() {
    let daemon = Daemon::new();
    let (own, second) = (paired(&daemon, STRANGER), paired(&daemon, STRANGER));
    let end = |token: String| {
        let daemon = &daemon;
        async move { worker(daemon, STRANGER, "/v1/pair/end", Some(&token), json!({})).await }
    };
    assert_eq!(end(own.clone()).await.json(), json!({"ended": "extension-ponmlkji"}));
    end(own).await.is_error(401, "wrong_token");
    let status = || worker(&daemon, STRANGER, "/v1/status", Some(&second), json!({}));
    assert_eq!(status().await.status, 200, "another profile's token goes on");
    daemon.app.tokens.revoke("extension-ponmlkji-2").unwrap();
    status().await.is_error(403, "unpaired_extension");
    daemon.post("/v1/pair/end", "{}").await.is_error(403, "not_paired");
    assert_eq!(daemon.get("/v1/models").await.status, 200, "a program's token is not ended by mistake");
}

#[tokio::test]
async fn requests_are_few_and_end() {
    let daemon = Daemon::new();
    let first = ask(&daemon, STRANGER).await;
    for _ in 0..4 {
        ask(&daemon, STRANGER).await;
    }
    let state = worker(&daemon, STRANGER, "/v1/pair/state", None, json!({"request": first["request"]})).await;
    assert_eq!(state.json(), json!({"state": "expired"}), "it was replaced");
    let flood = worker(&daemon, STRANGER, "/v1/pair", None, json!({})).await;
    flood.is_error(429, "too_many_pairings");
    assert!(flood.header("retry-after").unwrap().parse::<u64>().unwrap() > 200);
    assert_eq!(daemon.get("/v1/pair").await.json()["requests"].as_array().unwrap().len(), 1);
    ask(&daemon, FIREFOX).await;
    let late = Instant::now() + PAIRING_LIFE + Duration::from_secs(1);
    assert!(daemon.app.pairings.list(late).is_empty());
    page(&daemon, "POST", "/v1/pair/confirm", json!({"id": ""})).await.is_error(409, "pairing_over");
    worker(&daemon, FIREFOX, "/v1/pair", None, json!({"name": "a"})).await.is_error(422, "wrong_shape");
}

#[tokio::test]
async fn a_refusal_is_told() {
    let daemon = Daemon::new();
    let asked = ask(&daemon, STRANGER).await;
    let id = daemon.get("/v1/pair").await.json()["requests"][0]["id"].clone();
    let refused = page(&daemon, "POST", "/v1/pair/refuse", json!({"id": id})).await;
    assert_eq!(refused.json(), json!({"state": "refused"}));
    let body = json!({"request": asked["request"]});
    let state = worker(&daemon, STRANGER, "/v1/pair/state", None, body).await;
    assert_eq!(state.json(), json!({"state": "refused"}));
    worker(&daemon, STRANGER, "/v1/status", None, json!({})).await.is_error(403, "unpaired_extension");
}

#[tokio::test]
async fn a_daemon_says_how_it_is_by_post() {
    let daemon = Daemon::loading(Limits::default());
    let status = daemon.post("/v1/status", "{}").await.json();
    assert_eq!(
        (&status["status"], &status["api"], &status["model"]),
        (&json!("loading"), &json!(API), &Value::Null)
    );
    daemon.app.load(Arc::clone(&daemon.words), None).unwrap();
    let status = daemon.post("/v1/status", "{}").await.json();
    assert_eq!((&status["status"], &status["model"]["name"]), (&json!("ok"), &json!("words")));
    assert_eq!(
        (&status["version"], &status["calibration"]),
        (&json!(env!("CARGO_PKG_VERSION")), &Value::Null)
    );
    daemon.send(empty(bare("POST", "/v1/status"))).await.is_error(401, "no_token");
}

#[tokio::test]
async fn parts_and_wholes_are_different_reports() {
    let daemon = Daemon::new();
    let of = |part: Value| json!({"blocks": [{"id": "a", "text": "the same words", "part": part}]});
    for (part, passes) in [(json!(false), 1), (json!(true), 2), (json!(true), 2), (json!(false), 2)] {
        assert_eq!(daemon.score(of(part)).await.status, 200);
        assert_eq!(daemon.passes().len(), passes);
    }
    daemon.score(of(json!("yes"))).await.is_error(422, "wrong_shape");
}
