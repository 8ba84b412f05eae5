//! `bonafide eval --scam`: how well scams are told from honest conversations, and how early.

use crate::cli::Error;
use crate::engine::{self, EngineOptions};
use crate::eval::scam::dataset::{self, Talk};
use crate::eval::scam::outcome::{self, Outcome};
use crate::eval::scam::report::{Report, write_mistakes, write_tables};
use bonafide_core::scam::{Engine, Model};
use indicatif::ProgressBar;
use rayon::prelude::*;
use std::io::Write;
use std::path::{Path, PathBuf};

/// What `--scam` takes besides.
#[derive(Debug, clap::Args)]
pub(super) struct ScamArgs {
    /// Measure the scam engine instead: each line is {"turns": [{"from": "them" or "me", "text"}], "label": "scam" or
    /// "benign"} or {"text", "label"}, with any of kind, lang, id, money_turn. A folder stands for the JSON files in it, one
    /// conversation each
    #[arg(long)]
    pub(super) scam: bool,
    /// With --scam: a model of `bonafide train scam` instead of the one built in.
    #[arg(long, value_name = "FILE", requires = "scam")]
    pub(super) scam_model: Option<PathBuf>,
    /// With --scam: only the fifth of the data that `bonafide train scam` never looks at.
    #[arg(long, requires = "scam")]
    pub(super) held_out: bool,
    /// With --scam: ask the language model for a second opinion wherever the engine is not sure
    #[arg(long, requires = "scam")]
    pub(super) second_opinion: bool,
    /// With --scam: list the honest ones that were warned of and the scams that were not.
    #[arg(long, requires = "scam", conflicts_with = "json")]
    pub(super) mistakes: bool,
}

/// Runs the command.
pub(super) fn run(args: &ScamArgs, data: &[PathBuf], json: bool) -> Result<(), Error> {
    let engine = engine(args.scam_model.as_deref())?;
    let mut talks: Vec<Talk> = Vec::new();
    for path in data {
        talks.extend(dataset::load(path)?);
    }
    if args.held_out {
        let groups = dataset::groups(&talks);
        talks = talks
            .into_iter()
            .zip(groups)
            .filter(|(_, group)| dataset::is_held_out(*group))
            .map(|(talk, _)| talk)
            .collect();
    }
    let outcomes: Vec<Outcome> = if args.second_opinion {
        with_opinions(&engine, &talks)?
    } else {
        talks.par_iter().map(|talk| outcome::read(&engine, talk)).collect()
    };
    let report = Report::of(&engine.model().head.name, &outcomes);
    let mut out = anstream::stdout().lock();
    if json {
        serde_json::to_writer_pretty(&mut out, &report)?;
        writeln!(out)?;
        return Ok(());
    }
    if args.mistakes {
        write_mistakes(&outcomes, &mut out)?;
    }
    write_tables(&report, &mut out)?;
    Ok(())
}

/// What came of conversations where the language model was asked too.
fn with_opinions(engine: &Engine, talks: &[Talk]) -> Result<Vec<Outcome>, Error> {
    let model = engine::Engine::load(&EngineOptions::default())?;
    let wants: Vec<bool> = talks.par_iter().map(|talk| outcome::ever_wants_opinion(engine, talk)).collect();
    let bar = ProgressBar::new(wants.iter().filter(|wants| **wants).count() as u64);
    let mut outcomes = Vec::with_capacity(talks.len());
    for (talk, wants) in talks.iter().zip(wants) {
        let mut opinions = Vec::new();
        if wants {
            opinions = model.opinions_on(&talk.spoken())?.unwrap_or_default();
            bar.inc(1);
        }
        outcomes.push(outcome::read_with(engine, talk, &opinions));
    }
    bar.finish_and_clear();
    Ok(outcomes)
}

/// The built-in engine, or one with a model of one's own.
fn engine(model: Option<&Path>) -> Result<Engine, Error> {
    let model = match model {
        Some(path) => {
            let bytes = std::fs::read(path).map_err(|error| format!("{}: {error}", path.display()))?;
            Model::from_bytes(&bytes).map_err(|error| format!("{}: {error}", path.display()))?
        }
        None => Engine::built_in()?.model().clone(),
    };
    Ok(Engine::with(model)?)
}
