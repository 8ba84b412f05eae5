//! `bonafide train style`: adapts the model to one author's texts, for `bonafide score --author`.

use super::super::numbers::{at_least, positive};
use crate::cli::Error;
use crate::cli::calibrate::{command, line};
use crate::cli::labelled::refuse_measuring;
use crate::model;
use crate::model::progress::Terminal;
use crate::model::store;
use crate::paths::Paths;
use crate::private;
use crate::random::Random;
use crate::train::style::LEAST_OTHERS;
use crate::train::style::file::check_name;
use crate::train::style::run::{Event, FOUND, Inputs, Outcome, Settings, train};
use crate::train::style::texts::{self, Texts, Wanted};
use clap::builder::RangedU64ValueParser;
use indicatif::{ProgressBar, ProgressStyle};
use serde::Serialize;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::Instant;

/// Texts of others that are read, unless `--others-limit` says otherwise.
const OTHERS: usize = 100;

/// Learn how one author writes, so that `bonafide score --author NAME` says whether a text sounds like them: minutes on a
/// CPU.
///
/// Low-rank matrices (LoRA) in the model's lower layers are adapted to the author's texts; a fifth of these is held out, and
/// the report says how many of those are found. Texts of other people are not learned from: a text is ranked among them,
/// which gives its p-value. They should be of the same kind and on the same subjects as the author's, because the adapter
/// learns subjects, too. The author's file is kept in the data folder, with NAME.report.json beside it; a new one takes the
/// place of the old one. It remembers passages of the author's texts: whoever has it may draw them out again, so only you
/// may read it, and it should not be given away.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// What the author is called in `bonafide score --author`
    #[arg(long, value_name = "NAME")]
    author: String,
    /// The author's texts, of 40 words or more: a text a file, or lines of {"text", "author"} in .jsonl files; of a folder
    /// its .txt, .md, .html and .jsonl files
    #[arg(long, required = true, num_args = 1.., value_name = "FILE|DIR")]
    texts: Vec<PathBuf>,
    /// Texts of other people, likewise; at least 20
    #[arg(long, required = true, num_args = 1.., value_name = "FILE|DIR")]
    others: Vec<PathBuf>,
    /// At most N of the others' texts, drawn by the seed; the least p-value is 1 in N + 1
    #[arg(long, value_name = "N", default_value_t = OTHERS, value_parser = at_least(LEAST_OTHERS as u64))]
    others_limit: usize,
    /// Steps of the optimiser
    #[arg(long, value_name = "N", default_value_t = Settings::default().steps, value_parser = clap::value_parser!(u64).range(1..))]
    steps: u64,
    /// Rank of the matrices
    #[arg(long, value_name = "N", default_value_t = Settings::default().rank, value_parser = RangedU64ValueParser::<usize>::new().range(1..=512))]
    rank: usize,
    /// Layers that are adapted, from the lowest
    #[arg(long, value_name = "N", default_value_t = Settings::default().layers, value_parser = at_least(1))]
    layers: usize,
    /// Highest learning rate
    #[arg(long, value_name = "X", default_value_t = Settings::default().rate, value_parser = positive)]
    lr: f64,
    /// What is held out and whatever else is drawn
    #[arg(long, value_name = "N", default_value_t = 0)]
    seed: u64,
    /// A model of the registry or a GGUF file
    #[arg(long, value_name = "NAME|FILE")]
    model: Option<String>,
}

impl Args {
    fn settings(&self) -> Settings {
        Settings {
            rank: self.rank,
            alpha: 2.0 * self.rank as f64,
            layers: self.layers,
            steps: self.steps,
            rate: self.lr,
            seed: self.seed,
            ..Settings::default()
        }
    }
}

/// The account of a training. No text is in it.
#[derive(Debug, Serialize)]
struct Report<'a> {
    program: &'a str,
    command: String,
    author: &'a str,
    model: &'a str,
    base: &'a str,
    settings: &'a Settings,
    /// Time of the whole run, the reading of the others included.
    seconds: f64,
    #[serde(flatten)]
    outcome: &'a Outcome,
}

/// Runs the command.
pub fn run(args: &Args) -> Result<(), Error> {
    check_name(&args.author)?;
    let (own, others) = load(args)?;
    let paths = Paths::from_env()?;
    let stored = store::resolve(&paths, args.model.as_deref(), &mut Terminal::new())?;
    let loaded = model::load(&stored.path)?;
    let settings = args.settings();
    let inputs = Inputs {
        model: &loaded.model,
        tokenizer: &loaded.tokenizer,
        name: &stored.name,
        base: &stored.sha256,
        author: &args.author,
        own: &own,
        others: &others,
    };
    anstream::eprintln!("{}: {} texts, beside {} of others", args.author, own.len(), others.len());
    let (bar, began) = (Bar::new(settings.steps), Instant::now());
    let (author, outcome) = train(&inputs, &settings, &mut |event| bar.tell(event))?;
    bar.0.finish_and_clear();
    let report = Report {
        program: env!("CARGO_PKG_VERSION"),
        command: command(std::env::args()),
        author: &args.author,
        model: &stored.name,
        base: &stored.sha256,
        settings: &settings,
        seconds: began.elapsed().as_secs_f64(),
        outcome: &outcome,
    };
    let path = author.save(&paths.authors())?;
    let beside = path.with_file_name(format!("{}.report.json", args.author));
    let json = line(serde_json::to_vec_pretty(&report)?);
    private::replace(&beside, &json).map_err(|error| format!("{}: {error}", beside.display()))?;
    print(&path, &report)
}

