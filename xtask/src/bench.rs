//! Speed, always of a release build.

use crate::tools::{bonafide, cargo, run};
use crate::{Outcome, llama as versus};

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
