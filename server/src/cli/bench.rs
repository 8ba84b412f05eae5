//! `bonafide bench`: how fast this machine scores, in numbers that can be compared.

use super::Error;
use crate::engine::{Engine, EngineOptions, Window};
use serde::Serialize;
use std::time::Instant;

/// Measure scoring speed and memory with the real model on made-up text.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Model of the registry, or a GGUF file.
    #[arg(long)]
    model: Option<String>,
    /// Threads for arithmetic [default: one a core].
    #[arg(long)]
    threads: Option<usize>,
    /// Timed rounds; the median counts.
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..=100))]
    rounds: u32,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Serialize)]
struct Report {
    model: String,
    backend: String,
    threads: usize,
    load_ms: f64,
    /// One text of 512 tokens.
    text_512_ms: f64,
    text_512_tokens_per_s: f64,
    /// 32 texts of 64 tokens in one packed pass.
    packed_short_tokens_per_s: f64,
    /// The same texts one by one.
    single_short_tokens_per_s: f64,
    peak_rss_mib: Option<f64>,
    version: &'static str,
}

pub(super) fn run(args: &Args) -> Result<(), Error> {
    let start = Instant::now();
    let options =
        EngineOptions { model: args.model.clone(), threads: args.threads, ..EngineOptions::default() };
    let engine = Engine::load(&options)?;
    let load_ms = milliseconds(start);
    let long = window(&engine, 512)?;
    let short = vec![window(&engine, 64)?; 32];
    let time = |groups: &[Vec<&Window>]| -> Result<f64, Error> {
        let mut times = Vec::new();
        for round in 0..=args.rounds {
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
    };
    let text_512_ms = time(&[vec![&long]])?;
    let packed_ms = time(&[short.iter().collect()])?;
    let single_ms = time(&short.iter().map(|window| vec![window]).collect::<Vec<_>>())?;
    let report = Report {
        model: engine.model().name,
        backend: engine.backend().name(),
        threads: engine.backend().threads(),
        load_ms,
        text_512_ms,
        text_512_tokens_per_s: 512_000.0 / text_512_ms,
        packed_short_tokens_per_s: 2_048_000.0 / packed_ms,
        single_short_tokens_per_s: 2_048_000.0 / single_ms,
        peak_rss_mib: peak_rss_mib(),
        version: env!("CARGO_PKG_VERSION"),
    };
    if args.json {
        anstream::println!("{}", serde_json::to_string_pretty(&report)?);
    } else {
        print(&report);
    }
    Ok(())
}

fn print(report: &Report) {
    anstream::println!("{} on {}, {} threads", report.model, report.backend, report.threads);
    anstream::println!("  load                          {:>9.0} ms", report.load_ms);
    anstream::println!("  one text of 512 tokens        {:>9.0} ms", report.text_512_ms);
    anstream::println!("                                {:>9.0} tokens/s", report.text_512_tokens_per_s);
    anstream::println!("  32 texts of 64 tokens, packed {:>9.0} tokens/s", report.packed_short_tokens_per_s);
    anstream::println!("  the same one by one           {:>9.0} tokens/s", report.single_short_tokens_per_s);
    match report.peak_rss_mib {
        Some(peak) => anstream::println!("  peak resident memory          {peak:>9.0} MiB"),
        None => anstream::println!("  peak resident memory            unknown on this system"),
    }
}

/// A window of exactly `tokens` tokens of English.
fn window(engine: &Engine, tokens: usize) -> Result<Window, Error> {
    let sentence = "The ferry left the harbour before sunrise, and nobody on the quay waved back at it. ";
    let mut ids = engine.encode_raw(&sentence.repeat(tokens / 8 + 2))?;
    ids.truncate(tokens);
    Ok(Window { tokens: ids, skip: 0 })
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
