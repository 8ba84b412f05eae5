//! Watermarks, hidden characters and labels over REST.

use super::{shared, words};
use bonafide_tests::{Daemon, Setup};
use serde_json::{Value, json};

fn codes(block: &Value) -> Vec<String> {
    let evidence = block["evidence"].as_array().unwrap();
    evidence.iter().map(|found| found["code"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn labels_and_hidden_characters_are_evidence() {
    let Some(daemon) = shared() else { return };
    let hidden = "Meet me at the \u{e0068}\u{e0069}\u{e0021} bridge by the old market tonight.";
    let blocks = json!([
        {"id": "plain", "text": "Meet me at the bridge by the old market tonight."},
        {"id": "hidden", "text": hidden},
        {"id": "label", "text": format!("（本文由AI生成）\n\n{}", words(60, 91))},
        {"id": "quoted", "text": "The standard asks for a label such as \"AI-generated\" at the start of a text."},
    ]);
    let reply = daemon.score(&json!({ "blocks": blocks })).json();
    let block = |at: usize| &reply["blocks"][at];
    let is_new =
        |code: &String| ["hidden_", "label_", "leftover_"].iter().any(|start| code.starts_with(start));
    assert!(!codes(block(0)).iter().any(is_new), "{:?}", codes(block(0)));
    let found =
        block(1)["evidence"].as_array().unwrap().iter().find(|found| found["kind"] == "hidden_characters");
    let found = found.unwrap();
    assert_eq!(found["values"]["message"], "hi!");
    assert_eq!((found["span"]["start"].as_u64(), found["span"]["end"].as_u64()), (Some(15), Some(18)));
    assert_eq!(block(1)["verdict"], "unclear");
    assert_eq!(block(2)["verdict"], "declared_ai");
    assert_ne!(block(3)["verdict"], "declared_ai", "{:?}", codes(block(3)));
}

#[test]
fn the_head_of_a_page_declares_its_blocks() {
    let Some(daemon) = shared() else { return };
    let page = |head: &str| {
        format!("<html><head>{head}</head><body><article><p>{}</p></article></body></html>", words(90, 92))
    };
    let meta = "<meta name='ai-disclosure' content='ai-generated'>";
    // The same text twice: what the first page declares must not stay with its text.
    for (head, verdict) in [(meta, true), ("", false), (meta, true)] {
        let reply = daemon.score(&json!({"html": page(head)})).json();
        for block in reply["blocks"].as_array().unwrap() {
            assert_eq!(block["verdict"] == "declared_ai", verdict, "{head}: {:?}", codes(block));
        }
    }
}

#[test]
fn a_mark_of_the_users_key_declares_its_block_alone() {
    let (Some(model), Some(shared)) = (bonafide_tests::model(), shared()) else { return };
    let home = tempfile::tempdir().unwrap();
    let home = home.path();
    let run = |arguments: &[&str]| {
        let mut command = bonafide_tests::bonafide();
        let output = command.args(arguments).env("BONAFIDE_HOME", home).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    };
    run(&["watermark", "keys", "add", "acme", "--scheme", "synthid"]);
    let (_, text) = bonafide_tests::marked(model.to_str().unwrap(), "acme", run).next().unwrap();
    let blocks = json!({"blocks": [{"id": "a", "text": words(80, 93)}, {"id": "b", "text": text}]});
    // A daemon that started before has not read the key.
    let before = shared.score(&blocks).json();
    assert_ne!(before["blocks"][1]["verdict"], "declared_ai");
    let keys = std::fs::read_to_string(home.join("config/watermark-keys.toml")).unwrap();
    let daemon = Daemon::start(&Setup { watermark_keys: keys, ..Setup::default() }).unwrap();
    let reply = daemon.score(&blocks).json();
    assert_eq!(reply["blocks"][1]["verdict"], "declared_ai", "{:?}", codes(&reply["blocks"][1]));
    assert!(codes(&reply["blocks"][1]).contains(&"watermark".to_owned()));
    assert_ne!(reply["blocks"][0]["verdict"], "declared_ai");
}
