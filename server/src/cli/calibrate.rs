//! `bonafide calibrate`: makes the file that turns a model's statistics into verdicts.

use super::Error;
use super::eval::{advance, open_cache, progress_bar};
use super::labelled::{Labelled, Names, refuse_measuring};
use super::weighing::Weighing;
use crate::engine::{self, Engine, EngineOptions};
use crate::eval::calibrate::{self, Account, MAX_TOKENS, Measured, Settings, Text};
use crate::eval::dataset::{Label, Sample};
use crate::eval::report::write_table;
use crate::eval::scoring::{Beginning, score_texts};
use crate::model::adapter::AdapterArgs;
use crate::model::compute::Compute;
use crate::model::trained::{Kind, Reader};
use bonafide_core::calibration::{Calibration, ModelRef};
use bonafide_core::detect::Stats;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::io::Write;
use std::path::{Path, PathBuf};

/// Make a calibration for a model from labelled texts, and an account of what it does on texts that it hasn't seen.
///
/// Each text is scored once, up to 512 tokens; its beginnings stand for shorter texts. Source documents are split into
/// those that fit the head, those that fill the conformal tables and those that measure. Two files are written: the
/// calibration, and beside it its account (data sets, licences, counts, error rates with 95 % intervals, also with each
/// data set left out in turn). Files whose names begin with "dev." or "test." are refused: they are for measuring. Texts
/// of data sets that the probe or the adapter learned from are left out, but for the domain that was held out: what is
/// said of it on texts that it knows would promise too much elsewhere.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    texts: Labelled,
    /// Where the calibration goes; its account goes beside it as NAME.account.json.
    #[arg(long, value_name = "FILE.json")]
    out: PathBuf,
    /// Another limit for models' texts: the false-positive rate hangs on the number of human ones.
    #[arg(long, value_name = "N", value_parser = clap::builder::RangedU64ValueParser::<usize>::new().range(1..))]
    limit_ai: Option<usize>,
    /// Data sets (file names without .jsonl) that the head isn't fitted on: their texts guard, in the tables, and
    /// measure. For texts whose statistics no longer say what they say elsewhere, such as those sampled at a high
    /// temperature.
    #[arg(long, num_args = 1.., value_name = "NAME")]
    guard: Vec<String>,
    #[command(flatten)]
    weighing: Weighing,
    /// The calibration's name; else the model's name and the languages.
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
    /// A model of the registry or a GGUF file.
    #[arg(long, value_name = "NAME|FILE")]
    model: Option<String>,
    #[command(flatten)]
    adapter: AdapterArgs,
    #[command(flatten)]
    compute: Compute,
    /// Keep per-token statistics (numbers, never a text) in this folder, so that fitting again takes seconds.
    #[arg(long, value_name = "DIR")]
    stats_cache: Option<PathBuf>,
}

/// Runs the command.
pub fn run(args: &Args) -> Result<(), Error> {
    refuse_measuring(&args.texts.data)?;
    let engine = Engine::load_uncalibrated(
        &EngineOptions {
            model: args.model.clone(),
            compute: args.compute,
            adapter: args.adapter.choice(None),
            ..EngineOptions::default()
        },
        &args.texts.lang,
    )?;
    let samples = unseen(args, engine.reader())?;
    let mut texts = score(args, &engine, &samples)?;
    calibrate::guard_only(&mut texts, &args.guard)?;

    let model = engine.model();
    let settings = Settings {
        version: args.name.clone().unwrap_or_else(|| {
            name(&model.name, engine.reader().map(|reader| reader.kind), &args.texts.lang)
        }),
        model: ModelRef { name: model.name, sha256: model.sha256 },
        probe: engine.reader().map(|reader| reader.id.clone()),
        languages: args.texts.lang.clone(),
        weighed: args.weighing.features(),
        penalty: args.weighing.penalty(&texts)?,
    };
    let calibration = calibrate::fit(&texts, &settings)?;
    let account = account(&texts, &settings, &calibration)?;
    write(&args.out, &line(serde_json::to_vec(&calibration)?))?;
    write(&account_path(&args.out), &line(serde_json::to_vec_pretty(&account)?))?;
    print(&account, &args.out)
}

/// The calibration's name, unless there is one.
pub(super) fn name(model: &str, kind: Option<Kind>, languages: &[String]) -> String {
    let kind = kind.map(|kind| format!("{}-", kind.name())).unwrap_or_default();
    format!("{model}-{kind}{}", languages.join("-"))
}

