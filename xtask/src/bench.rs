//! Speed, always of a release build.

use crate::Outcome;
use crate::tools::{bonafide, cargo, run};

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
