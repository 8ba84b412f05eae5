//! The command line as a user meets it: a real process, its output and its exit code.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod key;
mod model;
mod scam;
mod score;
mod signatures;
mod watermark;

use std::io::Write;
use std::process::{Command, Output, Stdio};

/// The binary, with nothing in the environment that changes its output.
fn bonafide() -> Command {
    let mut command = bonafide_tests::bonafide();
    command.env_remove("NO_COLOR").env_remove("CLICOLOR_FORCE").env("LC_ALL", "C.UTF-8");
    command
}

/// Runs the command with an input and gives what it did.
fn run(arguments: &[&str], input: &[u8]) -> Output {
    fed(bonafide().args(arguments), input)
}

/// Runs a command that is ready, with an input, and gives what it did.
fn fed(command: &mut Command, input: &[u8]) -> Output {
    let mut child =
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let input = input.to_vec();
    let writer = std::thread::spawn(move || {
        // The command may refuse before it has read everything.
        let _ = stdin.write_all(&input);
    });
    let output = child.wait_with_output().unwrap();
    writer.join().unwrap();
    output
}

/// Runs the command, which must fail with exit code 1 and one line of error, and gives that line.
fn refused(arguments: &[&str], input: &[u8]) -> String {
    let output = run(arguments, input);
    let error = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{arguments:?}: {error}");
    assert!(output.stdout.is_empty(), "{arguments:?}");
    assert_eq!(error.trim_end().lines().count(), 1, "{error}");
    assert!(error.starts_with("error: "), "{error}");
    error
}
