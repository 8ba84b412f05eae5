//! Labelled conversations and messages: JSONL files, or folders of JSON files with one conversation each.
//!
//! A conversation is `{"turns": [{"from" or "side": "them" | "me", "text", "at"?}], "label": "scam" | "benign"}`, a message
//! `{"text", "label"}`; both may have `id`, `kind`, `lang`, `author` (who invented it: what one person invents is alike) and, a conversation,
//! `money_turn`: the turn, from 1, in which money or access is handed over. Other fields are ignored.

use crate::chats::At;
use crate::scam::opinion::{MOST_BYTES, Spoken};
use bonafide_core::hash::fnv1a;
use bonafide_core::scam::{Side, Turn};
use serde::Deserialize;
use std::collections::HashMap;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// One message of a conversation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// Whose it is.
    pub side: Side,
    /// Its words.
    pub text: String,
    /// Milliseconds since 1970, if known.
    pub at: Option<i64>,
}

impl Line {
    /// As the engine takes it.
    #[must_use]
    pub fn turn(&self) -> Turn<'_> {
        Turn { side: self.side, text: &self.text, at: self.at }
    }
}

/// A labelled conversation; a message is one of a single turn.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Talk {
    /// The file's name without its ending, or the folder's.
    pub source: Arc<str>,
    /// Its name in the file, else its line.
    pub id: String,
    /// Its messages.
    pub turns: Vec<Line>,
    /// The label.
    pub scam: bool,
    /// What sort it is, as the data set says.
    pub kind: String,
    /// ISO 639-1, as the data set says.
    pub lang: String,
    /// The turn, from 1, in which money or access is handed over.
    pub money_turn: Option<usize>,
    /// Whether the other side is said to be a stranger.
    pub new_contact: Option<bool>,
    /// A single message rather than a conversation.
    pub message: bool,
    /// Who invented it, if that is said.
    pub author: Option<String>,
}

impl Talk {
    /// Its latest messages, as the language model reads them for a second opinion.
    #[must_use]
    pub fn spoken(&self) -> Spoken {
        Spoken::of(self.turns.iter().map(|line| (line.side, line.text.as_str())), MOST_BYTES)
    }
}

#[derive(Deserialize)]
struct Row {
    id: Option<String>,
    turns: Option<Vec<RowTurn>>,
    text: Option<String>,
    label: String,
    kind: Option<String>,
    lang: Option<String>,
    money_turn: Option<usize>,
    contact: Option<String>,
    author: Option<String>,
}

#[derive(Deserialize)]
struct RowTurn {
    #[serde(alias = "side")]
    from: Side,
    text: String,
    at: Option<At>,
}

/// A data set that can't be read, with what to do.
#[derive(Debug, thiserror::Error)]
pub enum DataError {
    /// The file can't be read.
    #[error("{path}: {source}")]
    Io {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A line is no labelled conversation or message.
    #[error(
        "{path}, line {line}: {why}; a line is {{\"turns\": [{{\"from\", \"text\"}}], \"label\": \"scam\" or \"benign\"}} or {{\"text\", \"label\"}}"
    )]
    Line {
        /// The file.
        path: PathBuf,
        /// Its line, from 1.
        line: usize,
        /// What is wrong.
        why: String,
    },
    /// There is nothing in it.
    #[error("{0}: no conversation and no message in it")]
    Empty(PathBuf),
}

