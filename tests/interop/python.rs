//! A verifier in Python that was written from SPEC.md alone, and the package `sshsig`.

use super::{TEXT, fails, folder, succeeds, there};
use bonafide_core::signature::canonical::Stream;
use bonafide_core::signature::carrier::Signed;
use bonafide_core::signature::sshsig::NAMESPACE;
use bonafide_tests::signer::Signer;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Where `cargo xtask test` puts the packages of requirements.txt.
fn packages() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/peers")
}

fn python(arguments: &[&str]) -> Command {
    let mut command = Command::new("python3");
    command
        .args(arguments)
        .current_dir(folder())
        .env("PYTHONPATH", packages())
        .env("PYTHONDONTWRITEBYTECODE", "1");
    command
}

fn is_there() -> bool {
    let imports =
        python(&["-c", "import cryptography, sshsig"]).output().is_ok_and(|output| output.status.success());
    there(imports, "the Python packages are not installed: `cargo xtask test --only peers` does that")
}

#[test]
fn the_vectors_hold_for_a_second_implementation() {
    if !is_there() {
        return;
    }
    let vectors = folder().join("../../core/src/signature/vectors.json");
    let said = succeeds(&mut python(&["verify.py", vectors.to_str().unwrap()]), b"");
    let said = String::from_utf8(said).unwrap();
    let last = said.lines().last().unwrap();
    let (good, all) = last.split_once(" of ").unwrap();
    assert!(all.starts_with(good) && good.parse::<usize>().unwrap() >= 35, "{said}");
}

#[test]
fn two_hundred_texts_verify_there_too() {
    if !is_there() {
        return;
    }
    let signer = Signer::new(4);
    let lines = include_str!("texts.jsonl").lines();
    let texts = lines.map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap());
    let statements = texts.map(|value| {
        let text = value["text"].as_str().unwrap().to_owned();
        let envelope = signer.sign_stream(&Stream::of_text(&text)).to_value();
        serde_json::json!({ "name": value["id"], "text": text, "envelope": envelope, "good": true })
    });
    let vectors = serde_json::json!({
        "canonical": [],
        "statements": statements.collect::<Vec<_>>(),
        "tokens": [],
    });
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), vectors.to_string()).unwrap();
    let said = succeeds(&mut python(&["verify.py", file.path().to_str().unwrap()]), b"");
    assert!(String::from_utf8(said).unwrap().ends_with("200 of 200 as expected\n"));
}

#[test]
fn the_package_sshsig_accepts_ours() {
    if !is_there() {
        return;
    }
    let signer = Signer::new(6);
    let Signed::Ssh { statement, signature } = signer.sign_stream(&Stream::of_text(TEXT)) else { panic!() };
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), signature.to_armour()).unwrap();
    let line = signer.key.to_openssh();
    let arguments =
        |namespace| ["sshsig_peer.py", &line, namespace, file.path().to_str().unwrap()].map(str::to_owned);
    let peer = |namespace| {
        let arguments = arguments(namespace);
        python(&arguments.each_ref().map(String::as_str))
    };
    succeeds(&mut peer(NAMESPACE), &statement.to_jcs());
    fails(&mut peer("file"), &statement.to_jcs());
    fails(&mut peer(NAMESPACE), b"something else");
}
