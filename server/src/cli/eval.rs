//! `bonafide eval`: how well this model and calibration tell labelled texts apart.

mod spliced;

use super::Error;
use crate::engine::{Engine, EngineOptions};
use crate::eval::cache::StatsCache;
use crate::eval::dataset::{self, Label, Sample, Selection};
use crate::eval::report::{Outcome, Report, write_tables};
use crate::eval::scoring::{Progress, score_texts};
use crate::model::adapter::AdapterArgs;
use crate::model::compute::Compute;
use bonafide_core::text::scoring::ScoringText;
use indicatif::{ProgressBar, ProgressStyle};
use rayon::prelude::*;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

/// Measure on labelled texts: AUROC, true-positive rates at 1 % and 5 % false positives, and what the shipped
/// thresholds do, overall and by domain, generator, language and kind.
///
/// Each line of a file is one JSON object {"text", "label": "human" or "ai"} with any of domain, generator, lang, kind,
/// source, pair, id; prefix_chars code points at the start of a text labelled "ai" are a human prompt and are cut off.
/// A generator's AUROC sets its texts against all human texts of the run, and so does a kind's.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Files of labelled texts, one JSON object a line.
    #[arg(required = true, value_name = "DATA.jsonl")]
    data: Vec<PathBuf>,
    /// Print the report as JSON.
    #[arg(long)]
    json: bool,
    /// At most N texts of each label from each file, in proportion from each generator, kind and domain.
    #[arg(long, value_name = "N", value_parser = clap::builder::RangedU64ValueParser::<usize>::new().range(1..))]
    limit: Option<usize>,
    /// Which texts a limit takes.
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// Cut each text after N words (runs between white space).
    #[arg(long, value_name = "N", value_parser = clap::builder::RangedU64ValueParser::<usize>::new().range(1..))]
    max_words: Option<usize>,
    /// Cut each text after N of the model's tokens.
    #[arg(long, value_name = "N", value_parser = clap::builder::RangedU64ValueParser::<usize>::new().range(1..))]
    max_tokens: Option<usize>,
    /// Leave out lines that are no labelled texts instead of failing.
    #[arg(long)]
    skip_bad: bool,
    /// A model of the registry or a GGUF file.
    #[arg(long, value_name = "NAME|FILE")]
    model: Option<String>,
    /// A calibration file instead of the one built in.
    #[arg(long, value_name = "FILE")]
    calibration: Option<PathBuf>,
    #[command(flatten)]
    adapter: AdapterArgs,
    #[command(flatten)]
    compute: Compute,
    /// A second model with the same tokenizer: adds the detector `binoculars`
    #[arg(long, value_name = "NAME|FILE")]
    observer: Option<String>,
    /// Write each text's label, verdict, probability and detector scores, but not the text, to a file.
    #[arg(long, value_name = "OUT.jsonl")]
    scores: Option<PathBuf>,
    /// Keep per-token statistics (numbers, never a text) in this folder, so that a later run needn't score again.
    #[arg(long, value_name = "DIR")]
    stats_cache: Option<PathBuf>,
    #[command(flatten)]
    spliced: spliced::SplicedArgs,
}

/// Runs the command.
pub fn run(args: &Args) -> Result<(), Error> {
    if args.spliced.spliced {
        return spliced::run(args);
    }
    let selection = Selection {
        limit_human: args.limit,
        limit_ai: args.limit,
        seed: args.seed,
        skip_bad: args.skip_bad,
        max_words: args.max_words,
        langs: Vec::new(),
    };
    let mut samples = load_all(&args.data, &selection, |_| true)?;
    let engine = Engine::load(&EngineOptions {
        model: args.model.clone(),
        compute: args.compute,
        calibration: args.calibration.clone(),
        adapter: args.adapter.choice(None),
        observer: args.observer.clone(),
        ..EngineOptions::default()
    })?;
    if let Some(tokens) = args.max_tokens {
        samples.par_iter_mut().try_for_each(|sample| cut_tokens(&engine, &mut sample.text, tokens))?;
    }
    if args.observer.is_some() && args.stats_cache.is_some() {
        return Err("--stats-cache keeps the numbers of one model: leave it out with --observer".into());
    }
    let cache = open_cache(&engine, args.stats_cache.as_deref())?;
    let mut scores = args.scores.as_deref().map(create).transpose()?;

    let texts: Vec<&str> = samples.iter().map(|sample| sample.text.as_str()).collect();
    let bar = progress_bar(&texts);
    let mut outcomes = Vec::with_capacity(samples.len());
    score_texts::<_, Error>(
        &engine,
        cache.as_ref(),
        &texts,
        &mut |now| advance(&bar, now),
        &mut |index, plan, stats| {
            let sample = &samples[index];
            let report = engine.judge(&index.to_string(), plan, stats, false);
            let outcome = Outcome::new(sample, &report);
            if let Some(scores) = &mut scores {
                write_score(scores, sample, &outcome, report.p_value, report.token_count)?;
            }
            outcomes.push(outcome);
            Ok(())
        },
    )?;
    bar.finish_and_clear();
    if let Some(mut scores) = scores {
        scores.flush()?;
    }

    let report = Report::of(&outcomes);
    let mut out = anstream::stdout().lock();
    if args.json {
        serde_json::to_writer_pretty(&mut out, &report)?;
        writeln!(out)?;
    } else {
        write_tables(&report, &mut out)?;
    }
    Ok(())
}

