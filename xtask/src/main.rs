//! The build script of the project: `cargo xtask up | wasm | extension | test | check | bench`.
//!
//! In Rust, so that building asks for nothing beside the toolchain that the project needs anyway. Each command
//! is a file. No dependencies, so that it starts at once; `bindgen/` is a crate of its own for steps that have some.

#![forbid(unsafe_code)]

mod bench;
mod check;
mod deny;
mod extension;
mod llama;
mod peers;
mod report;
mod test;
mod tools;
mod up;
mod wasm;
mod web;

use std::process::ExitCode;

/// What a command can fail with: a line that says what to do.
type Outcome = Result<(), String>;

const USAGE: &str = "\
cargo xtask COMMAND

  up [ARGUMENT...]         build, with the browser extension if Node.js is there, pull the default model,
                           start the daemon and print its address; arguments go to `bonafide serve`
  wasm                     core for the browser, into extension/generated
  extension                the browser extension for Chromium and Firefox, into extension/dist
  test [OPTION...]         all that a change must pass
      --list               name the steps and do nothing
      --only STEP          run this step (may be repeated)
      --skip STEP          leave this step out (may be repeated)
      --accept-gemma-terms also pull gemma3-270m, whose terms of use you thereby accept, and test with it
  check                    the invariants of ARCHITECTURE.md that a compiler does not check
  bench [ARGUMENT...]      speed of this program; arguments go to `bonafide bench`
  bench candle [ARGUMENT...]
                           the same text through candle-transformers' own model, side by side
  bench llama [--without-amx] [ARGUMENT...]
                           the same texts through llama.cpp, which is built for this machine first (once);
                           arguments: --model M, --threads N, --precision P, --rounds N
  bench page [--json] [N]  what the extension costs a page of 2 000 blocks, with and without it in turns, N times each
  bench scam [--json] [N]  one more turn of a chat of 1 000, in WebAssembly in a real browser, N times
  bench signatures         signatures checked a second, and a page of 500 signed comments
  bench watermarks [TABLE...]
                           what finding watermarks is worth: oracles, null, power, speed, or all four; speed
                           is beside the reference library, which is pulled first (once, large)";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    if let Err(error) = std::env::set_current_dir(tools::root()) {
        eprintln!("error: the project's folder can't be entered: {error}");
        return ExitCode::FAILURE;
    }
    let done = match words.as_slice() {
        ["up", rest @ ..] => up::run(rest),
        ["wasm"] => wasm::build(),
        ["extension"] => extension::build().map(|()| extension::say_how_to_load()),
        ["test", rest @ ..] => test::run(rest),
        ["check"] => check::run(),
        ["bench", "candle", rest @ ..] => bench::candle(rest),
        ["bench", "llama", rest @ ..] => bench::llama(rest),
        ["bench", "page", rest @ ..] => bench::page(rest),
        ["bench", "scam", rest @ ..] => bench::scam(rest),
        ["bench", "signatures"] => bench::signatures(),
        ["bench", "watermarks", rest @ ..] => bench::watermarks(rest),
        ["bench", rest @ ..] => bench::own(rest),
        ["help" | "--help" | "-h"] => {
            eprintln!("{USAGE}");
            Ok(())
        }
        _ => {
            eprintln!("{USAGE}");
            return ExitCode::from(2);
        }
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}
