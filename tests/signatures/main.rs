//! What signatures must survive, and what they must not.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod edits;
mod mutations;
mod survival;

use bonafide_core::signature::check::{Outcome, Report, check};
use bonafide_core::signature::page::Page;
use bonafide_core::signature::published::KeyFacts;
use bonafide_core::signature::time::Timestamp;
use serde_json::Value;

/// One of the two hundred texts.
struct Text {
    id: String,
    text: String,
}

/// English, Chinese, Arabic, Hindi, emoji and code.
fn texts() -> Vec<Text> {
    let lines = include_str!("../interop/texts.jsonl");
    let texts: Vec<Text> = lines
        .lines()
        .map(|line| {
            let value: Value = serde_json::from_str(line).unwrap();
            let field = |name: &str| value[name].as_str().unwrap().to_owned();
            Text { id: field("id"), text: field("text") }
        })
        .collect();
    assert_eq!(texts.len(), 200);
    texts
}

/// What a reader who knows the key is told of each statement in a page.
fn reports(page: &Page) -> Vec<Report> {
    let facts = KeyFacts { contact: Some("Ada".to_owned()), ..KeyFacts::default() };
    let now = Timestamp::from_unix(1_795_600_000);
    check(page).iter().map(|checked| checked.report(page, &facts, now)).collect()
}

/// Whether there is one statement and it verifies.
fn verifies(page: &Page) -> bool {
    matches!(reports(page).as_slice(), [Report { result: Outcome::Trusted, .. }])
}

/// Random numbers from a seed (SplitMix64), so that a failure can be run again.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    fn below(&mut self, limit: usize) -> usize {
        usize::try_from(self.next() % u64::try_from(limit.max(1)).unwrap()).unwrap()
    }
}