/// Cuts a text before the token after so many.
fn cut_tokens(engine: &Engine, text: &mut String, tokens: usize) -> Result<(), Error> {
    let plan = engine.plan(text)?;
    if let Some(first_out) = engine.join(&plan, &[]).get(tokens) {
        let end = ScoringText::new(text).original_span(first_out.bytes.clone()).start;
        *text = text.chars().take(end).collect();
    }
    Ok(())
}

/// Loads files one after the other; says on the error stream what was left out.
pub(super) fn load_all(
    files: &[PathBuf],
    selection: &Selection,
    wanted: impl Fn(&Sample) -> bool + Sync,
) -> Result<Vec<Sample>, Error> {
    let mut samples = Vec::new();
    for file in files {
        let loaded = dataset::load(file, selection, &wanted)?;
        if loaded.bad > 0 {
            anstream::eprintln!("{}: left out {} bad lines", file.display(), loaded.bad);
        }
        samples.extend(loaded.samples);
    }
    Ok(samples)
}

/// The folder of statistics, for this model file and this arithmetic.
pub(super) fn open_cache(engine: &Engine, dir: Option<&Path>) -> Result<Option<StatsCache>, Error> {
    let model = engine.model();
    let mut name = format!("{} {}", model.sha256, model.backend);
    if let Some(probe) = engine.probe() {
        name = format!("{name} probe {}", probe.id());
    }
    Ok(dir.map(|dir| StatsCache::open(dir, &name)).transpose()?)
}

/// A bar over the bytes of text, on the error stream and only on a terminal.
pub(super) fn progress_bar(texts: &[&str]) -> ProgressBar {
    let bar = ProgressBar::new(texts.iter().map(|text| text.len() as u64).sum());
    if let Ok(style) =
        ProgressStyle::with_template("{bar:40} {percent} % of {binary_total_bytes}, {msg}, {eta} left")
    {
        bar.set_style(style);
    }
    bar.set_message("0 tokens");
    bar
}

/// Moves the bar.
pub(super) fn advance(bar: &ProgressBar, now: Progress) {
    let seconds = bar.elapsed().as_secs_f64().max(1e-3);
    bar.set_position(now.bytes);
    bar.set_message(format!(
        "{} tokens ({:.0}/s), {} from the cache",
        now.scored + now.cached,
        now.scored as f64 / seconds,
        now.cached
    ));
}

fn create(path: &Path) -> Result<BufWriter<std::fs::File>, Error> {
    let file = std::fs::File::create(path).map_err(|error| format!("{}: {error}", path.display()))?;
    Ok(BufWriter::new(file))
}

fn write_score(
    out: &mut impl Write,
    sample: &Sample,
    outcome: &Outcome,
    p_value: Option<f64>,
    tokens: usize,
) -> Result<(), Error> {
    let line = serde_json::json!({
        "dataset": &*sample.dataset,
        "line": sample.line,
        "id": sample.field("id"),
        "label": match sample.label { Label::Human => "human", Label::Ai => "ai" },
        "fields": outcome.groups,
        "verdict": outcome.verdict,
        "probability": outcome.probability,
        "p_value": p_value,
        "tokens": tokens,
        "detectors": outcome.detectors,
    });
    serde_json::to_writer(&mut *out, &line)?;
    writeln!(out)?;
    Ok(())
}
