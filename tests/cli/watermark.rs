//! `bonafide watermark keys`, `generate` and `mark`: what is made is found again, and by whom.

use super::{bonafide, fed};
use bonafide_core::verdict::{EvidenceKind, ScoreReport, Verdict};
use bonafide_tests::model;
use serde_json::Value;
use std::process::Output;

/// A user's folder and a model.
struct Desk {
    home: tempfile::TempDir,
}

impl Desk {
    fn new() -> Self {
        Self { home: tempfile::tempdir().unwrap() }
    }

    fn run(&self, arguments: &[&str], input: &str) -> Output {
        let mut command = bonafide();
        fed(command.args(arguments).env("BONAFIDE_HOME", self.home.path()), input.as_bytes())
    }

    fn done(&self, arguments: &[&str], input: &str) -> String {
        let output = self.run(arguments, input);
        assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }

    fn refused(&self, arguments: &[&str], input: &str) -> String {
        let output = self.run(arguments, input);
        assert_eq!(output.status.code(), Some(1), "{arguments:?}");
        assert!(output.stdout.is_empty(), "{arguments:?}");
        String::from_utf8(output.stderr).unwrap()
    }

    fn score(&self, model: &str, text: &str) -> ScoreReport {
        serde_json::from_str(&self.done(&["score", "--json", "--model", model], text)).unwrap()
    }

    fn keys(&self) -> std::path::PathBuf {
        self.home.path().join("config/watermark-keys.toml")
    }
}

#[test]
fn keys_are_added_listed_and_kept_secret() {
    let desk = Desk::new();
    let path = desk.done(&["watermark", "keys", "add", "acme", "--who", "Acme", "--delta", "2.5"], "");
    assert_eq!(path.trim(), desk.keys().to_str().unwrap());
    desk.done(&["watermark", "keys", "add", "other", "--scheme", "synthid", "--public"], "");
    let file = std::fs::read_to_string(desk.keys()).unwrap();
    assert_eq!(file.matches("[[key]]").count(), 2, "{file}");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        assert_eq!(std::fs::metadata(desk.keys()).unwrap().permissions().mode() & 0o777, 0o600);
    }
    let listed: Value =
        serde_json::from_str(&desk.done(&["watermark", "keys", "list", "--json"], "")).unwrap();
    let of = |name: &str| listed.as_array().unwrap().iter().find(|key| key["name"] == name).cloned().unwrap();
    assert_eq!(of("acme")["public"], false);
    assert_eq!(of("other")["public"], true);
    assert_eq!(of("transformers-kgw")["built_in"], true);
    // The secrets stay in the file.
    assert!(of("acme").get("key").is_none() && of("other").get("keys").is_none());
    let plain = desk.done(&["watermark", "keys", "list"], "");
    assert!(plain.lines().next().unwrap().starts_with("acme") && plain.contains("private"), "{plain}");
}

#[test]
fn wrong_keys_are_refused_and_nothing_is_lost() {
    let desk = Desk::new();
    for (arguments, says) in [
        (&["--gamma", "1.5"][..], "gamma"),
        (&["--scheme", "magic"], "magic"),
        (&["--seeding", "selfhash"], "context"),
        (&["--scheme", "unigram", "--ngram", "3"], "ngram"),
        (&["--key", "three"], "whole number"),
    ] {
        let error = desk.refused(&[&["watermark", "keys", "add", "acme"], arguments].concat(), "");
        assert!(error.contains(says), "{arguments:?}: {error}");
    }
    assert!(!desk.keys().exists());
    desk.done(&["watermark", "keys", "add", "acme"], "");
    let error = desk.refused(&["watermark", "keys", "add", "acme"], "");
    assert!(error.contains("already") && error.contains("watermark-keys.toml"), "{error}");
    let error = desk.refused(&["watermark", "keys", "add", "markllm-exp"], "");
    assert!(error.contains("comes with the program"), "{error}");

    let kept = std::fs::read_to_string(desk.keys()).unwrap();
    std::fs::write(desk.keys(), format!("{kept}\n[[key]]\nname = 'b'\nscheme = 'kgw'\ngamma = 2\nkey = 1\n"))
        .unwrap();
    for arguments in [&["watermark", "keys", "list"][..], &["score", "-"], &["watermark", "keys", "add", "c"]]
    {
        let error = desk.refused(arguments, "A text.");
        assert!(error.contains("watermark-keys.toml, line 10") && error.contains("`gamma`"), "{error}");
    }
    assert!(std::fs::read_to_string(desk.keys()).unwrap().starts_with(&kept));
}

