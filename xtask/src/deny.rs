//! cargo-deny: licences, duplicate and banned crates, sources, known vulnerabilities.

use crate::report::Status;
use crate::tools::{cargo, find, run};
use std::process::Stdio;

/// Built with little optimisation: it runs for seconds, and its release profile builds for many minutes.
const VERSION: &str = "0.20.2";

pub(crate) fn step() -> Result<Status, String> {
    if find(&["cargo-deny"]).is_none() && !works() {
        eprintln!(
            "cargo-deny is missing: installing {VERSION} into cargo's own folder (about three CPU minutes)"
        );
        run(cargo()
            .args(["install", "--locked", "cargo-deny", "--version", VERSION])
            .env("CARGO_PROFILE_RELEASE_LTO", "off")
            .env("CARGO_PROFILE_RELEASE_CODEGEN_UNITS", "16")
            .env("CARGO_PROFILE_RELEASE_OPT_LEVEL", "1"))
        .map_err(|error| format!("{error}; install it yourself: cargo install --locked cargo-deny"))?;
    }
    // Duplicate versions are warnings and many; only errors belong in a test log.
    run(cargo().args(["deny", "--offline", "--log-level", "error", "check", "licenses", "bans", "sources"]))?;
    advisories()
}

/// cargo finds its subcommands in its own folder too, which need not be in `PATH`.
fn works() -> bool {
    let version = cargo().args(["deny", "--version"]).stdout(Stdio::null()).stderr(Stdio::null()).status();
    version.is_ok_and(|status| status.success())
}

/// The advisories come from a git repository, which not every build machine reaches. That alone is no failure
/// of the project, and it is said.
fn advisories() -> Result<Status, String> {
    let output = cargo()
        .args(["deny", "--log-level", "error", "check", "advisories"])
        .output()
        .map_err(|error| format!("cargo deny can't be run: {error}"))?;
    let text = String::from_utf8_lossy(&output.stderr);
    if output.status.success() {
        Ok(Status::Passed)
    } else if text.contains("failed to fetch advisory database") {
        Ok(Status::Partly(
            "advisories were not checked: their database can't be reached from here".to_owned(),
        ))
    } else {
        eprintln!("{text}");
        Err("cargo deny found advisories".to_owned())
    }
}
