//! How a browser extension gets in, and what it can do then: the real daemon, asked as an extension's worker asks.

use bonafide_tests::{Answer, Daemon, Setup, bonafide};
use serde_json::{Value, json};

const ORIGIN: &str = "chrome-extension://abcdefghijklmnopabcdefghijklmnop";
const FIREFOX: &str = "moz-extension://01234567-89ab-cdef-0123-456789abcdef";
const JSON: (&str, &str) = ("content-type", "application/json");

/// What an extension's worker sends: by POST, with the origin that the browser writes.
fn worker(daemon: &Daemon, origin: &str, path: &str, token: Option<&str>, body: &Value) -> Answer {
    let bearer = token.map(|token| format!("Bearer {token}"));
    let mut headers = vec![JSON, ("origin", origin), ("sec-fetch-site", "cross-site")];
    headers.extend(bearer.as_deref().map(|bearer| ("authorization", bearer)));
    daemon.send("POST", path, &headers, body.to_string().as_bytes())
}

/// What the daemon's own page sends, once its link has let it in.
fn page(daemon: &Daemon) -> impl Fn(&str, &str, &Value) -> Answer {
    let code = daemon.link.split_once("/?k=").unwrap().1.to_owned();
    let session = daemon.send("POST", "/v1/session", &[JSON], json!({"code": code}).to_string().as_bytes());
    let bearer = format!("Bearer {}", session.json()["token"].as_str().unwrap());
    let own = format!("http://{}", daemon.address);
    move |method, path, body| {
        let mut headers = vec![JSON, ("authorization", bearer.as_str()), ("sec-fetch-site", "same-origin")];
        if method == "POST" {
            headers.push(("origin", &own));
        }
        daemon.send(method, path, &headers, body.to_string().as_bytes())
    }
}

