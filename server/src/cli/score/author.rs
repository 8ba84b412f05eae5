//! `bonafide score --author`: whether a document sounds like an author whom `bonafide train style` has learned.
//!
//! It stands beside the report and changes no verdict. A document is compared as a whole, from its beginning: its blocks are
//! too short for that.

use super::Input;
use crate::cli::Error;
use crate::cli::messages::{self, Lang};
use crate::cli::render::clean;
use crate::model;
use crate::model::progress::Terminal;
use crate::model::store::{self, StoredModel};
use crate::paths::Paths;
use crate::train::style::file::Author;
use crate::train::style::texts::{joined, words};
use crate::train::style::{Likeness, Reader};
use bonafide_core::judge::MIN_WORDS;
use bonafide_core::verdict::{BlockReport, CalibrationIdentity, ModelIdentity, ScoreReport};
use serde::Serialize;
use std::io::{self, Write};

/// An author with the model that knows the difference.
pub(super) struct Compared {
    author: Author,
    stored: StoredModel,
}

impl Compared {
    /// Finds the author, and refuses what can't be compared, before anything long begins.
    pub(super) fn open(name: &str, model: Option<&str>, inputs: &[Input]) -> Result<Self, Error> {
        let paths = Paths::from_env()?;
        let author = Author::open(&paths.authors(), name)?;
        for input in inputs {
            enough(input)?;
        }
        let stored = store::resolve(&paths, model, &mut Terminal::new())?;
        author.check(&stored.sha256)?;
        Ok(Self { author, stored })
    }

    /// How each document compares.
    pub(super) fn read(&self, inputs: &[Input]) -> Result<Vec<Likeness>, Error> {
        let loaded = model::load(&self.stored.path)?;
        let reader = Reader::new(&self.author, &loaded.model, &loaded.tokenizer)?;
        let mut found = Vec::with_capacity(inputs.len());
        for input in inputs {
            let likeness = reader.read(&joined(&input.blocks))?;
            found.push(likeness.ok_or_else(|| short(input, "it has too few tokens"))?);
        }
        Ok(found)
    }
}

fn enough(input: &Input) -> Result<(), Error> {
    let count = words(&joined(&input.blocks));
    if count >= MIN_WORDS { Ok(()) } else { Err(short(input, &format!("it counts {count} words"))) }
}

fn short(input: &Input, reason: &str) -> Error {
    let name = clean(&input.name);
    format!(
        "{name}: too short to be compared with an author: {reason}, and {MIN_WORDS} words are the least; give a longer text, \
         or leave --author out"
    )
    .into()
}

/// A block's report, with what was found of the document that it is in.
#[derive(Serialize)]
struct Block<'a> {
    #[serde(flatten)]
    report: &'a BlockReport,
    author: &'a Likeness,
}

/// A [`ScoreReport`] of such blocks.
#[derive(Serialize)]
pub(super) struct Report<'a> {
    blocks: Vec<Block<'a>>,
    model: &'a ModelIdentity,
    calibration: &'a Option<CalibrationIdentity>,
    calibrations: &'a [CalibrationIdentity],
    version: &'a str,
}

/// Puts what was found of each document beside each of its blocks.
pub(super) fn beside<'a>(report: &'a ScoreReport, inputs: &[Input], found: &'a [Likeness]) -> Report<'a> {
    let ScoreReport { blocks, model, calibration, calibrations, version } = report;
    let each = inputs.iter().zip(found).flat_map(|(input, found)| input.blocks.iter().map(move |_| found));
    let blocks = blocks.iter().zip(each).map(|(report, author)| Block { report, author }).collect();
    Report { blocks, model, calibration, calibrations, version }
}

/// A line for each document, and what it means.
pub(super) fn write(out: &mut dyn Write, inputs: &[Input], found: &[Likeness], lang: Lang) -> io::Result<()> {
    writeln!(out)?;
    for (input, found) in inputs.iter().zip(found) {
        if inputs.len() > 1 {
            write!(out, "{}: ", clean(&input.name))?;
        }
        writeln!(out, "{}", clean(&messages::likeness(lang, found)))?;
    }
    writeln!(out, "{}", lang.texts().legend_author)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;
    use crate::document;
    use bonafide_core::judge;

    fn input(name: &str, texts: &[&str]) -> Input {
        let block = |text: &&str| document::Block { id: "1".to_owned(), text: (*text).to_owned() };
        let blocks = texts.iter().map(block).collect();
        Input { name: name.to_owned(), blocks, declared: Default::default() }
    }

    fn likeness(p_value: f64) -> Likeness {
        Likeness { name: "Ada".to_owned(), log_likelihood_ratio: 0.125, p_value, others: 99, tokens: 240 }
    }

    fn report(ids: &[&str]) -> ScoreReport {
        ScoreReport {
            blocks: ids.iter().map(|id| judge::unread(id, "A text.")).collect(),
            model: ModelIdentity {
                name: "tiny".to_owned(),
                sha256: "ab".repeat(32),
                architecture: "llama".to_owned(),
                backend: "none".to_owned(),
            },
            calibration: None,
            calibrations: Vec::new(),
            version: "1".to_owned(),
        }
    }

    #[test]
    fn each_block_has_what_was_found_of_its_document() {
        let inputs = [input("a", &["x", "y"]), input("b", &["z"])];
        let (report, found) = (report(&["1", "2", "3"]), [likeness(0.01), likeness(0.5)]);
        let with = serde_json::to_value(beside(&report, &inputs, &found)).unwrap();
        let of = |at: usize| with["blocks"][at]["author"]["p_value"].as_f64().unwrap();
        assert_eq!([of(0), of(1), of(2)], [0.01, 0.01, 0.5]);
        let author = with["blocks"][0]["author"].clone();
        let expected = serde_json::json!({
            "name": "Ada", "log_likelihood_ratio": 0.125, "p_value": 0.01, "others": 99, "tokens": 240
        });
        assert_eq!(author, expected);
        // Without it, it is the report that `score` prints.
        let mut without = with;
        for block in without["blocks"].as_array_mut().unwrap() {
            block.as_object_mut().unwrap().remove("author").unwrap();
        }
        assert_eq!(without, serde_json::to_value(&report).unwrap());
    }

    #[test]
    fn a_document_is_named_where_there_are_several() {
        let written = |inputs: &[Input], lang| {
            let mut out = Vec::new();
            write(&mut out, inputs, &[likeness(0.01), likeness(0.5)], lang).unwrap();
            String::from_utf8(out).unwrap()
        };
        let one = written(&[input("a.txt", &["x"])], Lang::En);
        assert!(one.contains("sounds like Ada") && !one.contains("a.txt"), "{one}");
        let two = written(&[input("a.txt", &["x"]), input("b\u{1b}.txt", &["y"])], Lang::Zh);
        assert!(
            two.contains("a.txt: ") && two.contains("b\u{fffd}.txt: ") && !two.contains('\u{1b}'),
            "{two}"
        );
    }

    #[test]
    fn short_documents_are_refused_by_name() {
        let words = "one two three four five six seven eight nine ten ".repeat(2);
        enough(&input("long", &[&words, &words])).unwrap();
        let refused = enough(&input("short.txt", &[&words])).unwrap_err().to_string();
        assert!(
            refused.contains("short.txt") && refused.contains("20 words") && refused.contains("40"),
            "{refused}"
        );
    }
}
