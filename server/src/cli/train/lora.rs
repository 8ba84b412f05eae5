//! `bonafide train detector --lora`: adapts the model and a head to labelled texts.

use super::super::numbers::{at_least, non_negative, positive};
use super::detector::Common;
use crate::cli::Error;
use crate::cli::calibrate::{command, line};
use crate::eval::calibrate::takes_part;
use crate::eval::chart::{self, Labels, Panel, Series};
use crate::eval::dataset::{self, Label, Sample, Selection};
use crate::model::compute::{Compute, Device};
use crate::model::lora::file::Adapter;
use crate::model::progress::Terminal;
use crate::model::store::{self, StoredModel};
use crate::model::{self};
use crate::paths::Paths;
use crate::private;
use crate::train::lora::data::{self, Text};
use crate::train::lora::run::{Event, History, Inputs, Measurement, Numbers, Settings, train};
use indicatif::{ProgressBar, ProgressStyle};
use serde::Serialize;
use std::collections::BTreeMap;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::Instant;

/// Held-out texts of each label that are measured, unless `--holdout-limit` says otherwise.
const HELD_OUT: usize = 100;

/// Steps over which the loss is averaged in the diagram.
const SMOOTHED: usize = 10;

/// Options of this way alone.
#[derive(Debug, clap::Args)]
pub struct LoraOptions {
    /// Go on from the checkpoint that an earlier run with the same data and options left
    #[arg(long)]
    resume: bool,
    /// Domain or data set (file name without .jsonl) that is measured and not learned from [default: chosen by the seed]
    #[arg(long, value_name = "NAME")]
    holdout: Option<String>,
    /// At most N texts of each label of what is held out
    #[arg(long, value_name = "N", default_value_t = HELD_OUT, value_parser = at_least(2))]
    holdout_limit: usize,
    /// Rank of the matrices
    #[arg(long, value_name = "N", default_value_t = Settings::default().rank, value_parser = at_least(1))]
    rank: usize,
    /// What the matrices' product is multiplied by, times the rank
    #[arg(long, value_name = "X", default_value_t = Settings::default().alpha, value_parser = positive)]
    alpha: f64,
    /// Layers that are computed and adapted; states are pooled after the last of them
    #[arg(long, value_name = "N", default_value_t = Settings::default().depth, value_parser = at_least(1))]
    depth: usize,
    /// Highest learning rate
    #[arg(long, value_name = "X", default_value_t = Settings::default().rate, value_parser = positive)]
    lr: f64,
    /// Weight decay
    #[arg(long, value_name = "X", default_value_t = Settings::default().decay, value_parser = non_negative)]
    decay: f64,
    /// Times that each text is seen
    #[arg(long, value_name = "X", default_value_t = Settings::default().epochs, value_parser = positive)]
    epochs: f64,
    /// Steps of the optimiser, instead of epochs
    #[arg(long, value_name = "N", conflicts_with = "epochs", value_parser = clap::value_parser!(u64).range(1..))]
    steps: Option<u64>,
    /// Tokens of a batch
    #[arg(long, value_name = "N", default_value_t = Settings::default().batch_tokens, value_parser = at_least(32))]
    batch_tokens: usize,
    /// Batches of a step
    #[arg(long, value_name = "N", default_value_t = Settings::default().accumulate, value_parser = at_least(1))]
    accumulate: usize,
    /// Most tokens of a crop; the fewest are 32
    #[arg(long, value_name = "N", default_value_t = Settings::default().max_tokens, value_parser = at_least(32))]
    max_tokens: usize,
    /// Steps between two measurements
    #[arg(long, value_name = "N", default_value_t = Settings::default().evaluate_every, value_parser = clap::value_parser!(u64).range(1..))]
    evaluate_every: u64,
    /// Measurements without a better one after which training ends
    #[arg(long, value_name = "N", default_value_t = Settings::default().patience, value_parser = at_least(1))]
    patience: usize,
    /// Steps between two checkpoints
    #[arg(long, value_name = "N", default_value_t = Settings::default().checkpoint_every, value_parser = clap::value_parser!(u64).range(1..))]
    checkpoint_every: u64,
    /// Crops that the head is fitted to before the first step
    #[arg(long, value_name = "N", default_value_t = Settings::default().warm_texts, value_parser = at_least(2))]
    warm_texts: usize,
    /// Use a twentieth of the memory for the graphs, and half as much time again
    #[arg(long)]
    recompute: bool,
    /// Numbers of the network
    #[arg(long, value_enum, default_value_t)]
    dtype: Numbers,
}

