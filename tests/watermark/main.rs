//! Watermarks against the reference implementations: their own outputs, token by token.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod exponential;
mod green_lists;
mod null;
mod oracles;
mod tournament;

use serde_json::Value;

/// A reference output of `fixtures/`; NOTES.md there says what made it.
fn fixture(name: &str) -> Value {
    let path = format!("{}/watermark/fixtures/{name}.json", env!("CARGO_MANIFEST_DIR"));
    serde_json::from_str(&std::fs::read_to_string(&path).expect(&path)).expect(&path)
}

fn ids(value: &Value) -> Vec<u32> {
    value.as_array().expect("a list of ids").iter().map(|id| id.as_u64().unwrap() as u32).collect()
}

/// The ids of a case's row, which stand in the row or in the list of sequences.
fn ids_of(all: &Value, row: &Value) -> Vec<u32> {
    if row["ids"].is_array() {
        return ids(&row["ids"]);
    }
    let sequences = all["sequences"].as_array().unwrap();
    let found = sequences.iter().find(|sequence| sequence["source"] == row["source"]);
    ids(&found.unwrap_or_else(|| panic!("no sequence {}", row["source"]))["ids"])
}

fn rows(case: &Value) -> &Vec<Value> {
    case["rows"].as_array().unwrap()
}

fn cases(all: &Value) -> &Vec<Value> {
    let cases = all["cases"].as_array().unwrap();
    assert!(!cases.is_empty());
    cases
}

fn number(value: &Value) -> f64 {
    value.as_f64().unwrap_or_else(|| panic!("no number: {value}"))
}

#[track_caller]
fn same(own: f64, reference: f64, within: f64) {
    assert!((own - reference).abs() <= within, "{own} is not {reference}");
}

/// Flags as the fixtures write them: 0, 1, and - for a token that is not scored.
fn flags(own: impl Iterator<Item = bool>) -> String {
    own.map(|flag| if flag { '1' } else { '0' }).collect()
}
