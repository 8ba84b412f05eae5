//! What the verdicts are worth on labelled text, in small: `bonafide eval` keeps its shape, and a change that
//! would accuse people who write in a second language, or lose what is plainly a model's, fails here.
//!
//! The sample is drawn with a fixed seed, so the figures are the same in every run. The full tables are made by
//! hand with `bonafide eval`.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use bonafide_tests::{bonafide, model};
use serde_json::Value;
use std::path::{Path, PathBuf};

/// Labelled text lives beside the repository.
fn data(name: &str) -> Option<PathBuf> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/data/aitext").join(name);
    if path.exists() {
        return Some(path);
    }
    eprintln!("skipped: the labelled texts {} are not here", path.display());
    None
}

fn eval(file: &Path, model: &Path) -> Value {
    let out = bonafide()
        .args(["eval", "--json", "--limit", "12", "--max-tokens", "256", "--model"])
        .args([model, file])
        .output()
        .expect("bonafide starts");
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    serde_json::from_slice(&out.stdout).expect("eval prints JSON")
}

#[test]
fn essays_in_a_second_language_are_not_accused() {
    let (Some(file), Some(model)) = (data("dev.herbold.essays.jsonl"), model()) else { return };
    let report = eval(&file, &model);
    let overall = &report["overall"];
    assert_eq!(overall["n"], 24, "{overall}");
    assert_eq!(overall["fpr"], 0.0, "{overall}");
    assert!(overall["auroc"].as_f64().unwrap() > 0.95, "{overall}");
    assert!(overall["tpr"].as_f64().unwrap() > 0.3, "{overall}");
    for key in ["tpr_at_fpr_1", "tpr_at_fpr_5", "unclear"] {
        assert!(overall[key].is_number(), "{key}");
    }
    assert!(report["by"]["generator"]["chatgpt-4"]["auroc"].is_number());
    assert!(report["detectors"]["fast_detectgpt"]["auroc"].as_f64().unwrap() > 0.8);
}

#[test]
fn chinese_is_judged_and_nobody_is_accused() {
    let (Some(file), Some(model)) = (data("dev.glimpse_langs.m4_chatgpt_6langs.jsonl"), model()) else {
        return;
    };
    let text = std::fs::read_to_string(&file).unwrap();
    let chinese = |line: &&str| {
        let line: Value = serde_json::from_str(line).unwrap();
        line["lang"] == "zh"
    };
    let folder = tempfile::tempdir().unwrap();
    let own = folder.path().join("dev.chinese.jsonl");
    std::fs::write(&own, text.lines().filter(chinese).collect::<Vec<_>>().join("\n")).unwrap();
    let overall = &eval(&own, &model)["overall"];
    assert_eq!(overall["n"], 24, "{overall}");
    assert_eq!(overall["fpr"], 0.0, "{overall}");
    // One data set of generated Chinese says too little of others to call a text a human's.
    assert_eq!(overall["missed"], 0.0, "{overall}");
    assert!(overall["auroc"].as_f64().unwrap() > 0.75 && overall["tpr"].as_f64().unwrap() > 0.1, "{overall}");
}

#[test]
fn languages_without_calibration_stay_unclear() {
    let (Some(file), Some(model)) = (data("dev.glimpse_langs.m4_chatgpt_6langs.jsonl"), model()) else {
        return;
    };
    let report = eval(&file, &model);
    for language in ["ar", "bg", "id", "ru", "ur"] {
        let own = &report["by"]["lang"][language];
        assert!(own["n"].as_u64().is_some_and(|n| n > 0), "{language}: {own}");
        assert_eq!(own["unclear"], 1.0, "{language}: {own}");
    }
    assert!(
        report["detectors"]["mean_logprob"]["auroc"].is_number(),
        "the statistics are given all the same"
    );
}
