//! The steps of `cargo xtask extension` that need crates of their own, so that `xtask` itself starts at once.
//!
//! `bindings WASM FOLDER` makes the JavaScript and the types beside a WebAssembly module.

#![forbid(unsafe_code)]

use std::path::Path;
use std::process::ExitCode;
use wasm_bindgen_cli_support::Bindgen;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let done = match words.as_slice() {
        ["bindings", wasm, folder] => bindings(Path::new(wasm), Path::new(folder)),
        _ => Err("usage: bonafide-bindgen bindings WASM FOLDER".to_owned()),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

/// For the target `web`, which neither a bundler nor a worker has to be told about.
fn bindings(wasm: &Path, folder: &Path) -> Result<(), String> {
    let mut bindgen = Bindgen::new();
    bindgen.web(true).map_err(|error| error.to_string())?;
    bindgen.input_path(wasm).out_name("bonafide_wasm").typescript(true).omit_default_module_path(true);
    // Lets a caller go on with a new instance after a trap.
    bindgen.reset_state_function(true).remove_name_section(true).remove_producers_section(true);
    bindgen.generate(folder).map_err(|error| format!("{error:#}"))
}