/// Reads a JSONL file, a JSON file with one conversation, or all of those in a folder and the folders in it, in the order of
/// their names.
///
/// # Errors
/// A file or a line that can't be read.
pub fn load(path: &Path) -> Result<Vec<Talk>, DataError> {
    let io = |source| DataError::Io { path: path.to_owned(), source };
    let stem = path.file_stem().unwrap_or_default().to_string_lossy();
    let mut talks = Vec::new();
    if path.is_dir() {
        let entries = std::fs::read_dir(path).map_err(io)?;
        let mut paths: Vec<PathBuf> =
            entries.map(|entry| Ok(entry?.path())).collect::<Result<_, _>>().map_err(io)?;
        paths.sort();
        for inner in paths {
            let known =
                inner.extension().is_some_and(|extension| extension == "json" || extension == "jsonl");
            if inner.is_dir() || known {
                talks
                    .extend(load(&inner)?.into_iter().map(|talk| Talk { source: Arc::from(&*stem), ..talk }));
            }
        }
    } else if path.extension().is_some_and(|extension| extension == "json") {
        let text = std::fs::read_to_string(path).map_err(io)?;
        talks.push(talk(&text, &Arc::from(&*stem), 1).map_err(|why| line(path, 1, why))?);
    } else {
        let source: Arc<str> = Arc::from(&*stem);
        let file = std::fs::File::open(path).map_err(io)?;
        for (index, text) in BufReader::new(file).lines().enumerate() {
            let text = text.map_err(io)?;
            if !text.trim().is_empty() {
                talks.push(talk(&text, &source, index + 1).map_err(|why| line(path, index + 1, why))?);
            }
        }
    }
    if talks.is_empty() { Err(DataError::Empty(path.to_owned())) } else { Ok(talks) }
}

fn line(path: &Path, line: usize, why: String) -> DataError {
    DataError::Line { path: path.to_owned(), line, why }
}

fn talk(text: &str, source: &Arc<str>, number: usize) -> Result<Talk, String> {
    let row: Row = serde_json::from_str(text).map_err(|error| error.to_string())?;
    let scam = match row.label.as_str() {
        "scam" => true,
        "benign" => false,
        other => return Err(format!("the label is `{other}`")),
    };
    let lang = row.lang.unwrap_or_else(|| "en".to_owned());
    let (turns, message) = match (row.turns, row.text) {
        (Some(turns), None) => (turns, false),
        (None, Some(text)) => (vec![RowTurn { from: Side::Them, text, at: None }], true),
        _ => return Err("it needs either `turns` or `text`".to_owned()),
    };
    if turns.is_empty() {
        return Err("it has no turns".to_owned());
    }
    let lines = turns
        .into_iter()
        .map(|turn| Ok(Line { side: turn.from, text: unmasked(turn.text), at: turn.at.map(|at| at.0) }))
        .collect::<Result<Vec<_>, String>>()?;
    Ok(Talk {
        source: source.clone(),
        id: row.id.unwrap_or_else(|| number.to_string()),
        turns: lines,
        scam,
        kind: row.kind.unwrap_or_default(),
        lang,
        money_turn: row.money_turn,
        new_contact: row.contact.map(|contact| contact == "new"),
        message,
        author: row.author,
    })
}

/// What collections of short messages write in the place of what could identify somebody. The engine would read the mask.
const MASKS: &[(&str, &str)] = &[
    ("URL", "https://masked.example/a"),
    ("CELLPHONE", "13800000000"),
    ("DIGIT", "88"),
    ("NAME", ""),
    ("PLACE", ""),
];

fn unmasked(text: String) -> String {
    if !MASKS.iter().any(|(mask, _)| text.contains(mask)) {
        return text;
    }
    let words = text
        .split(' ')
        .map(|word| MASKS.iter().find(|(mask, _)| *mask == word).map_or(word, |(_, plain)| *plain));
    words.collect::<Vec<_>>().join(" ")
}

/// Characters from which on a line that stands in two conversations says that they come from one template.
const TELLING: usize = 40;

