//! `bonafide eval --spliced`: whose each sentence is, in texts by two authors.

use super::{Args, advance, load_all, open_cache, progress_bar};
use crate::cli::Error;
use crate::cli::labelled::refuse_measuring;
use crate::engine::{Engine, EngineOptions};
use crate::eval::dataset::Selection;
use crate::eval::splice::measure::{Judged, Report, write_tables};
use crate::eval::splice::outcome::{Outcome, judge_all};
use crate::eval::splice::{self, Spliced};
use bonafide_core::detect::Stats;
use bonafide_core::detect::segments::Segmenter;
use bonafide_core::detect::segments::fit::{self, Example};
use bonafide_core::judge::readings;
use std::io::Write;
use std::path::Path;

/// The options that only texts by two authors have.
#[derive(Debug, clap::Args)]
pub(super) struct SplicedArgs {
    /// Put human and models' texts together (same source document, domain or file) and measure whose each sentence is:
    /// pure, continued, inserted and alternating texts. --limit then counts couples, each of which makes five texts
    #[arg(long, conflicts_with_all = ["observer", "scores", "max_tokens"])]
    pub(super) spliced: bool,
    /// With --spliced: a file of smoothing parameters instead of the calibration's own
    #[arg(long, value_name = "FILE.json", requires = "spliced")]
    smoothing: Option<std::path::PathBuf>,
    /// With --spliced: fit the smoothing to these texts, write it to a file, and report it as fitted (so on the texts that
    /// it has seen). Files whose names begin with "dev." or "test." are refused
    #[arg(long, value_name = "OUT.json", requires = "spliced", conflicts_with = "smoothing")]
    fit_smoothing: Option<std::path::PathBuf>,
}

/// Runs the command.
pub(super) fn run(args: &Args) -> Result<(), Error> {
    if args.spliced.fit_smoothing.is_some() {
        refuse_measuring(&args.data)?;
    }
    let given = args.spliced.smoothing.as_deref().map(read).transpose()?;
    let selection = Selection {
        limit_human: None,
        limit_ai: None,
        seed: args.seed,
        skip_bad: args.skip_bad,
        max_words: args.max_words,
        langs: Vec::new(),
    };
    let samples = load_all(&args.data, &selection, |_| true)?;
    let made = splice::make(&samples, args.limit, args.seed);
    if made.texts.is_empty() {
        let least = splice::MIN_SENTENCES;
        return Err(
            format!("no human text and model's text of at least {least} sentences in one file").into()
        );
    }
    if made.left_out > 0 {
        anstream::eprintln!("left out {} human texts: too few sentences, or no partner", made.left_out);
    }
    let engine = Engine::load(&EngineOptions {
        model: args.model.clone(),
        compute: args.compute,
        calibration: args.calibration.clone(),
        adapter: args.adapter.choice(None),
        ..EngineOptions::default()
    })?;
    let outcomes = outcomes(args, &engine, &made.texts)?;
    let fitted = args.spliced.fit_smoothing.as_deref().map(|path| fit_to(path, &outcomes)).transpose()?;
    let segmenter = fitted.or(given);
    let judged: Vec<Judged> = outcomes.iter().map(|outcome| outcome.judged(segmenter.as_ref())).collect();
    let report = Report::of(&judged);
    let mut out = anstream::stdout().lock();
    if args.json {
        serde_json::to_writer_pretty(&mut out, &report)?;
        writeln!(out)?;
    } else {
        write_tables(&report, &mut out)?;
    }
    Ok(())
}

fn outcomes(args: &Args, engine: &Engine, texts: &[Spliced]) -> Result<Vec<Outcome>, Error> {
    let calibration = engine
        .calibration_data()
        .ok_or("there is no calibration for this model: give one with --calibration")?;
    let cache = open_cache(engine, args.stats_cache.as_deref())?;
    let bar = progress_bar(&texts.iter().map(|text| text.text.as_str()).collect::<Vec<_>>());
    let told = &mut |now| advance(&bar, now);
    let outcomes = judge_all::<_, Error>(engine, cache.as_ref(), texts, told, |plan, stats| {
        let scored: Vec<Stats> =
            engine.join(plan, stats).into_iter().filter_map(|token| token.stats).collect();
        (engine.judge("", plan, stats, false), readings(&scored, calibration))
    })?;
    bar.finish_and_clear();
    Ok(outcomes)
}

/// Fits, writes and says what was found.
fn fit_to(path: &Path, outcomes: &[Outcome]) -> Result<Segmenter, Error> {
    let examples: Vec<Example> = outcomes.iter().filter_map(Outcome::example).collect();
    let start = Segmenter::default();
    let fitted = fit::fit(&start, &examples)?;
    let loss = |segmenter| fit::loss(segmenter, &examples).unwrap_or(f64::NAN);
    anstream::eprintln!(
        "{} texts; loss {:.4} with the smoothing built in, {:.4} as fitted",
        examples.len(),
        loss(&start),
        loss(&fitted)
    );
    let json = serde_json::to_string_pretty(&fitted)?;
    std::fs::write(path, json + "\n").map_err(|error| format!("{}: {error}", path.display()))?;
    Ok(fitted)
}

fn read(path: &Path) -> Result<Segmenter, Error> {
    let wrong = |error: String| format!("{}: {error}", path.display());
    let text = std::fs::read_to_string(path).map_err(|error| wrong(error.to_string()))?;
    let segmenter: Segmenter = serde_json::from_str(&text).map_err(|error| wrong(error.to_string()))?;
    segmenter.validate().map_err(|error| wrong(error.to_string()))?;
    Ok(segmenter)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;

    #[test]
    fn parameters_from_a_file_are_checked() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("smoothing.json");
        let write = |segmenter: &Segmenter| {
            std::fs::write(&path, serde_json::to_string(segmenter).unwrap()).unwrap();
            read(&path)
        };
        let good = Segmenter { switch: 0.07, ..Segmenter::default() };
        assert_eq!(write(&good).unwrap(), good);
        let complaint = write(&Segmenter { clip: -1.0, ..good }).unwrap_err().to_string();
        assert!(complaint.contains("smoothing.json") && complaint.contains("clip"), "{complaint}");
        std::fs::write(&path, "{}").unwrap();
        assert!(read(&path).is_err() && read(&dir.path().join("absent.json")).is_err());
    }

    #[test]
    fn nothing_is_fitted_to_measuring_files() {
        let refused =
            refuse_measuring(&["data/train.a.jsonl".into(), "data/dev.b.jsonl".into()]).unwrap_err();
        assert!(refused.to_string().contains("dev.b.jsonl"));
        refuse_measuring(&["dev.folder/train.a.jsonl".into()]).unwrap();
    }
}
