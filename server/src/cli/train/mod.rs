//! `bonafide train`: makes the files that detectors read from labelled texts.

pub mod detector;
pub mod given;
pub mod lora;
pub mod opinion;
pub mod probe;
pub mod scam;
pub mod style;

use super::Error;
use clap::Subcommand;

/// Train on your own texts.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    Detector(Box<detector::Args>),
    Style(Box<style::Args>),
    Scam(scam::Args),
    Opinion(opinion::Args),
}

/// Runs the command.
pub fn run(args: &Args) -> Result<(), Error> {
    match &args.what {
        What::Detector(args) => detector::run(args),
        What::Style(args) => style::run(args),
        What::Scam(args) => scam::run(args),
        What::Opinion(args) => opinion::run(args),
    }
}
