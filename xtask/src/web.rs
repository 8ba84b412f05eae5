//! What the browser tests need: their npm packages, their types, a browser.

use crate::report::Status;
use crate::tools::{need, root, run};
use std::process::Command;

pub(crate) fn step() -> Result<Status, String> {
    let folder = root().join("tests/browser");
    if !folder.join("package.json").is_file() {
        return Ok(Status::Partly("there are no browser tests".to_owned()));
    }
    let npm = need(&["npm"], "npm")?;
    run(Command::new(&npm).args(["ci", "--no-audit", "--no-fund"]).current_dir(&folder))?;
    if folder.join("tsconfig.json").is_file() {
        run(Command::new(&npm).args(["exec", "--no", "--", "tsc", "--noEmit"]).current_dir(&folder))?;
    }
    need(&["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"], "chromium")?;
    Ok(Status::Passed)
}
