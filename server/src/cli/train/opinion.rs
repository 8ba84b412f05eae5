//! `bonafide train opinion`: a probe that gives a second opinion on chats of a language.

use crate::cli::Error;
use crate::cli::numbers::non_negative;
use crate::engine::{Adapter, Engine, EngineOptions};
use crate::eval::scam::dataset::{self, Talk};
use crate::model::compute::Compute;
use crate::model::opinion::ChatProbe;
use crate::model::probe::{DATA_KEY, Probe};
use crate::train::opinion::read::{self, LeftOut, Options};
use crate::train::opinion::{Fares, Thresholds, fit};
use bonafide_core::scam;
use std::collections::BTreeSet;
use std::io::Write;
use std::path::{Path, PathBuf};

/// Train the probe by which the language model gives a second opinion on chats of one language.
///
/// It is fitted on the mean hidden states of chats, brought to the scale of the scam engine that is built in, and held down
/// until no more honest chats are warned of than without it. What is known of it comes from authors that were left out: those
/// of the probe here, those of the engine by `bonafide train scam --left-out`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// JSONL files, or folders of JSON files with one conversation each, as `bonafide eval --scam` reads them
    #[arg(required = true, value_name = "DATA")]
    data: Vec<PathBuf>,
    /// The language, as ISO 639-1; other conversations are left out
    #[arg(long, value_name = "LANG")]
    lang: String,
    /// A source of whole conversations over days
    #[arg(long, required = true, value_name = "SOURCE")]
    chats: Vec<String>,
    /// What `bonafide train scam --left-out` wrote
    #[arg(long, value_name = "FILE.jsonl")]
    left_out: PathBuf,
    /// Where the probe goes
    #[arg(long, value_name = "OUT.safetensors")]
    out: PathBuf,
    /// Most conversations of each other source and label
    #[arg(long, value_name = "N", default_value_t = 60)]
    limit: usize,
    /// Number of layers after which hidden states are read
    #[arg(long, value_name = "N", default_value_t = 18)]
    depth: usize,
    /// How hard the weights are held down
    #[arg(long, default_value_t = 0.03, value_parser = non_negative)]
    penalty: f64,
    /// The model: a name that `bonafide model list` shows, or a GGUF file
    #[arg(long, value_name = "NAME|FILE")]
    model: Option<String>,
    #[command(flatten)]
    compute: Compute,
}

/// Runs the command.
///
/// # Errors
/// What can't be read or learned from.
pub fn run(args: &Args) -> Result<(), Error> {
    let mut talks: Vec<Talk> = Vec::new();
    for path in &args.data {
        talks.extend(dataset::load(path)?.into_iter().filter(|talk| talk.lang == args.lang));
    }
    let left_out = left_out(&args.left_out)?;
    let options = Options { chats: args.chats.clone(), limit: args.limit, depth: args.depth };
    let talks = read::choose(talks, &options);
    let engine = Engine::load(&EngineOptions {
        model: args.model.clone(),
        compute: args.compute,
        adapter: Adapter::None,
        ..EngineOptions::default()
    })?;
    let bar = indicatif::ProgressBar::new(talks.len() as u64);
    let chats = read::read(&engine, &talks, &left_out, &options, |done| bar.set_position(done as u64))?;
    bar.finish_and_clear();

    let head = &scam::Engine::built_in()?.model().head;
    let thresholds = Thresholds { caution: head.caution, danger: head.danger };
    let fitted = fit(&chats, &args.lang, args.penalty, thresholds)?;
    let model = engine.model();
    let probe = Probe {
        model_sha256: model.sha256,
        depths: vec![args.depth],
        weights: fitted.linear.weights.clone(),
    };
    let names: BTreeSet<&str> = chats.iter().map(|chat| chat.source.as_str()).collect();
    let notes = [
        (DATA_KEY, names.into_iter().collect::<Vec<_>>().join(" ")),
        ("scam_model", head.name.clone()),
        ("version", env!("CARGO_PKG_VERSION").to_owned()),
    ];
    let bytes = ChatProbe::new(&args.lang, fitted.linear.bias, probe).write(&notes)?;
    std::fs::write(&args.out, bytes).map_err(|error| format!("{}: {error}", args.out.display()))?;

    let of_days = |scam: bool| chats.iter().filter(|chat| chat.part.is_some() && chat.scam == scam).count();
    let mut out = anstream::stdout().lock();
    writeln!(
        out,
        "{} scams and {} honest chats, each by who has not seen its author:",
        of_days(true),
        of_days(false)
    )?;
    writeln!(out, "AUROC of the probe alone, on whole chats {:.3}", fitted.alone)?;
    writeln!(out, "{:<22} AUROC  scams above caution, danger  honest above caution, danger", "")?;
    for (name, fares) in ["without its opinion", "with it"].into_iter().zip(&fitted.fares) {
        writeln!(out, "{}", row(name, fares))?;
    }
    writeln!(out, "at {} of its scale, held down by {:.2} in log-odds", fitted.share, fitted.held_down)?;
    Ok(())
}

fn row(name: &str, fares: &Fares) -> String {
    let [caution, danger] = fares.scams.map(|share| 100.0 * share);
    let [of_honest, danger_of_honest] = fares.honest.map(|share| 100.0 * share);
    let area = fares.auroc;
    format!("{name:<22} {area:.3}  {caution:>19.1} {danger:>7.1}  {of_honest:>20.1} {danger_of_honest:>7.1}")
}

fn left_out(path: &Path) -> Result<Vec<LeftOut>, Error> {
    let text = std::fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))?;
    let each = text.lines().enumerate().map(|(at, one)| {
        serde_json::from_str(one).map_err(|error| {
            let (path, at) = (path.display(), at + 1);
            format!("{path}, line {at}: {error}; make the file with `bonafide train scam --left-out`").into()
        })
    });
    each.collect()
}
