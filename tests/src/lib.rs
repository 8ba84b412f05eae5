//! Helpers for the black-box tests: the real daemon, started in a folder of its own and stopped at the end.

#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod browser;
mod daemon;
pub mod signer;

pub use browser::{browser_is_ready, starts};
pub use daemon::{Answer, Daemon, Setup, raw};

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

/// The program under test: `BONAFIDE_BIN`, or built once for all tests in the profile of the tests.
#[must_use]
pub fn bonafide() -> Command {
    static BINARY: OnceLock<PathBuf> = OnceLock::new();
    let binary = BINARY.get_or_init(|| {
        if let Some(given) = std::env::var_os("BONAFIDE_BIN") {
            return PathBuf::from(given);
        }
        let manifest = Path::new(env!("CARGO_MANIFEST_DIR")).join("../server/Cargo.toml");
        let build = escargot::CargoBuild::new().manifest_path(manifest).bin("bonafide");
        let build = if cfg!(debug_assertions) { build } else { build.release() };
        build.run().expect("bonafide builds").path().to_owned()
    });
    Command::new(binary)
}

/// The model file for tests: `BONAFIDE_TEST_MODEL`, or the default model where the user has pulled it.
/// `None`, after a line that says so, if there is neither: tests do not download.
#[must_use]
pub fn model() -> Option<PathBuf> {
    if let Some(given) = std::env::var_os("BONAFIDE_TEST_MODEL") {
        return Some(PathBuf::from(given));
    }
    let found = bonafide().args(["model", "path"]).output().expect("bonafide starts");
    if found.status.success() {
        return Some(PathBuf::from(String::from_utf8(found.stdout).expect("a path").trim()));
    }
    eprintln!(
        "skipped: the default model is not here; run `bonafide model pull smollm2-135m`, or set BONAFIDE_TEST_MODEL"
    );
    None
}

/// Arguments of `bonafide generate` for a text with a mark in it, drawn from the whole distribution.
#[must_use]
pub fn generate<'a>(model: &'a str, key: &'a str, seed: &'a str) -> Vec<&'a str> {
    let named = ["generate", "--model", model, "--watermark", key, "--seed", seed];
    let drawn = ["--temperature", "1", "--top-p", "1", "--top-k", "0", "--max-tokens", "240"];
    [&named[..], &drawn, &["--continue", "The old lighthouse keeper had seen"]].concat()
}

/// Texts that show their mark, whatever the key and the CPU are, each behind the seed that gave it: no short ones, with
/// which luck decides. The model ends some of its texts early. `run` runs `bonafide` and gives back the text.
pub fn marked<'a>(
    model: &'a str,
    key: &'a str,
    mut run: impl FnMut(&[&str]) -> String + 'a,
) -> impl Iterator<Item = (String, String)> + 'a {
    let texts = (1..=20).map(move |seed: u32| {
        let seed = seed.to_string();
        let text = run(&generate(model, key, &seed));
        (seed, text)
    });
    texts.filter(|(_, text)| text.split_whitespace().count() > 120)
}
