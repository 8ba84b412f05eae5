//! What watermark detection is worth, in tables: false alarms on human texts, power on our own marks, speed.

#![allow(clippy::print_stdout, clippy::expect_used, clippy::unwrap_used, clippy::panic)]

use bonafide::engine::{Engine, EngineOptions};
use bonafide::watermark::file;
use serde_json::Value;
use std::path::PathBuf;

fn main() {
    let files: Vec<PathBuf> = std::env::args().skip(1).map(PathBuf::from).collect();
    let options = EngineOptions {
        watermarks: file::built_in().unwrap().into_iter().filter(|key| !key.slow()).collect(),
        ..EngineOptions::default()
    };
    let engine = Engine::load(&options).unwrap();
    let mut texts = Vec::new();
    for file in &files {
        let mut of_file: Vec<String> = std::fs::read_to_string(file)
            .unwrap()
            .lines()
            .map(|line| serde_json::from_str::<Value>(line).unwrap())
            .filter(|text| text["label"] == "human")
            .map(|text| text["text"].as_str().unwrap().to_owned())
            .collect();
        of_file.truncate(700);
        texts.extend(of_file);
    }
    println!("{} texts", texts.len());
    let mut table: std::collections::BTreeMap<String, Vec<f64>> = Default::default();
    let mut whole: std::collections::BTreeMap<String, Vec<f64>> = Default::default();
    for text in &texts {
        for found in engine.marks(text) {
            table.entry(found.key.entry.name.clone()).or_default().push(found.finding.p);
            whole.entry(found.key.entry.name.clone()).or_default().push(found.finding.z);
        }
    }
    for (key, p) in &table {
        let share = |limit: f64| p.iter().filter(|p| **p <= limit).count() as f64 / p.len() as f64;
        let z = &whole[key];
        println!(
            "{key:<28} n {} 1e-2 {:.5} 1e-3 {:.5} 1e-4 {:.5} 1e-6 {:.5} mean z {:.3}",
            p.len(),
            share(1e-2),
            share(1e-3),
            share(1e-4),
            share(1e-6),
            z.iter().sum::<f64>() / z.len() as f64
        );
    }
}
