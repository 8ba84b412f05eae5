//! The web page in a real browser. The tests themselves are scripts for Node beside this file, which drive Chromium:
//! against a small mock of the daemon for what a real one can't be made to say, and against the real daemon.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use bonafide_core::judge::Code;
use bonafide_tests::{Daemon, Setup};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

const BROWSERS: [&str; 4] = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("browser")
}

fn starts(program: impl AsRef<std::ffi::OsStr>) -> bool {
    let asked = Command::new(program).arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status();
    asked.is_ok_and(|status| status.success())
}

/// What is missing for these tests, if anything is.
fn missing() -> Option<&'static str> {
    if !starts("node") {
        return Some("Node.js is not installed");
    }
    if !folder().join("node_modules/playwright-core").is_dir() {
        return Some("the npm packages are not installed: run `npm ci` in tests/browser");
    }
    let named = std::env::var_os("CHROMIUM").is_some_and(starts);
    let mac = Path::new("/Applications/Google Chrome.app").is_dir();
    let found = named || mac || BROWSERS.iter().any(starts);
    (!found).then_some("Chromium is not installed: install it, or name it in CHROMIUM")
}

/// Whether the tests can run. On a build server they must.
fn ready() -> bool {
    let Some(missing) = missing() else { return true };
    assert!(std::env::var_os("CI").is_none(), "the browser tests can't run: {missing}");
    eprintln!("skipped: {missing}");
    false
}

fn node(script: &str, link: Option<&str>) {
    let mut node = Command::new("node");
    node.arg(script).current_dir(folder()).stdin(Stdio::null());
    if let Some(link) = link {
        node.env("BONAFIDE_LINK", link);
    }
    let run = node.output().expect("node starts");
    let said = String::from_utf8_lossy(&run.stdout);
    let complained = String::from_utf8_lossy(&run.stderr);
    assert!(run.status.success(), "{script}:\n{said}\n{complained}");
}

#[test]
fn text_is_cut_as_on_the_command_line() {
    if ready() {
        node("blocks.mjs", None);
    }
}

#[test]
fn the_editor_counts_what_is_done() {
    if ready() {
        node("counter.mjs", None);
    }
}

#[test]
fn signing_on_a_daemon_that_says_anything() {
    if ready() {
        node("sign.mjs", None);
    }
}

#[test]
fn the_page_on_a_daemon_that_says_anything() {
    if ready() {
        node("page.mjs", None);
    }
}

#[test]
fn the_page_on_the_real_daemon() {
    if !ready() {
        return;
    }
    if let Some(daemon) = Daemon::start(&Setup::default()) {
        node("daemon.mjs", Some(&daemon.link));
    }
}

#[test]
fn every_finding_of_the_model_has_its_chinese() {
    let texts = std::fs::read_to_string(folder().join("../../server/src/http/web/i18n.js")).unwrap();
    for code in Code::ALL {
        let name = code.as_str();
        let whole = texts.contains(&format!("\n  {name}: '"));
        let by_reason = texts.contains(&format!("\n  '{name}."));
        assert!(whole || by_reason, "{name} is not translated");
    }
}
