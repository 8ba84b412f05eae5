//! Files of scores: what came of each text, but never the text, one JSON object a line. `bonafide eval --scores` writes
//! them and `--from-scores` reads them, so that a large set is scored once and reported often, alone or with others.
//!
//! A line has `dataset`, `line` (of the text in its file, from 1), `id`, `label` (`human` or `ai`), `fields` (any of
//! domain, generator, lang, kind, and the data set again), `verdict`, `probability`, `log_odds` (its natural log-odds), `p_value`, `words`
//! (Unicode word boundaries), `tokens` (of the model) and `detectors` (name to score). What a text doesn't have is null.
//! The log-odds are there for other programs: reading takes them from the probability.

use super::dataset::{FIELDS, Label, Sample};
use super::report::Outcome;
use bonafide_core::verdict::{BlockReport, Verdict};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};

/// A line of scores is some hundred bytes long; a longer one than this is another kind of file.
const MAX_LINE_BYTES: u64 = 1 << 20;

/// Why a file of scores can't be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ScoresError {
    /// The file can't be read.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// A line is not what `--scores` writes.
    #[error("{}:{line}: {problem} (make the file with `bonafide eval --scores`)", path.display())]
    Line {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
        /// What is wrong with it.
        problem: String,
    },
    /// A text comes twice.
    #[error("{}:{line}: line {text} of {dataset} for the second time: give runs over different texts", path.display())]
    Twice {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
        /// The file that the text is from.
        dataset: String,
        /// Its line there.
        text: usize,
    },
    /// There is nothing in it.
    #[error("{}: no scores in it", path.display())]
    Empty {
        /// The file.
        path: PathBuf,
    },
}

