//! Who gets in.

use super::shared;
use bonafide_tests::{Daemon, Setup, bonafide, raw};
use serde_json::json;
use std::process::Output;

const BODY: &[u8] = b"{\"text\":\"a\"}";
const JSON: (&str, &str) = ("content-type", "application/json");

fn serve_fails(arguments: &[&str]) -> String {
    let home = tempfile::tempdir().unwrap();
    let Output { status, stderr, .. } =
        bonafide().arg("serve").args(arguments).env("BONAFIDE_HOME", home.path()).output().unwrap();
    assert_eq!(status.code(), Some(1));
    String::from_utf8(stderr).unwrap()
}

#[test]
fn everything_but_health_and_the_page_needs_a_token() {
    let Some(daemon) = shared() else { return };
    for (method, path) in
        [("POST", "/v1/score"), ("GET", "/v1/models"), ("GET", "/metrics"), ("GET", "/openapi.json")]
    {
        let none = daemon.send(method, path, &[JSON], BODY);
        assert_eq!((none.status, none.code().as_deref()), (401, Some("no_token")), "{path}");
        let wrong = daemon.send(method, path, &[JSON, ("authorization", "Bearer bft_no")], BODY);
        assert_eq!((wrong.status, wrong.code().as_deref()), (401, Some("wrong_token")), "{path}");
    }
    assert_eq!(daemon.send("GET", "/v1/health", &[], b"").json(), json!({"status": "ok"}));
    let page = daemon.send("GET", "/", &[], b"");
    assert_eq!(page.status, 200);
    assert!(page.header("content-security-policy").unwrap().starts_with("default-src 'none'"));
}

#[test]
fn tokens_of_the_command_line_work_at_once_and_end_at_once() {
    let Some(daemon) = shared() else { return };
    let token = |arguments: &[&str]| {
        let output = bonafide()
            .arg("token")
            .args(arguments)
            .env("BONAFIDE_HOME", daemon.home.path())
            .output()
            .unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    };
    let secret = token(&["add", "script"]);
    let bearer = format!("Bearer {secret}");
    let models = || daemon.send("GET", "/v1/models", &[("authorization", &bearer)], b"").status;
    assert_eq!(models(), 200);
    assert_eq!(daemon.send("GET", "/metrics", &[("x-api-key", &secret)], b"").status, 403);
    assert_eq!(token(&["list"]), "default\tscore,metrics,admin,sign,fetch\nscript\tscore");
    token(&["revoke", "script"]);
    assert_eq!(models(), 401);
    let link = token(&["link", "--listen", &daemon.address]);
    assert!(link.starts_with(&format!("http://{}/?k=", daemon.address)), "{link}");
}

#[test]
fn the_printed_link_gives_the_page_one_token() {
    let Some(daemon) = Daemon::start(&Setup::default()) else { return };
    let code = daemon.link.split_once("/?k=").unwrap().1.to_owned();
    assert_eq!(daemon.send("GET", &format!("/?k={code}"), &[], b"").status, 200);
    let body = json!({"code": code}).to_string();
    let exchange = || daemon.send("POST", "/v1/session", &[JSON], body.as_bytes());
    let token = exchange().json()["token"].as_str().unwrap().to_owned();
    assert_eq!(exchange().code().as_deref(), Some("wrong_code"));
    let bearer = format!("Bearer {token}");
    let scored = daemon.send("POST", "/v1/score", &[JSON, ("authorization", &bearer)], BODY);
    assert_eq!(scored.status, 200, "{}", scored.text);
    for secret in [&code, &token, &daemon.token] {
        assert!(!daemon.log().contains(secret.as_str()), "secrets stay out of the log");
    }
}

#[cfg(unix)]
#[test]
fn secrets_are_for_the_user_alone() {
    use std::os::unix::fs::PermissionsExt;
    let Some(daemon) = shared() else { return };
    for name in ["token", "tokens.json"] {
        assert_eq!(
            std::fs::metadata(daemon.config(name)).unwrap().permissions().mode() & 0o777,
            0o600,
            "{name}"
        );
    }
}

#[test]
fn other_names_and_origins_are_refused() {
    let Some(daemon) = shared() else { return };
    let port = daemon.address.rsplit(':').next().unwrap();
    let get = |host: &str| {
        raw(
            &daemon.address,
            format!("GET /v1/health HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n\r\n").as_bytes(),
        )
    };
    assert_eq!(get(&format!("localhost:{port}")).status, 200);
    for host in
        ["127.0.0.1", "rebound.example", &format!("rebound.example:{port}"), &format!("0.0.0.0:{port}")]
    {
        assert_eq!((get(host).status, get(host).code().as_deref()), (421, Some("wrong_host")), "{host}");
    }
    for header in [("origin", "http://evil.example"), ("origin", "null"), ("sec-fetch-site", "cross-site")] {
        let answer = daemon.send("POST", "/v1/score", &[JSON, ("x-api-key", &daemon.token), header], BODY);
        assert_eq!((answer.status, answer.code().as_deref()), (403, Some("wrong_origin")), "{header:?}");
        assert_eq!(answer.header("access-control-allow-origin"), None);
    }
}

#[test]
fn only_loopback_is_listened_on() {
    for address in ["0.0.0.0:0", "[::]:0", "192.0.2.1:0"] {
        let error = serve_fails(&["--listen", address]);
        assert!(error.contains("is not a loopback address"), "{error}");
    }
}

#[test]
fn a_taken_port_is_named() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let error = serve_fails(&["--listen", &taken.local_addr().unwrap().to_string()]);
    assert!(error.contains("--listen"), "{error}");
}

#[test]
fn a_model_that_is_not_there_ends_the_daemon() {
    let error = serve_fails(&["--listen", "127.0.0.1:0", "--model", "/nowhere/model.gguf"]);
    assert!(error.lines().last().unwrap().starts_with("error: "), "{error}");
}
