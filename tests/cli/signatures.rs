//! `bonafide sign` and `bonafide verify`: what is signed verifies, what is changed does not, and exit codes say so.

use super::{bonafide, fed};
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::Output;

const TEXT: &str = "The ferry leaves at six, whether or not the baker has brought his bread.\n\n\
                    Nobody on the island could say who had painted the door green that night.\n";

struct Author {
    home: tempfile::TempDir,
}

impl Author {
    fn new() -> Self {
        let author = Self { home: tempfile::tempdir().unwrap() };
        let made = author.run(&["key", "new", "--author", "Ada"], "");
        assert_eq!(made.status.code(), Some(0), "{}", String::from_utf8_lossy(&made.stderr));
        author
    }

    fn run(&self, arguments: &[&str], input: &str) -> Output {
        let mut command = bonafide();
        command
            .args(arguments)
            .current_dir(self.home.path())
            .env("BONAFIDE_HOME", self.home.path())
            .env("BONAFIDE_PASSPHRASE", "correct horse")
            .env_remove("SSH_AUTH_SOCK");
        fed(&mut command, input.as_bytes())
    }

    fn file(&self, name: &str, text: &str) -> PathBuf {
        let path = self.home.path().join(name);
        std::fs::write(&path, text).unwrap();
        path
    }

    /// Exit code and report of `bonafide verify --json`.
    fn verify(&self, arguments: &[&str], input: &str) -> (Option<i32>, Value) {
        let output = self.run(&[&["verify", "--json", "--offline"], arguments].concat(), input);
        let said = String::from_utf8(output.stdout).unwrap();
        (output.status.code(), serde_json::from_str(&said).unwrap_or_else(|error| panic!("{error}: {said}")))
    }
}

fn text(output: &Output) -> String {
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout.clone()).unwrap()
}

#[test]
fn a_file_gets_a_side_file_that_verifies() {
    let ada = Author::new();
    let path = ada.file("letter.txt", TEXT);
    let signed = ada.run(&["sign", "letter.txt", "--assistance", "spelling"], "");
    assert!(text(&signed).is_empty());
    assert!(ada.home.path().join("letter.txt.human.json").is_file());
    let (code, report) = ada.verify(&["letter.txt"], "");
    assert_eq!((code, &report["verified"]), (Some(0), &true.into()), "{report}");
    assert_eq!(report["statements"][0]["statement"]["assistance"], "spelling");
    assert_eq!(report["statements"][0]["statement"]["language"], "en");

    std::fs::write(&path, TEXT.replace("green", "blue")).unwrap();
    let (code, report) = ada.verify(&["letter.txt"], "");
    assert_eq!((code, &report["statements"][0]["result"]), (Some(1), &"altered".into()));
    assert_eq!(report["statements"][0]["paragraphs"]["found"], serde_json::json!([1]));
    let said = ada.run(&["verify", "--offline", "--lang", "zh", "letter.txt"], "");
    assert!(String::from_utf8(said.stdout).unwrap().contains("已被改动"));
}

#[test]
fn standard_input_comes_back_signed() {
    let ada = Author::new();
    for form in ["line", "armour", "html"] {
        let signed = text(&ada.run(&["sign", "--as", form], TEXT));
        let (code, report) = ada.verify(&["-"], &signed);
        assert_eq!(
            (code, &report["statements"][0]["result"]),
            (Some(0), &"trusted".into()),
            "{form}: {report}"
        );
        let (code, _) = ada.verify(&["-"], &signed.replace("ferry", "train"));
        assert_eq!(code, Some(1), "{form}");
    }
    let stranger = Author::new();
    let signed = text(&ada.run(&["sign"], TEXT));
    let (code, report) = stranger.verify(&[], &signed);
    assert_eq!((code, &report["statements"][0]["result"]), (Some(1), &"unknown_key".into()));
    // He is told who it is, and believes it.
    let line = text(&ada.run(&["key", "show"], ""));
    let line = line.lines().find_map(|line| line.find("ssh-ed25519 ").map(|at| &line[at..])).unwrap();
    let trusted = stranger.run(&["key", "trust", "Ada", line], "");
    assert_eq!(trusted.status.code(), Some(0), "{}", String::from_utf8_lossy(&trusted.stderr));
    assert_eq!(stranger.verify(&[], &signed).0, Some(0));
}

#[test]
fn nothing_signed_has_its_own_exit_code() {
    let ada = Author::new();
    assert_eq!(ada.verify(&[], TEXT).0, Some(3));
    let said = ada.run(&["verify", "--offline"], TEXT);
    assert_eq!(String::from_utf8(said.stdout).unwrap().trim(), "nothing is signed here");
}

#[test]
fn errors_are_one_line_that_helps() {
    let ada = Author::new();
    ada.file("signed.md", "# A\n\nSome *words*.\n");
    for (arguments, input, wanted) in [
        (&["sign", "nothing.txt"][..], "", "no such file"),
        (&["sign"], "", "no text"),
        (&["sign"], "pay \u{202E}me", "U+202E"),
        (&["sign", "--key", "other"], TEXT, "bonafide key list"),
        (&["sign", "--language", "English please"], TEXT, "BCP 47"),
        (&["sign", "--as", "html", "signed.md"], "", "--as armour"),
        (&["verify", "nothing.txt"], "", "no such file"),
        (&["verify", "--side", "nothing.json"], TEXT, "no such file"),
    ] {
        let output = ada.run(arguments, input);
        let error = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(1), "{arguments:?}: {error}");
        assert_eq!(error.trim_end().lines().count(), 1, "{error}");
        assert!(error.contains(wanted), "{arguments:?}: {error}");
    }
    assert!(!Path::new("signed.md.human.json").exists());
}