/// For each conversation a number that is the same for those that share a long line, an origin or an author, so that a split
/// leaves no template on both sides.
#[must_use]
pub fn groups(talks: &[Talk]) -> Vec<u64> {
    let mut parent: Vec<usize> = (0..talks.len()).collect();
    fn root(parent: &mut [usize], mut at: usize) -> usize {
        while parent[at] != at {
            parent[at] = parent[parent[at]];
            at = parent[at];
        }
        at
    }
    let mut first: HashMap<(&str, &str, &str), usize> = HashMap::new();
    for (index, talk) in talks.iter().enumerate() {
        // The raw and the rewritten form of one case.
        let origin =
            talk.id.strip_suffix("-raw").or_else(|| talk.id.strip_suffix("-llm")).unwrap_or(&talk.id);
        let lines =
            talk.turns.iter().map(|line| line.text.as_str()).filter(|text| text.chars().count() >= TELLING);
        let keys = lines.chain([origin]).map(|key| ("words", key));
        for (sort, key) in keys.chain(talk.author.as_deref().map(|author| ("author", author))) {
            let other = *first.entry((&talk.source, sort, key)).or_insert(index);
            let (one, other) = (root(&mut parent, index), root(&mut parent, other));
            parent[one.max(other)] = one.min(other);
        }
    }
    let name = |index: usize| format!("{} {}", talks[index].source, talks[index].id);
    (0..talks.len()).map(|index| fnv1a(name(root(&mut parent, index)).as_bytes())).collect()
}

/// Whether a group is never trained on: a fifth of all, so that a model can be measured later.
#[must_use]
pub fn is_held_out(group: u64) -> bool {
    (group >> 32).is_multiple_of(5)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;

    fn of(text: &str) -> Result<Talk, String> {
        talk(text, &Arc::from("set"), 3)
    }

    #[test]
    fn rows_become_conversations() {
        let both = of(r#"{"id": "a", "label": "scam", "lang": "zh", "kind": "k", "money_turn": 2, "contact": "new", "turns": [
            {"from": "them", "text": "x URL y", "at": "1970-01-01T00:00:01Z"}, {"side": "me", "text": "y", "at": 5}]}"#)
        .unwrap();
        assert!(both.scam && !both.message);
        assert_eq!((both.turns[0].at, both.turns[1].at, both.money_turn), (Some(1000), Some(5), Some(2)));
        assert_eq!(both.turns[0].text, "x https://masked.example/a y");
        assert_eq!((both.turns[1].side, both.new_contact), (Side::Me, Some(true)));
        let message = of(r#"{"text": "hi", "label": "benign"}"#).unwrap();
        assert!(message.message && !message.scam && message.id == "3" && message.lang == "en");
    }

    #[test]
    fn what_is_no_row_says_why() {
        for (text, why) in [
            ("{}", "label"),
            (r#"{"label": "ham", "text": "x"}"#, "ham"),
            (r#"{"label": "scam"}"#, "either"),
            (r#"{"label": "scam", "turns": []}"#, "no turns"),
            (r#"{"label": "scam", "turns": [{"from": "you", "text": "x"}]}"#, "you"),
            (r#"{"label": "scam", "turns": [{"from": "me", "text": "x", "at": "noon"}]}"#, "3339"),
        ] {
            let said = of(text).unwrap_err();
            assert!(said.contains(why), "{said}");
        }
    }

    #[test]
    fn templates_stay_together() {
        let long = "a line of more than forty characters that two of them share";
        let talk_of = |id: &str, text: &str| Talk {
            turns: vec![Line { side: Side::Them, text: text.to_owned(), at: None }],
            ..of(&format!(r#"{{"id": "{id}", "label": "scam", "text": "x"}}"#)).unwrap()
        };
        let groups = groups(&[
            talk_of("1", long),
            talk_of("2", "short"),
            talk_of("3", long),
            talk_of("4-raw", "short"),
            talk_of("4-llm", "other"),
            Talk { author: Some("a".to_owned()), ..talk_of("5", "hello") },
            Talk { author: Some("a".to_owned()), ..talk_of("6", "bye") },
            Talk { author: Some("b".to_owned()), ..talk_of("a", "well") },
        ]);
        assert_eq!(groups[0], groups[2]);
        assert_eq!(groups[3], groups[4]);
        assert_ne!(groups[0], groups[1]);
        assert_ne!(groups[1], groups[3]);
        assert_eq!(groups[5], groups[6]);
        assert_ne!(groups[5], groups[7]);
    }
}
