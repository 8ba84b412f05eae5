//! `bonafide train detector`: what tells humans' texts from models', trained one of two ways.

use super::given::Given;
use super::{lora, probe};
use crate::cli::Error;
use crate::cli::labelled::Labelled;
use crate::model::compute::{Compute, Device};
use std::path::PathBuf;

/// Train a detector on labelled texts: a probe of the model's hidden states, or an adapter of the model itself.
///
/// A probe (--probe) leaves the model as it is: each text is read once, and a linear classifier of the hidden states is
/// fitted, which takes about as long as scoring the texts. It comes with its calibration (NAME.json), made of texts of
/// domains that it had not seen, and with the account of both (NAME.account.json).
///
/// An adapter (--lora) changes the model's lower layers by low-rank matrices (LoRA) and has a head over their pooled states;
/// that wants a GPU, or hours. One domain or data set is held out whole: it is measured every so often, what did best there
/// is kept, and training ends once it gets no better. Texts are learned from in random crops, slightly damaged, in the form
/// in which they are scored. Beside the adapter stand NAME.report.json and NAME.curves.svg, and while the training goes on
/// NAME.checkpoint, from which --resume goes on. `bonafide calibrate --adapter` makes its calibration.
///
/// Without either, an adapter is trained where there is a GPU to train on, else a probe. Both are used with --adapter and
/// --calibration. Files whose names begin with "dev." or "test." are refused: they are for measuring.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Fit a linear probe of the model as it is: minutes on a CPU
    #[arg(long, conflicts_with = "lora")]
    probe: bool,
    /// Adapt the model's lower layers by low-rank matrices: for a GPU, or for patience
    #[arg(long)]
    lora: bool,
    #[command(flatten)]
    common: Common,
    #[command(flatten, next_help_heading = "Options of --probe")]
    probe_options: Given<probe::ProbeOptions>,
    #[command(flatten, next_help_heading = "Options of --lora")]
    lora_options: Given<lora::LoraOptions>,
}

/// What both ways are told.
#[derive(Debug, clap::Args)]
pub struct Common {
    /// The texts.
    #[command(flatten)]
    pub(super) texts: Labelled,
    /// Where what is trained goes.
    #[arg(long, value_name = "FILE.safetensors")]
    pub(super) out: PathBuf,
    /// A model of the registry or a GGUF file.
    #[arg(long, value_name = "NAME|FILE")]
    pub(super) model: Option<String>,
    /// What computes.
    #[command(flatten)]
    pub(super) compute: Compute,
}

/// Runs the command.
pub fn run(args: &Args) -> Result<(), Error> {
    let gpu = candle_core::utils::cuda_is_available();
    if args.is_lora(gpu) {
        args.refuse("--lora", "--probe", &args.probe_options.names, gpu)?;
        return lora::run(&args.common, &args.lora_options.options);
    }
    args.refuse("--probe", "--lora", &args.lora_options.names, gpu)?;
    probe::run(&args.common, &args.probe_options.options)
}

impl Args {
    /// Whether an adapter is to be trained, on a machine that has a GPU to train on or not.
    fn is_lora(&self, gpu: bool) -> bool {
        match self.common.compute.device.unwrap_or_default() {
            _ if self.lora || self.probe => self.lora,
            Device::Cuda => true,
            Device::Auto => gpu,
            Device::Cpu => false,
        }
    }

    /// Options of the other way would change nothing.
    fn refuse(&self, this: &str, other: &str, names: &[String], gpu: bool) -> Result<(), Error> {
        let Some(name) = names.first() else { return Ok(()) };
        let why = match (self.lora || self.probe, gpu) {
            (true, _) => "",
            (false, true) => ", which is what is trained here, where there is a GPU",
            (false, false) if self.is_lora(gpu) => ", which is what is trained with --device cuda",
            (false, false) => ", which is what is trained here, on a CPU",
        };
        Err(format!(
            "{name} is an option of {other} and says nothing to {this}{why}: leave it out, or give {other}"
        )
        .into())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;
    use clap::Parser;

    #[derive(Parser)]
    struct Program {
        #[command(flatten)]
        args: Args,
    }

    fn parse(rest: &[&str]) -> Result<Args, clap::Error> {
        let all = ["train", "--data", "d", "--out", "a.safetensors"].iter().chain(rest);
        Program::try_parse_from(all).map(|program| program.args)
    }

    fn refused(rest: &[&str]) -> String {
        run(&parse(rest).unwrap()).unwrap_err().to_string()
    }

    #[test]
    fn the_device_chooses_unless_the_user_does() {
        let chosen = |rest: &[&str], gpu| parse(rest).unwrap().is_lora(gpu);
        assert!(!chosen(&[], false) && chosen(&[], true));
        assert!(!chosen(&["--device", "cpu"], true) && chosen(&["--device", "cuda"], false));
        assert!(chosen(&["--lora"], false) && !chosen(&["--probe"], true));
        assert!(
            chosen(&["--lora", "--device", "cpu"], true) && !chosen(&["--probe", "--device", "cuda"], true)
        );
        assert!(parse(&["--lora", "--probe"]).is_err());
    }

    #[test]
    fn options_of_the_other_way_are_refused() {
        let said = refused(&["--probe", "--rank", "8"]);
        assert!(said.contains("--rank is an option of --lora") && !said.contains("CPU"), "{said}");
        let said = refused(&["--lora", "--folds", "5"]);
        assert!(said.contains("--folds is an option of --probe"), "{said}");
        let said = refused(&["--device", "cpu", "--resume"]);
        assert!(said.contains("--resume is an option of --lora"), "{said}");
        let said = refused(&["--device", "cuda", "--depths", "3"]);
        assert!(said.contains("--depths is an option of --probe"), "{said}");
        for own in ["--threads=2", "--precision=f32"] {
            let said = refused(&["--lora", own]);
            assert!(said.contains(own.split('=').next().unwrap()), "{said}");
        }
    }

    #[test]
    fn files_for_measuring_are_refused_both_ways() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("test.set.jsonl");
        std::fs::write(&file, "").unwrap();
        for way in ["--probe", "--lora"] {
            let mut args = parse(&[way]).unwrap();
            args.common.texts.data = vec![file.clone()];
            let refused = run(&args).unwrap_err().to_string();
            assert!(refused.contains("for measuring"), "{refused}");
        }
    }
}
