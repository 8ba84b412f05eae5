//! The labelled texts that a command learns from.

use super::Error;
use super::eval::load_all;
use crate::eval::dataset::{Sample, Selection};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

/// Which texts to learn from.
#[derive(Debug, clap::Args)]
pub struct Labelled {
    /// Files of labelled texts, or folders whose train.*.jsonl files are taken.
    #[arg(long, required = true, num_args = 1.., value_name = "DIR|FILE")]
    pub data: Vec<PathBuf>,
    /// At most N texts of each label from each file, in proportion from each generator, kind and domain; texts that
    /// would get no verdict don't count.
    #[arg(long, value_name = "N", value_parser = clap::builder::RangedU64ValueParser::<usize>::new().range(1..))]
    pub limit: Option<usize>,
    /// Which texts a limit takes, how they are split, and whatever else is drawn: the same seed, data and options give the
    /// same result on the same machine.
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub seed: u64,
    /// Languages (ISO 639-1) of the texts to take; texts without one are taken too.
    #[arg(long, value_delimiter = ',', default_value = "en")]
    pub lang: Vec<String>,
    /// Leave out the texts of these generators.
    #[arg(long, num_args = 1.., value_name = "GENERATOR")]
    pub without: Vec<String>,
    /// Leave out lines that are no labelled texts instead of failing.
    #[arg(long)]
    pub skip_bad: bool,
}

impl Labelled {
    /// The texts that are `wanted`; `limit_ai` is another limit for models' texts.
    pub(super) fn load(
        &self,
        limit_ai: Option<usize>,
        wanted: impl Fn(&Sample) -> bool + Sync,
    ) -> Result<Vec<Sample>, Error> {
        let selection = Selection {
            limit_human: self.limit,
            limit_ai: limit_ai.or(self.limit),
            seed: self.seed,
            skip_bad: self.skip_bad,
            max_words: None,
            langs: self.lang.clone(),
        };
        let met = Names::default();
        let taken = |sample: &Sample| {
            let Some(name) =
                sample.field("generator").filter(|own| self.without.iter().any(|name| name == own))
            else {
                return wanted(sample);
            };
            met.add(name);
            false
        };
        let samples = load_all(&files(&self.data)?, &selection, taken)?;
        let met = met.into_set();
        match self.without.iter().find(|name| !met.contains(*name)) {
            Some(name) => Err(format!("--without {name}: no text is by a generator of this name").into()),
            None => Ok(samples),
        }
    }
}

/// Names that are met while files are read, by several threads.
#[derive(Debug, Default)]
pub(super) struct Names(Mutex<BTreeSet<String>>);

impl Names {
    pub(super) fn add(&self, name: &str) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(name.to_owned());
    }

    pub(super) fn into_set(self) -> BTreeSet<String> {
        self.0.into_inner().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The files named, and those of the folders named, in order.
fn files(data: &[PathBuf]) -> Result<Vec<PathBuf>, Error> {
    let mut files = Vec::new();
    for path in data {
        if !path.is_dir() {
            files.push(path.clone());
            continue;
        }
        let entries = std::fs::read_dir(path).map_err(|error| format!("{}: {error}", path.display()))?;
        let mut own: Vec<PathBuf> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
        own.retain(|path| name(path).starts_with("train.") && name(path).ends_with(".jsonl"));
        if own.is_empty() {
            return Err(format!("{}: no train.*.jsonl in it", path.display()).into());
        }
        own.sort();
        files.extend(own);
    }
    refuse_measuring(&files)?;
    Ok(files)
}

/// Files for measuring are known by their names.
pub(super) fn refuse_measuring(files: &[PathBuf]) -> Result<(), Error> {
    let measures = |path: &&PathBuf| ["dev.", "test."].iter().any(|set| name(path).starts_with(set));
    match files.iter().find(measures) {
        Some(path) => {
            let path = path.display();
            Err(format!("{path}: files of this name are for measuring; nothing may be fitted to them").into())
        }
        None => Ok(()),
    }
}

fn name(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;

    #[test]
    fn a_folder_gives_its_training_files_and_measuring_files_are_refused() {
        let dir = tempfile::tempdir().unwrap();
        for name in ["train.b.jsonl", "train.a.jsonl", "dev.a.jsonl", "train.txt"] {
            std::fs::write(dir.path().join(name), "").unwrap();
        }
        let found: Vec<String> =
            files(&[dir.path().to_owned()]).unwrap().iter().map(|path| name(path)).collect();
        assert_eq!(found, ["train.a.jsonl", "train.b.jsonl"]);
        let refused = files(&[dir.path().join("dev.a.jsonl")]).unwrap_err().to_string();
        assert!(refused.contains("for measuring"), "{refused}");
        let empty = tempfile::tempdir().unwrap();
        assert!(files(&[empty.path().to_owned()]).is_err());
    }

    #[test]
    fn texts_of_a_generator_are_left_out_and_an_unknown_one_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("train.a.jsonl");
        let line = |generator: &str, label: &str| {
            format!(
                "{{\"text\": \"by {generator}\", \"label\": \"{label}\", \"generator\": \"{generator}\"}}\n"
            )
        };
        std::fs::write(&file, line("human", "human") + &line("old", "ai") + &line("new", "ai")).unwrap();
        let load = |without: &[&str]| {
            let texts = Labelled {
                data: vec![file.clone()],
                limit: None,
                seed: 0,
                lang: vec!["en".to_owned()],
                without: without.iter().map(|&name| name.to_owned()).collect(),
                skip_bad: false,
            };
            texts.load(None, |_| true).map(|samples| samples.len())
        };
        assert_eq!(load(&[]).unwrap(), 3);
        assert_eq!(load(&["old"]).unwrap(), 2);
        assert!(load(&["old", "gone"]).unwrap_err().to_string().contains("--without gone"));
    }
}