/// The texts, without those that were learned from.
fn unseen(args: &Args, reader: Option<&Reader>) -> Result<Vec<Sample>, Error> {
    let left_out = Names::default();
    let wanted = |sample: &Sample| {
        if !reader.is_some_and(|reader| reader.learned.saw(&sample.dataset, sample.field("domain"))) {
            return calibrate::takes_part(sample, &args.texts.lang);
        }
        left_out.add(&sample.dataset);
        false
    };
    let samples = args.texts.load(args.limit_ai, wanted)?;
    let left_out = left_out.into_set();
    if left_out.is_empty() {
        return Ok(samples);
    }
    let names = left_out.into_iter().collect::<Vec<_>>().join(", ");
    let has = |label: Label| samples.iter().any(|sample| sample.label == label);
    if has(Label::Human) && has(Label::Ai) {
        anstream::eprintln!("left out, because they were learned from: texts of {names}");
        return Ok(samples);
    }
    Err(format!(
        "the probe or adapter learned from {names}, and what is left are not texts of humans and of models: give data \
         sets that it has not seen, or --no-adapter"
    )
    .into())
}

/// Scores every text once and cuts its statistics to all lengths.
fn score(args: &Args, engine: &Engine, samples: &[Sample]) -> Result<Vec<Text>, Error> {
    let cache = open_cache(engine, args.stats_cache.as_deref())?;
    let contents: Vec<&str> = samples.iter().map(|sample| sample.text.as_str()).collect();
    let bar = progress_bar(&contents);
    let mut texts = Vec::with_capacity(samples.len());
    let scorer = Beginning { scorer: engine, tokens: MAX_TOKENS };
    score_texts::<_, Error>(
        &scorer,
        cache.as_ref(),
        &contents,
        &mut |now| advance(&bar, now),
        &mut |index, _, windows| {
            let stats: Vec<Stats> = windows.iter().flatten().copied().map(engine::from_kernel).collect();
            texts.extend(Text::new(&samples[index], &stats, args.texts.seed));
            Ok(())
        },
    )?;
    bar.finish_and_clear();
    Ok(texts)
}

#[derive(Deserialize)]
struct Provenance {
    origin: String,
    licence: String,
}

pub(super) fn account(
    texts: &[Text],
    settings: &Settings,
    calibration: &Calibration,
) -> Result<Account, Error> {
    let known: BTreeMap<String, Provenance> =
        toml::from_str(include_str!("../../calibration/datasets.toml"))?;
    let mut data = calibrate::count(texts);
    for dataset in &mut data {
        let (origin, licence) = match known.get(&dataset.name) {
            Some(known) => (known.origin.as_str(), known.licence.as_str()),
            None => ("unknown", "unknown"),
        };
        dataset.origin = origin.to_owned();
        dataset.licence = licence.to_owned();
    }
    let held_out = texts.iter().filter(|text| text.part == calibrate::Part::HeldOut);
    Ok(Account {
        version: settings.version.clone(),
        program: env!("CARGO_PKG_VERSION").to_owned(),
        command: command(std::env::args()),
        model: settings.model.clone(),
        penalty: settings.penalty,
        data,
        held_out: calibrate::measure(calibration, held_out.map(|text| &text.samples[text.measures])),
        held_out_by_tokens: calibrate::measure_by_tokens(calibration, texts),
        held_out_by_dataset: calibrate::measure_by_dataset(calibration, texts),
        left_out: calibrate::leave_one_out(texts, settings)?,
        generators_left_out: BTreeMap::new(),
    })
}

/// The command without the folders of this machine.
pub(super) fn command(args: impl Iterator<Item = String>) -> String {
    let plain = |arg: String| match arg.rsplit_once('/') {
        Some((_, name)) if !name.is_empty() => name.to_owned(),
        Some((folder, _)) => folder.rsplit('/').next().unwrap_or_default().to_owned(),
        None => arg,
    };
    args.map(plain).collect::<Vec<_>>().join(" ")
}

pub(super) fn account_path(out: &Path) -> PathBuf {
    out.with_extension("account.json")
}

/// In place by renaming: a calibration cut short would be refused later, far from its cause.
pub(super) fn write(path: &Path, bytes: &[u8]) -> Result<(), Error> {
    let unfinished = path.with_extension("part");
    let write = || -> std::io::Result<()> {
        let mut file = std::fs::File::create(&unfinished)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        std::fs::rename(&unfinished, path)
    };
    write().map_err(|error| format!("{}: {error}", path.display()).into())
}

/// With a line break at its end.
pub(super) fn line(mut json: Vec<u8>) -> Vec<u8> {
    json.push(b'\n');
    json
}

