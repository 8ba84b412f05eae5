//! From a clone to a running daemon.

use crate::Outcome;
use crate::extension;
use crate::tools::{self, bonafide, cargo};

pub(crate) fn run(arguments: &[&str]) -> Outcome {
    let arguments = arguments.strip_prefix(&["--"]).unwrap_or(arguments);
    eprintln!("Building (the first time takes some minutes)");
    tools::run(cargo().args(["build", "--release", "--package", "bonafide"]))?;
    eprintln!("Building the browser extension");
    extension::build_if_possible();
    eprintln!("Making sure of the default model");
    tools::run(bonafide(true).args(["model", "pull", "smollm2-135m"]))?;
    eprintln!("Starting the daemon; Ctrl-C stops it");
    replace(bonafide(true).arg("serve").args(arguments))
}

/// On Unix the daemon takes this process's place (cargo does the same in turn), so that a signal to it reaches
/// the daemon itself.
#[cfg(unix)]
fn replace(command: &mut std::process::Command) -> Outcome {
    use std::os::unix::process::CommandExt;
    Err(format!("the daemon can't be started: {}", command.exec()))
}

#[cfg(not(unix))]
fn replace(command: &mut std::process::Command) -> Outcome {
    tools::run(command)
}
