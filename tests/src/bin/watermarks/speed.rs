//! Speed: tokens a second a key, beside the reference library's detectors on the same tokens in the same run.

use super::{engine, human_texts, keys, shared};
use bonafide::watermark::file;
use bonafide_core::watermark::detector::Detector;
use serde_json::{Value, json};
use std::path::Path;
use std::process::Command;
use std::time::Instant;

const VOCABULARY: u32 = 49_152;
const ROUNDS: usize = 5;

pub(super) fn run() {
    println!("\nSpeed: tokens a second a key, one thread");
    let texts: Vec<Vec<u32>> = tokens();
    let all: usize = texts.iter().map(Vec::len).sum();
    println!("{} texts of {all} tokens", texts.len());
    let reference = reference(&texts);
    println!("{:<28} {:>12} {:>12} {:>7}", "key", "bonafide", "reference", "ratio");
    for key in file::built_in().unwrap().into_iter().filter(|key| !key.slow()) {
        let detector = Detector::new(key.scheme(VOCABULARY).unwrap()).unwrap();
        let seconds = best(|| {
            for text in &texts {
                std::hint::black_box(detector.find(text, None));
            }
        });
        let own = all as f64 / seconds;
        let name = match key.name.as_str() {
            "transformers-kgw" => "kgw_lefthash",
            "transformers-kgw-selfhash-4" => "kgw_selfhash",
            "transformers-synthid" => "synthid",
            _ => "",
        };
        match reference.iter().find(|(scheme, _)| scheme == name) {
            Some((_, theirs)) => {
                println!("{:<28} {own:>12.0} {theirs:>12.0} {:>7.0}", key.name, own / theirs);
            }
            None => println!("{:<28} {own:>12.0}", key.name),
        }
    }
    hundred_keys();
}

/// A block of 300 tokens against a hundred keys, as the daemon does it, on all cores.
fn hundred_keys() {
    let text = human_texts(20).join("\n\n");
    let lists = |scheme: &str| {
        (0..100)
            .map(|at| format!("[[key]]\nname = '{scheme}{at}'\n{}\n", definition(scheme, at)))
            .collect::<String>()
    };
    println!("\nA block of 300 tokens against 100 keys, as the daemon does it");
    for scheme in ["kgw", "unigram", "synthid", "exp", "mixed"] {
        let engine = engine(keys(&lists(scheme)));
        let words: Vec<&str> = text.split_inclusive(' ').take(400).collect();
        let tokens_of = |count: usize| engine.encode_raw(&words[..count].concat()).unwrap().len();
        let count = (1..=words.len()).find(|count| tokens_of(*count) >= 300).unwrap_or(words.len());
        let (block, tokens) = (words[..count].concat(), tokens_of(count));
        let seconds = best(|| {
            std::hint::black_box(engine.marks(&block));
        });
        println!("{scheme:<10} {tokens:>4} tokens {:>8.2} ms", 1000.0 * seconds);
    }
}

fn definition(scheme: &str, at: usize) -> String {
    let key = 7_919 * (at + 1);
    match (scheme, at % 4) {
        ("kgw", _) | ("mixed", 0) => format!("scheme = 'kgw'\ngamma = 0.25\nkey = {key}"),
        ("unigram", _) | ("mixed", 1) => format!("scheme = 'unigram'\ngamma = 0.25\nkey = {key}"),
        ("exp", _) | ("mixed", 2) => format!("scheme = 'exp'\nkey = {key}"),
        _ => {
            let layers: Vec<String> = (0..30).map(|layer| (key + layer).to_string()).collect();
            format!("scheme = 'synthid'\nkeys = [{}]", layers.join(", "))
        }
    }
}

fn best(mut work: impl FnMut()) -> f64 {
    let rounds = (0..ROUNDS).map(|_| {
        let start = Instant::now();
        work();
        start.elapsed().as_secs_f64()
    });
    rounds.fold(f64::INFINITY, f64::min)
}

/// The reference's unmarked texts where they are here, else some of the model's own tokens in disorder.
fn tokens() -> Vec<Vec<u32>> {
    match shared("oracles/watermark/none.s1.jsonl") {
        Some(path) => {
            let lines = std::fs::read_to_string(path).unwrap();
            let ids = lines.lines().map(|line| {
                let text: Value = serde_json::from_str(line).unwrap();
                text["token_ids"].as_array().unwrap().iter().map(|id| id.as_u64().unwrap() as u32).collect()
            });
            ids.collect()
        }
        None => (0..24_u32)
            .map(|text| (0..200_u32).map(|at| (text * 7919 + at * 104_729) % VOCABULARY).collect())
            .collect(),
    }
}

/// What the reference library does with the same tokens, if Python has it: `cargo xtask bench watermarks` installs it.
fn reference(texts: &[Vec<u32>]) -> Vec<(String, f64)> {
    let Some(python) = std::env::var_os("BONAFIDE_REFERENCE_PYTHON") else {
        println!("skipped: the reference library (cargo xtask bench watermarks installs it)");
        return Vec::new();
    };
    let file = tempfile::NamedTempFile::new().unwrap();
    serde_json::to_writer(&file, &json!({ "ids": texts })).unwrap();
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("watermark/reference_speed.py");
    let out = Command::new(python)
        .arg(script)
        .arg(file.path())
        .args(["--vocab-size", &VOCABULARY.to_string()])
        .output()
        .expect("python starts");
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    let lines = String::from_utf8(out.stdout).unwrap();
    lines
        .lines()
        .filter_map(|line| {
            let value: Value = serde_json::from_str(line).ok()?;
            Some((value["scheme"].as_str()?.to_owned(), value["tokens_per_second"].as_f64()?))
        })
        .collect()
}
