//! `bonafide bench`: how fast this machine scores, in numbers that can be compared.

use super::Error;
use crate::engine::{Engine, EngineOptions, Window};
use crate::model::compute::Compute;
use serde::Serialize;
use std::time::Instant;

/// Measure scoring speed and memory with the real model on made-up text.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Model of the registry, or a GGUF file.
    #[arg(long)]
    model: Option<String>,
    #[command(flatten)]
    compute: Compute,
    /// Timed rounds; the median counts.
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..=100))]
    rounds: u32,
    /// Also print where the time of a text of 512 tokens goes.
    #[arg(long)]
    profile: bool,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

/// Lengths of single texts, in tokens.
const LENGTHS: [usize; 5] = [32, 128, 512, 1024, 2048];
/// Short texts that are scored packed and one by one.
const SHORT: usize = 64;

#[derive(Debug, Serialize)]
struct Report {
    model: String,
    backend: String,
    threads: usize,
    load_ms: f64,
    /// One text of 512 tokens.
    text_512_ms: f64,
    text_512_tokens_per_s: f64,
    /// One text at a time, by its length.
    by_length: Vec<Length>,
    /// 64 texts of 64 tokens in one packed pass.
    packed_short_tokens_per_s: f64,
    /// The same texts one by one.
    single_short_tokens_per_s: f64,
    peak_rss_mib: Option<f64>,
    /// Where the time of a text of 512 tokens goes, with `--profile`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    profile: Vec<Operation>,
    version: &'static str,
}

#[derive(Debug, Serialize)]
struct Length {
    tokens: usize,
    tokens_per_s: f64,
}

#[derive(Debug, Serialize)]
struct Operation {
    name: &'static str,
    ms: f64,
}

pub(super) fn run(args: &Args) -> Result<(), Error> {
    let start = Instant::now();
    let options =
        EngineOptions { model: args.model.clone(), compute: args.compute, ..EngineOptions::default() };
    let engine = Engine::load(&options)?;
    let load_ms = milliseconds(start);
    let short = vec![window(&engine, 64)?; SHORT];
    let mut by_length = Vec::new();
    for tokens in LENGTHS {
        let text = window(&engine, tokens)?;
        let ms = time(&engine, args.rounds, &[vec![&text]])?;
        by_length.push(Length { tokens, tokens_per_s: tokens as f64 / ms * 1e3 });
    }
    let long = window(&engine, 512)?;
    let before = engine.backend().times();
    let text_512_ms = time(&engine, args.rounds, &[vec![&long]])?;
    let passes = f64::from(args.rounds + 1);
    let profile = engine.backend().times().into_iter().zip(before).map(|(after, before)| Operation {
        name: after.name,
        ms: (after.time.saturating_sub(before.time)).as_secs_f64() * 1e3 / passes,
    });
    let tokens = (SHORT * 64) as f64;
    let packed_ms = time(&engine, args.rounds, &[short.iter().collect()])?;
    let single_ms = time(&engine, args.rounds, &short.iter().map(|window| vec![window]).collect::<Vec<_>>())?;
    let report = Report {
        model: engine.model().name,
        backend: engine.backend().name(),
        threads: engine.backend().threads(),
        load_ms,
        text_512_ms,
        text_512_tokens_per_s: 512_000.0 / text_512_ms,
        by_length,
        packed_short_tokens_per_s: tokens / packed_ms * 1e3,
        single_short_tokens_per_s: tokens / single_ms * 1e3,
        peak_rss_mib: peak_rss_mib(),
        profile: if args.profile { profile.collect() } else { Vec::new() },
        version: env!("CARGO_PKG_VERSION"),
    };
    if args.json {
        anstream::println!("{}", serde_json::to_string_pretty(&report)?);
    } else {
        print(&report);
    }
    Ok(())
}

/// Milliseconds that scoring all groups takes: the median of the rounds.
fn time(engine: &Engine, rounds: u32, groups: &[Vec<&Window>]) -> Result<f64, Error> {
    let mut times = Vec::new();
    for round in 0..=rounds {
        let start = Instant::now();
        for group in groups {
            engine.score_windows(group)?;
        }
        // The first round warms caches and threads.
        if round > 0 {
            times.push(milliseconds(start));
        }
    }
    times.sort_by(f64::total_cmp);
    Ok(times[times.len() / 2])
}

fn print(report: &Report) {
    anstream::println!("{} on {}, {} threads", report.model, report.backend, report.threads);
    anstream::println!("  load                          {:>9.0} ms", report.load_ms);
    anstream::println!("  one text of 512 tokens        {:>9.1} ms", report.text_512_ms);
    for length in &report.by_length {
        anstream::println!(
            "  one text of {:>4} tokens       {:>9.0} tokens/s",
            length.tokens,
            length.tokens_per_s
        );
    }
    anstream::println!("  64 texts of 64 tokens, packed {:>9.0} tokens/s", report.packed_short_tokens_per_s);
    anstream::println!("  the same one by one           {:>9.0} tokens/s", report.single_short_tokens_per_s);
    match report.peak_rss_mib {
        Some(peak) => anstream::println!("  peak resident memory          {peak:>9.0} MiB"),
        None => anstream::println!("  peak resident memory            unknown on this system"),
    }
    if report.profile.is_empty() {
        return;
    }
    let all: f64 = report.profile.iter().map(|operation| operation.ms).sum();
    anstream::println!("  a text of 512 tokens, by operation");
    for operation in &report.profile {
        let share = 100.0 * operation.ms / all.max(1e-9);
        anstream::println!("    {:<28}{:>9.2} ms {share:>5.1} %", operation.name, operation.ms);
    }
    let rest = report.text_512_ms - all;
    anstream::println!("    {:<28}{rest:>9.2} ms", "planning, joining");
}

/// A window of exactly `tokens` tokens of English.
fn window(engine: &Engine, tokens: usize) -> Result<Window, Error> {
    let sentence = "The ferry left the harbour before sunrise, and nobody on the quay waved back at it. ";
    let mut ids = engine.encode_raw(&sentence.repeat(tokens / 8 + 2))?;
    ids.truncate(tokens);
    Ok(Window { tokens: ids, skip: 0, lens: 0 })
}

fn milliseconds(since: Instant) -> f64 {
    since.elapsed().as_secs_f64() * 1e3
}

/// Peak resident set of this process, where the system tells it (Linux).
pub(crate) fn peak_rss_mib() -> Option<f64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.trim().trim_end_matches(" kB").trim().parse::<f64>().ok().map(|kib| kib / 1024.0)
}
