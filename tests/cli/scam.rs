//! `bonafide scam`: what it reads, what it refuses, and what it prints. It needs no model.

use super::{bonafide, fed, refused, run};
use bonafide_core::scam::Report;
use std::path::PathBuf;

const CHAT: &str = "28/09/2026, 10:30 - Anna: Hi, is this Dr. Li? \u{1b}]0;evil\u{7}\n28/09/2026, 10:31 - Ben: No\n\
    28/09/2026, 10:32 - Anna: My uncle at the bank knows of profits that nobody else has heard of, and he has told me when to buy and when to sell for three years now\u{202e}\n";

fn saved(folder: &tempfile::TempDir, name: &str, text: &str) -> PathBuf {
    let path = folder.path().join(name);
    std::fs::write(&path, text).unwrap();
    path
}

#[test]
fn a_person_gets_a_report_and_a_program_the_one_shape() {
    let folder = tempfile::tempdir().unwrap();
    let file = saved(&folder, "chat.txt", CHAT);
    let file = file.to_str().unwrap();
    let output = run(&["scam", file, "--me", "Ben", "--new-contact"], b"");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.contains("probability of a scam") && text.contains("3 messages"), "{text}");
    assert!(text.contains("What this can't tell"), "{text}");
    assert!(!text.contains('\u{1b}') && !text.contains('\u{7}') && !text.contains('\u{202e}'), "{text:?}");

    let output = run(&["scam", "-", "--me", "Ben", "--json"], CHAT.as_bytes());
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let report: Report = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(report.turns, 3);
}

#[test]
fn the_model_is_asked_only_where_it_may_change_something() {
    let output = run(&["scam", "-", "--second-opinion", "--json"], b"them: hello\nme: hi\n");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(String::from_utf8_lossy(&output.stderr).contains("was not asked"));
    let report: Report = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(report.turns, 2);
}

#[test]
fn the_language_is_the_users() {
    let chinese = |output: std::process::Output| {
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let text = String::from_utf8(output.stdout).unwrap();
        assert_ne!(text.contains("诈骗概率"), text.contains("probability of a scam"), "{text}");
        text.contains("诈骗概率")
    };
    let input = "them: hello\nme: hi\n".as_bytes();
    assert!(chinese(run(&["scam", "-", "--lang", "zh-CN"], input)));
    assert!(chinese(fed(bonafide().args(["scam", "-"]).env("LC_ALL", "zh_CN.UTF-8"), input)));
    assert!(!chinese(fed(
        bonafide().args(["scam", "-", "--lang", "en-GB"]).env("LC_ALL", "zh_CN.UTF-8"),
        input
    )));
    assert!(!chinese(run(&["scam", "-"], input)));
}

#[test]
fn what_it_cannot_read_is_refused_with_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    let absent = folder.path().join("absent.txt");
    let file = saved(&folder, "chat.txt", CHAT);
    let named = format!("WhatsApp Chat with {}.txt", "Anna");
    let told = saved(&folder, &named, CHAT);
    for (arguments, input, words) in [
        (&["scam", absent.to_str().unwrap()][..], "", &["no such file"][..]),
        (&["scam", folder.path().to_str().unwrap()], "", &["folder", "result.json"]),
        (&["scam", file.to_str().unwrap()], "", &["--me \"NAME\"", "\"Anna\" (2), \"Ben\" (1)"]),
        (&["scam", file.to_str().unwrap(), "--me", "Carl\u{1b}[31m"], "", &["Carl", "\"Anna\" (2)"]),
        (&["scam", file.to_str().unwrap(), "--me", "Ben", "--chat", "Anna"], "", &["leave --chat out"]),
        (&["scam", "-"], "", &["standard input", "no messages"]),
        (&["scam", "-"], "Dear diary", &["WhatsApp", "result.json"]),
        (&["scam", "-", "--me", "x"], "me: hi\nthem: hi", &["leave --me out"]),
        (&["scam", "\u{1b}]0;title\u{7}"], "", &["no such file"]),
    ] {
        let error = refused(arguments, input.as_bytes());
        assert!(words.iter().all(|word| error.contains(word)), "{arguments:?}: {error}");
        assert!(!error.trim_end().contains(char::is_control), "{error:?}");
    }
    // The file's name tells with whom the chat is.
    assert!(run(&["scam", told.to_str().unwrap()], b"").status.success());
    for arguments in [&["scam"][..], &["scam", "-", "--lang", "klingon, please"], &["scam", "a", "b"]] {
        assert_eq!(run(arguments, b"").status.code(), Some(2), "{arguments:?}");
    }
}
