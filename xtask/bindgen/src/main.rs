//! The steps of `cargo xtask extension` that need crates of their own, so that `xtask` itself starts at once.
//!
//! `bindings WASM FOLDER` makes the JavaScript and the types beside a WebAssembly module; `size LIMIT FILE...` says how
//! many bytes the files have when they are compressed; `scam FILE` writes the data of the scam engine; `zip FOLDER FILE` packs a folder, the same each time.

#![forbid(unsafe_code)]

mod pack;

use bonafide_core::scam::Engine;
use flate2::Compression;
use flate2::write::GzEncoder;
use std::io::Write;
use std::path::Path;
use std::process::ExitCode;
use wasm_bindgen_cli_support::Bindgen;

const USAGE: &str =
    "usage: bonafide-bindgen bindings WASM FOLDER | size LIMIT FILE... | scam FILE | zip FOLDER FILE";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let done = match words.as_slice() {
        ["bindings", wasm, folder] => bindings(Path::new(wasm), Path::new(folder)),
        ["size", limit, files @ ..] => size(limit, files),
        ["scam", file] => scam(Path::new(file)),
        ["zip", folder, file] => pack::zip(Path::new(folder), Path::new(file)),
        _ => Err(USAGE.to_owned()),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

/// For the target `web`, which needs no bundler and works in a worker.
fn bindings(wasm: &Path, folder: &Path) -> Result<(), String> {
    let mut bindgen = Bindgen::new();
    bindgen.web(true).map_err(|error| error.to_string())?;
    bindgen.input_path(wasm).out_name("bonafide_wasm").typescript(true).omit_default_module_path(true);
    // Lets a caller go on with a new instance after a trap.
    bindgen.reset_state_function(true).remove_name_section(true).remove_producers_section(true);
    bindgen.generate(folder).map_err(|error| format!("{error:#}"))
}

/// What `Engine::from_bundle` reads, after trying whether it does.
fn scam(file: &Path) -> Result<(), String> {
    let bytes = Engine::bundle();
    Engine::from_bundle(&bytes)?;
    std::fs::write(file, bytes).map_err(|error| format!("{}: {error}", file.display()))
}

/// The sum of the files' sizes under gzip, which must not exceed the limit.
fn size(limit: &str, files: &[&str]) -> Result<(), String> {
    let limit: usize = limit.parse().map_err(|_| USAGE.to_owned())?;
    let mut sum = 0;
    for file in files {
        let bytes = std::fs::read(file).map_err(|error| format!("{file}: {error}"))?;
        let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
        encoder.write_all(&bytes).map_err(|error| error.to_string())?;
        let packed = encoder.finish().map_err(|error| error.to_string())?.len();
        eprintln!("{file}: {} bytes, {packed} with gzip", bytes.len());
        sum += packed;
    }
    eprintln!("together {sum} bytes of {limit} at most");
    if sum > limit { Err(format!("{} bytes too many for a browser to load", sum - limit)) } else { Ok(()) }
}
