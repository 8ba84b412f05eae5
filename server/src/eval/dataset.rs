//! Labelled texts from JSONL files, because every number that the project states is measured on such files and
//! a mistake in reading them would falsify all of them silently. So a bad line is an error that names its line
//! (or is counted, if the caller asks for that), never a guess.
//!
//! One JSON object a line: `{"text", "label": "human" | "ai"}` and any of `domain`, `generator`, `lang`, `kind`,
//! `source`, `pair` (texts with the same pair come from the same source document), `id` and `prefix_chars`.
//! Other fields are ignored, blank lines are skipped.
//!
//! `prefix_chars` says that a text of a model continues a human prompt of so many code points, which stands at
//! its start. That prompt is human text and in some data also stands in the human half, so it is cut off from
//! texts labelled `ai`; human texts are left whole.

use rayon::prelude::*;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// No line of a data set of texts is longer; a longer one is another kind of file.
const MAX_LINE_BYTES: u64 = 32 << 20;

/// Who wrote a text, as the data set says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Label {
    /// A human being.
    Human,
    /// A model.
    Ai,
}

/// One labelled text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sample {
    /// The text to score; without the human prompt, see the module's page.
    pub text: String,
    /// Who wrote it.
    pub label: Label,
    /// The data set: its file's name without `.jsonl`.
    pub dataset: Arc<str>,
    /// Its line in the file, from 1.
    pub line: usize,
    /// The fields named in [`FIELDS`] and `pair`, `source`, `id`, where the line has them.
    pub fields: BTreeMap<&'static str, String>,
}

/// The fields by which results are grouped.
pub const FIELDS: [&str; 4] = ["domain", "generator", "lang", "kind"];

impl Sample {
    /// The value of a field, if the line has it.
    #[must_use]
    pub fn field(&self, name: &str) -> Option<&str> {
        self.fields.get(name).map(String::as_str)
    }

    /// What must not be torn apart by a split: the data set and the source document, or else the text itself,
    /// so that the same text twice in a file never stands on both sides.
    #[must_use]
    pub fn group(&self) -> u64 {
        match self.field("pair") {
            Some(pair) => hash(&[self.dataset.as_bytes(), b"pair", pair.as_bytes()]),
            None => hash(&[self.dataset.as_bytes(), b"text", self.text.as_bytes()]),
        }
    }
}

/// Why a data set can't be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DatasetError {
    /// The file can't be read.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// A line is not a labelled text.
    #[error("{}:{line}: {problem} (--skip-bad leaves such lines out)", path.display())]
    Line {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
        /// What is wrong with it.
        problem: String,
    },
    /// There is nothing to use.
    #[error("{}: no labelled text in it", path.display())]
    Empty {
        /// The file or folder.
        path: PathBuf,
    },
}

/// How much of a data set to take.
#[derive(Debug, Clone, Default)]
pub struct Selection {
    /// At most so many human texts from each file.
    pub limit_human: Option<usize>,
    /// At most so many of the models' texts from each file.
    pub limit_ai: Option<usize>,
    /// Which texts a limit takes.
    pub seed: u64,
    /// Leave out bad lines instead of failing.
    pub skip_bad: bool,
    /// Cut each text after so many words (runs between white space).
    pub max_words: Option<usize>,
    /// Only texts of these languages; a text without `lang` is taken. Empty: all.
    pub langs: Vec<String>,
}

/// What a file gave.
#[derive(Debug, Clone)]
pub struct Loaded {
    /// The texts taken, in the file's order.
    pub samples: Vec<Sample>,
    /// Number of lines left out because they were bad.
    pub bad: usize,
}

/// Reads a file and takes a selection of those of its texts that are `wanted`: the limits count no others.
pub fn load(
    path: &Path,
    selection: &Selection,
    wanted: impl Fn(&Sample) -> bool + Sync,
) -> Result<Loaded, DatasetError> {
    let io = |source| DatasetError::Io { path: path.to_owned(), source };
    let file = std::fs::File::open(path).map_err(io)?;
    let mut samples = Vec::new();
    let mut bad = 0;
    for sample in Reader::new(path, BufReader::new(file)) {
        match sample {
            Ok(mut sample) => {
                if selection.takes_language(&sample) {
                    if let Some(words) = selection.max_words {
                        cut_words(&mut sample.text, words);
                    }
                    samples.push(sample);
                }
            }
            Err(DatasetError::Line { .. }) if selection.skip_bad => bad += 1,
            Err(error) => return Err(error),
        }
    }
    if samples.is_empty() && selection.langs.is_empty() {
        return Err(DatasetError::Empty { path: path.to_owned() });
    }
    let samples: Vec<Sample> = samples.into_par_iter().filter(|sample| wanted(sample)).collect();
    let samples = stratified(samples, selection);
    Ok(Loaded { samples, bad })
}

