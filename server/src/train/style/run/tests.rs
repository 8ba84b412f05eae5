//! Whole runs on a tiny model and made-up authors.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
use super::super::Reader;
use super::*;
use crate::train::lora::testing::{self, Letters};

/// Words of four letters from a first one on, but for one word of ten from anywhere.
fn texts(name: &str, first: u8, letters: usize, count: usize) -> Vec<String> {
    let mut random = Random::new(&[b"author", name.as_bytes()]);
    let mut word = || {
        let (first, letters) = if random.happens(0.1) { (b'a', 26) } else { (first, letters) };
        (0..4).map(|_| char::from(first + random.below(letters) as u8)).collect::<String>()
    };
    (0..count).map(|_| (0..12).map(|_| word()).collect::<Vec<_>>().join(" ")).collect()
}

/// Letters that the author likes.
const HABIT: usize = 7;

struct Case {
    model: Model,
    own: Vec<String>,
    others: Vec<String>,
}

impl Case {
    /// An author of the alphabet's first letters among others of all of it.
    fn new() -> Self {
        Self {
            model: testing::wide_llama(),
            own: texts("own", b'a', HABIT, 30),
            others: texts("others", b'a', 26, 40),
        }
    }

    fn train(&self, settings: &Settings) -> Result<(Author, Outcome), StyleError> {
        let Self { model, own, others } = self;
        let (name, base, author) = ("tiny", &"ab".repeat(32), "Ada");
        let inputs = Inputs { model, tokenizer: &Letters, name, base, author, own, others };
        train(&inputs, settings, &mut |_| {})
    }
}

fn settings() -> Settings {
    Settings { rank: 4, alpha: 8.0, layers: 3, steps: 40, rate: 1e-2, batch_tokens: 256, seed: 3 }
}

#[test]
fn held_out_texts_of_an_author_are_found_and_others_are_not() {
    let case = Case::new();
    let (author, outcome) = case.train(&settings()).unwrap();
    assert_eq!((outcome.learned, outcome.held_out.len(), outcome.others), (24, 6, 40));
    assert!(outcome.held_out_ratio > outcome.others_ratio + 0.2, "{outcome:?}");
    assert!(outcome.found >= 5, "{outcome:?}");
    assert_eq!(outcome.rate, outcome.found as f64 / 6.0);
    assert!(outcome.auroc > 0.95, "{outcome:?}");
    assert!(outcome.steps.last().unwrap().loss < outcome.steps[0].loss - 0.2);

    // What is kept says the same of texts that the run has not seen.
    let author = Author::read(&author.write().unwrap()).unwrap();
    let reader = Reader::new(&author, &case.model, &Letters).unwrap();
    let p = |text: &str| reader.read(text).unwrap().unwrap().p_value;
    let found =
        |name, first, letters| texts(name, first, letters, 20).iter().filter(|text| p(text) <= FOUND).count();
    assert!(found("new", b'a', HABIT) >= 16);
    assert!(found("strange", b'a', 26) <= 4);
}

#[test]
fn a_reader_places_held_out_texts_as_the_run_did() {
    let case = Case::new();
    // Part of the layers.
    let (author, outcome) = case.train(&Settings { layers: 2, steps: 9, ..settings() }).unwrap();
    let (_, held_out) = split(&case.own, settings().seed);
    let reader = Reader::new(&author, &case.model, &Letters).unwrap();
    for (text, placed) in held_out.iter().zip(&outcome.held_out) {
        let read = reader.read(text).unwrap().unwrap();
        assert!((read.log_likelihood_ratio - placed.log_likelihood_ratio).abs() < 1e-5);
        assert_eq!((read.tokens, read.others, read.name.as_str()), (placed.tokens, placed.others, "Ada"));
    }
    assert_eq!(reader.read("too short").unwrap(), None);
    assert_eq!(reader.read("").unwrap(), None);
}

#[test]
fn a_run_is_the_same_for_the_same_seed() {
    let case = Case::new();
    let short = Settings { steps: 4, ..settings() };
    let first = case.train(&short).unwrap();
    assert_eq!(first, case.train(&short).unwrap());
    assert_ne!(first, case.train(&Settings { seed: 4, ..short }).unwrap());
}

#[test]
fn the_area_is_the_share_of_others_below() {
    let (name, log_likelihood_ratio, others, tokens) = ("Ada".to_owned(), 0.0, 24, 32);
    // Five of 24 reach it.
    let likeness = Likeness { name, log_likelihood_ratio, p_value: 6.0 / 25.0, others, tokens };
    assert!((area(&likeness) - 19.0 / 24.0).abs() < 1e-12);
}

#[test]
fn nothing_is_learned_from_what_is_held_out() {
    let case = Case::new();
    let (learn, held_out) = split(&case.own, 3);
    let learned = |text: &String| learn.iter().any(|own| own.text == *text);
    assert!(held_out.iter().all(|text| !learned(text)) && learn.len() + held_out.len() == case.own.len());
    let mut changed = Case::new();
    for text in &mut changed.own {
        if held_out.contains(text) {
            *text = text.to_uppercase();
        }
    }
    let short = Settings { steps: 4, ..settings() };
    assert_eq!(case.train(&short).unwrap().0, changed.train(&short).unwrap().0);
}

#[test]
fn texts_and_options_that_make_no_run_are_errors() {
    let said = |case: &Case, settings: Settings| case.train(&settings).unwrap_err().to_string();
    let case = Case::new();
    assert!(said(&case, Settings { layers: 9, ..settings() }).contains("from 1 to 3"));
    assert!(said(&case, Settings { rank: 0, ..settings() }).contains("--rank"));
    assert!(said(&case, Settings { batch_tokens: 4096, ..settings() }).contains("tokens"));
    let few = Case { own: case.own[..4].to_vec(), ..Case::new() };
    assert!(said(&few, settings()).contains("at least 5"));
    let few = Case { others: case.others[..19].to_vec(), ..Case::new() };
    assert!(said(&few, settings()).contains("at least 20"));
    // Enough texts, but not enough that can be compared.
    let short = Case { others: vec!["abc".to_owned(); 30], ..Case::new() };
    let short = said(&short, Settings { steps: 1, ..settings() });
    assert!(short.contains("--others"), "{short}");
}
