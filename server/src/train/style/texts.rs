//! What an author wrote, from files: plain text, Markdown, HTML, or lines of JSON.

use super::{StyleError, io};
use crate::document::read::{self, Format};
use crate::document::{Block, DocumentError};
use bonafide_core::judge::MIN_WORDS;
use bonafide_core::text::scoring::ScoringText;
use bonafide_core::text::words;
use serde::Deserialize;
use std::collections::HashSet;
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};

/// How files of JSON lines end.
const LINES: &str = "jsonl";

/// Whose texts are wanted of lines that say who wrote them.
#[derive(Debug, Clone, Copy)]
pub enum Wanted<'a> {
    /// This author's.
    Of(&'a str),
    /// Anybody else's.
    NotOf(&'a str),
}

/// Texts that were read.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Texts {
    /// Those with enough words, each once.
    pub texts: Vec<String>,
    /// How many had too few words.
    pub short: usize,
    /// How many stood there before.
    pub repeated: usize,
    /// Lines of another author than wanted, or labelled as a model's.
    pub unwanted: usize,
}

/// A line of JSON.
#[derive(Deserialize)]
struct Line {
    text: String,
    author: Option<String>,
    label: Option<String>,
}

/// Reads files, a text each, or each line's `text` of .jsonl files; of a folder its .txt, .md, .html and .jsonl files.
/// Lines whose `author` is not the one that is wanted, or whose `label` is `ai`, are left out.
pub fn read(paths: &[PathBuf], wanted: Wanted<'_>) -> Result<Texts, StyleError> {
    let mut gathered = Gathered::default();
    for path in files(paths)? {
        if path.extension().is_some_and(|own| own == LINES) {
            gathered.lines(&path, wanted)?;
        } else {
            gathered.document(&path)?;
        }
    }
    Ok(gathered.texts)
}

/// A document's text, as it is learned from and compared.
#[must_use]
pub fn joined(blocks: &[Block]) -> String {
    let texts: Vec<&str> = blocks.iter().map(|block| block.text.as_str()).collect();
    texts.join("\n\n")
}

/// Words that count.
#[must_use]
pub fn words(text: &str) -> usize {
    words::count(ScoringText::new(text).text())
}

impl Texts {
    /// Takes the texts out that are among others, too.
    pub fn without(&mut self, others: &[String]) {
        let forms: HashSet<String> = others.iter().map(|text| form(text)).collect();
        let before = self.texts.len();
        self.texts.retain(|text| !forms.contains(&form(text)));
        self.repeated += before - self.texts.len();
    }
}

/// What makes two texts the same.
fn form(text: &str) -> String {
    ScoringText::new(text).text().trim().to_owned()
}

#[derive(Default)]
struct Gathered {
    texts: Texts,
    forms: HashSet<String>,
}

impl Gathered {
    fn document(&mut self, path: &Path) -> Result<(), StyleError> {
        let file = File::open(path).map_err(|error| io(path, error))?;
        let bytes = read::limited(file).map_err(|error| io(path, error))?;
        let text = bytes.and_then(read::decode).map_err(|error| wrong(path, None, &error.to_string()))?;
        let format = Format::of_extension(path).unwrap_or_else(|| Format::sniff(&text));
        self.add(&text, format).map_err(|error| wrong(path, None, &error.to_string()))
    }

    fn lines(&mut self, path: &Path, wanted: Wanted<'_>) -> Result<(), StyleError> {
        let file = BufReader::new(File::open(path).map_err(|error| io(path, error))?);
        for (number, line) in file.lines().enumerate() {
            let line = line.map_err(|error| io(path, error))?;
            if line.trim().is_empty() {
                continue;
            }
            let at = Some(number + 1);
            let line: Line =
                serde_json::from_str(&line).map_err(|error| wrong(path, at, &error.to_string()))?;
            let fits = match (line.author.as_deref(), wanted) {
                (None, _) => true,
                (Some(author), Wanted::Of(name)) => author == name,
                (Some(author), Wanted::NotOf(name)) => author != name,
            };
            if !fits || line.label.as_deref() == Some("ai") {
                self.texts.unwanted += 1;
                continue;
            }
            self.add(&line.text, Format::Text).map_err(|error| wrong(path, at, &error.to_string()))?;
        }
        Ok(())
    }