impl Selection {
    fn takes_language(&self, sample: &Sample) -> bool {
        self.langs.is_empty()
            || sample.field("lang").is_none_or(|lang| self.langs.iter().any(|wanted| wanted == lang))
    }
}

/// The labelled texts of a stream, one line at a time.
pub struct Reader<R> {
    path: PathBuf,
    dataset: Arc<str>,
    input: R,
    line: usize,
    ended: bool,
}

impl<R: BufRead> Reader<R> {
    /// Reads `input`; `path` names it in errors and names the data set.
    pub fn new(path: &Path, input: R) -> Self {
        let name = path.file_name().unwrap_or(path.as_os_str()).to_string_lossy();
        let dataset = name.strip_suffix(".jsonl").unwrap_or(&name).into();
        Self { path: path.to_owned(), dataset, input, line: 0, ended: false }
    }

    fn bad(&self, problem: impl Into<String>) -> DatasetError {
        DatasetError::Line { path: self.path.clone(), line: self.line, problem: problem.into() }
    }

    /// The next line without its end, or `None` at the end of the stream.
    fn next_line(&mut self) -> Result<Option<Vec<u8>>, DatasetError> {
        let mut bytes = Vec::new();
        let read = (&mut self.input)
            .take(MAX_LINE_BYTES)
            .read_until(b'\n', &mut bytes)
            .map_err(|source| DatasetError::Io { path: self.path.clone(), source })?;
        if read == 0 {
            return Ok(None);
        }
        self.line += 1;
        if bytes.last() == Some(&b'\n') {
            bytes.pop();
        } else if read as u64 == MAX_LINE_BYTES {
            self.ended = true;
            return Err(self.bad(format!("a line of more than {} MiB", MAX_LINE_BYTES >> 20)));
        }
        Ok(Some(bytes))
    }

    fn parse(&self, bytes: &[u8]) -> Result<Sample, DatasetError> {
        let line = std::str::from_utf8(bytes).map_err(|_| self.bad("not UTF-8"))?;
        let line = line.strip_prefix('\u{feff}').unwrap_or(line);
        let row: Row = serde_json::from_str(line).map_err(|error| self.bad(without_position(&error)))?;
        let label = match row.label.as_str() {
            "human" => Label::Human,
            "ai" => Label::Ai,
            other => return Err(self.bad(format!("\"label\" must be \"human\" or \"ai\", not {other:?}"))),
        };
        let prefix = row.prefix_chars.filter(|_| label == Label::Ai).unwrap_or(0);
        let text = if prefix == 0 {
            row.text
        } else {
            row.text.chars().skip(prefix).collect::<String>().trim_start().to_owned()
        };
        if text.trim().is_empty() {
            return Err(self.bad(match prefix {
                0 => "\"text\" is empty".to_owned(),
                _ => format!("nothing is left of \"text\" after its {prefix} \"prefix_chars\""),
            }));
        }
        let named = [
            ("domain", row.domain),
            ("generator", row.generator),
            ("lang", row.lang),
            ("kind", row.kind),
            ("source", row.source),
            ("pair", row.pair),
            ("id", row.id),
        ];
        let fields = named.into_iter().filter_map(|(name, value)| Some((name, value?.0))).collect();
        Ok(Sample { text, label, dataset: Arc::clone(&self.dataset), line: self.line, fields })
    }
}

impl<R: BufRead> Iterator for Reader<R> {
    type Item = Result<Sample, DatasetError>;

    fn next(&mut self) -> Option<Self::Item> {
        while !self.ended {
            match self.next_line() {
                Ok(Some(bytes)) if bytes.iter().all(u8::is_ascii_whitespace) => {}
                Ok(Some(bytes)) => return Some(self.parse(&bytes)),
                Ok(None) => self.ended = true,
                Err(error) => {
                    self.ended = true;
                    return Some(Err(error));
                }
            }
        }
        None
    }
}

#[derive(Deserialize)]
struct Row {
    text: String,
    label: String,
    domain: Option<Name>,
    generator: Option<Name>,
    lang: Option<Name>,
    kind: Option<Name>,
    source: Option<Name>,
    pair: Option<Name>,
    id: Option<Name>,
    prefix_chars: Option<usize>,
}

/// A field's value; data sets write identifiers as strings and as numbers alike.
struct Name(String);

impl<'de> Deserialize<'de> for Name {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match serde_json::Value::deserialize(deserializer)? {
            serde_json::Value::String(text) => Ok(Self(text)),
            value @ (serde_json::Value::Number(_) | serde_json::Value::Bool(_)) => {
                Ok(Self(value.to_string()))
            }
            _ => Err(serde::de::Error::custom("a field that names something must be a string or a number")),
        }
    }
}