/// The author's texts, and as many of the others' as are wanted.
fn load(args: &Args) -> Result<(Vec<String>, Vec<String>), Error> {
    for paths in [&args.texts, &args.others] {
        let mut lines = texts::files(paths)?;
        lines.retain(|path| path.extension().is_some_and(|own| own == "jsonl"));
        refuse_measuring(&lines)?;
    }
    let own = texts::read(&args.texts, Wanted::Of(&args.author))?;
    let mut others = texts::read(&args.others, Wanted::NotOf(&args.author))?;
    others.without(&own.texts);
    tell("--texts", &own);
    tell("--others", &others);
    Random::new(&[b"others of an author", &args.seed.to_le_bytes()]).shuffle(&mut others.texts);
    others.texts.truncate(args.others_limit);
    Ok((own.texts, others.texts))
}

/// Says what was left out.
fn tell(option: &str, read: &Texts) {
    let reasons = [
        (read.short, "of fewer than 40 words"),
        (read.repeated, "that stand there already, or are the author's"),
        (read.unwanted, "of another author or by a model"),
    ];
    for (count, reason) in reasons.iter().filter(|(count, _)| *count > 0) {
        anstream::eprintln!("{option}: {count} texts left out {reason}");
    }
}

/// A bar over the steps, then one over the texts that are read; on the error stream and only on a terminal.
struct Bar(ProgressBar);

impl Bar {
    fn new(steps: u64) -> Self {
        let bar = ProgressBar::new(steps);
        if let Ok(style) = ProgressStyle::with_template("{bar:40} {msg}, {pos} of {len}, {eta} left") {
            bar.set_style(style);
        }
        bar.set_message("learning");
        Self(bar)
    }

    fn tell(&self, event: Event) {
        match event {
            Event::Step(step) => {
                self.0.set_position(step.step);
                self.0.set_message(format!("learning, loss {:.3}", step.loss));
            }
            Event::Reads(texts) => {
                self.0.set_length(texts as u64);
                self.0.set_position(0);
                self.0.reset_eta();
                self.0.set_message("reading what was held out and the others");
            }
            Event::Read(texts) => self.0.inc(texts as u64),
        }
    }
}

fn print(path: &Path, report: &Report<'_>) -> Result<(), Error> {
    let Outcome { learned, held_out, found, interval, others, .. } = report.outcome;
    let mut out = anstream::stdout().lock();
    writeln!(out, "{}: how {} writes, of {learned} texts", path.display(), report.author)?;
    writeln!(
        out,
        "{} steps, and {others} texts of others read, in {:.0} s",
        report.settings.steps, report.seconds
    )?;
    writeln!(
        out,
        "held out: {found} of {} texts found at a p-value of at most {FOUND} ({:.0} to {:.0} %), AUROC {:.2}",
        held_out.len(),
        100.0 * interval[0],
        100.0 * interval[1],
        report.outcome.auroc
    )?;
    writeln!(
        out,
        "log-likelihood ratio (nats a token): {:+.3} of what was held out, {:+.3} of the others",
        report.outcome.held_out_ratio, report.outcome.others_ratio
    )?;
    writeln!(out, "use it with `bonafide score --author {:?} FILE`", report.author)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;
    use clap::Parser;

    #[derive(Parser)]
    struct Program {
        #[command(flatten)]
        args: Args,
    }

    fn parse(rest: &[&str]) -> Result<Args, clap::Error> {
        let all = ["train", "--author", "Ada", "--texts", "a", "--others", "b"].iter().chain(rest);
        Program::try_parse_from(all).map(|program| program.args)
    }

    #[test]
    fn the_defaults_are_those_of_the_settings() {
        assert_eq!(parse(&[]).unwrap().settings(), Settings::default());
        let settings =
            parse(&["--rank", "4", "--steps", "7", "--lr", "1e-2", "--layers", "3"]).unwrap().settings();
        assert_eq!((settings.rank, settings.alpha, settings.steps, settings.layers), (4, 8.0, 7, 3));
        for wrong in [&["--lr", "0"], &["--lr", "nan"], &["--rank", "0"], &["--others-limit", "19"]] {
            assert!(parse(wrong).is_err(), "{wrong:?}");
        }
    }

    fn lines(path: &Path, authors: &[&str], count: usize) {
        let line = |author: &&str, at: usize| {
            let text = format!("{author} {at} writes this ").repeat(20);
            format!("{}\n", serde_json::json!({"text": text, "author": author}))
        };
        let all: String =
            (0..count).flat_map(|at| authors.iter().map(move |author| line(author, at))).collect();
        std::fs::write(path, all).unwrap();
    }

    #[test]
    fn one_file_gives_both_sides() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("letters.jsonl");
        lines(&file, &["Ada", "Bob", "Cy"], 20);
        let mut args = parse(&["--others-limit", "30"]).unwrap();
        (args.texts, args.others) = (vec![file.clone()], vec![file]);
        let (own, others) = load(&args).unwrap();
        assert_eq!((own.len(), others.len()), (20, 30));
        assert!(own.iter().all(|text| text.starts_with("Ada")));
        assert!(["Bob", "Cy"].iter().all(|name| others.iter().any(|text| text.starts_with(name))));
        assert!(!others.iter().any(|text| text.starts_with("Ada")));
    }

    #[test]
    fn files_for_measuring_and_names_that_are_no_files_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("dev.letters.jsonl");
        lines(&file, &["Ada"], 5);
        let mut args = parse(&[]).unwrap();
        (args.texts, args.others) = (vec![file.clone()], vec![file]);
        assert!(run(&args).unwrap_err().to_string().contains("for measuring"));
        args.author = "../Ada".to_owned();
        assert!(run(&args).unwrap_err().to_string().contains("author's name"));
    }
}