impl LoraOptions {
    fn settings(&self, seed: u64) -> Settings {
        Settings {
            rank: self.rank,
            alpha: self.alpha,
            depth: self.depth,
            rate: self.lr,
            decay: self.decay,
            epochs: self.epochs,
            steps: self.steps,
            batch_tokens: self.batch_tokens.max(self.max_tokens),
            accumulate: self.accumulate,
            max_tokens: self.max_tokens,
            warm_texts: self.warm_texts,
            evaluate_every: self.evaluate_every,
            patience: self.patience,
            checkpoint_every: self.checkpoint_every,
            seed,
            dtype: self.dtype,
            recompute: self.recompute,
            ..Settings::default()
        }
    }
}

/// The account of a training.
#[derive(Debug, Serialize)]
struct Report<'a> {
    program: &'a str,
    command: String,
    model: &'a str,
    base: &'a str,
    device: &'a str,
    held_out: &'a str,
    /// Texts learned from, by data set and label.
    learned: BTreeMap<String, usize>,
    /// Texts measured, by data set and label.
    measured: BTreeMap<String, usize>,
    settings: &'a Settings,
    best: Option<Measurement>,
    /// Steps that an earlier run made, from whose checkpoint this one went on.
    resumed_after: u64,
    /// Time of this run, measurements included.
    seconds: f64,
    history: &'a History,
}

/// Runs the command.
pub(super) fn run(args: &Common, options: &LoraOptions) -> Result<(), Error> {
    let compute = args.compute;
    if compute.threads.is_some() || compute.precision.is_some() {
        let name = if compute.threads.is_some() { "--threads" } else { "--precision" };
        let instead = "set CANDLE_NUM_THREADS for the threads, --dtype for the numbers";
        return Err(format!("{name} says nothing to --lora: {instead}").into());
    }
    let checkpoint = args.out.with_extension("checkpoint");
    let kept = checkpoint.exists();
    if kept && !options.resume {
        let name = checkpoint.display();
        return Err(format!("{name} is there: --resume goes on from it; remove it to begin anew").into());
    }
    let samples = args.texts.load(None, |sample| takes_part(sample, &args.texts.lang))?;
    let split = data::split(&samples, options.holdout.as_deref(), args.texts.seed)?;
    let learn: Vec<&Sample> = split.learn.iter().map(|at| &samples[*at]).collect();
    let measure = split.measure.iter().map(|at| samples[*at].clone()).collect();
    let measure = fewer(measure, options.holdout_limit, args.texts.seed);
    let measure: Vec<&Sample> = measure.iter().collect();

    let stored = store::resolve(&Paths::from_env()?, args.model.as_deref(), &mut Terminal::new())?;
    let loaded = model::load(&stored.path)?;
    let device = device(args.compute)?;
    let settings = options.settings(args.texts.seed);
    let data: std::collections::BTreeSet<String> =
        learn.iter().map(|sample| sample.dataset.to_string()).collect();
    let (learn_texts, measure_texts) = (texts(&learn), texts(&measure));
    let inputs = Inputs {
        model: &loaded.model,
        tokenizer: &loaded.tokenizer,
        base: &stored.sha256,
        data: data.into_iter().collect(),
        held_out: &split.held_out,
        learn: &learn_texts,
        measure: &measure_texts,
        device,
        checkpoint: Some(&checkpoint),
        resume: kept,
    };
    let name = if inputs.device.is_cpu() { "cpu" } else { "cuda" };
    let (human, ai) = sides(&measure);
    anstream::eprintln!(
        "learning from {} texts on {name}; held out: {} ({human} by humans, {ai} by models)",
        learn.len(),
        split.held_out
    );
    let bar = Bar::new();
    let (began, mut resumed_after) = (Instant::now(), 0);
    let (adapter, history) = train(&inputs, &settings, &mut |event| {
        if let Event::Begins(_, made) = event {
            resumed_after = made;
        }
        bar.tell(event);
    })?;
    bar.0.finish_and_clear();
    let report = Report {
        program: env!("CARGO_PKG_VERSION"),
        command: command(std::env::args()),
        model: &stored.name,
        base: &stored.sha256,
        device: name,
        held_out: &split.held_out,
        learned: counts(&learn),
        measured: counts(&measure),
        settings: &settings,
        best: history.best(),
        resumed_after,
        seconds: began.elapsed().as_secs_f64(),
        history: &history,
    };
    write(args, &adapter, &report)?;
    if checkpoint.exists() {
        std::fs::remove_file(&checkpoint).map_err(|error| format!("{}: {error}", checkpoint.display()))?;
    }
    print(args, &stored, &report)
}

