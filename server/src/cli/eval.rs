//! `bonafide eval`: how well this model and calibration tell labelled texts apart.

mod scam;
mod spliced;

use super::Error;
use crate::engine::{Engine, EngineOptions};
use crate::eval::cache::StatsCache;
use crate::eval::dataset::{self, Sample, Selection};
use crate::eval::report::{Outcome, Report, write_markdown, write_tables};
use crate::eval::scores;
use crate::eval::scoring::{Progress, score_texts};
use crate::model::adapter::AdapterArgs;
use crate::model::compute::Compute;
use bonafide_core::text::scoring::ScoringText;
use indicatif::{ProgressBar, ProgressStyle};
use rayon::prelude::*;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

/// Measure on labelled texts: AUROC, true-positive rates at 1 % and 5 % false positives, what the shipped thresholds do,
/// and the zero-shot detectors beside it, by file, domain, generator, language and kind.
///
/// Each line of a file is one JSON object {"text", "label": "human" or "ai"} with any of domain, generator, lang, kind,
/// source, pair, id; prefix_chars code points at the start of a text labelled "ai" are a human prompt and are cut off.
/// A generator's AUROC is given twice, against the human texts of its own files and against those of all; so is a kind's.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Files of labelled texts, one JSON object a line.
    #[arg(required_unless_present = "from_scores", value_name = "DATA.jsonl")]
    data: Vec<PathBuf>,
    /// Print the report as JSON.
    #[arg(long)]
    json: bool,
    /// Print the tables as GitHub Markdown.
    #[arg(long, conflicts_with_all = ["json", "spliced"])]
    markdown: bool,
    /// Say of each file, domain, generator, language and kind whether it meets the targets: AUROC at least 0.97, 85 % true
    /// positives at 1 % false ones over 150 words, at most 1 % of humans flagged, at most 25 % unclear over 100 words
    #[arg(long, conflicts_with = "spliced")]
    targets: bool,
    /// Draw a reliability diagram of the probability, all texts together.
    #[arg(long, value_name = "OUT.svg", conflicts_with = "spliced")]
    reliability: Option<PathBuf>,
    /// Report on files that --scores has written, without scoring again.
    #[arg(long, value_name = "SCORES.jsonl", num_args = 1.., conflicts_with_all = [
        "data", "spliced", "limit", "seed", "max_words", "max_tokens", "skip_bad", "model", "calibration", "observer",
        "scores", "stats_cache",
    ])]
    from_scores: Vec<PathBuf>,
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
    #[command(flatten)]
    scam: scam::ScamArgs,
}

/// Runs the command.
pub fn run(args: &Args) -> Result<(), Error> {
    if args.scam.scam {
        return scam::run(&args.scam, &args.data, args.json);
    }
    if args.spliced.spliced {
        return spliced::run(args);
    }
    let outcomes =
        if args.from_scores.is_empty() { score(args)? } else { scores::read_all(&args.from_scores)? };
    let mut report = Report::of(&outcomes);
    if args.targets {
        report = report.with_targets();
    }
    if let Some(path) = &args.reliability {
        let reliability = report.reliability.as_ref().ok_or("no text has a probability: nothing to draw")?;
        std::fs::write(path, reliability.diagram("How far the probability can be believed"))
            .map_err(|error| format!("{}: {error}", path.display()))?;
    }
    let mut out = anstream::stdout().lock();
    if args.json {
        serde_json::to_writer_pretty(&mut out, &report)?;
        writeln!(out)?;
    } else if args.markdown {
        write_markdown(&report, &mut out)?;
    } else {
        write_tables(&report, &mut out)?;
    }
    Ok(())
}

/// Scores the texts of the files.
fn score(args: &Args) -> Result<Vec<Outcome>, Error> {
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
    let mut kept = args.scores.as_deref().map(create).transpose()?;

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
            if let Some(kept) = &mut kept {
                scores::write(kept, sample, &report)?;
            }
            outcomes.push(Outcome::new(sample, &report));
            Ok(())
        },
    )?;
    bar.finish_and_clear();
    if let Some(mut kept) = kept {
        kept.flush()?;
    }
    Ok(outcomes)
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
    for reader in engine.readers() {
        name = format!("{name} {} {}", reader.kind.name(), reader.id);
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

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;
    use clap::Parser;

    #[derive(Debug, Parser)]
    struct Command {
        #[command(flatten)]
        args: Args,
    }

    fn parse(line: &str) -> Result<Args, clap::Error> {
        Command::try_parse_from(std::iter::once("eval").chain(line.split_whitespace()))
            .map(|command| command.args)
    }

    #[test]
    fn kept_scores_stand_in_for_texts() {
        let args = parse("--from-scores a.jsonl b.jsonl --targets --markdown --reliability r.svg").unwrap();
        assert_eq!(args.from_scores, [PathBuf::from("a.jsonl"), PathBuf::from("b.jsonl")]);
        assert!(args.targets && args.markdown && args.data.is_empty());
        assert_eq!(parse("--from-scores a --from-scores b").unwrap().from_scores.len(), 2);
        assert_eq!(parse("a.jsonl --scores s.jsonl").unwrap().data, [PathBuf::from("a.jsonl")]);
        for wrong in [
            "",
            "data.jsonl --from-scores a",
            "--from-scores a --limit 3",
            "--from-scores",
            "x --json --markdown",
        ] {
            assert!(parse(wrong).is_err(), "{wrong}");
        }
    }
}
