//! `core` for WebAssembly: what the browser's part is made of must compile for it.

use crate::Outcome;
use crate::report::Status;
use crate::tools::{cargo, find, may_install, need, run};
use std::path::{Path, PathBuf};
use std::process::Command;

const TARGET: &str = "wasm32-unknown-unknown";
/// Debian's compiler for the target, with the sources of its standard library.
const PACKAGES: [&str; 4] = ["rustc-web", "cargo-web", "libstd-rust-web-dev", "rust-web-src"];

pub(crate) fn step() -> Result<Status, String> {
    check(&["--package", "bonafide-core"])?;
    Ok(Status::Passed)
}

/// `cargo check` for the target, in the way that works on this machine.
fn check(arguments: &[&str]) -> Outcome {
    if standard_library().is_some_and(|folder| folder.is_dir()) {
        eprintln!("with the target of this toolchain");
        return run(cargo().args(["check", "--locked", "--target", TARGET]).args(arguments));
    }
    // A build container may not reach rustup's servers, but has packages; elsewhere rustup is the usual way.
    if may_install() {
        for package in PACKAGES {
            need_package(package)?;
        }
        need(&["wasm-ld"], "lld")?;
        eprintln!("with Debian's compiler, whose standard library is built from its sources");
        return run(Command::new("/usr/bin/cargo")
            .args(["check", "--locked", "-Zbuild-std=std,panic_abort", "--target", TARGET, "--target-dir"])
            .arg("target/wasm")
            .args(arguments)
            .env("RUSTC", "/usr/bin/rustc")
            .env("RUSTC_BOOTSTRAP", "1")
            .env("CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER", "wasm-ld"));
    }
    let hint = format!("the target {TARGET} is missing: install it with `rustup target add {TARGET}`");
    let rustup = find(&["rustup"]).ok_or(hint.clone())?;
    run(Command::new(rustup).args(["target", "add", TARGET])).map_err(|_| hint)?;
    run(cargo().args(["check", "--locked", "--target", TARGET]).args(arguments))
}

/// Where the toolchain has the target's standard library, if it has it.
fn standard_library() -> Option<PathBuf> {
    let output = Command::new("rustc").args(["--print", "sysroot"]).output().ok()?;
    let sysroot = String::from_utf8(output.stdout).ok()?;
    Some(Path::new(sysroot.trim()).join("lib/rustlib").join(TARGET))
}

/// By its own name, for its programs carry the names of every other toolchain's.
fn need_package(package: &str) -> Outcome {
    let installed =
        Command::new("dpkg-query").args(["--show", "--showformat=${db:Status-Status}", package]).output();
    if installed.is_ok_and(|output| output.stdout == b"installed") {
        return Ok(());
    }
    crate::tools::install(package)
}
