//! What the browser tests need: their npm packages, their types, a browser.

use crate::Outcome;
use crate::report::Status;
use crate::tools::{need, root, run};
use std::path::Path;
use std::process::Command;

/// Installs the npm packages of a folder, and checks the types of those of the projects that are there.
pub(crate) fn packages(folder: &Path, projects: &[&str]) -> Outcome {
    let npm = need(&["npm"], "npm")?;
    run(Command::new(&npm).args(["ci", "--no-audit", "--no-fund"]).current_dir(folder))?;
    for project in projects.iter().filter(|project| folder.join(project).is_file()) {
        run(Command::new(&npm)
            .args(["exec", "--no", "--", "tsc", "--noEmit", "--project", project])
            .current_dir(folder))?;
    }
    Ok(())
}

pub(crate) fn step() -> Result<Status, String> {
    let folder = root().join("tests/browser");
    if !folder.join("package.json").is_file() {
        return Ok(Status::Partly("there are no browser tests".to_owned()));
    }
    // One project for the page's code, which sees a browser, and one for the tests', which sees Node.
    packages(&folder, &["tsconfig.json", "tsconfig.tests.json"])?;
    // `CHROMIUM` names a browser that is somewhere else.
    if std::env::var_os("CHROMIUM").is_some_and(|path| Path::new(&path).is_file()) {
        return Ok(Status::Passed);
    }
    need(&["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"], "chromium")?;
    Ok(Status::Passed)
}
