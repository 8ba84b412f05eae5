//! `bonafide train`: detectors of one's own.

pub mod probe;

use super::Error;

/// Train a detector on labelled texts
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, clap::Subcommand)]
enum What {
    Detector(Box<probe::Args>),
}

/// Runs the command.
pub fn run(args: &Args) -> Result<(), Error> {
    match &args.what {
        What::Detector(args) => probe::run(args),
    }
}