#[test]
fn a_key_without_its_tokenizer_stops_nobody() {
    let desk = Desk::new();
    for tokenizer in ["gemma3-270m", "nobody-1b", "absent.json"] {
        let arguments = ["watermark", "keys", "add", "far", "--tokenizer", tokenizer];
        let error = desk.refused(&arguments, "");
        assert!(error.contains("tokenizer") || error.contains("no model"), "{tokenizer}: {error}");
    }
    assert!(!desk.keys().exists());
    desk.done(&["watermark", "keys", "add", "near", "--key", "-"], "12345\n");
    let file = std::fs::read_to_string(desk.keys()).unwrap();
    assert!(file.contains("key = 12345"), "{file}");
    // What was there when the key was added may be gone when it is used.
    std::fs::write(desk.keys(), format!("{file}\n[[key]]\nname = 'far'\nscheme = 'unigram'\ngamma = 0.5\nkey = 9\ntokenizer = 'gone.json'\n")).unwrap();
    let Some(model) = model() else { return };
    let output = desk.run(&["score", "--model", model.to_str().unwrap(), "-"], "A text of a few words.");
    assert!(output.status.success());
    let warned = String::from_utf8(output.stderr).unwrap();
    assert!(
        warned.contains("warning") && warned.contains("`far`") && warned.contains("gone.json"),
        "{warned}"
    );
}

#[test]
fn errors_repeat_no_secret() {
    let desk = Desk::new();
    std::fs::create_dir_all(desk.keys().parent().unwrap()).unwrap();
    for line in ["key = 98765432109876543210", "key = 987654.5", "key = [987654]", "keyy = 987654"] {
        std::fs::write(desk.keys(), format!("[[key]]\nname = 'a'\nscheme = 'kgw'\ngamma = 0.25\n{line}\n"))
            .unwrap();
        let error = desk.refused(&["watermark", "keys", "list"], "");
        assert!(error.contains("line ") && !error.contains("98765"), "{line}: {error}");
        assert_eq!(error.trim_end().lines().count(), 1, "{error}");
    }
}

#[test]
fn a_text_marked_here_is_declared_here_and_nowhere_else() {
    let Some(model) = model() else { return };
    let model = model.to_str().unwrap();
    let (desk, stranger) = (Desk::new(), Desk::new());
    desk.done(&["watermark", "keys", "add", "acme", "--who", "Acme's writer", "--delta", "4"], "");
    let (seed, text) =
        bonafide_tests::marked(model, "acme", |arguments| desk.done(arguments, "")).next().unwrap();
    let generate = |seed: &str| desk.done(&bonafide_tests::generate(model, "acme", seed), "");
    assert_eq!(text, generate(&seed), "the same seed gives the same text");
    assert_ne!(text, generate("21"));

    let report = desk.score(model, &text);
    let block = &report.blocks[0];
    assert_eq!(block.verdict, Verdict::DeclaredAi, "{:?}", block.evidence);
    let mark = block.evidence.iter().find(|found| found.kind == EvidenceKind::Watermark).unwrap();
    assert_eq!((mark.code.as_str(), mark.values["key"].as_str()), ("watermark", "acme"));
    assert!(mark.message.contains("Acme's writer") && mark.span.is_some());

    // Whoever has not the key sees nothing of it.
    let report = stranger.score(model, &text);
    assert!(report.blocks.iter().all(|block| block.verdict != Verdict::DeclaredAi));
    assert!(!report.blocks.iter().flat_map(|block| &block.evidence).any(|found| found.code == "watermark"));

    // Hidden characters between the letters don't save it.
    let disturbed: String =
        text.chars().flat_map(|c| if c == 'e' { vec!['e', '\u{200b}'] } else { vec![c] }).collect();
    let report = desk.score(model, &disturbed);
    assert_eq!(report.blocks[0].verdict, Verdict::DeclaredAi, "{:?}", report.blocks[0].evidence);

    let tested = desk.done(&["watermark", "keys", "test", "acme", "--model", model, "--json"], &text);
    let tested: Value = serde_json::from_str(&tested).unwrap();
    assert_eq!(tested["found"], true);
    assert!(tested["p"].as_f64().unwrap() < 1e-6 && tested["value"].as_f64().unwrap() > 0.4, "{tested}");
    let other = desk.done(&["watermark", "keys", "test", "unigram-watermark", "--model", model], &text);
    assert!(other.contains("not found"), "{other}");
}

