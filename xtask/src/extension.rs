//! `cargo xtask extension`: both browsers' extensions, as folders and as zip files, in `extension/dist`.

use crate::Outcome;
use crate::report::Status;
use crate::tools::{find, need, root, run, tool};
use crate::wasm;
use std::path::{Path, PathBuf};
use std::process::Command;

const BROWSERS: [&str; 2] = ["chromium", "firefox"];
const DIST: &str = "extension/dist";

/// Makes sure of the extension's npm packages; gives its folder.
pub(crate) fn packages() -> Result<PathBuf, String> {
    let folder = root().join("extension");
    let npm = need(&["npm"], "npm")?;
    if !is_newer(&folder.join("node_modules/.package-lock.json"), &folder.join("package-lock.json")) {
        run(Command::new(npm).args(["ci", "--no-audit", "--no-fund"]).current_dir(&folder))?;
    }
    Ok(folder)
}

fn is_newer(made: &Path, source: &Path) -> bool {
    let time = |path: &Path| path.metadata().and_then(|data| data.modified()).ok();
    time(made).zip(time(source)).is_some_and(|(made, source)| made >= source)
}

/// All of it.
pub(crate) fn build() -> Outcome {
    wasm::build()?;
    bundle()
}

/// From the generated bindings on.
fn bundle() -> Outcome {
    let folder = packages()?;
    let version = version(&folder)?;
    run(npm_exec(&folder)?.args(["tsc", "--noEmit", "--project", "tsconfig.json"]))?;
    for browser in BROWSERS {
        pack(&folder, browser, &root().join(DIST), &version)?;
    }
    Ok(())
}

fn pack(folder: &Path, browser: &str, dist: &Path, version: &str) -> Outcome {
    let unpacked = dist.join(browser);
    let node = need(&["node"], "nodejs")?;
    run(Command::new(node).args(["build.mjs", browser]).arg(&unpacked).current_dir(folder))?;
    run(tool().arg("zip").arg(&unpacked).arg(dist.join(format!("bonafide-{browser}-{version}.zip"))))
}

/// The manifest's version, which must be that of the crates.
fn version(folder: &Path) -> Result<String, String> {
    let version = env!("CARGO_PKG_VERSION");
    let manifest = std::fs::read_to_string(folder.join("manifest.json"))
        .map_err(|error| format!("extension/manifest.json: {error}"))?;
    if manifest.contains(&format!("\"version\": \"{version}\"")) {
        Ok(version.to_owned())
    } else {
        Err(format!("extension/manifest.json does not have the version {version} of the crates"))
    }
}

/// `npm exec` of what is installed.
fn npm_exec(folder: &Path) -> Result<Command, String> {
    let mut npm = Command::new(need(&["npm"], "npm")?);
    npm.args(["exec", "--no", "--"]).current_dir(folder);
    Ok(npm)
}

/// Types, both builds, that a second build gives the same bytes, and what Firefox's linter says.
pub(crate) fn step() -> Result<Status, String> {
    let folder = packages()?;
    // The step before has made them, unless this one is run alone.
    if !wasm::is_built() {
        wasm::build()?;
    }
    bundle()?;
    let version = version(&folder)?;
    let again = root().join(DIST).join("again");
    for browser in BROWSERS {
        std::fs::create_dir_all(&again).map_err(|error| format!("{}: {error}", again.display()))?;
        pack(&folder, browser, &again, &version)?;
        let name = format!("bonafide-{browser}-{version}.zip");
        let read =
            |folder: &Path| std::fs::read(folder.join(&name)).map_err(|error| format!("{name}: {error}"));
        if read(&root().join(DIST))? != read(&again)? {
            return Err(format!("two builds of {name} differ"));
        }
    }
    std::fs::remove_dir_all(&again).map_err(|error| format!("{}: {error}", again.display()))?;
    run(npm_exec(&folder)?.args(["web-ext", "lint", "--source-dir", "dist/firefox"]))?;
    Ok(Status::Passed)
}

/// For `up`, where the daemon matters more: a browser's part that can't be built is said and no more.
pub(crate) fn build_if_possible() {
    if find(&["npm"]).is_none() || find(&["node"]).is_none() {
        eprintln!("The browser extension is not built: it needs Node.js and npm, which are missing");
        return;
    }
    if let Err(error) = build() {
        eprintln!("The browser extension is not built: {error}");
        return;
    }
    say_how_to_load();
}

pub(crate) fn say_how_to_load() {
    let dist = root().join(DIST);
    eprintln!(
        "The browser extension is in {0}\n  \
         Chromium: open chrome://extensions, switch on developer mode, \"Load unpacked\", choose {0}/chromium\n  \
         Firefox:  open about:debugging, \"This Firefox\", \"Load Temporary Add-on\", choose {0}/firefox/manifest.json",
        dist.display()
    );
}
