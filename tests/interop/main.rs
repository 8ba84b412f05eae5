//! Signatures between this program and others: OpenSSH's `ssh-keygen`, Digital Bazaar's libraries for credentials, the
//! Python package `sshsig`, and a verifier that was written from the specification alone.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[cfg(unix)]
mod agent;
mod credentials;
mod openssh;
mod python;

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

const TEXT: &str = "The ferry leaves at six, whether or not the “baker” has brought his bread.\n\n\
                    Nobody on the island could say who had painted the door green — that night…\n";

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("interop")
}

/// Whether something is there that a test needs. On a build server it must be.
fn there(is_there: bool, missing: &str) -> bool {
    assert!(
        is_there || std::env::var_os("CI").is_none(),
        "the tests with other software can't run: {missing}"
    );
    if !is_there {
        eprintln!("skipped: {missing}");
    }
    is_there
}

fn output(command: &mut Command, input: &[u8]) -> Output {
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("it starts");
    // It may end before it has read everything.
    let _ = child.stdin.take().expect("stdin").write_all(input);
    child.wait_with_output().expect("it ends")
}

#[track_caller]
fn succeeds(command: &mut Command, input: &[u8]) -> Vec<u8> {
    let output = output(command, input);
    let said = [output.stdout.clone(), output.stderr].concat();
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&said));
    output.stdout
}

#[track_caller]
fn fails(command: &mut Command, input: &[u8]) {
    assert!(!output(command, input).status.success(), "{command:?}");
}