#[test]
fn keys_that_weigh_by_entropy_ask_the_model() {
    let Some(model) = model() else { return };
    let model = model.to_str().unwrap();
    let desk = Desk::new();
    for (name, rest) in [
        ("plain", &["--scheme", "kgw"][..]),
        ("sweet", &["--scheme", "sweet", "--entropy", "2"]),
        ("ewd", &["--scheme", "ewd", "--delta", "2"]),
    ] {
        let arguments =
            ["watermark", "keys", "add", name, "--gamma", "0.5", "--key", "4711", "--seeding", "product"];
        desk.done(&[&arguments, rest].concat(), "");
    }
    let test = |key: &str, text: &str| -> Value {
        let json = desk.done(&["watermark", "keys", "test", key, "--model", model, "--json"], text);
        serde_json::from_str(&json).unwrap()
    };
    let tokens = |found: &Value| found["tokens"].as_u64().unwrap();
    // Several texts together: in a single one luck may hide what the weights gain.
    let mut values = [0.0; 3];
    for (_, text) in bonafide_tests::marked(model, "ewd", |arguments| desk.done(arguments, "")).take(4) {
        let found = ["plain", "sweet", "ewd"].map(|key| test(key, &text));
        for (sum, found) in values.iter_mut().zip(&found) {
            assert_eq!(found["found"], true, "{found}");
            *sum += found["value"].as_f64().unwrap();
        }
        assert!(tokens(&found[1]) < tokens(&found[0]), "{found:?}");
    }
    // Where the model is sure a mark changes nothing: such tokens count less, or not at all.
    let [plain, sweet, ewd] = values;
    assert!(ewd > plain && sweet > plain, "{plain} {sweet} {ewd}");
    assert!(desk.refused(&bonafide_tests::generate(model, "sweet", "9"), "").contains("found only"));
}

#[test]
fn a_public_key_hints_and_declares_nothing() {
    let Some(model) = model() else { return };
    let model = model.to_str().unwrap();
    let desk = Desk::new();
    let key = "transformers-synthid";
    let mut generated = Value::Null;
    let (_, text) = bonafide_tests::marked(model, key, |arguments| {
        generated = serde_json::from_str(&desk.done(&[arguments, &["--json"]].concat(), "")).unwrap();
        generated["text"].as_str().unwrap().to_owned()
    })
    .next()
    .unwrap();
    assert_eq!(generated["watermark"], key);
    assert!(generated["tokens"].as_array().unwrap().len() <= 240);
    let report = desk.score(model, &text);
    let block = &report.blocks[0];
    let mark = block.evidence.iter().find(|found| found.code == "watermark_public").unwrap();
    assert!(mark.strength < 1.0 && mark.message.contains("anyone"), "{mark:?}");
    assert_ne!(block.verdict, Verdict::DeclaredAi);
}

#[test]
fn generating_refuses_what_it_cannot_do() {
    let desk = Desk::new();
    let error = desk.refused(&["generate", "--watermark", "nobody's", "Hello"], "");
    assert!(error.contains("no watermark key"), "{error}");
    let error = desk.refused(&["generate"], "  \n");
    assert!(error.contains("empty"), "{error}");
    for arguments in [&["generate", "--top-p", "0", "x"][..], &["generate", "--temperature", "-1", "x"]] {
        assert_eq!(desk.run(arguments, "").status.code(), Some(2));
    }
    let Some(model) = model() else { return };
    let arguments = ["generate", "--model", model.to_str().unwrap(), "--watermark", "markllm-dip", "Hello"];
    let error = desk.refused(&arguments, "");
    assert!(error.contains("found only"), "{error}");
}

#[test]
fn a_label_that_was_set_is_read_again() {
    let Some(model) = model() else { return };
    let model = model.to_str().unwrap();
    let desk = Desk::new();
    let text = "# A walk\n\nThe path went along the river for a mile or so, and then up through the wood and over the hill.\n";
    for (arguments, code) in [
        (&["--visible", "zh", "--no-metadata"][..], "label_visible"),
        (&["--visible", "none", "--producer", "Acme", "--id", "42"], "aigc_generated"),
        (&[], "label_visible"),
    ] {
        let marked = desk.done(&[&["mark"], arguments].concat(), text);
        assert!(marked.contains("The path went along the river"));
        assert_eq!(
            desk.done(&[&["mark"], arguments].concat(), &marked),
            marked,
            "marking twice changes nothing"
        );
        for format in ["text", "markdown"] {
            let json = desk.done(&["score", "--json", "--model", model, "--format", format], &marked);
            let report: ScoreReport = serde_json::from_str(&json).unwrap();
            for block in &report.blocks {
                assert_eq!(block.verdict, Verdict::DeclaredAi, "{format} {arguments:?} block {}", block.id);
                assert!(block.evidence.iter().any(|found| found.code == code), "{:?}", block.evidence);
            }
        }
    }
    let error = desk.refused(&["mark", "--visible", "none", "--no-metadata"], text);
    assert!(error.contains("no label is left"), "{error}");
    let error = desk.refused(&["mark"], "<!doctype html><html><body><p>Text</p></body></html>");
    assert!(error.contains("HTML"), "{error}");
    let path = desk.home.path().join("no-manifest");
    std::fs::write(&path, "not JUMBF").unwrap();
    let error = desk.refused(&["mark", "--manifest", path.to_str().unwrap()], text);
    assert!(error.contains("no C2PA manifest store"), "{error}");
}
