//! Many callers: they share passes, overload is told at once, and work whose caller has gone is dropped.

use super::words;
use bonafide_tests::{Daemon, Setup};
use serde_json::json;
use std::io::Write;

/// A text that keeps the model busy for many passes.
fn long() -> serde_json::Value {
    json!({"text": words(3000, 99)})
}

#[test]
fn callers_share_passes_and_the_small_pass_the_large() {
    // However slow the machine is, nobody is to be turned away here.
    let config = "[limits]\nwait_seconds = 1000\nrequest_seconds = 1000".into();
    let Some(daemon) = Daemon::start(&Setup { config, ..Setup::default() }) else { return };
    std::thread::scope(|scope| {
        let large = scope.spawn(|| daemon.score(&long()));
        daemon.until("the large one waits", |daemon| daemon.metric("bonafide_queue_waiting_callers") == 1.0);
        let batches = daemon.metric("bonafide_queue_batches_total");
        let small: Vec<_> = (0..6)
            .map(|seed| {
                scope.spawn({
                    let daemon = &daemon;
                    move || daemon.score(&json!({"text": words(20, seed)}))
                })
            })
            .collect();
        for answer in small {
            let answer = answer.join().unwrap();
            assert_eq!(answer.status, 200, "{}", answer.text);
        }
        assert!(!large.is_finished(), "the small ones did not wait for the large one's end");
        let passes = daemon.metric("bonafide_queue_batches_total") - batches;
        assert!(passes < 6.0, "{passes} passes for 6 small callers and their share of the large one");
        assert_eq!(large.join().unwrap().status, 200);
    });
}

#[test]
fn overload_is_429_at_once_and_passes() {
    let setup =
        Setup { config: "[limits]\nwaiting_requests = 1\nrequest_seconds = 1000".into(), ..Setup::default() };
    let Some(daemon) = Daemon::start(&setup) else { return };
    std::thread::scope(|scope| {
        let large = scope.spawn(|| daemon.score(&long()));
        daemon.until("the large one waits", |daemon| daemon.metric("bonafide_queue_waiting_callers") == 1.0);
        let refused = daemon.score_once(&json!({"text": words(20, 1)}));
        assert_eq!(
            (refused.status, refused.code().as_deref()),
            (429, Some("overloaded")),
            "{}",
            refused.text
        );
        assert!(refused.header("retry-after").unwrap().parse::<u64>().unwrap() >= 1);
        assert!(!large.is_finished());
        assert_eq!(large.join().unwrap().status, 200);
    });
    assert_eq!(daemon.score(&json!({"text": words(20, 1)})).status, 200);
}

#[test]
fn work_whose_caller_has_gone_is_dropped() {
    let Some(daemon) = Daemon::start(&Setup::default()) else { return };
    let body = long().to_string();
    let headers = [("x-api-key", daemon.token.as_str()), ("content-type", "application/json")];
    let mut stream = std::net::TcpStream::connect(&daemon.address).unwrap();
    stream.write_all(daemon.head("POST", "/v1/score", &headers, body.len()).as_bytes()).unwrap();
    stream.write_all(body.as_bytes()).unwrap();
    daemon.until("it waits", |daemon| daemon.metric("bonafide_queue_waiting_callers") == 1.0);
    drop(stream);
    daemon.until("it is dropped", |daemon| daemon.metric("bonafide_queue_abandoned_total") == 1.0);
    assert_eq!(daemon.metric("bonafide_queue_waiting_callers"), 0.0);
    let tokens = daemon.metric("bonafide_queue_tokens_total");
    assert!(tokens < 3000.0, "{tokens} tokens were scored for nobody");
}

#[cfg(unix)]
#[test]
fn a_stop_lets_requests_finish() {
    let Some(mut daemon) = Daemon::start(&Setup::default()) else { return };
    let answer = std::thread::scope(|scope| {
        let scored = scope.spawn(|| daemon.score(&json!({"text": words(60, 5)})));
        daemon.until("it waits", |daemon| {
            daemon.metric("bonafide_queue_waiting_callers") == 1.0 || scored.is_finished()
        });
        daemon.terminate();
        scored.join().unwrap()
    });
    assert_eq!(answer.status, 200, "{}", answer.text);
    assert_eq!(daemon.wait(), Some(0));
}