/// serde_json counts lines within the one line that it was given, which would mislead beside ours.
fn without_position(error: &serde_json::Error) -> String {
    let message = error.to_string();
    match message.rfind(" at line ") {
        Some(at) => format!("{} (column {})", &message[..at], error.column()),
        None => message,
    }
}

/// Cuts a text after so many words, at a word's end.
pub fn cut_words(text: &mut String, words: usize) {
    let mut seen = 0;
    let mut in_word = false;
    for (at, character) in text.char_indices() {
        let space = character.is_whitespace();
        if !space && !in_word {
            seen += 1;
        }
        if space && in_word && seen == words {
            text.truncate(at);
            return;
        }
        in_word = !space;
    }
}

/// Takes at most as many texts of each label as the limits say, in proportion from each generator, kind and domain.
///
/// Within a stratum the order is that of a hash of the seed and the text, and the k-th of a stratum of n stands at
/// (k - 1/2)/n on a scale that all strata of the label share; the first on it are taken. So the same seed and
/// file always give the same texts, and a larger limit only adds texts: what was scored for a smaller one is not lost.
#[must_use]
pub fn stratified(samples: Vec<Sample>, selection: &Selection) -> Vec<Sample> {
    let mut strata: BTreeMap<_, Vec<(u64, usize)>> = BTreeMap::new();
    for (index, sample) in samples.iter().enumerate() {
        let stratum = (sample.label, ["generator", "kind", "domain"].map(|name| sample.field(name)));
        let priority = hash(&[&selection.seed.to_le_bytes(), sample.text.as_bytes()]);
        strata.entry(stratum).or_default().push((priority, index));
    }
    let mut order: BTreeMap<Label, Vec<(f64, u64, usize)>> = BTreeMap::new();
    for ((label, _), mut members) in strata {
        members.sort_unstable();
        let size = members.len() as f64;
        let placed = members.into_iter().enumerate();
        let placed = placed.map(|(k, (priority, index))| ((k as f64 + 0.5) / size, priority, index));
        order.entry(label).or_default().extend(placed);
    }
    let mut keep = vec![false; samples.len()];
    for (label, members) in &mut order {
        let limit = match label {
            Label::Human => selection.limit_human,
            Label::Ai => selection.limit_ai,
        };
        members.sort_unstable_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)).then(a.2.cmp(&b.2)));
        for &(_, _, index) in members.iter().take(limit.unwrap_or(usize::MAX)) {
            keep[index] = true;
        }
    }
    let mut kept = keep.into_iter();
    samples.into_iter().filter(|_| kept.next() == Some(true)).collect()
}

