//! What keeps web pages from using the daemon.

use super::*;

#[tokio::test]
async fn answers_only_to_its_own_names() {
    let daemon = Daemon::new();
    let get = |host: &str| empty(Request::builder().uri("/").header(header::HOST, host));
    for own in [HOST, "localhost:8017"] {
        assert_eq!(daemon.send(get(own)).await.status, 200, "{own}");
    }
    for other in [
        "127.0.0.1",
        "localhost",
        "127.0.0.1:80",
        "evil.example:8017",
        "localhost:8017.evil.example",
        "",
        "[::1]:8017",
    ] {
        daemon.send(get(other)).await.is_error(421, "wrong_host");
    }
    daemon.send(empty(Request::builder().uri("/"))).await.is_error(421, "wrong_host");
    daemon.send(empty(bare("GET", "/").header(header::HOST, HOST))).await.is_error(421, "wrong_host");
    daemon.send(empty(bare("GET", "http://evil.example:8017/"))).await.is_error(421, "wrong_host");
    assert_eq!(daemon.send(empty(bare("GET", "http://localhost:8017/"))).await.status, 200);
}

#[tokio::test]
async fn refuses_other_origins_and_never_reflects_them() {
    let daemon = Daemon::new();
    for origin in [
        "http://evil.example",
        "http://localhost:8017",
        "https://127.0.0.1:8017",
        "http://127.0.0.1",
        "null",
        "",
        "chrome-extension://abcdefghijklmnopabcdefghijklmnop/",
    ] {
        for method in ["GET", "POST", "OPTIONS"] {
            let request = daemon.request(method, "/v1/score").header(header::ORIGIN, origin);
            let answer = daemon.send(empty(request.header("access-control-request-method", "POST"))).await;
            answer.is_error(403, "wrong_origin");
            assert!(!answer.headers.keys().any(|name| name.as_str().starts_with("access-control-allow")));
            assert!(origin.is_empty() || !answer.text.contains(origin));
        }
    }
    let own = empty(daemon.request("GET", "/v1/models").header(header::ORIGIN, "http://127.0.0.1:8017"));
    let answer = daemon.send(own).await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.header("access-control-allow-origin"), None);
}

#[tokio::test]
async fn refuses_what_another_site_makes_the_browser_send() {
    let daemon = Daemon::new();
    let get = |site: &str| empty(bare("GET", "/").header("sec-fetch-site", site));
    for site in ["cross-site", "same-site", "", "nonsense"] {
        daemon.send(get(site)).await.is_error(403, "wrong_origin");
    }
    for site in ["same-origin", "none"] {
        assert_eq!(daemon.send(get(site)).await.status, 200, "{site}");
    }
}

#[tokio::test]
async fn a_listed_extension_may_call() {
    let daemon = Daemon::new();
    let preflight = bare("OPTIONS", "/v1/score")
        .header(header::ORIGIN, EXTENSION)
        .header("sec-fetch-site", "cross-site")
        .header("access-control-request-method", "POST");
    let answer = daemon.send(empty(preflight)).await;
    assert_eq!((answer.status, answer.header("access-control-allow-origin")), (204, Some(EXTENSION)));
    assert_eq!(answer.header("vary"), Some("origin"));
    let request = daemon.request("POST", "/v1/score").header(header::ORIGIN, EXTENSION);
    let answer = daemon.send(request.body(Body::from("{\"text\":\"a b\"}")).unwrap()).await;
    assert_eq!((answer.status, answer.header("access-control-allow-origin")), (200, Some(EXTENSION)));
    let no_token = empty(bare("GET", "/v1/models").header(header::ORIGIN, EXTENSION));
    daemon.send(no_token).await.is_error(401, "no_token");
}

#[tokio::test]
async fn every_answer_carries_the_headers_that_protect_it() {
    let daemon = Daemon::new();
    for path in ["/", "/v1/health", "/docs", "/v1/nothing"] {
        let answer = daemon.get(path).await;
        let policy = answer.header("content-security-policy").unwrap();
        assert!(policy.contains("default-src 'none'") && policy.contains("frame-ancestors 'none'"));
        assert!(!policy.contains("unsafe"));
        assert_eq!(answer.header("x-content-type-options"), Some("nosniff"));
        assert_eq!(answer.header("referrer-policy"), Some("no-referrer"));
        assert_eq!(answer.header("cross-origin-resource-policy"), Some("same-origin"));
        assert_eq!(answer.header("cross-origin-opener-policy"), Some("same-origin"));
        assert!(answer.header("x-request-id").is_some());
    }
}