    fn add(&mut self, text: &str, format: Format) -> Result<(), DocumentError> {
        let text = match format.blocks(text, None) {
            Ok(blocks) => joined(&blocks),
            Err(DocumentError::Empty) => String::new(),
            Err(error) => return Err(error),
        };
        if words(&text) < MIN_WORDS {
            self.texts.short += 1;
        } else if !self.forms.insert(form(&text)) {
            self.texts.repeated += 1;
        } else {
            self.texts.texts.push(text);
        }
        Ok(())
    }
}

fn wrong(path: &Path, line: Option<usize>, reason: &str) -> StyleError {
    let line = line.map(|line| format!(", line {line}")).unwrap_or_default();
    StyleError::Input(format!("{}{line}: {reason}", path.display()))
}

/// The files named, and those of the folders named, in order.
pub fn files(paths: &[PathBuf]) -> Result<Vec<PathBuf>, StyleError> {
    let mut files = Vec::new();
    for path in paths {
        if !path.is_dir() {
            files.push(path.clone());
            continue;
        }
        let mut own = Vec::new();
        for entry in std::fs::read_dir(path).map_err(|error| io(path, error))? {
            own.push(entry.map_err(|error| io(path, error))?.path());
        }
        own.retain(|path| {
            path.is_file()
                && (Format::of_extension(path).is_some() || path.extension().is_some_and(|own| own == LINES))
        });
        if own.is_empty() {
            return Err(wrong(path, None, "no .txt, .md, .html or .jsonl file is in this folder"));
        }
        own.sort();
        files.extend(own);
    }
    Ok(files)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;

    /// Sixty words.
    fn text(about: &str) -> String {
        (0..20).map(|at| format!("{about} number {at} ")).collect()
    }

    fn line(about: &str, author: &str, label: &str) -> String {
        let line = serde_json::json!({"text": text(about), "author": author, "label": label, "more": 1});
        format!("{line}\n")
    }

    #[test]
    fn a_folder_gives_its_texts_each_once() {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
        write("b.txt", &text("ships"));
        write("a.md", &format!("# Tides\n\n{}\n\n```\ncode\n```\n", text("tides")));
        write("c.txt", &format!("  {}\n\n", text("ships")));
        write("d.txt", "too short");
        write("e.txt", "");
        write("f.pdf", "not read");
        write("g.jsonl", &format!("{{\"text\": {:?}}}\n\n", text("lines")));
        let read = read(&[folder.path().to_owned()], Wanted::Of("Ada")).unwrap();
        assert_eq!((read.texts.len(), read.short, read.repeated, read.unwanted), (3, 2, 1, 0));
        assert!(read.texts[0].starts_with("Tides\n\ntides number") && !read.texts[0].contains("code"));
        assert!(read.texts[2].starts_with("lines"));
    }

    #[test]
    fn lines_are_taken_by_their_author_and_not_from_models() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("all.jsonl");
        let all = [line("sea", "Ada", "human"), line("hill", "Bob", "human"), line("wood", "Bob", "ai")];
        std::fs::write(&file, all.concat()).unwrap();
        let of = |wanted| {
            let read = read(std::slice::from_ref(&file), wanted).unwrap();
            (read.texts.iter().map(|text| text[..3].to_owned()).collect::<Vec<_>>(), read.unwanted)
        };
        assert_eq!(of(Wanted::Of("Ada")), (vec!["sea".to_owned()], 2));
        assert_eq!(of(Wanted::NotOf("Ada")), (vec!["hil".to_owned()], 2));
    }

    #[test]
    fn what_is_the_authors_is_taken_from_the_others() {
        let mut others = Texts { texts: vec![text("sea"), text("hill")], ..Texts::default() };
        others.without(&[format!(" {}", text("sea"))]);
        assert_eq!((others.texts, others.repeated), (vec![text("hill")], 1));
    }

    #[test]
    fn what_can_not_be_read_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let said = |path: &Path| read(&[path.to_owned()], Wanted::Of("Ada")).unwrap_err().to_string();
        assert!(said(folder.path()).contains("no .txt"));
        let file = folder.path().join("bad.jsonl");
        std::fs::write(&file, format!("{}{{\"label\": 1}}\n", line("sea", "Ada", "human"))).unwrap();
        assert!(said(&file).contains("bad.jsonl, line 2"), "{}", said(&file));
        let file = folder.path().join("bad.txt");
        std::fs::write(&file, b"\x00\x01\x02").unwrap();
        assert!(said(&file).contains("bad.txt"));
        assert!(said(&folder.path().join("none.txt")).contains("none.txt"));
    }
}
