//! `bonafide train scam`: makes the scam engine's model.

use crate::cli::Error;
use crate::eval::scam::dataset::{self, Talk};
use crate::train::scam::{head, run, wording};
use std::path::PathBuf;

/// Train the scam engine on labelled conversations and messages.
///
/// Learned are the weights of n-grams (on messages of the other side) and the head that weighs wording and tactics. The head,
/// the calibration and the thresholds rest on what a model says of a source that it has not seen. A fifth of the data, by
/// groups that share a line, is left out for `bonafide eval --scam --held-out`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// JSONL files, or folders of JSON files with one conversation each, as `bonafide eval --scam` reads them.
    #[arg(required = true, value_name = "DATA")]
    data: Vec<PathBuf>,
    /// Where the model goes.
    #[arg(long, value_name = "OUT.bin")]
    out: PathBuf,
    /// Name and version of the model.
    #[arg(long, default_value = "scam-1")]
    name: String,
    /// Learn from the held-out fifth too.
    #[arg(long)]
    all: bool,
    /// Absolute penalty of wording: more leaves fewer n-grams.
    #[arg(long, default_value_t = wording::Options::default().absolute)]
    absolute: f32,
    /// Quadratic penalty of wording.
    #[arg(long, default_value_t = wording::Options::default().quadratic)]
    quadratic: f32,
    /// How sure the taxonomy's weights are, as a weight of conversations.
    #[arg(long, default_value_t = head::Options::default().sureness)]
    sureness: f64,
}

/// Runs the command.
pub fn run(args: &Args) -> Result<(), Error> {
    let mut talks: Vec<Talk> = Vec::new();
    for path in &args.data {
        talks.extend(dataset::load(path)?);
    }
    let options = run::Options {
        name: args.name.clone(),
        all: args.all,
        wording: wording::Options {
            absolute: args.absolute,
            quadratic: args.quadratic,
            ..wording::Options::default()
        },
        head: head::Options { sureness: args.sureness, ..head::Options::default() },
    };
    let trained = run::train(talks, &options, &mut |step| anstream::eprintln!("{step}"))?;
    std::fs::write(&args.out, trained.model.to_bytes()?)
        .map_err(|error| format!("{}: {error}", args.out.display()))?;
    let head = &trained.model.head;
    anstream::eprintln!(
        "{} n-grams, caution from {:.3}, danger from {:.3}, calibration {:?}",
        trained.used,
        head.caution,
        head.danger,
        head.calibration
    );
    Ok(())
}