#[derive(Serialize, Deserialize)]
struct Line {
    dataset: String,
    line: usize,
    id: Option<String>,
    label: Origin,
    fields: BTreeMap<String, String>,
    verdict: Verdict,
    probability: Option<f64>,
    log_odds: Option<f64>,
    p_value: Option<f64>,
    words: usize,
    tokens: usize,
    detectors: BTreeMap<String, Option<f64>>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Origin {
    Human,
    Ai,
}

/// Writes the line of a text.
pub fn write(out: &mut impl Write, sample: &Sample, report: &BlockReport) -> std::io::Result<()> {
    let probability = report.probability.filter(|p| p.is_finite());
    let log_odds = probability.map(|p| (p / (1.0 - p)).ln()).filter(|odds| odds.is_finite());
    let named = FIELDS.iter().filter_map(|&name| Some((name.to_owned(), sample.field(name)?.to_owned())));
    let named = named.chain([("dataset".to_owned(), sample.dataset.to_string())]);
    let line = Line {
        dataset: sample.dataset.to_string(),
        line: sample.line,
        id: sample.field("id").map(str::to_owned),
        label: match sample.label {
            Label::Human => Origin::Human,
            Label::Ai => Origin::Ai,
        },
        fields: named.collect(),
        verdict: report.verdict,
        probability,
        log_odds,
        p_value: report.p_value.filter(|p| p.is_finite()),
        words: report.words,
        tokens: report.token_count,
        detectors: report.detectors.iter().map(|(name, &score)| (name.clone(), Some(score))).collect(),
    };
    serde_json::to_writer(&mut *out, &line)?;
    writeln!(out)
}

/// Reads files one after the other. A text that is in them twice is an error, because it would count twice.
pub fn read_all(files: &[PathBuf]) -> Result<Vec<Outcome>, ScoresError> {
    let mut outcomes = Vec::new();
    let mut seen = BTreeSet::new();
    for path in files {
        let io = |source| ScoresError::Io { path: path.clone(), source };
        let file = std::fs::File::open(path).map_err(io)?;
        let before = outcomes.len();
        read(path, BufReader::new(file), &mut seen, &mut outcomes)?;
        if outcomes.len() == before {
            return Err(ScoresError::Empty { path: path.clone() });
        }
    }
    Ok(outcomes)
}

fn read(
    path: &Path,
    mut input: impl BufRead,
    seen: &mut BTreeSet<(String, usize)>,
    outcomes: &mut Vec<Outcome>,
) -> Result<(), ScoresError> {
    for number in 1.. {
        let bad = |problem: String| ScoresError::Line { path: path.to_owned(), line: number, problem };
        let mut bytes = Vec::new();
        let read = (&mut input)
            .take(MAX_LINE_BYTES)
            .read_until(b'\n', &mut bytes)
            .map_err(|source| ScoresError::Io { path: path.to_owned(), source })?;
        if read == 0 {
            break;
        }
        if read as u64 == MAX_LINE_BYTES && bytes.last() != Some(&b'\n') {
            return Err(bad(format!("a line of more than {} KiB", MAX_LINE_BYTES >> 10)));
        }
        if bytes.iter().all(u8::is_ascii_whitespace) {
            continue;
        }
        let line = parse(&bytes).map_err(bad)?;
        if !seen.insert((line.dataset.clone(), line.line)) {
            let (path, dataset) = (path.to_owned(), line.dataset);
            return Err(ScoresError::Twice { path, line: number, dataset, text: line.line });
        }
        outcomes.push(outcome(line));
    }
    Ok(())
}

fn parse(bytes: &[u8]) -> Result<Line, String> {
    let text = std::str::from_utf8(bytes).map_err(|_| "not UTF-8".to_owned())?;
    let line: Line = serde_json::from_str(text.trim_start_matches('\u{feff}')).map_err(|error| {
        let message = error.to_string();
        // serde_json counts lines within the one line that it was given.
        let end = message.rfind(" at line ").unwrap_or(message.len());
        format!("{} (column {})", &message[..end], error.column())
    })?;
    for (name, value) in [("probability", line.probability), ("p_value", line.p_value)] {
        if value.is_some_and(|value| !(0.0..=1.0).contains(&value)) {
            return Err(format!("\"{name}\" must be from 0 to 1"));
        }
    }
    Ok(line)
}

fn outcome(line: Line) -> Outcome {
    let mut fields = line.fields;
    let mut groups: BTreeMap<&'static str, String> =
        FIELDS.iter().filter_map(|&name| Some((name, fields.remove(name)?))).collect();
    groups.insert("dataset", line.dataset);
    Outcome {
        label: match line.label {
            Origin::Human => Label::Human,
            Origin::Ai => Label::Ai,
        },
        verdict: line.verdict,
        probability: line.probability,
        words: line.words,
        detectors: line.detectors.into_iter().filter_map(|(name, score)| Some((name, score?))).collect(),
        groups,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;
    use proptest::prelude::*;

    const GOOD: &str = concat!(
        r#"{"dataset":"set","line":3,"id":null,"label":"ai","fields":{"kind":"attack:x","dataset":"set"},"#,
        r#""verdict":"likely_ai","probability":0.75,"p_value":0.004,"words":120,"tokens":160,"#,
        r#""detectors":{"lrr":1.5,"odd":null}}"#
    );

    fn all(input: &[u8]) -> Result<Vec<Outcome>, ScoresError> {
        let mut outcomes = Vec::new();
        read(Path::new("s.jsonl"), input, &mut BTreeSet::new(), &mut outcomes).map(|()| outcomes)
    }

    fn problem(second: &str) -> String {
        all(format!("{GOOD}\n{second}\n").as_bytes()).unwrap_err().to_string()
    }

    #[test]
    fn a_line_gives_what_reports_need() {
        let outcomes = all(format!("\n{GOOD}\n").as_bytes()).unwrap();
        let [one] = outcomes.as_slice() else { panic!("{outcomes:?}") };
        assert_eq!((one.label, one.verdict, one.probability), (Label::Ai, Verdict::LikelyAi, Some(0.75)));
        assert_eq!(one.words, 120);
        assert_eq!(one.groups, [("kind", "attack:x".to_owned()), ("dataset", "set".to_owned())].into());
        assert_eq!(one.detectors, [("lrr".to_owned(), 1.5)].into());
    }

    #[test]
    fn a_bad_line_is_named_with_its_number() {
        let other = GOOD.replace("\"line\":3", "\"line\":4");
        for (line, says) in [
            ("{".to_owned(), "s.jsonl:2: EOF while parsing"),
            ("{}".to_owned(), "s.jsonl:2: missing field `dataset`"),
            (other.replace("\"words\":120,", ""), "s.jsonl:2: missing field `words`"),
            (other.replace("likely_ai", "guilty"), "s.jsonl:2: unknown variant `guilty`"),
            (other.replace("\"ai\"", "\"bot\""), "s.jsonl:2: unknown variant `bot`"),
            (other.replace("0.75", "1.75"), "s.jsonl:2: \"probability\" must be from 0 to 1"),
            (other.replace("0.004", "-1"), "s.jsonl:2: \"p_value\" must be from 0 to 1"),
            (other.replace("1.5", "\"much\""), "s.jsonl:2: invalid type"),
            (other.replace("1.5", "1e999"), "s.jsonl:2: number out of range"),
            (" ".repeat(MAX_LINE_BYTES as usize + 1), "s.jsonl:2: a line of more than 1024 KiB"),
        ] {
            let message = problem(&line);
            assert!(message.starts_with(says), "{message} is not {says}");
            assert!(message.contains("--scores") && !message.contains("at line 1"), "{message}");
        }
        assert!(problem(GOOD).starts_with("s.jsonl:2: line 3 of set for the second time"));
        assert!(all(b"\xff\n").unwrap_err().to_string().starts_with("s.jsonl:1: not UTF-8"));
    }

    #[test]
    fn what_is_written_is_read() {
        let sample = Sample {
            text: "Never written.".to_owned(),
            label: Label::Human,
            dataset: "set".into(),
            line: 7,
            fields: [("domain", "news".to_owned()), ("id", "x1".to_owned())].into(),
        };
        let report = BlockReport {
            id: "0".to_owned(),
            verdict: Verdict::Unclear,
            probability: Some(0.2),
            p_value: Some(0.5),
            evidence: Vec::new(),
            sentences: Vec::new(),
            words: 42,
            token_count: 60,
            language: None,
            calibration: None,
            detectors: [("lrr".to_owned(), -0.5), ("odd".to_owned(), f64::NAN)].into(),
            tokens: None,
        };
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("scores.jsonl");
        let mut out = Vec::new();
        write(&mut out, &sample, &report).unwrap();
        let text = String::from_utf8(out.clone()).unwrap();
        assert!(!text.contains("Never") && text.ends_with("}\n"), "{text}");
        let json: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert!((json["log_odds"].as_f64().unwrap() - 0.25_f64.ln()).abs() < 1e-12);
        assert_eq!((&json["id"], &json["tokens"]), (&"x1".into(), &60.into()));
        std::fs::write(&path, &out).unwrap();
        let read = read_all(std::slice::from_ref(&path)).unwrap();
        let mut expected = Outcome::new(&sample, &report);
        expected.detectors.remove("odd");
        assert_eq!(read, [expected]);
        assert!(read_all(&[path.clone(), path.clone()]).unwrap_err().to_string().contains("second time"));
        std::fs::write(&path, "\n").unwrap();
        assert!(read_all(&[path]).unwrap_err().to_string().contains("no scores"));
        assert!(read_all(&[dir.path().join("absent")]).is_err());
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_without_panic(input in prop::collection::vec(any::<u8>(), 0..300)) {
            let outcomes = all(&input);
            prop_assert!(outcomes.is_err() || outcomes.is_ok_and(|outcomes| outcomes.is_empty()));
        }

        #[test]
        fn a_changed_byte_is_read_without_panic(at in 0..GOOD.len(), byte in any::<u8>()) {
            let mut input = GOOD.as_bytes().to_vec();
            input[at] = byte;
            for outcome in all(&input).unwrap_or_default() {
                prop_assert!(outcome.probability.is_none_or(|p| (0.0..=1.0).contains(&p)));
            }
        }
    }
}
