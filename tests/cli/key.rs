//! `bonafide key`: from making a key to publishing that it was revoked.

use super::bonafide;
use std::process::{Command, Output, Stdio};

const PASSPHRASE: &str = "correct horse";

fn command(home: &tempfile::TempDir, arguments: &[&str]) -> Command {
    let mut command = bonafide();
    command
        .arg("key")
        .args(arguments)
        .env("BONAFIDE_HOME", home.path())
        .env("BONAFIDE_PASSPHRASE", PASSPHRASE)
        .env_remove("SSH_AUTH_SOCK")
        .stdin(Stdio::null());
    command
}

fn done(output: Output) -> (String, String) {
    let error = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(0), "{error}");
    (String::from_utf8(output.stdout).unwrap(), error)
}

fn key(home: &tempfile::TempDir, arguments: &[&str]) -> (String, String) {
    done(command(home, arguments).output().unwrap())
}

fn json(home: &tempfile::TempDir, arguments: &[&str]) -> serde_json::Value {
    serde_json::from_str(&key(home, arguments).0).unwrap()
}

fn refused(output: Output) -> String {
    let error = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{error}");
    assert!(output.stdout.is_empty());
    assert_eq!(error.trim_end().lines().count(), 1, "{error}");
    error
}

#[test]
fn a_key_is_made_shown_published_and_revoked() {
    let home = tempfile::tempdir().unwrap();
    let (line, said) = key(&home, &["new", "--author", "Ada", "--identity", "https://Ada.example/"]);
    assert!(line.starts_with("ssh-ed25519 ") && line.lines().count() == 1, "{line}");
    assert!(said.contains("data/keys/main") && said.contains("bonafide key publish main"), "{said}");
    assert!(!said.contains("no passphrase"), "{said}");

    let shown = json(&home, &["show", "--json"]);
    assert_eq!(shown["key"], line.trim_end());
    assert_eq!(shown["author"]["identity"], "https://ada.example");
    assert_eq!((&shown["encrypted"], &shown["default"]), (&true.into(), &true.into()));
    assert!(shown["fingerprint"].as_str().unwrap().starts_with("SHA256:"));
    assert!(shown["did"].as_str().unwrap().starts_with("did:key:z6Mk"));
    let (text, _) = key(&home, &["show", "main"]);
    assert!(text.contains(line.trim_end()) && text.contains("did:key:z6Mk"), "{text}");

    let file = home.path().join("human-keys.json");
    let (printed, said) = key(&home, &["publish", "-o", file.to_str().unwrap()]);
    assert!(printed.is_empty() && said.contains("https://ada.example/.well-known/human-keys.json"), "{said}");
    let list: serde_json::Value = serde_json::from_slice(&std::fs::read(&file).unwrap()).unwrap();
    assert_eq!((&list["version"], &list["keys"][0]["name"]), (&1.into(), &"Ada".into()));
    let did = json(&home, &["publish", "--did"]);
    assert_eq!(did["id"], "did:web:ada.example");

    let (_, said) = key(&home, &["revoke", "main", "--reason", "compromised", "--at", "2026-01-02"]);
    assert!(said.contains("bonafide key publish"), "{said}");
    let list = json(&home, &["publish"]);
    assert_eq!(
        list["keys"][0]["revoked"],
        serde_json::json!({"at": "2026-01-02T00:00:00Z", "reason": "compromised"})
    );
    assert!(refused(command(&home, &["show"]).output().unwrap()).contains("bonafide key new"));
    assert!(refused(command(&home, &["publish", "--did"]).output().unwrap()).contains("not revoked"));
}

#[test]
fn a_second_key_leaves_the_default_alone_unless_told() {
    let home = tempfile::tempdir().unwrap();
    key(&home, &["new", "a", "--author", "Ada"]);
    let (_, said) = key(&home, &["new", "b", "--author", "Ada", "--no-passphrase"]);
    assert!(said.contains("no passphrase") && said.contains("names no identity"), "{said}");
    key(&home, &["new", "c", "--author", "Ada", "--default"]);
    let default = |expected: &str| {
        let keys = json(&home, &["list", "--json"]);
        let of = |key: &&serde_json::Value| key["default"] == true;
        let names: Vec<_> =
            keys.as_array().unwrap().iter().filter(of).map(|key| key["name"].clone()).collect();
        assert_eq!(names, [expected]);
    };
    default("c");
    key(&home, &["default", "a"]);
    default("a");
    let (text, _) = key(&home, &["list"]);
    assert!(text.contains("default") && text.contains("without a passphrase"), "{text}");
}

#[test]
fn the_interface_speaks_chinese() {
    let home = tempfile::tempdir().unwrap();
    let chinese =
        |arguments: &[&str]| done(command(&home, arguments).env("LC_ALL", "zh_CN.UTF-8").output().unwrap());
    assert!(chinese(&["list"]).1.contains("还没有密钥"));
    assert!(chinese(&["new", "--author", "王小波", "--no-passphrase"]).1.contains("没有口令保护"));
    assert!(chinese(&["show"]).0.contains("指纹"));
}

