//! The reference's marked texts, from their text alone: how many are still found.

use super::{engine, keys, shared};
use bonafide_core::watermark::evidence::FOUND;
use serde_json::Value;

const KEYS: &str = "
[[key]]
name = 'kgw_lefthash_g25_b25'
scheme = 'kgw'
gamma = 0.25
key = 15485863
[[key]]
name = 'kgw_lefthash_g50_b20_key2'
scheme = 'kgw'
gamma = 0.5
key = 987654321
[[key]]
name = 'kgw_selfhash_g25_b25'
scheme = 'kgw'
seeding = 'selfhash'
context = 4
gamma = 0.25
key = 15485863
[[key]]
name = 'synthid_n5_d30'
scheme = 'synthid'
keys = [654, 400, 836, 123, 340, 443, 597, 160, 57, 29, 590, 639, 13, 715, 468, 990, 966, 226, 324, 585, 118, 504, 421, 521, 129, 669, 732, 225, 90, 960]
";

pub(super) fn run() {
    println!("\nThe reference's marked texts, found from their text at p < {FOUND:.0e}");
    let Some(folder) = shared("oracles/watermark") else { return };
    let engine = engine(keys(KEYS));
    println!(
        "{:<28} {:>6} {:>6} {:>9} {:>13} {:>12}",
        "texts", "found", "of", "same ids", "least tokens", "others found"
    );
    for name in [
        "kgw_lefthash_g25_b25",
        "kgw_lefthash_g50_b20_key2",
        "kgw_selfhash_g25_b25",
        "synthid_n5_d30",
        "none",
    ] {
        let lines = std::fs::read_to_string(folder.join(format!("{name}.s1.jsonl"))).unwrap();
        let (mut found, mut others, mut all, mut same, mut least) = (0, 0, 0, 0, usize::MAX);
        for line in lines.lines() {
            let text: Value = serde_json::from_str(line).unwrap();
            all += 1;
            same += usize::from(text["retokenized_equal"] == true);
            least = least.min(text["token_ids"].as_array().unwrap().len());
            for mark in engine.marks(text["text"].as_str().unwrap()) {
                if mark.finding.p < FOUND {
                    if mark.key.entry.name == name { found += 1 } else { others += 1 }
                }
            }
        }
        println!("{name:<28} {found:>6} {all:>6} {same:>9} {least:>13} {others:>12}");
    }
}
