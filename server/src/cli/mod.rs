//! The command line: one file a command, each with its `Args` and a `run`.

mod bench;
pub mod calibrate;
mod daemon;
pub mod eval;
mod generate;
pub mod key;
pub mod labelled;
mod mark;
pub mod messages;
pub mod model;
mod numbers;
mod pair;
pub mod render;
pub mod scam;
pub mod score;
mod serve;
pub mod sign;
mod token;
pub mod train;
pub mod verify;
mod watermark;
pub mod weighing;

use crate::engine;
use crate::model::registry::Registry;
use clap::{Parser, Subcommand};
use std::process::ExitCode;
use std::sync::LazyLock;

/// Program, build, and what it scores with unless told otherwise.
static VERSION: LazyLock<String> = LazyLock::new(|| {
    let model = Registry::builtin().map_or_else(|error| error.to_string(), |registry| registry.default);
    let calibrations = engine::built_in_calibrations().join(", ");
    format!(
        "{} ({})\ndefault model {model}, calibration {calibrations}",
        env!("CARGO_PKG_VERSION"),
        env!("BONAFIDE_BUILD")
    )
});

/// Who made this text? Scores text with a local language model; nothing leaves the machine.
#[derive(Debug, Parser)]
#[command(name = "bonafide", version = VERSION.as_str(), propagate_version = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Serve(serve::Args),
    Token(token::Args),
    Pair(pair::Args),
    Key(key::Args),
    Score(score::Args),
    Scam(scam::Args),
    Sign(sign::Args),
    Verify(verify::Args),
    Watermark(watermark::Args),
    Generate(generate::Args),
    Mark(mark::Args),
    Model(model::Args),
    Eval(eval::Args),
    Calibrate(calibrate::Args),
    Train(train::Args),
    Bench(bench::Args),
}

/// What a command can fail with: one line that says what to do.
pub type Error = Box<dyn std::error::Error + Send + Sync>;

/// Runs the command line and gives the process's exit code: 0 done, 1 failed, 2 wrong usage, and what `verify` has
/// besides.
pub fn main() -> ExitCode {
    let cli = Cli::parse();
    let done: Result<(), Error> = match cli.command {
        Command::Verify(args) => match verify::run(&args) {
            Ok(code) => return code,
            Err(error) => Err(error),
        },
        Command::Sign(args) => sign::run(args),
        Command::Watermark(args) => watermark::run(args),
        Command::Generate(args) => generate::run(&args),
        Command::Mark(args) => mark::run(&args),
        Command::Serve(args) => serve::run(args),
        Command::Token(args) => token::run(args),
        Command::Pair(args) => pair::run(&args),
        Command::Key(args) => key::run(args),
        Command::Score(args) => score::run(&args),
        Command::Scam(args) => scam::run(&args),
        Command::Model(args) => model::run(args),
        Command::Eval(args) => eval::run(&args),
        Command::Calibrate(args) => calibrate::run(&args),
        Command::Train(args) => train::run(&args),
        Command::Bench(args) => bench::run(&args),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            anstream::eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}
