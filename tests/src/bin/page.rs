//! What the browser extension costs a page: starts the daemon and has `browser/benchpage.mjs` load pages beside it.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use bonafide_tests::{Daemon, Setup, browser_is_ready};
use std::path::Path;
use std::process::{Command, ExitCode};

fn main() -> ExitCode {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("browser");
    let Some(daemon) = browser_is_ready(&folder).then(|| Daemon::start(&Setup::default())).flatten() else {
        return ExitCode::FAILURE;
    };
    let status = Command::new("node")
        .arg("benchpage.mjs")
        .args(std::env::args().skip(1))
        .current_dir(&folder)
        .env("BONAFIDE_LINK", &daemon.link)
        .status()
        .expect("node starts");
    if status.success() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
