//! `bonafide train detector --probe`: a linear probe of the frozen model's hidden states, with its calibration.

use super::super::Error;
use super::super::calibrate::{account, account_path, line, name, print, write};
use super::super::eval::{advance, progress_bar};
use super::super::numbers::non_negative;
use super::super::weighing::Weighing;
use super::detector::Common;
use crate::engine::{Adapter, Engine, EngineOptions};
use crate::eval::cache::StatsCache;
use crate::eval::calibrate::{self, Account, MAX_TOKENS, Measured, Settings, Text};
use crate::eval::dataset::{Label, Sample};
use crate::model::probe::DATA_KEY;
use crate::model::trained::Kind;
use crate::train::probe::{self, CHUNK, Fitted, extract};
use bonafide_core::calibration::ModelRef;
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

/// Options of this way alone.
#[derive(Debug, clap::Args)]
pub struct ProbeOptions {
    /// Numbers of layers after which hidden states are read.
    #[arg(long, value_delimiter = ',', default_values_t = [18])]
    depths: Vec<usize>,
    /// Data sets (file names without .jsonl) whose generated texts are left out, and whose human texts guard: they weigh
    /// little in the probe, and nothing else is fitted on them, but they fill the tables that bound the rate of false alarms.
    #[arg(long, num_args = 1.., value_name = "NAME")]
    guard: Vec<String>,
    /// Parts that the domains of a data set are dealt into, each left out in turn; a data set of fewer than twice as many
    /// domains is left out whole.
    #[arg(long, default_value_t = 5, value_parser = clap::builder::RangedU64ValueParser::<usize>::new().range(2..=50))]
    folds: usize,
    /// How hard the probe's weights are held down; else the best of several on unseen domains.
    #[arg(long, value_parser = non_negative)]
    probe_penalty: Option<f64>,
    #[command(flatten)]
    weighing: Weighing,
    /// The calibration's name; else the model's name and the languages.
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
    /// Also measure it on each generator's texts by a detector that saw none of them, which takes one more fit for each.
    #[arg(long)]
    each_generator: bool,
    /// Keep statistics and hidden states (numbers, never a text) in this folder, so that fitting again takes a minute.
    #[arg(long, value_name = "DIR")]
    stats_cache: Option<PathBuf>,
}

/// Runs the command.
pub(super) fn run(args: &Common, options: &ProbeOptions) -> Result<(), Error> {
    let samples = samples(args, options)?;
    let engine = Engine::load_uncalibrated(
        &EngineOptions {
            model: args.model.clone(),
            compute: args.compute,
            adapter: Adapter::None,
            ..EngineOptions::default()
        },
        &args.texts.lang,
    )?;
    let mut texts = read(options, &engine, &samples)?;
    let fit = probe::Settings { folds: options.folds, penalty: options.probe_penalty, seed: args.texts.seed };
    let fitted = probe::fit(&mut texts, fit, |_| true, |what| anstream::eprintln!("fitting {what}"))?;
    for (penalty, area) in &fitted.tried {
        anstream::eprintln!("penalty {penalty}: AUROC {area:.4} on unseen domains");
    }
    let model = engine.model();
    let found = fitted.probe(&model.sha256, &options.depths);

    let mut measured: Vec<Text> =
        at_lengths(args, &samples, &texts).into_iter().map(|(_, text)| text).collect();
    calibrate::guard_only(&mut measured, &options.guard)?;
    let name = options.name.clone().unwrap_or_else(|| name(&model.name, Some(Kind::Probe), &args.texts.lang));
    let settings = Settings {
        version: name,
        model: ModelRef { name: model.name, sha256: model.sha256 },
        probe: Some(found.id()),
        languages: args.texts.lang.clone(),
        weighed: options.weighing.features(),
        penalty: options.weighing.penalty(&measured)?,
    };
    let calibration = calibrate::fit(&measured, &settings)?;
    let mut account = account(&measured, &settings, &calibration)?;
    drop(measured);
    if options.each_generator {
        let fit = probe::Settings { penalty: Some(fitted.penalty), ..fit };
        account.generators_left_out = each_generator(args, options, &samples, &mut texts, fit, &settings);
    }
    write(&args.out, &found.write(&notes(args, &account, &fitted))?)?;
    write(&args.out.with_extension("json"), &line(serde_json::to_vec(&calibration)?))?;
    write(&account_path(&args.out), &line(serde_json::to_vec_pretty(&account)?))?;
    print(&account, &args.out)
}

