//! All that a change must pass, in one command.

use crate::Outcome;
use crate::report::{Report, Status};
use crate::tools::{bonafide, cargo, run as call};
use crate::{check, deny, extension, peers, wasm, web};

type Run = fn(&Options) -> Result<Status, String>;

/// Name, what it does, how. The cheap ones first; the tests last, so that their closing lines stand near the
/// end of the log.
const STEPS: &[(&str, &str, Run)] = &[
    ("fetch", "the crates of Cargo.lock", |_| passed(call(cargo().args(["fetch", "--locked"])))),
    ("fmt", "formatting", |_| passed(call(cargo().args(["fmt", "--all", "--check"])))),
    ("check", "invariants of ARCHITECTURE.md", |_| passed(check::run())),
    ("deny", "licences, sources and advisories of all crates", |_| deny::step()),
    ("clippy", "lints, warnings as errors", |_| passed(clippy())),
    ("wasm", "core for the browser, and its size", |_| wasm::step()),
    ("extension", "types, both browsers' builds, twice the same bytes, Firefox's linter", |_| {
        extension::step()
    }),
    ("web", "packages, types and browser for the browser tests", |_| web::step()),
    ("peers", "other software that signatures are tried with", |_| peers::step()),
    ("model", "the models that tests use", model),
    ("test", "unit, integration, HTTP and browser tests", |_| passed(tests())),
];

pub(crate) fn run(arguments: &[&str]) -> Outcome {
    let options = Options::parse(arguments)?;
    if options.list {
        for (name, what, _) in STEPS {
            eprintln!("{name:9} {what}");
        }
        return Ok(());
    }
    let mut report = Report::default();
    for (name, what, run) in STEPS.iter().filter(|(name, ..)| options.wants(name)) {
        report.step(name, what, || run(&options));
    }
    report.finish()
}

fn passed(outcome: Outcome) -> Result<Status, String> {
    outcome.map(|()| Status::Passed)
}

/// With the features of the comparisons, whose code no test builds.
fn clippy() -> Outcome {
    call(
        cargo()
            .args([
                "clippy",
                "--locked",
                "--workspace",
                "--all-targets",
                "--features",
                "bonafide-tests/compare,bonafide-tests/versus-llama,bonafide/cuda",
            ])
            .args(["--", "-D", "warnings"]),
    )
}

/// Pulled once beforehand: a failure here is about the network and would look like one of many tests there.
fn model(options: &Options) -> Result<Status, String> {
    call(bonafide(false).args(["model", "pull", "smollm2-135m"]))?;
    if options.accept_gemma_terms {
        call(bonafide(false).args(["model", "pull", "gemma3-270m", "--accept-terms"]))?;
        return Ok(Status::Passed);
    }
    Ok(Status::Partly(
        "gemma3-270m was not pulled, so its tests may be skipped (--accept-gemma-terms)".to_owned(),
    ))
}

/// Builds without CUDA, and its host code and kernels are tested without a GPU.
const CUDA: &str = "bonafide-kernels/cuda";

/// `cargo test` and not nextest: the tests of one binary share a loaded model, which a process for each test
/// would load anew.
fn tests() -> Outcome {
    call(cargo().args(["test", "--locked", "--workspace", "--no-fail-fast", "--features", CUDA]))
}

#[derive(Debug, Default, PartialEq, Eq)]
struct Options {
    list: bool,
    accept_gemma_terms: bool,
    only: Vec<String>,
    skip: Vec<String>,
}

impl Options {
    fn parse(arguments: &[&str]) -> Result<Self, String> {
        let mut options = Self::default();
        let mut rest = arguments.iter();
        while let Some(&argument) = rest.next() {
            let steps = match argument {
                "--list" => {
                    options.list = true;
                    continue;
                }
                "--accept-gemma-terms" => {
                    options.accept_gemma_terms = true;
                    continue;
                }
                "--only" => &mut options.only,
                "--skip" => &mut options.skip,
                _ => return Err(format!("`test` has no option {argument:?}; see cargo xtask help")),
            };
            let step = rest.next().ok_or_else(|| format!("{argument} wants the name of a step"))?;
            if !STEPS.iter().any(|(name, ..)| name == step) {
                return Err(format!("there is no step {step:?}; see cargo xtask test --list"));
            }
            steps.push((*step).to_owned());
        }
        Ok(options)
    }

    fn wants(&self, step: &str) -> bool {
        let named = |steps: &[String]| steps.iter().any(|name| name == step);
        (self.only.is_empty() || named(&self.only)) && !named(&self.skip)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn steps_are_chosen_by_name() {
        let all = Options::parse(&[]).unwrap();
        assert!(STEPS.iter().all(|(name, ..)| all.wants(name)));
        let some = Options::parse(&["--only", "fmt", "--only", "test", "--skip", "test"]).unwrap();
        assert!(some.wants("fmt") && !some.wants("test") && !some.wants("clippy"));
    }

    #[test]
    fn wrong_options_are_refused() {
        for wrong in [&["--only"][..], &["--only", "nothing"], &["fmt"], &["--skip", "--list"]] {
            assert!(Options::parse(wrong).is_err(), "{wrong:?}");
        }
    }
}
