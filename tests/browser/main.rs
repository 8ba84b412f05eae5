//! The web page in a real browser. The tests themselves are scripts for Node beside this file, which drive Chromium:
//! against a small mock of the daemon for what a real one can't be made to say, and against the real daemon.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use bonafide_core::watermark::evidence::{CODE_PRIVATE, CODE_PUBLIC, CODE_WEAK};
use bonafide_core::{declared, judge};
use bonafide_tests::{Daemon, Setup};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Mutex, PoisonError};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("browser")
}

fn ready() -> bool {
    bonafide_tests::browser_is_ready(&folder())
}

/// Whether a real browser can be driven here, and the extension is built.
fn extension_is_built() -> bool {
    if !ready() {
        return false;
    }
    let built = folder().join("../../extension/dist/chromium/manifest.json").is_file();
    if !built {
        assert!(std::env::var_os("CI").is_none(), "the extension is not built: run `cargo xtask extension`");
        eprintln!("skipped: the extension is not built; run `cargo xtask extension`");
    }
    built
}

fn node(script: &str, link: Option<&str>) {
    let environment: Vec<_> = link.into_iter().map(|link| ("BONAFIDE_LINK", link)).collect();
    node_with(script, &environment);
}

/// One browser at a time: several on a small machine make each other late.
static BROWSER: Mutex<()> = Mutex::new(());