/// A 64-bit hash that is the same on every machine and in every version: the head of SHA-256 over the parts,
/// each with its length.
pub(crate) fn hash(parts: &[&[u8]]) -> u64 {
    use sha2::{Digest, Sha256};
    let mut state = Sha256::new();
    for part in parts {
        state.update((part.len() as u64).to_le_bytes());
        state.update(part);
    }
    let digest = state.finalize();
    let mut head = [0; 8];
    head.copy_from_slice(&digest[..8]);
    u64::from_le_bytes(head)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;
    use proptest::prelude::*;

    fn read(input: &str) -> Vec<Result<Sample, DatasetError>> {
        Reader::new(Path::new("set.name.jsonl"), input.as_bytes()).collect()
    }

    fn problem(input: &str) -> String {
        read(input).pop().unwrap().unwrap_err().to_string()
    }

    #[test]
    fn a_line_keeps_its_fields() {
        let rows =
            read("{\"text\":\"One.\",\"label\":\"ai\",\"generator\":\"g\",\"pair\":7,\"domain\":null}\n\n");
        let row = rows[0].as_ref().unwrap();
        assert_eq!(rows.len(), 1);
        assert_eq!(
            (row.text.as_str(), row.label, &*row.dataset, row.line),
            ("One.", Label::Ai, "set.name", 1)
        );
        assert_eq!(
            (row.field("generator"), row.field("pair"), row.field("domain")),
            (Some("g"), Some("7"), None)
        );
    }

    #[test]
    fn a_human_prompt_is_cut_from_a_models_text_only() {
        let ai = read("{\"text\":\"Ünd so it goes\",\"label\":\"ai\",\"prefix_chars\":6}");
        assert_eq!(ai[0].as_ref().unwrap().text, "it goes");
        let human = read("{\"text\":\"Ünd so it goes\",\"label\":\"human\",\"prefix_chars\":6}");
        assert_eq!(human[0].as_ref().unwrap().text, "Ünd so it goes");
        assert!(
            problem("{\"text\":\"abc\",\"label\":\"ai\",\"prefix_chars\":9}").contains("nothing is left")
        );
    }

    #[test]
    fn a_bad_line_is_named_with_its_number() {
        let good = "{\"text\":\"x\",\"label\":\"ai\"}\n";
        for (line, says) in [
            (
                "{\"text\":\"x\",\"label\":\"bot\"}",
                "set.name.jsonl:2: \"label\" must be \"human\" or \"ai\", not \"bot\"",
            ),
            ("{\"label\":\"ai\"}", "set.name.jsonl:2: missing field `text`"),
            ("{\"text\":\"x\"", "set.name.jsonl:2: EOF while parsing"),
            ("{\"text\":\" \",\"label\":\"ai\"}", "\"text\" is empty"),
            ("[1]", "set.name.jsonl:2: "),
            ("{\"text\":\"x\",\"label\":\"ai\",\"pair\":[]}", "must be a string or a number"),
        ] {
            let message = problem(&format!("{good}{line}"));
            assert!(message.contains(says), "{message}");
            assert!(!message.contains("at line 1"), "{message}");
        }
    }

    #[test]
    fn reading_goes_on_after_a_bad_line() {
        let rows = read("{\n{\"text\":\"x\",\"label\":\"human\"}\n");
        assert!(rows[0].is_err());
        assert_eq!(rows[1].as_ref().unwrap().line, 2);
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.jsonl");
        std::fs::write(&path, b"\xff\n{\"text\":\"x\",\"label\":\"human\"}\n").unwrap();
        assert!(load(&path, &Selection::default(), |_| true).unwrap_err().to_string().contains("not UTF-8"));
        let loaded = load(&path, &Selection { skip_bad: true, ..Selection::default() }, |_| true).unwrap();
        assert_eq!((loaded.samples.len(), loaded.bad), (1, 1));
    }

    #[test]
    fn words_are_cut_at_their_end() {
        for (text, words, left) in
            [(" a  b c", 2, " a  b"), ("a b", 2, "a b"), ("a b ", 2, "a b"), ("", 3, "")]
        {
            let mut text = text.to_owned();
            cut_words(&mut text, words);
            assert_eq!(text, left);
        }
    }

    fn many() -> Vec<Sample> {
        let line = |i: usize| {
            let (label, generator) =
                if i.is_multiple_of(3) { ("human", "human") } else { ("ai", ["a", "b"][i % 2]) };
            format!("{{\"text\":\"text {i}\",\"label\":\"{label}\",\"generator\":\"{generator}\"}}\n")
        };
        read(&(0..300).map(line).collect::<String>()).into_iter().map(Result::unwrap).collect()
    }

    fn take(limit: usize, seed: u64) -> Vec<Sample> {
        let limits =
            Selection { limit_human: Some(limit), limit_ai: Some(limit), seed, ..Selection::default() };
        stratified(many(), &limits)
    }

    #[test]
    fn a_limit_takes_every_stratum_in_proportion() {
        let taken = take(20, 1);
        let count = |generator| taken.iter().filter(|s| s.field("generator") == Some(generator)).count();
        assert_eq!((count("human"), count("a"), count("b")), (20, 10, 10));
        assert_eq!(taken, take(20, 1));
        assert_ne!(taken, take(20, 2));
        assert_eq!(take(1000, 1), many());
        let humans = Selection { limit_ai: Some(0), ..Selection::default() };
        assert_eq!(stratified(many(), &humans).len(), 100);
        let fewer = take(7, 1);
        assert!(fewer.len() == 14 && fewer.iter().all(|sample| taken.contains(sample)));
    }

    #[test]
    fn the_same_text_is_one_group() {
        let rows = read(
            "{\"text\":\"x\",\"label\":\"ai\"}\n{\"text\":\"x\",\"label\":\"human\"}\n{\"text\":\"y\",\"label\":\"ai\",\"pair\":\"p\"}\n{\"text\":\"z\",\"label\":\"ai\",\"pair\":\"p\"}",
        );
        let groups: Vec<u64> = rows.iter().map(|row| row.as_ref().unwrap().group()).collect();
        assert_eq!(groups[0], groups[1]);
        assert_eq!(groups[2], groups[3]);
        assert_ne!(groups[0], groups[2]);
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_without_panic(input in prop::collection::vec(any::<u8>(), 0..200)) {
            let lines = input.split(|&b| b == b'\n').count();
            let rows = Reader::new(Path::new("x"), input.as_slice()).count();
            prop_assert!(rows <= lines);
        }

        #[test]
        fn any_text_comes_back(text in "\\PC{1,80}") {
            prop_assume!(!text.trim().is_empty());
            let line = serde_json::json!({"text": text, "label": "human"}).to_string();
            let rows = read(&line);
            prop_assert_eq!(&rows[0].as_ref().unwrap().text, &text);
        }
    }
}
