//! `cargo xtask wasm`: the browser's part of core, from Rust to `extension/generated`.

use crate::Outcome;
use crate::extension::packages;
use crate::report::Status;
use crate::tools::{cargo, find, may_install, need, root, run, tool};
use std::path::PathBuf;
use std::process::Command;

const TARGET: &str = "wasm32-unknown-unknown";
/// Debian's compiler for the target, with the sources of its standard library.
const PACKAGES: [&str; 4] = ["rustc-web", "cargo-web", "libstd-rust-web-dev", "rust-web-src"];

/// Where the bindings go; the extension's code imports them from there.
pub(crate) const GENERATED: &str = "extension/generated";
/// The data of the scam engine, beside the module: only who opens a chat loads them.
const SCAM: &str = "bonafide_scam.bin";
/// What module and bindings may have together under gzip.
const LIMIT: &str = "450000";
/// What the data may have.
const SCAM_LIMIT: &str = "450000";

/// What the browsers that the manifest asks for can all do; anything else in the module fails here and not there.
const FEATURES: [&str; 9] = [
    "--mvp-features",
    "--enable-bulk-memory",
    "--enable-bulk-memory-opt",
    "--enable-multivalue",
    "--enable-mutable-globals",
    "--enable-nontrapping-float-to-int",
    "--enable-reference-types",
    "--enable-sign-ext",
    "--enable-simd",
];

pub(crate) fn step() -> Result<Status, String> {
    build()?;
    Ok(Status::Passed)
}

/// Compiles, makes the bindings, makes the module small, and holds it to its size; then the same with the data beside it.
pub(crate) fn build() -> Outcome {
    let compiled = compile()?;
    let generated = root().join(GENERATED);
    if generated.is_dir() {
        std::fs::remove_dir_all(&generated).map_err(|error| format!("{GENERATED}: {error}"))?;
    }
    run(tool().arg("bindings").arg(&compiled).arg(GENERATED))?;
    let folder = packages()?;
    let module = "generated/bonafide_wasm_bg.wasm";
    run(Command::new(need(&["npm"], "npm")?)
        .args(["exec", "--no", "--", "wasm-opt", "-Oz"])
        .args(FEATURES)
        .args(["--strip-debug", "--strip-producers", "--strip-target-features", "--output", module, module])
        .current_dir(folder))?;
    let files = ["bonafide_wasm_bg.wasm", "bonafide_wasm.js"].map(|name| format!("{GENERATED}/{name}"));
    run(tool().args(["size", LIMIT]).args(files))?;
    let data = format!("{GENERATED}/{SCAM}");
    run(tool().args(["scam", &data]))?;
    run(tool().args(["size", SCAM_LIMIT, &data]))
}

/// Whether all of it is there, of whatever age.
pub(crate) fn is_built() -> bool {
    let generated = root().join(GENERATED);
    ["bonafide_wasm_bg.wasm", SCAM].iter().all(|name| generated.join(name).is_file())
}

/// The module as the compiler makes it, in the way that works on this machine.
fn compile() -> Result<PathBuf, String> {
    if library_of("rustc").is_none_or(|folder| !folder.is_dir()) {
        // A build container may not reach rustup's servers, but has packages; elsewhere rustup is the usual way.
        if may_install() {
            for package in PACKAGES {
                need_package(package)?;
            }
            need(&["wasm-ld"], "lld")?;
            eprintln!("with Debian's compiler, whose standard library is built from its sources");
            let mut debian = Command::new("/usr/bin/cargo");
            debian
                .env("RUSTC", "/usr/bin/rustc")
                .env("RUSTC_BOOTSTRAP", "1")
                .env("CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER", "wasm-ld");
            let library = ["-Zbuild-std=std,panic_abort", "-Zbuild-std-features=optimize_for_size"];
            return cargo_build(debian, &library, "/usr/bin/rustc");
        }
        let hint = format!("the target {TARGET} is missing: install it with `rustup target add {TARGET}`");
        let rustup = find(&["rustup"]).ok_or(hint.clone())?;
        run(Command::new(rustup).args(["target", "add", TARGET])).map_err(|_| hint)?;
    }
    eprintln!("with the target of this toolchain");
    cargo_build(cargo(), &[], "rustc")
}

fn cargo_build(mut cargo: Command, options: &[&str], rustc: &str) -> Result<PathBuf, String> {
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), PathBuf::from);
    let target = target.join("wasm");
    run(cargo
        .args(["build", "--locked", "--package", "bonafide-wasm", "--profile", "wasm"])
        .args(["--target", TARGET, "--target-dir"])
        .arg(&target)
        .args(options)
        .env("CARGO_ENCODED_RUSTFLAGS", remaps(rustc).join("\u{1f}")))?;
    Ok(target.join(TARGET).join("wasm/bonafide_wasm.wasm"))
}

/// Names in place of this machine's folders, so that the module is the same wherever it is built.
fn remaps(rustc: &str) -> Vec<String> {
    let mut folders = vec![(root(), "/bonafide".to_owned())];
    let home = std::env::var_os("CARGO_HOME").map(PathBuf::from);
    let home = home.or_else(|| Some(std::env::home_dir()?.join(".cargo")));
    // A folder for each registry, or mirror of one.
    let registries = home.and_then(|home| std::fs::read_dir(home.join("registry/src")).ok());
    folders
        .extend(registries.into_iter().flatten().flatten().map(|entry| (entry.path(), "/crates".to_owned())));
    let sources = sysroot(rustc).map(|sysroot| sysroot.join("lib/rustlib/src/rust"));
    folders.extend(sources.map(|sources| (sources, "/rust".to_owned())));
    folders.iter().map(|(from, to)| format!("--remap-path-prefix={}={to}", from.display())).collect()
}

fn sysroot(rustc: &str) -> Option<PathBuf> {
    let output = Command::new(rustc).args(["--print", "sysroot"]).output().ok()?;
    Some(PathBuf::from(String::from_utf8(output.stdout).ok()?.trim()))
}

/// Where a toolchain has the target's standard library, if it has it.
fn library_of(rustc: &str) -> Option<PathBuf> {
    Some(sysroot(rustc)?.join("lib/rustlib").join(TARGET))
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
