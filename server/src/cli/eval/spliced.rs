//! `bonafide eval --spliced`: whose each sentence is, in texts by two authors.

use super::{Args, advance, load_all, open_cache, progress_bar};
use crate::cli::Error;
use crate::cli::calibrate::{line, write};
use crate::cli::labelled::refuse_measuring;
use crate::engine::{Engine, EngineOptions};
use crate::eval::dataset::Selection;
use crate::eval::splice::measure::{Judged, Report, write_tables};
use crate::eval::splice::outcome::{Outcome, judge_all};
use crate::eval::splice::{self, Spliced};
use bonafide_core::calibration::Calibration;
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
    /// With --spliced: fit the smoothing to these texts, write the calibration with it to a file (for --calibration), and
    /// report it as fitted, so on the texts that it has seen. Files whose names begin with "dev." or "test." are refused
    #[arg(long, value_name = "OUT.json", requires = "spliced")]
    fit_smoothing: Option<std::path::PathBuf>,
}

/// Runs the command.
pub(super) fn run(args: &Args) -> Result<(), Error> {
    if args.spliced.fit_smoothing.is_some() {
        refuse_measuring(&args.data)?;
    }
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
    let calibration = engine
        .calibrations()
        .next()
        .ok_or("there is no calibration for this model: give one with --calibration")?;
    let outcomes = outcomes(args, &engine, calibration, &made.texts)?;
    let fitted =
        args.spliced.fit_smoothing.as_deref().map(|path| fit_to(path, &outcomes, calibration)).transpose()?;
    let judged: Vec<Judged> = outcomes.iter().map(|outcome| outcome.judged(fitted.as_ref())).collect();
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

fn outcomes(
    args: &Args,
    engine: &Engine,
    calibration: &Calibration,
    texts: &[Spliced],
) -> Result<Vec<Outcome>, Error> {
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

/// Fits, writes the calibration and says what was found.
fn fit_to(path: &Path, outcomes: &[Outcome], calibration: &Calibration) -> Result<Segmenter, Error> {
    let examples: Vec<Example> = outcomes.iter().filter_map(Outcome::example).collect();
    let fitted = fit::fit(&calibration.segmenter(), &examples)?;
    let loss = |segmenter| fit::loss(segmenter, &examples).unwrap_or(f64::NAN);
    anstream::eprintln!(
        "{} texts; loss {:.4} with the smoothing there was, {:.4} as fitted: {}",
        examples.len(),
        loss(&calibration.segmenter()),
        loss(&fitted),
        serde_json::to_string(&fitted)?
    );
    let calibration = Calibration { segmenter: Some(fitted), ..calibration.clone() };
    write(path, &line(serde_json::to_vec(&calibration)?))?;
    Ok(fitted)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn nothing_is_fitted_to_measuring_files() {
        let refused =
            refuse_measuring(&["data/train.a.jsonl".into(), "data/dev.b.jsonl".into()]).unwrap_err();
        assert!(refused.to_string().contains("dev.b.jsonl"));
        refuse_measuring(&["dev.folder/train.a.jsonl".into()]).unwrap();
    }
}