/// Each text at all its lengths, with its place among the samples; too short ones are left out.
fn at_lengths(args: &Common, samples: &[Sample], texts: &[probe::Text]) -> Vec<(usize, Text)> {
    let texts = samples.iter().zip(texts).enumerate();
    texts
        .filter_map(|(at, (sample, text))| Some((at, Text::new(sample, text.stats(), args.texts.seed)?)))
        .collect()
}

/// Each generator's texts measured by a probe and a calibration that saw none of them.
fn each_generator(
    args: &Common,
    options: &ProbeOptions,
    samples: &[Sample],
    texts: &mut [probe::Text],
    fit: probe::Settings,
    settings: &Settings,
) -> BTreeMap<String, Measured> {
    let generator = |at: usize| samples[at].field("generator").filter(|_| samples[at].label == Label::Ai);
    let names: BTreeSet<&str> = (0..samples.len()).filter_map(generator).collect();
    let mut measured = BTreeMap::new();
    for name in names {
        anstream::eprintln!("fitting without the texts of {name}");
        let mut without = || -> Result<Measured, Error> {
            probe::fit(texts, fit, |at| generator(at) != Some(name), |_| {})?;
            let (places, mut own): (Vec<usize>, Vec<Text>) =
                at_lengths(args, samples, texts).into_iter().unzip();
            calibrate::guard_only(&mut own, &options.guard)?;
            let left_out: Vec<bool> = places.into_iter().map(|at| generator(at) == Some(name)).collect();
            Ok(calibrate::leave_out(&own, &left_out, settings)?)
        };
        // The detector itself is made; it must not be lost because one of these can't be.
        match without() {
            Ok(own) => drop(measured.insert(name.to_owned(), own)),
            Err(error) => anstream::eprintln!("{name} can't be left out: {error}"),
        }
    }
    measured
}

/// What people who open the file may want to know.
fn notes(args: &Common, account: &Account, fitted: &Fitted) -> Vec<(&'static str, String)> {
    let names: Vec<&str> = account.data.iter().map(|dataset| dataset.name.as_str()).collect();
    vec![
        ("name", account.version.clone()),
        ("model", account.model.name.clone()),
        (DATA_KEY, names.join(" ")),
        ("seed", args.texts.seed.to_string()),
        ("penalty", fitted.penalty.to_string()),
        ("bias", fitted.linear.bias.to_string()),
    ]
}

fn samples(args: &Common, options: &ProbeOptions) -> Result<Vec<Sample>, Error> {
    let guards: BTreeSet<&str> = options.guard.iter().map(String::as_str).collect();
    let wanted = |sample: &Sample| {
        let generated_guard = sample.label == Label::Ai && guards.contains(&*sample.dataset);
        !generated_guard && calibrate::takes_part(sample, &args.texts.lang)
    };
    args.texts.load(None, wanted)
}

/// Statistics and hidden states of every text.
fn read(options: &ProbeOptions, engine: &Engine, samples: &[Sample]) -> Result<Vec<probe::Text>, Error> {
    let model = engine.model();
    let depths: Vec<String> = options.depths.iter().map(ToString::to_string).collect();
    let name = format!("{} {} depths {} by {CHUNK}", model.sha256, model.backend, depths.join(","));
    let cache = options.stats_cache.as_deref().map(|dir| StatsCache::open(dir, &name)).transpose()?;
    let contents: Vec<&str> = samples.iter().map(|sample| sample.text.as_str()).collect();
    let bar = progress_bar(&contents);
    let told = |now| advance(&bar, now);
    let pooled = extract::read(engine, cache.as_ref(), &contents, &options.depths, MAX_TOKENS, told)?;
    bar.finish_and_clear();
    let texts = samples.iter().zip(pooled).map(|(sample, pooled)| probe::Text {
        pooled,
        ai: sample.label == Label::Ai,
        dataset: sample.dataset.to_string(),
        domain: sample.field("domain").unwrap_or_default().to_owned(),
    });
    Ok(texts.collect())
}