#[test]
fn what_cannot_be_done_is_refused_with_the_way_out() {
    let home = tempfile::tempdir().unwrap();
    let refused = |arguments: &[&str]| refused(command(&home, arguments).output().unwrap());
    assert!(refused(&["show"]).contains("bonafide key new"));
    assert!(refused(&["publish"]).contains("bonafide key new"));
    assert!(refused(&["revoke", "x", "--reason", "retired"]).contains("bonafide key list"));
    assert!(refused(&["import", "--agent", "x", "--author", "Ada"]).contains("ssh-add"));
    assert!(refused(&["import", "nowhere", "--author", "Ada"]).contains("nowhere"));
    assert!(refused(&["new", "../x", "--author", "Ada"]).contains("can't be a key's name"));
    assert!(!home.path().join("data").exists(), "nothing was begun");
    key(&home, &["new", "--author", "Ada"]);
    assert!(refused(&["new", "--author", "Ada"]).contains("choose another name"));
    assert!(refused(&["publish", "--did"]).contains("--identity"));
    let usage =
        command(&home, &["new", "x", "--author", "Ada", "--identity", "ada.example"]).output().unwrap();
    assert_eq!(usage.status.code(), Some(2));
}

#[test]
fn an_existing_key_is_taken_over_with_its_passphrase() {
    let home = tempfile::tempdir().unwrap();
    key(&home, &["new", "--author", "Ada"]);
    let made = home.path().join("data/keys/main");
    let other = tempfile::tempdir().unwrap();
    let (line, _) = key(&other, &["import", made.to_str().unwrap(), "--author", "Ada"]);
    assert_eq!(json(&home, &["show", "--json"])["key"], line.trim_end());
    assert_eq!(json(&other, &["show", "main", "--json"])["encrypted"], true);
}

#[cfg(unix)]
#[test]
fn without_a_terminal_and_a_variable_it_says_what_to_set() {
    if std::fs::File::open("/dev/tty").is_ok() {
        eprintln!("skipped: there is a terminal, and the command would ask at it");
        return;
    }
    let home = tempfile::tempdir().unwrap();
    let output =
        command(&home, &["new", "--author", "Ada"]).env_remove("BONAFIDE_PASSPHRASE").output().unwrap();
    assert!(refused(output).contains("BONAFIDE_PASSPHRASE"));
    assert!(!home.path().join("data").exists(), "nothing was begun");
}

#[test]
fn contacts_are_added_listed_exported_imported_and_removed() {
    let ada = tempfile::tempdir().unwrap();
    let (line, _) = key(&ada, &["new", "--author", "Ada"]);
    let fingerprint = json(&ada, &["show", "--json"])["fingerprint"].as_str().unwrap().to_owned();

    let reader = tempfile::tempdir().unwrap();
    assert!(key(&reader, &["contacts"]).1.contains("bonafide key trust"));
    let public = ada.path().join("data/keys/main.pub");
    let (printed, said) = key(&reader, &["trust", "Ada", public.to_str().unwrap(), "--note", "met in May"]);
    assert_eq!(printed.trim_end(), fingerprint);
    assert!(said.contains("`Ada`"), "{said}");
    // The same as a line whose words came one by one.
    let words: Vec<_> = ["trust", "Ada"].into_iter().chain(line.split_whitespace()).collect();
    key(&reader, &words);
    let contacts = json(&reader, &["contacts", "--json"]);
    assert_eq!(
        (&contacts[0]["name"], &contacts[0]["keys"][0]["key"]),
        (&"Ada".into(), &line.trim_end().into())
    );
    assert_eq!(contacts[0]["keys"].as_array().unwrap().len(), 1);
    assert!(key(&reader, &["contacts"]).0.contains("met in May"));

    let (exported, _) = key(&reader, &["contacts", "--export"]);
    assert!(
        exported.contains("namespaces=\"generated-by-human\"") && exported.contains(line.trim_end()),
        "{exported}"
    );
    let file = reader.path().join("allowed_signers");
    std::fs::write(&file, format!("{exported}nonsense\n")).unwrap();
    let other = tempfile::tempdir().unwrap();
    let (_, said) = key(&other, &["trust", "--import", file.to_str().unwrap()]);
    assert!(said.contains("line 2 is left out") && said.contains("Keys trusted: 1"), "{said}");
    assert_eq!(key(&other, &["contacts", "--export"]).0, exported);

    let eve = command(&reader, &["trust", "Eve", public.to_str().unwrap()]).output().unwrap();
    assert!(refused(eve).contains("Ada"));
    key(&reader, &["distrust", &fingerprint]);
    assert_eq!(json(&reader, &["contacts", "--json"]), serde_json::json!([]));
    for unknown in ["Ada", "https://ada.example"] {
        refused(command(&reader, &["distrust", unknown]).output().unwrap());
    }
}

#[test]
fn keys_are_not_fetched_from_this_machine() {
    let home = tempfile::tempdir().unwrap();
    let output = command(&home, &["trust", "Ada", "https://localhost:9"]).output().unwrap();
    assert!(refused(output).contains("never fetched"));
}
