//! Speed, always of a release build.

use crate::tools::{bonafide, cargo, need, root, run};
use crate::{Outcome, extension, llama as versus, wasm, web};
use std::process::Command;

/// `bonafide bench`.
pub(crate) fn own(arguments: &[&str]) -> Outcome {
    run(bonafide(true).arg("bench").args(arguments))
}

/// Side by side with candle-transformers, which only this comparison builds.
pub(crate) fn candle(arguments: &[&str]) -> Outcome {
    run(cargo()
        .args([
            "run",
            "--release",
            "--package",
            "bonafide-tests",
            "--features",
            "compare",
            "--bin",
            "compare",
            "--",
        ])
        .args(arguments))
}

/// Side by side with llama.cpp, which is built for this machine.
pub(crate) fn llama(arguments: &[&str]) -> Outcome {
    versus::bench(arguments)
}

/// Signatures, with criterion.
pub(crate) fn signatures() -> Outcome {
    run(cargo().args(["bench", "--locked", "--package", "bonafide-core", "--bench", "signature"]))
}

/// Watermarks: the reference's texts, false alarms, power, and speed beside the reference library.
pub(crate) fn watermarks(arguments: &[&str]) -> Outcome {
    let mut command = cargo();
    command
        .args(["run", "--release", "--package", "bonafide-tests", "--bin", "watermarks", "--"])
        .args(arguments);
    if arguments.is_empty() || arguments.contains(&"speed") {
        let folder = root().join("target/reference");
        let python = need(&["python3"], "python3-pip")?;
        eprintln!(
            "PyTorch and transformers are pulled into target/reference, once: several gigabytes on Linux"
        );
        run(Command::new(&python)
            .args(["-m", "pip", "install", "--quiet", "--upgrade", "--target"])
            .arg(&folder)
            .args(["--requirement", "tests/watermark/requirements.txt"])
            .env("PIP_ROOT_USER_ACTION", "ignore"))?;
        command.env("BONAFIDE_REFERENCE_PYTHON", python).env("PYTHONPATH", folder);
    }
    run(&mut command)
}

/// What the extension costs a page, in a real browser.
pub(crate) fn page(arguments: &[&str]) -> Outcome {
    extension::build()?;
    web::step()?;
    run(cargo()
        .args(["run", "--release", "--package", "bonafide-tests", "--bin", "page", "--"])
        .args(arguments))
}

/// What one more turn of a chat costs in WebAssembly, in a real browser.
pub(crate) fn scam(arguments: &[&str]) -> Outcome {
    wasm::build()?;
    web::step()?;
    let node = need(&["node"], "nodejs")?;
    run(Command::new(node).arg("benchscam.mjs").args(arguments).current_dir(root().join("tests/browser")))
}