fn cli(daemon: &Daemon, arguments: &[&str]) -> String {
    let output = bonafide().args(arguments).env("BONAFIDE_HOME", daemon.home.path()).output().unwrap();
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

/// An extension that was let in with the command line.
fn paired(daemon: &Daemon, origin: &str) -> String {
    let asked = worker(daemon, origin, "/v1/pair", None, &json!({})).json();
    let said = cli(daemon, &["pair", "--listen", &daemon.address, "--yes", asked["code"].as_str().unwrap()]);
    assert!(said.contains("is let in"), "{said}");
    let state = worker(daemon, origin, "/v1/pair/state", None, &json!({"request": asked["request"]})).json();
    state["token"].as_str().unwrap().to_owned()
}

#[test]
fn the_user_compares_the_code_on_the_page_and_the_extension_gets_its_token_once() {
    let Some(daemon) = Daemon::start(&Setup::default()) else { return };
    let page = page(&daemon);
    let asked = worker(&daemon, ORIGIN, "/v1/pair", None, &json!({}));
    assert_eq!((asked.status, asked.header("access-control-allow-origin")), (202, Some(ORIGIN)));
    let asked = asked.json();
    assert_eq!(asked["confirm_url"], format!("http://{}/pair", daemon.address));
    assert_eq!(daemon.send("GET", "/pair", &[], b"").status, 200);
    let state = || worker(&daemon, ORIGIN, "/v1/pair/state", None, &json!({"request": asked["request"]}));
    assert_eq!(state().json(), json!({"state": "waiting"}));

    let listed = page("GET", "/v1/pair", &Value::Null);
    let one = &listed.json()["requests"][0];
    assert_eq!(
        (&one["code"], &one["extension"]),
        (&asked["code"], &json!("abcdefghijklmnopabcdefghijklmnop"))
    );
    assert!(!listed.text.contains(asked["request"].as_str().unwrap()));
    assert_eq!(
        page("POST", "/v1/pair/confirm", &json!({"id": one["id"]})).json(),
        json!({"state": "confirmed"})
    );
    let given = state().json();
    let token = given["token"].as_str().unwrap();
    assert_eq!(state().json(), json!({"state": "confirmed"}), "once");

    let status = worker(&daemon, ORIGIN, "/v1/status", Some(token), &json!({})).json();
    assert_eq!((&status["status"], &status["api"]), (&json!("ok"), &json!(1)));
    assert_eq!(status["model"]["architecture"], "llama");
    let line = format!("extension-abcdefgh\tscore,sign,fetch\t{ORIGIN}");
    assert!(cli(&daemon, &["token", "list"]).lines().any(|listed| listed == line));
    let kept = std::fs::read_to_string(daemon.config("tokens.json")).unwrap();
    for secret in [token, asked["request"].as_str().unwrap()] {
        assert!(!kept.contains(secret) && !daemon.log().contains(secret));
    }
}

#[test]
fn nobody_else_can_ask_be_given_or_say_yes() {
    let Some(daemon) = Daemon::start(&Setup::default()) else { return };
    for origin in ["https://evil.example", "null", "chrome-extension://abc", "moz-extension://a/b"] {
        let refused = worker(&daemon, origin, "/v1/pair", None, &json!({}));
        assert_eq!((refused.status, refused.code().as_deref()), (403, Some("wrong_origin")), "{origin}");
        assert_eq!(refused.header("access-control-allow-origin"), None);
    }
    assert_eq!(daemon.post("/v1/pair", b"{}").code().as_deref(), Some("wrong_origin"));
    let asked = worker(&daemon, ORIGIN, "/v1/pair", None, &json!({})).json();
    let id = daemon.get("/v1/pair").json()["requests"][0]["id"].clone();
    let body = json!({"id": id});
    let other = paired(&daemon, FIREFOX);
    let confirm = |token: Option<&str>| worker(&daemon, FIREFOX, "/v1/pair/confirm", token, &body).code();
    assert_eq!(confirm(None).as_deref(), Some("no_token"));
    assert_eq!(confirm(Some(&other)).as_deref(), Some("page_only"), "another extension");
    let program = cli(&daemon, &["token", "add", "script"]);
    let header = [JSON, ("x-api-key", program.as_str())];
    let by_program = daemon.send("POST", "/v1/pair/confirm", &header, body.to_string().as_bytes());
    assert_eq!(by_program.code().as_deref(), Some("page_only"));
    let request = json!({"request": asked["request"]});
    assert_eq!(worker(&daemon, ORIGIN, "/v1/pair/state", None, &request).json()["state"], "waiting");

    cli(&daemon, &["pair", "--listen", &daemon.address, "--yes", asked["code"].as_str().unwrap()]);
    assert_eq!(
        worker(&daemon, FIREFOX, "/v1/pair/state", None, &request).json(),
        json!({"state": "expired"})
    );
    let guess = json!({"request": format!("bfp_{}", "0".repeat(64))});
    assert_eq!(worker(&daemon, ORIGIN, "/v1/pair/state", None, &guess).json(), json!({"state": "expired"}));
    assert!(worker(&daemon, ORIGIN, "/v1/pair/state", None, &request).json()["token"].is_string());
}

#[test]
fn a_token_works_in_its_extension_only() {
    let Some(daemon) = Daemon::start(&Setup::default()) else { return };
    let score =
        |origin: &str, token: &str| worker(&daemon, origin, "/v1/score", Some(token), &json!({"text": "a"}));
    let stranger = score(ORIGIN, &daemon.token);
    assert_eq!((stranger.status, stranger.code().as_deref()), (403, Some("unpaired_extension")));
    let (own, other) = (paired(&daemon, ORIGIN), paired(&daemon, FIREFOX));
    assert_eq!(score(ORIGIN, &own).status, 200);
    assert_eq!(score(FIREFOX, &other).status, 200);
    for (origin, token) in [(ORIGIN, &other), (FIREFOX, &own), (ORIGIN, &daemon.token)] {
        assert_eq!(score(origin, token).code().as_deref(), Some("foreign_token"));
    }
    let bearer = format!("Bearer {own}");
    let bare = [JSON, ("authorization", bearer.as_str())];
    let program = daemon.send("POST", "/v1/score", &bare, b"{\"text\":\"a\"}");
    assert_eq!((program.status, program.code().as_deref()), (403, Some("foreign_token")));
    // A page can't send it either, and a worker's GET has no origin.
    let site = [JSON, ("authorization", bearer.as_str()), ("origin", "https://evil.example")];
    assert_eq!(
        daemon.send("POST", "/v1/score", &site, b"{\"text\":\"a\"}").code().as_deref(),
        Some("wrong_origin")
    );
    let get = [("authorization", bearer.as_str()), ("sec-fetch-site", "none")];
    assert_eq!(daemon.send("GET", "/v1/models", &get, b"").code().as_deref(), Some("foreign_token"));
    for path in ["/v1/links", "/v1/pair/confirm"] {
        assert_eq!(worker(&daemon, ORIGIN, path, Some(&own), &json!({})).status, 403, "{path}");
    }
}

#[test]
fn either_side_ends_it() {
    let Some(daemon) = Daemon::start(&Setup::default()) else { return };
    let (first, second) = (paired(&daemon, ORIGIN), paired(&daemon, ORIGIN));
    let status = |token: &str| worker(&daemon, ORIGIN, "/v1/status", Some(token), &json!({}));
    let ended = worker(&daemon, ORIGIN, "/v1/pair/end", Some(&first), &json!({}));
    assert_eq!(ended.json(), json!({"ended": "extension-abcdefgh"}));
    assert_eq!(status(&first).code().as_deref(), Some("wrong_token"));
    assert_eq!(status(&second).status, 200, "only this one");
    cli(&daemon, &["token", "revoke", "extension-abcdefgh-2"]);
    assert_eq!(status(&second).code().as_deref(), Some("unpaired_extension"));
    assert_eq!(daemon.post("/v1/pair/end", b"{}").code().as_deref(), Some("not_paired"));
}

#[test]
fn requests_are_replaced_refused_and_few() {
    let Some(daemon) = Daemon::start(&Setup::default()) else { return };
    let ask = || worker(&daemon, ORIGIN, "/v1/pair", None, &json!({}));
    let state = |asked: &Value| {
        worker(&daemon, ORIGIN, "/v1/pair/state", None, &json!({"request": asked["request"]})).json()
    };
    let (first, second) = (ask().json(), ask().json());
    assert_eq!(state(&first), json!({"state": "expired"}));
    assert_eq!(state(&second), json!({"state": "waiting"}));
    let listed: Value =
        serde_json::from_str(&cli(&daemon, &["pair", "--json", "--listen", &daemon.address])).unwrap();
    let requests = listed["requests"].as_array().unwrap();
    assert_eq!((requests.len(), &requests[0]["code"]), (1, &second["code"]));
    let id = json!({"id": requests[0]["id"]});
    assert_eq!(page(&daemon)("POST", "/v1/pair/refuse", &id).json(), json!({"state": "refused"}));
    assert_eq!(state(&second), json!({"state": "refused"}));
    let late = daemon.post("/v1/pair/confirm", id.to_string().as_bytes());
    assert_eq!((late.status, late.code().as_deref()), (409, Some("pairing_over")));
    for _ in 0..3 {
        assert_eq!(ask().status, 202);
    }
    let flood = ask();
    assert_eq!((flood.status, flood.code().as_deref()), (429, Some("too_many_pairings")));
    assert!(flood.header("retry-after").is_some());
    assert_eq!(worker(&daemon, FIREFOX, "/v1/pair", None, &json!({})).status, 202, "others may ask");
    let unseen = bonafide()
        .args(["pair", "--yes", "x", "--listen", &daemon.address])
        .env("BONAFIDE_HOME", daemon.home.path())
        .output()
        .unwrap();
    assert_eq!(unseen.status.code(), Some(1));
}

#[test]
fn an_extension_asks_for_a_signature_and_what_is_known_of_keys() {
    let Some(daemon) = Daemon::start(&Setup::default()) else { return };
    let made = bonafide()
        .args(["key", "new", "--author", "Ada", "--default"])
        .env("BONAFIDE_HOME", daemon.home.path())
        .env("BONAFIDE_PASSPHRASE", "correct horse battery")
        .env_remove("SSH_AUTH_SOCK")
        .output()
        .unwrap();
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    let token = paired(&daemon, ORIGIN);
    let call = |path: &str, body: Value| worker(&daemon, ORIGIN, path, Some(&token), &body);

    let asked = call("/v1/sign", json!({"text": "My own words.", "form": "line"}));
    assert_eq!(asked.status, 202, "{}", asked.text);
    let id = asked.json()["id"].as_str().unwrap().to_owned();
    assert_eq!(call(&format!("/v1/sign/{id}"), json!({})).json(), json!({"state": "waiting"}));
    let waiting = page(&daemon)("GET", "/v1/sign", &Value::Null).json();
    assert_eq!(waiting["requests"][0]["from"], "extension-abcdefgh");

    let own = daemon.get("/v1/keys").json()["own"][0].clone();
    let stranger = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAINdamAGCsQq31Uv+08lkBzoO4XLz2qYjJa8CGmj3B1Ea";
    let trusted = cli(&daemon, &["key", "trust", "Bob", stranger]);
    assert!(!trusted.contains("error"), "{trusted}");
    let keys = json!([{"public_key": own["public_key"]}, {"public_key": stranger}]);
    let facts = call("/v1/facts", json!({"keys": keys})).json()["facts"].clone();
    assert_eq!((&facts[0]["facts"]["own"], &facts[0]["facts"]["contact"]), (&json!(true), &own["name"]));
    assert_eq!((&facts[1]["facts"]["own"], &facts[1]["facts"]["contact"]), (&json!(false), &json!("Bob")));
    assert_eq!(facts[1]["facts"]["publication"], "not_asked");
    assert_eq!(facts[1]["public_key"], stranger);
    // A name of this machine is no site that is asked.
    let local = json!([{"public_key": stranger, "identity": "https://localhost"}]);
    let facts = call("/v1/facts", json!({"keys": local})).json()["facts"].clone();
    assert!(facts[0]["facts"]["publication"]["unreachable"].is_string(), "{facts}");
}

#[test]
fn a_label_at_the_edge_of_a_part_declares_nothing() {
    let Some(daemon) = super::shared() else { return };
    let text = format!("(This text was generated by AI)\n\n{}", super::words(60, 8));
    let verdict = |part: bool| {
        let block = json!({"id": "a", "text": text, "part": part});
        daemon.score(&json!({"blocks": [block]})).json()["blocks"][0]["verdict"].clone()
    };
    assert_eq!(verdict(false), "declared_ai");
    assert_ne!(verdict(true), "declared_ai");
    assert_eq!(verdict(false), "declared_ai", "neither is kept for the other");
}
