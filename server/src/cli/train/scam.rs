//! `bonafide train scam`: makes the scam engine's model.

use crate::cli::Error;
use crate::eval::metrics::{auroc, rate};
use crate::eval::scam::dataset::{self, Talk};

use crate::train::scam::{LeftOut, ftrl, head, run};
use std::io::Write;
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
    /// A source of whole conversations over days: a wording of their own is learned from them, and they are left out part by
    /// part instead of as a whole.
    #[arg(long, value_name = "SOURCE")]
    chats: Vec<String>,
    /// Write what a model says of each conversation that has not seen its source, after some of its turns, as JSON lines.
    #[arg(long, value_name = "OUT.jsonl")]
    left_out: Option<PathBuf>,
    /// Learn from the held-out fifth too.
    #[arg(long)]
    all: bool,
    /// Absolute penalty of wording: more leaves fewer n-grams.
    #[arg(long, default_value_t = ftrl::Options::default().absolute)]
    absolute: f32,
    /// Quadratic penalty of wording.
    #[arg(long, default_value_t = ftrl::Options::default().quadratic)]
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
        chats: args.chats.clone(),
        wording: ftrl::Options {
            absolute: args.absolute,
            quadratic: args.quadratic,
            ..ftrl::Options::default()
        },
        of_chats: ftrl::Options::of_chats(),
        head: head::Options { sureness: args.sureness, ..head::Options::default() },
    };
    let trained = run::train(talks, &options, &mut |step| anstream::eprintln!("{step}"))?;
    std::fs::write(&args.out, trained.model.to_bytes()?)
        .map_err(|error| format!("{}: {error}", args.out.display()))?;
    if let Some(path) = &args.left_out {
        let lines: String = trained.left_out.iter().map(line).collect();
        std::fs::write(path, lines).map_err(|error| format!("{}: {error}", path.display()))?;
    }
    write_left_out(&trained)?;
    let head = &trained.model.head;
    anstream::eprintln!(
        "{} n-grams of messages, {} of whole conversations, caution from {:.3}, danger from {:.3}",
        trained.used[0],
        trained.used[1],
        head.caution,
        head.danger
    );
    Ok(())
}

/// A conversation as a line: `after` has numbers of turns, each with the probability after so many.
fn line(one: &LeftOut) -> String {
    let LeftOut { source, id, scam, after, .. } = one;
    let label = if *scam { "scam" } else { "benign" };
    format!("{}\n", serde_json::json!({"source": &**source, "id": id, "label": label, "after": after}))
}

/// How a model without a source does on that source.
fn write_left_out(trained: &run::Trained) -> Result<(), Error> {
    let head = &trained.model.head;
    let mut out = anstream::stdout().lock();
    writeln!(out, "each source by a model that has not seen it, highest probability after any turn:")?;
    writeln!(
        out,
        "{:<32} scam benign  AUROC  scams above caution, danger  honest above caution, danger  their median, 99th %",
        "source"
    )?;
    for name in trained.counts.keys() {
        let scores = |scam: bool| -> Vec<f64> {
            let of = trained.left_out.iter().filter(|one| &*one.source == name.as_str() && one.scam == scam);
            let mut scores: Vec<f64> = of.map(|one| one.score).collect();
            scores.sort_by(f64::total_cmp);
            scores
        };
        let (scams, honest) = (scores(true), scores(false));
        let above = |scores: &[f64], least: f64| {
            let hits = scores.iter().filter(|score| **score >= least).count();
            rate(hits, scores.len())
                .map_or_else(|| "-".to_owned(), |share| format!("{:.1}", 100.0 * share.value))
        };
        let at = |share: f64| {
            let place = (share * honest.len() as f64) as usize;
            honest.get(place).map_or_else(|| "-".to_owned(), |score| format!("{score:.3}"))
        };
        writeln!(
            out,
            "{name:<32} {:>4} {:>6}  {:>5}  {:>19} {:>7}  {:>20} {:>7}  {:>12} {:>8}",
            scams.len(),
            honest.len(),
            auroc(&honest, &scams).map_or_else(|| "-".to_owned(), |area| format!("{:.3}", area.value)),
            above(&scams, head.caution),
            above(&scams, head.danger),
            above(&honest, head.caution),
            above(&honest, head.danger),
            at(0.5),
            at(0.99),
        )?;
    }
    Ok(())
}
