//! What watermark detection is worth, in tables: `cargo xtask bench watermarks [oracles|null|power|speed]`.
//!
//! False alarms are counted on human texts, power on texts that the program marks itself, speed beside the reference
//! library's detectors on the same tokens.

#![allow(clippy::print_stdout, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod null;
mod oracles;
mod power;
mod speed;

use bonafide::engine::{Engine, EngineOptions};
use bonafide::watermark::file::{self, Entry};
use serde_json::Value;
use std::path::{Path, PathBuf};

fn main() {
    let wanted: Vec<String> = std::env::args().skip(1).collect();
    let wants = |name: &str| wanted.is_empty() || wanted.iter().any(|wanted| wanted == name);
    if let Some(unknown) =
        wanted.iter().find(|name| !["oracles", "null", "power", "speed"].contains(&name.as_str()))
    {
        eprintln!(
            "error: there is no table `{unknown}`: say oracles, null, power, speed, or nothing for all"
        );
        std::process::exit(2);
    }
    if wants("oracles") {
        oracles::run();
    }
    if wants("null") {
        null::run();
    }
    if wants("power") {
        power::run();
    }
    if wants("speed") {
        speed::run();
    }
}

/// What lies beside the repository, or a line that says that it doesn't.
fn shared(name: &str) -> Option<PathBuf> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared").join(name);
    if path.exists() {
        return Some(path);
    }
    println!("skipped: {} is not here", path.display());
    None
}

/// An engine that looks for these keys.
fn engine(keys: Vec<Entry>) -> Engine {
    Engine::load(&EngineOptions { watermarks: keys, ..EngineOptions::default() }).expect("the default model")
}

/// Keys of a file as a user writes it.
fn keys(toml: &str) -> Vec<Entry> {
    file::parse(toml, Path::new("keys of the benchmark")).expect("keys")
}

/// Some human texts of every labelled set, `each` at most from one.
fn human_texts(each: usize) -> Vec<String> {
    let Some(folder) = shared("data/aitext") else { return Vec::new() };
    let mut files: Vec<PathBuf> =
        std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    let texts =
        files.iter().filter(|file| file.extension().is_some_and(|end| end == "jsonl")).flat_map(|file| {
            let lines = std::fs::read_to_string(file).unwrap();
            let texts = lines.lines().filter_map(|line| {
                let text: Value = serde_json::from_str(line).ok()?;
                (text["label"] == "human").then(|| text["text"].as_str().unwrap_or_default().to_owned())
            });
            texts.take(each).collect::<Vec<_>>()
        });
    texts.collect()
}