/// As many of the held-out texts as are measured.
fn fewer(samples: Vec<Sample>, limit: usize, seed: u64) -> Vec<Sample> {
    let limit = Some(limit);
    let selection = Selection { limit_human: limit, limit_ai: limit, seed, ..Selection::default() };
    dataset::stratified(samples, &selection)
}

fn texts(samples: &[&Sample]) -> Vec<Text> {
    let weights = data::weights(samples);
    let each = samples.iter().zip(weights);
    each.map(|(sample, weight)| Text {
        text: sample.text.clone(),
        label: f64::from(sample.label == Label::Ai),
        weight,
        extra: Vec::new(),
    })
    .collect()
}

fn sides(samples: &[&Sample]) -> (usize, usize) {
    let humans = samples.iter().filter(|sample| sample.label == Label::Human).count();
    (humans, samples.len() - humans)
}

fn counts(samples: &[&Sample]) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    for sample in samples {
        let side = if sample.label == Label::Human { "human" } else { "ai" };
        *counts.entry(format!("{} {side}", sample.dataset)).or_default() += 1;
    }
    counts
}

fn device(wanted: Compute) -> Result<candle_core::Device, Error> {
    let available = candle_core::utils::cuda_is_available();
    match wanted.device.unwrap_or_default() {
        Device::Cpu => Ok(candle_core::Device::Cpu),
        Device::Auto if !available => Ok(candle_core::Device::Cpu),
        Device::Auto | Device::Cuda if available => Ok(candle_core::Device::new_cuda(0)?),
        _ => Err(
            "this build can't train on a GPU: build it with CUDA's compiler at hand (nvcc) by `cargo build --release --package \
             bonafide --features candle-core/cuda`, or use --device cpu or --probe"
                .into(),
        ),
    }
}

/// A bar over the steps, on the error stream and only on a terminal.
struct Bar(ProgressBar);

impl Bar {
    fn new() -> Self {
        let bar = ProgressBar::new(0);
        if let Ok(style) = ProgressStyle::with_template("{bar:40} step {pos} of {len}, {msg}, {eta} left") {
            bar.set_style(style);
        }
        bar.set_message("fitting the head");
        Self(bar)
    }

    fn tell(&self, event: Event) {
        match event {
            Event::Begins(steps, made) => {
                self.0.set_length(steps);
                self.0.set_position(made);
                self.0.reset_eta();
            }
            Event::Step(step) => {
                self.0.set_position(step.step);
                self.0.set_message(format!("loss {:.3}", step.loss));
            }
            Event::Measured(Measurement { step, auroc, loss }) => self.0.suspend(|| {
                anstream::eprintln!("after {step} steps: held out AUROC {auroc:.4}, loss {loss:.4}");
            }),
        }
    }
}

fn beside(out: &Path, what: &str) -> PathBuf {
    out.with_extension(what)
}

fn write(args: &Common, adapter: &Adapter, report: &Report<'_>) -> Result<(), Error> {
    let json = line(serde_json::to_vec_pretty(report)?);
    let about = "Loss, and AUROC on the held-out domain, against the optimiser's steps";
    let curves = chart::panels("Training", about, &panels(report.history)).into_bytes();
    for (path, bytes) in [
        (args.out.clone(), adapter.write()?),
        (beside(&args.out, "report.json"), json),
        (beside(&args.out, "curves.svg"), curves),
    ] {
        private::replace(&path, &bytes).map_err(|error| format!("{}: {error}", path.display()))?;
    }
    Ok(())
}