pub(super) fn print(account: &Account, path: &Path) -> Result<(), Error> {
    let mut out = anstream::stdout().lock();
    let Account { version, model, penalty, .. } = account;
    writeln!(out, "{}: {version} for {}, penalty {penalty}", path.display(), model.name)?;
    writeln!(out, "\nOn texts that took no part in it (flagged: likely_ai or mixed):")?;
    let mut rows = vec![row("held out", &account.held_out)];
    rows.extend(account.held_out_by_tokens.iter().map(|(name, m)| row(&format!("  {name} tokens"), m)));
    rows.extend(account.held_out_by_dataset.iter().map(|(name, m)| row(&format!("  {name}"), m)));
    rows.push(vec!["by a calibration without this data set".to_owned()]);
    rows.extend(account.left_out.iter().map(|(name, m)| row(&format!("  {name}"), m)));
    if !account.generators_left_out.is_empty() {
        rows.push(vec!["by a detector that saw no text of this generator".to_owned()]);
        rows.extend(account.generators_left_out.iter().map(|(name, m)| row(&format!("  {name}"), m)));
    }
    let header = ["", "human", "ai", "AUROC", "humans flagged", "ai flagged", "ai called human", "unclear"];
    write_table(&header, &rows, &mut out)?;
    Ok(())
}

fn row(name: &str, m: &Measured) -> Vec<String> {
    let share = |value: Option<f64>| value.map_or("-".to_owned(), |v| format!("{:.1} %", 100.0 * v));
    let with = |value: Option<f64>, interval: Option<[f64; 2]>| match interval {
        Some([low, high]) => format!("{} [{:.1}, {:.1}]", share(value), 100.0 * low, 100.0 * high),
        None => share(value),
    };
    let area = match (m.auroc, m.auroc_ci) {
        (Some(value), Some([low, high])) => format!("{value:.3} [{low:.3}, {high:.3}]"),
        _ => "-".to_owned(),
    };
    vec![
        name.to_owned(),
        m.humans.to_string(),
        m.ais.to_string(),
        area,
        with(m.fpr, m.fpr_ci),
        with(m.tpr, m.tpr_ci),
        share(m.missed),
        share(m.unclear),
    ]
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;
    use crate::model::probe::Probe;
    use crate::model::trained::Learned;

    #[test]
    fn the_command_names_no_folder_of_this_machine() {
        let args = ["/home/x/bonafide", "calibrate", "--data", "/data/aitext/", "--out=c/x.json"];
        assert_eq!(command(args.map(str::to_owned).into_iter()), "bonafide calibrate --data aitext x.json");
    }

    #[test]
    fn texts_that_were_learned_from_are_left_out() {
        #[derive(clap::Parser)]
        struct Program {
            #[command(flatten)]
            args: Args,
        }
        let folder = tempfile::tempdir().unwrap();
        let words = "There was a long road over the hill, and nobody whom we knew had ever walked it to its end. My uncle, \
                     who had been a sailor, said that it led to the sea. We children believed him until the summer when \
                     the priest came back from there with dry shoes and told us of a town with two markets and a tower.";
        let line = |number: usize, label: &str, domain: &str| {
            let text = format!("{words} It had {number} clocks.");
            serde_json::json!({ "text": text, "label": label, "domain": domain }).to_string()
        };
        for name in ["train.a", "train.b"] {
            let lines = [line(1, "human", "law"), line(2, "ai", "law"), line(3, "human", "news")];
            std::fs::write(folder.path().join(format!("{name}.jsonl")), lines.join("\n")).unwrap();
        }
        let reader = |data: &[&str], held_out: Option<&str>| Reader {
            kind: Kind::Lora,
            id: "id".to_owned(),
            learned: Learned {
                data: data.iter().map(|&name| name.to_owned()).collect(),
                held_out: held_out.map(str::to_owned),
            },
            probe: Probe { model_sha256: String::new(), depths: vec![1], weights: vec![1.0] },
        };
        let data = folder.path().to_str().unwrap();
        let program = ["calibrate", "--data", data, "--out", "c.json"];
        let args = <Program as clap::Parser>::try_parse_from(program).unwrap().args;
        let count = |reader: Option<Reader>| unseen(&args, reader.as_ref()).map(|samples| samples.len());
        assert_eq!(count(None).unwrap(), 6);
        assert_eq!(count(Some(reader(&["train.c"], None))).unwrap(), 6);
        assert_eq!(count(Some(reader(&["train.a"], None))).unwrap(), 3);
        assert_eq!(count(Some(reader(&["train.a"], Some("news")))).unwrap(), 4);
        let none = count(Some(reader(&["train.a", "train.b"], Some("news")))).unwrap_err().to_string();
        assert!(none.contains("train.a, train.b") && none.contains("--no-adapter"), "{none}");
        assert_eq!(name("m", Some(Kind::Lora), &["en".to_owned()]), "m-lora-en");
        assert_eq!(name("m", None, &["en".to_owned(), "de".to_owned()]), "m-en-de");
    }

    #[test]
    fn the_known_data_sets_can_be_read() {
        let known: BTreeMap<String, Provenance> =
            toml::from_str(include_str!("../../calibration/datasets.toml")).unwrap();
        assert_eq!(known["train.outfox.valid"].licence, "Apache-2.0");
    }

    #[test]
    fn the_account_goes_beside_the_calibration() {
        assert_eq!(account_path(Path::new("c/en.json")), Path::new("c/en.account.json"));
    }
}