fn node_with(script: &str, environment: &[(&str, &str)]) {
    let _one = BROWSER.lock().unwrap_or_else(PoisonError::into_inner);
    let mut node = Command::new("node");
    node.arg(script).current_dir(folder()).stdin(Stdio::null()).envs(environment.iter().copied());
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
fn pairing_on_a_daemon_that_says_anything() {
    if ready() {
        node("pair.mjs", None);
    }
}

#[test]
fn pairing_on_the_real_daemon() {
    if !ready() {
        return;
    }
    if let Some(daemon) = Daemon::start(&Setup::default()) {
        node("pairdaemon.mjs", Some(&daemon.link));
    }
}

#[test]
fn the_page_on_a_daemon_that_says_anything() {
    if ready() {
        node("page.mjs", None);
    }
}

#[test]
fn evidence_from_a_daemon_that_finds_everything() {
    if ready() {
        node("evidence.mjs", None);
    }
}

#[test]
fn what_texts_declare_on_the_real_daemon() {
    if !ready() {
        return;
    }
    if let Some(daemon) = Daemon::start(&Setup::default()) {
        node("declared.mjs", Some(&daemon.link));
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

/// Runs the program as the daemon's user, who has a passphrase.
fn as_user(daemon: &Daemon, arguments: &[&str]) {
    let run = bonafide_tests::bonafide()
        .args(arguments)
        .env("BONAFIDE_HOME", daemon.home.path())
        .env("BONAFIDE_PASSPHRASE", PASSPHRASE)
        .output()
        .unwrap();
    assert!(run.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&run.stderr));
}

const PASSPHRASE: &str = "correct horse battery";

#[test]
fn signing_on_the_real_daemon() {
    if !ready() {
        return;
    }
    let Some(daemon) = Daemon::start(&Setup::default()) else { return };
    as_user(&daemon, &["key", "new", "--author", "Ada"]);
    let secrets = [
        ("BONAFIDE_LINK", daemon.link.as_str()),
        ("BONAFIDE_TOKEN", &daemon.token),
        ("BONAFIDE_PASSPHRASE", PASSPHRASE),
    ];
    node_with("signdaemon.mjs", &secrets);
}

#[test]
fn the_extensions_background_on_a_daemon_that_says_anything() {
    if extension_is_built() {
        node("ext-background.mjs", None);
    }
}

#[test]
fn popup_and_options_on_a_daemon_that_says_anything() {
    if extension_is_built() {
        node("ext-pages.mjs", None);
    }
}

#[test]
fn the_extension_on_pages_of_many_kinds() {
    if extension_is_built() {
        node("ext-reading.mjs", None);
    }
}

#[test]
fn the_extension_on_messaging_sites() {
    if extension_is_built() {
        node("ext-sites.mjs", None);
    }
}

#[test]
fn adapters_of_messaging_sites() {
    if extension_is_built() {
        node("sites.mjs", None);
    }
}

#[test]
fn what_is_drawn_in_pages() {
    if extension_is_built() {
        node("overlay.mjs", None);
    }
}

#[test]
fn warnings_of_scams() {
    if extension_is_built() {
        node("warning.mjs", None);
    }
}

#[test]
fn chats_as_they_are_followed() {
    if extension_is_built() {
        node("scam.mjs", None);
    }
}

#[test]
fn chats_in_the_background() {
    if extension_is_built() {
        node("ext-chats.mjs", None);
    }
}

#[test]
fn data_of_the_scam_engine() {
    if extension_is_built() {
        node("scamdata.mjs", None);
    }
}

#[test]
fn a_scam_chat_on_a_messaging_site() {
    if extension_is_built() {
        node("ext-scam.mjs", None);
    }
}

#[test]
fn what_is_found_in_pages() {
    if extension_is_built() {
        node("find.mjs", None);
    }
}

#[test]
fn signed_texts_in_live_pages() {
    if extension_is_built() {
        node("signed.mjs", None);
    }
}

#[test]
fn rules_of_the_filter() {
    if extension_is_built() {
        node("rules.mjs", None);
    }
}

#[test]
fn the_extension_on_the_real_daemon() {
    on_the_real_daemon("ext-daemon.mjs");
}

#[test]
fn the_extension_on_signed_texts_that_look_otherwise() {
    on_the_real_daemon("ext-signed.mjs");
}

/// Runs a script with a daemon of its own, and with what it makes pages of: an article and a post, each signed.
fn on_the_real_daemon(script: &str) {
    if !extension_is_built() {
        return;
    }
    let Some(daemon) = Daemon::start(&Setup::default()) else { return };
    as_user(&daemon, &["key", "new", "--author", "Ada"]);
    let signed = tempfile::tempdir().unwrap();
    let path = |name: &str| signed.path().join(name).to_string_lossy().into_owned();
    let lively = std::fs::read_to_string(folder().join("lively.txt")).unwrap();
    let paragraphs = lively.trim().split("\n\n").map(|one| format!("<p>{}</p>", one.replace('\n', " ")));
    std::fs::write(path("plain.html"), paragraphs.collect::<Vec<_>>().join("\n")).unwrap();
    std::fs::write(path("plain.txt"), "I read the whole thing by the oven, with my coat on, and liked it.\n")
        .unwrap();
    as_user(&daemon, &["sign", "--as", "html", &path("plain.html"), "-o", &path("article.html")]);
    as_user(&daemon, &["sign", "--as", "line", &path("plain.txt"), "-o", &path("post.txt")]);
    let folder = signed.path().to_string_lossy();
    let given = [("BONAFIDE_LINK", daemon.link.as_str()), ("BONAFIDE_SIGNED", &folder)];
    node_with(script, &given);
}

#[test]
fn every_finding_has_its_chinese() {
    let texts = std::fs::read_to_string(folder().join("../../server/src/http/web/reasons.js")).unwrap();
    let statistics = judge::Code::ALL.iter().map(|code| code.as_str());
    let labels = declared::Code::ALL.iter().map(|code| code.as_str());
    let signatures = judge::signed::Code::ALL.iter().map(|code| code.as_str());
    for name in statistics.chain(labels).chain(signatures).chain([CODE_PRIVATE, CODE_PUBLIC, CODE_WEAK]) {
        let whole = texts.contains(&format!("\n  {name}: '"));
        let by_value = texts.contains(&format!("\n  '{name}."));
        assert!(whole || by_value, "{name} is not translated");
    }
}