/// Loss and area against steps.
fn panels(history: &History) -> [Panel<'static>; 2] {
    let steps: Vec<(f64, f64)> = history.steps.iter().map(|step| (step.step as f64, step.loss)).collect();
    let smoothed = steps.windows(SMOOTHED).map(|part| {
        let mean = part.iter().map(|point| point.1).sum::<f64>() / SMOOTHED as f64;
        (part[SMOOTHED - 1].0, mean)
    });
    let measured = |value: fn(&Measurement) -> f64| -> Vec<(f64, f64)> {
        history.measurements.iter().map(|measurement| (measurement.step as f64, value(measurement))).collect()
    };
    let series = |name: &str, points: Vec<(f64, f64)>| Series { name: name.to_owned(), points };
    let labels = |title, y| Labels {
        title,
        description: "against the optimiser's steps",
        x: "steps of the optimiser",
        y,
    };
    let losses = vec![
        series("each step", steps.clone()),
        series("mean of 10 steps", smoothed.collect()),
        series("held out", measured(|measurement| measurement.loss)),
    ];
    let areas = vec![series("held out", measured(|measurement| measurement.auroc))];
    [
        Panel { labels: labels("Loss", "cross-entropy (nats)"), series: losses },
        Panel { labels: labels("Held-out domain", "AUROC"), series: areas },
    ]
}

fn print(args: &Common, stored: &StoredModel, report: &Report<'_>) -> Result<(), Error> {
    let mut out = anstream::stdout().lock();
    let made = report.history.steps.iter().filter(|step| step.step > report.resumed_after);
    let (steps, tokens) = made.fold((0, 0), |(steps, tokens), step| (steps + 1, tokens + step.tokens));
    let (seconds, held_out) = (report.seconds, report.held_out);
    writeln!(out, "{}: an adapter for {}", args.out.display(), stored.name)?;
    writeln!(out, "{steps} steps over {tokens} tokens in {seconds:.0} s, measurements included")?;
    if let (Some(best), Some(first)) = (report.best, report.history.measurements.first()) {
        writeln!(
            out,
            "held out ({held_out}): AUROC {:.4} after {} steps, {:.4} before the first",
            best.auroc, best.step, first.auroc
        )?;
    }
    let (name, json) = (args.out.display(), beside(&args.out, "json"));
    writeln!(
        out,
        "its calibration, on data sets that it has not seen: bonafide calibrate --adapter {name} --data ... --out {}",
        json.display()
    )?;
    Ok(())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;
    use crate::train::lora::run::Step;
    use clap::Parser;

    #[derive(Parser)]
    struct Program {
        #[command(flatten)]
        common: Common,
        #[command(flatten)]
        options: LoraOptions,
    }

    fn parse(rest: &[&str]) -> Result<Program, clap::Error> {
        let all = ["train", "--data", "d", "--out", "a.safetensors"].iter().chain(rest);
        Program::try_parse_from(all)
    }

    #[test]
    fn the_defaults_are_those_of_the_settings() {
        assert_eq!(parse(&[]).unwrap().options.settings(0), Settings::default());
        let given = parse(&["--rank", "4", "--steps", "7", "--lr", "1e-3", "--max-tokens", "4096"]).unwrap();
        let settings = given.options.settings(3);
        assert_eq!((settings.rank, settings.steps, settings.batch_tokens), (4, Some(7), 4096));
        assert_eq!(settings.seed, 3);
        for wrong in
            [&["--lr", "0"], &["--lr", "nan"], &["--rank", "0"], &["--decay", "-1"], &["--steps", "0"]]
        {
            assert!(parse(wrong).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn a_checkpoint_is_not_overwritten_unasked() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("a.checkpoint"), "").unwrap();
        let Program { common, options } = parse(&[]).unwrap();
        let common = Common { out: folder.path().join("a.safetensors"), ..common };
        assert!(run(&common, &options).unwrap_err().to_string().contains("--resume"));
    }

    #[test]
    fn the_curves_show_all_steps_and_measurements() {
        let step = |step| Step { step, loss: 1.0 / step as f64, rate: 1e-3, norm: 1.0, tokens: 9 };
        let measured = Measurement { step: 5, auroc: 0.75, loss: 0.5 };
        let history = History { steps: (1..=30).map(step).collect(), measurements: vec![measured] };
        let [losses, areas] = panels(&history);
        assert_eq!(losses.series.iter().map(|c| c.points.len()).collect::<Vec<_>>(), [30, 21, 1]);
        assert_eq!(areas.series[0].points, [(5.0, 0.75)]);
    }
}
