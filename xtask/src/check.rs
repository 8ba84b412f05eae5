//! The invariants of ARCHITECTURE.md that a compiler does not hold: who may use what, and how long a file gets.
//!
//! They look at text, so they can be fooled on purpose. They are there to be noticed, not to be a fence.

use crate::Outcome;
use std::process::Command;

/// "Near 600 lines at most", with room so that a comment more is no reason to cut a file in two.
const LINES: usize = 660;

/// Files that people write and read; generated ones have any length.
const SOURCES: &[&str] = &["rs", "ts", "js", "mjs", "css", "html", "py", "sh"];

/// Names that belong to one machine or one network. Cut in two, else this file would find itself.
const PLACES: &[&str] = &[
    concat!("registry.", "npmjs.org"),
    concat!("py", "pi.org"),
    concat!("files.", "pythonhosted.org"),
    concat!("index.", "crates.io"),
    concat!("static.", "crates.io"),
    concat!("deb.", "debian.org"),
    concat!("/ro", "ot/"),
    concat!("/wo", "rk/"),
];

/// What makes a crate more than a pure function of its arguments.
const EFFECTS: &[&str] =
    &["std::fs", "std::net", "std::thread", "std::process", "std::env", "Instant::now", "SystemTime::now"];

/// Crates that speak HTTP as a server.
const HTTP: &[&str] = &["axum::", "tower_http::", "tower::", "utoipa_axum::"];

pub(crate) fn run() -> Outcome {
    let mut found = Vec::new();
    let files = files()?;
    for path in &files {
        // Binary files have no lines to check.
        if let Ok(text) = std::fs::read_to_string(path) {
            findings(path, &text, &mut found);
        }
    }
    for line in &found {
        eprintln!("{line}");
    }
    eprintln!("{} files checked", files.len());
    if found.is_empty() { Ok(()) } else { Err(format!("{} findings", found.len())) }
}

/// All files of the project, with the new ones that are not yet committed.
fn files() -> Result<Vec<String>, String> {
    let output = Command::new("git")
        .args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"])
        .output()
        .map_err(|error| format!("git can't be run: {error}; install it"))?;
    if !output.status.success() {
        return Err("this is no git working tree, so its files are not known".to_owned());
    }
    let names = String::from_utf8_lossy(&output.stdout);
    Ok(names.split('\0').filter(|name| !name.is_empty()).map(str::to_owned).collect())
}

fn findings(path: &str, text: &str, found: &mut Vec<String>) {
    let extension = path.rsplit_once('.').map_or("", |(_, extension)| extension);
    let lines = text.lines().count();
    if SOURCES.contains(&extension) && lines > LINES {
        found.push(format!("{path}: {lines} lines; cut it where it falls apart by itself ({LINES} at most)"));
    }
    // Tests may read files and start threads wherever they stand.
    let shipped =
        if path.ends_with("tests.rs") { "" } else { text.split("#[cfg(test)]").next().unwrap_or("") };
    let mut forbid = |allowed: bool, words: &[&str], why: &str| {
        let text = if words == EFFECTS { shipped } else { text };
        for word in words.iter().filter(|word| !allowed && text.contains(**word)) {
            found.push(format!("{path}: {word} {why}"));
        }
    };
    forbid(
        path == "Cargo.lock",
        PLACES,
        "names one machine or one registry, which another one has elsewhere",
    );
    if extension == "rs" {
        let may_serve = !path.starts_with("server/src/") || path.starts_with("server/src/http/");
        forbid(may_serve, HTTP, "is HTTP, which only server/src/http knows");
        forbid(!path.starts_with("core/src/"), EFFECTS, "is an effect, and core has none");
        forbid(!path.starts_with("core/") && !path.starts_with("kernels/"), &["bonafide::"], "points upward");
        forbid(!path.starts_with("core/"), &["bonafide_kernels"], "would tie core to kernels");
        forbid(!path.starts_with("kernels/"), &["bonafide_core"], "would tie kernels to core");
        let root = ["src/lib.rs", "src/main.rs"].iter().any(|root| path.ends_with(root));
        if root && !path.starts_with("kernels/") && !text.contains("#![forbid(unsafe_code)]") {
            found.push(format!("{path}: does not begin with #![forbid(unsafe_code)], and is not kernels"));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(path: &str, text: &str) -> usize {
        let mut found = Vec::new();
        findings(path, text, &mut found);
        found.len()
    }

    #[test]
    fn files_are_held_to_their_place() {
        let long = "\n".repeat(LINES + 1);
        for (path, text, count) in [
            ("server/src/a.rs", long.as_str(), 1),
            ("server/src/a.json", &long, 0),
            ("server/src/a.rs", &long[1..], 0),
            ("server/src/queue.rs", "use axum::Router;", 1),
            ("server/src/http/mod.rs", "use axum::Router;", 0),
            ("core/src/a.rs", "std::fs::read(path)", 1),
            ("core/src/a.rs", "#[cfg(test)] std::fs::read(path)", 0),
            ("core/src/a/tests.rs", "std::fs::read(path)", 0),
            ("server/src/a.rs", "std::fs::read(path)", 0),
            ("core/src/a.rs", "use bonafide_kernels::x;", 1),
            ("kernels/src/a.rs", "use bonafide_core::x;", 1),
            ("core/src/a.rs", "use bonafide::engine;", 1),
            ("core/src/lib.rs", "//! Text.", 1),
            ("core/src/lib.rs", "#![forbid(unsafe_code)]", 0),
            ("kernels/src/lib.rs", "//! Text.", 0),
        ] {
            assert_eq!(found(path, text), count, "{path}");
        }
        assert_eq!(found("README.md", PLACES[0]), 1);
        assert_eq!(found("Cargo.lock", PLACES[3]), 0);
    }
}
