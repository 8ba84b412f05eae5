//! Whether a real browser can be driven here.

use std::path::Path;
use std::process::{Command, Stdio};

const BROWSERS: [&str; 4] = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];

/// Whether a program is installed.
#[must_use]
pub fn starts(program: impl AsRef<std::ffi::OsStr>) -> bool {
    let asked = Command::new(program).arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status();
    asked.is_ok_and(|status| status.success())
}

/// What is missing, if anything is.
fn missing(folder: &Path) -> Option<&'static str> {
    if !starts("node") {
        return Some("Node.js is not installed");
    }
    if !folder.join("node_modules/playwright-core").is_dir() {
        return Some("the npm packages are not installed: run `npm ci` in tests/browser");
    }
    let named = std::env::var_os("CHROMIUM").is_some_and(starts);
    let mac = Path::new("/Applications/Google Chrome.app").is_dir();
    let found = named || mac || BROWSERS.iter().any(starts);
    (!found).then_some("Chromium is not installed: install it, or name it in CHROMIUM")
}

/// Whether tests of the scripts in a folder can run. On a build server they must.
///
/// # Panics
/// There, if something is missing.
#[must_use]
pub fn browser_is_ready(folder: &Path) -> bool {
    let Some(missing) = missing(folder) else { return true };
    assert!(std::env::var_os("CI").is_none(), "the browser tests can't run: {missing}");
    eprintln!("skipped: {missing}");
    false
}
