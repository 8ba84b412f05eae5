//! The null must hold: unmarked text reaches a p-value no more often than the p-value says.
//!
//! The large tables are made by `cargo xtask bench watermarks null`; this keeps them true in small.

use bonafide::engine::{Engine, EngineOptions};
use bonafide::watermark::file;
use bonafide_core::watermark::detector::Detector;
use bonafide_core::watermark::random::numpy::Pcg64;
use std::path::Path;

/// Few enough p-values at each level, for so many tests that one more by chance is no failure.
fn check(p: &[f64], what: &str) {
    for (level, slack) in [(1e-2, 1.3), (1e-3, 2.0)] {
        let share = p.iter().filter(|p| **p <= level).count() as f64 / p.len() as f64;
        assert!(share <= slack * level, "{what}: {share} at {level}, of {}", p.len());
    }
    let least = p.iter().copied().fold(1.0, f64::min);
    assert!(least > 0.01 / p.len() as f64, "{what}: {least}");
}

/// A key of every kind, made from a number.
fn keys(number: u64) -> String {
    let layers: Vec<String> = (0..30).map(|layer| (number + 7_919 * layer).to_string()).collect();
    let layers = layers.join(", ");
    let kinds = [
        format!("scheme = 'kgw'\ngamma = 0.25\nkey = {number}"),
        format!("scheme = 'kgw'\nseeding = 'selfhash'\ncontext = 4\ngamma = 0.25\nkey = {number}"),
        format!("scheme = 'kgw'\nseeding = 'minhash'\ngamma = 0.5\nkey = {number}"),
        format!("scheme = 'kgw'\nseeding = 'permuted'\ngamma = 0.5\nkey = {number}"),
        format!("scheme = 'kgw'\nseeding = 'fold'\ngamma = 0.25\nkey = {number}"),
        format!("scheme = 'unigram'\ngamma = 0.25\nkey = {number}"),
        format!("scheme = 'synthid'\nkeys = [{layers}]"),
        format!("scheme = 'synthid'\nflavour = 'original'\nkeys = [{layers}]"),
        format!("scheme = 'exp'\nkey = {number}"),
        format!("scheme = 'exp'\nflavour = 'three_bricks'\nkey = {number}"),
        format!("scheme = 'dip'\ngamma = 0.5\nkey = '{number:016x}'"),
        format!("scheme = 'exp-edit'\nlength = 64\nkey = {number}"),
    ];
    kinds.iter().enumerate().map(|(at, kind)| format!("[[key]]\nname = '{at}'\n{kind}\n")).collect()
}

#[test]
fn tokens_that_follow_no_key_show_none() {
    // Frequencies as words have them: the n-th token comes once where the first comes n times. A p-value is over keys and
    // texts, so there are many of both: what texts share is lucky under some keys, with Unigram above all.
    const VOCABULARY: u32 = 4000;
    let text = |seed: u64| -> Vec<u32> {
        let mut random = Pcg64::new(seed);
        let scale = f64::from(VOCABULARY).ln();
        (0..260).map(|_| ((random.next_f64() * scale).exp() as u32).min(VOCABULARY) - 1).collect()
    };
    let mut all = Vec::new();
    for number in 0..60 {
        for entry in file::parse(&keys(1_000_003 * (number + 1)), Path::new("keys")).unwrap() {
            let detector = Detector::new(entry.scheme(VOCABULARY).unwrap()).unwrap();
            let texts = (0..4).map(|at| text(4 * number + at));
            all.extend(texts.filter_map(|text| Some(detector.find(&text, None)?.p)));
        }
    }
    assert!(all.len() > 2800, "{}", all.len());
    check(&all, "made-up texts");
}

#[test]
fn human_texts_show_no_mark() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/data/aitext");
    let (Ok(files), Some(model)) = (std::fs::read_dir(&folder), bonafide_tests::model()) else {
        eprintln!("skipped: the labelled texts {} or the model are not here", folder.display());
        return;
    };
    let mut paths: Vec<_> = files.map(|file| file.unwrap().path()).collect();
    paths.sort();
    let options = EngineOptions {
        model: Some(model.display().to_string()),
        watermarks: file::built_in().unwrap().into_iter().filter(|entry| !entry.slow()).collect(),
        ..EngineOptions::default()
    };
    let engine = Engine::load(&options).unwrap();
    assert!(engine.watermarks().problems().is_empty());
    let mut all = Vec::new();
    for path in paths.iter().filter(|path| path.extension().is_some_and(|end| end == "jsonl")) {
        let lines = std::fs::read_to_string(path).unwrap();
        let human = lines.lines().filter_map(|line| {
            let text: serde_json::Value = serde_json::from_str(line).unwrap();
            (text["label"] == "human").then(|| text["text"].as_str().unwrap().to_owned())
        });
        for text in human.take(12) {
            all.extend(engine.marks(&text).iter().map(|mark| mark.finding.p));
        }
    }
    assert!(all.len() > 2000, "{}", all.len());
    check(&all, "human texts");
}
