//! Programs that the steps call, and how they come here where they are missing.

use crate::Outcome;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The project's folder, wherever `cargo xtask` was called.
pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap_or(Path::new(".")).to_owned()
}

/// The cargo that runs us.
pub(crate) fn cargo() -> Command {
    Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
}

/// `cargo run` of the project's own binary, up to its arguments.
pub(crate) fn bonafide(release: bool) -> Command {
    let mut command = cargo();
    command.args(["run", "--quiet", "--package", "bonafide", "--bin", "bonafide"]);
    if release {
        command.arg("--release");
    }
    command.arg("--");
    command
}

/// `cargo run` of the steps that need crates of their own, up to its arguments.
pub(crate) fn tool() -> Command {
    let mut command = cargo();
    command.args(["run", "--quiet", "--locked", "--package", "bonafide-bindgen", "--"]);
    command
}

/// Runs a command in sight and fails if it does.
pub(crate) fn run(command: &mut Command) -> Outcome {
    let line = line_of(command);
    eprintln!("$ {line}");
    match command.status() {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(format!("`{line}` ended with {status}")),
        Err(error) => Err(format!("`{line}` can't be run: {error}")),
    }
}

fn line_of(command: &Command) -> String {
    let program = Path::new(command.get_program()).file_name().unwrap_or_default();
    let words = std::iter::once(program).chain(command.get_args());
    words.map(|word| word.to_string_lossy()).collect::<Vec<_>>().join(" ")
}

/// The first of these programs that stands in `PATH`.
pub(crate) fn find(names: &[&str]) -> Option<PathBuf> {
    let folders = std::env::var_os("PATH")?;
    names.iter().find_map(|name| {
        std::env::split_paths(&folders)
            .map(|folder| folder.join(name).with_extension(std::env::consts::EXE_EXTENSION))
            .find(|path| path.is_file())
    })
}

/// Makes sure that one of these programs is there. Packages are installed only where that needs no question:
/// by root on a system with apt, which is what a build container is.
pub(crate) fn need(names: &[&str], package: &str) -> Result<PathBuf, String> {
    if let Some(path) = find(names) {
        return Ok(path);
    }
    if may_install() {
        install(package)?;
        if let Some(path) = find(names) {
            return Ok(path);
        }
    }
    Err(format!("{} is missing: install it, for example with: apt-get install {package}", names[0]))
}

/// Installs a package, where [`may_install`] says that this needs no question.
pub(crate) fn install(package: &str) -> Outcome {
    run(Command::new("apt-get").args(["update", "-qq"]))?;
    run(Command::new("apt-get")
        .args(["install", "-y", "-qq", "--no-install-recommends", package])
        .env("DEBIAN_FRONTEND", "noninteractive"))
}

/// Whether packages can be installed without asking anybody.
pub(crate) fn may_install() -> bool {
    let root = Command::new("id").arg("-u").output().is_ok_and(|output| output.stdout.trim_ascii() == b"0");
    root && find(&["apt-get"]).is_some()
}
