//! False alarms: how often a human text reaches a p-value, against how often it may.

use super::{engine, human_texts, keys};
use bonafide::watermark::file::{self, Entry};
use std::collections::BTreeMap;
use std::fmt::Write;

const LEVELS: [f64; 4] = [1e-2, 1e-3, 1e-4, 1e-6];
/// Random private keys of each kind.
const KEYS: usize = 20;

pub(super) fn run() {
    // With those that the daemon leaves out because they are slow: minutes.
    let public = file::built_in().unwrap();
    let texts = human_texts(500);
    table("False alarms of the public keys", public, &texts, str::to_owned);
    // A single key may be lucky or unlucky with the words that every text has.
    let texts = human_texts(60);
    table(&format!("False alarms of {KEYS} random keys of each kind"), random_keys(), &texts, |name| {
        name.split(' ').next().unwrap_or(name).to_owned()
    });
    // Repetition must not count: each text three times over.
    let repeated: Vec<String> =
        human_texts(60).iter().map(|text| format!("{text}\n\n{text}\n\n{text}")).collect();
    table("False alarms of the random keys on texts three times over", random_keys(), &repeated, |name| {
        name.split(' ').next().unwrap_or(name).to_owned()
    });
}

fn random_keys() -> Vec<Entry> {
    let mut toml = String::new();
    for at in 0..KEYS {
        let key = 1_000_003 * (at + 1) + 77;
        let layers: Vec<String> = (0..30).map(|layer| (key + layer * 7919).to_string()).collect();
        let layers = layers.join(", ");
        for (name, rest) in [
            ("kgw-lefthash", format!("scheme = 'kgw'\ngamma = 0.25\nkey = {key}")),
            (
                "kgw-selfhash",
                format!("scheme = 'kgw'\nseeding = 'selfhash'\ncontext = 4\ngamma = 0.25\nkey = {key}"),
            ),
            ("kgw-minhash", format!("scheme = 'kgw'\nseeding = 'minhash'\ngamma = 0.25\nkey = {key}")),
            ("unigram", format!("scheme = 'unigram'\ngamma = 0.25\nkey = {key}")),
            ("synthid", format!("scheme = 'synthid'\nkeys = [{layers}]")),
            ("synthid-original", format!("scheme = 'synthid'\nflavour = 'original'\nkeys = [{layers}]")),
            ("exp", format!("scheme = 'exp'\nkey = {key}")),
            ("exp-three-bricks", format!("scheme = 'exp'\nflavour = 'three_bricks'\nkey = {key}")),
            ("kgw-permuted", format!("scheme = 'kgw'\nseeding = 'permuted'\ngamma = 0.5\nkey = {key}")),
            ("kgw-fold", format!("scheme = 'kgw'\nseeding = 'fold'\ngamma = 0.25\nkey = {key}")),
            ("dip", format!("scheme = 'dip'\ngamma = 0.5\nkey = '{key:08x}'")),
        ] {
            write!(toml, "[[key]]\nname = '{name} {at}'\n{rest}\n").unwrap();
        }
    }
    keys(&toml)
}

fn table(title: &str, keys: Vec<Entry>, texts: &[String], group: impl Fn(&str) -> String) {
    println!("\n{title}: {} human texts", texts.len());
    if texts.is_empty() {
        return;
    }
    let engine = engine(keys);
    let mut found: BTreeMap<String, Vec<f64>> = BTreeMap::new();
    for (at, text) in texts.iter().enumerate() {
        if at % 500 == 499 {
            eprintln!("{} of {} texts", at + 1, texts.len());
        }
        for mark in engine.marks(text) {
            found.entry(group(&mark.key.entry.name)).or_default().push(mark.finding.p);
        }
    }
    print!("{:<28} {:>8}", "key", "tests");
    LEVELS.iter().for_each(|level| print!(" {:>10}", format!("p<={level:.0e}")));
    println!(" {:>9}", "least p");
    let mut all = Vec::new();
    for (key, p) in &found {
        line(key, p);
        all.extend(p);
    }
    line("all", &all);
}

fn line(name: &str, p: &[f64]) {
    print!("{name:<28} {:>8}", p.len());
    for level in LEVELS {
        let share = p.iter().filter(|p| **p <= level).count() as f64 / p.len() as f64;
        print!(" {share:>10.6}");
    }
    println!(" {:>9.1e}", p.iter().copied().fold(1.0, f64::min));
}
