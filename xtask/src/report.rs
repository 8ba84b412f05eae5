//! Says what runs, for how long it ran and, at the end, what came of it all.

use crate::Outcome;
use std::fmt;
use std::time::{Duration, Instant};

/// What came of a step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Status {
    /// It passed.
    Passed,
    /// It passed as far as it could be run here; the text says what was not.
    Partly(String),
    /// It failed; the text says why.
    Failed(String),
}

/// The steps so far.
#[derive(Debug, Default)]
pub(crate) struct Report {
    steps: Vec<(String, Duration, Status)>,
}

impl Report {
    /// Runs a step. A failure does not end the run: one run should show all that is wrong.
    pub(crate) fn step(&mut self, name: &str, what: &str, run: impl FnOnce() -> Result<Status, String>) {
        eprintln!("\n== {name}: {what}");
        let start = Instant::now();
        let status = run().unwrap_or_else(Status::Failed);
        let time = start.elapsed();
        eprintln!("== {name}: {} ({:.1} s)", Line(&status), time.as_secs_f64());
        self.steps.push((name.to_owned(), time, status));
    }

    /// Prints the summary; an error if a step failed.
    pub(crate) fn finish(self) -> Outcome {
        let width = self.steps.iter().map(|(name, ..)| name.len()).max().unwrap_or(0);
        let total: Duration = self.steps.iter().map(|(_, time, _)| *time).sum();
        eprintln!("\n== summary");
        for (name, time, status) in &self.steps {
            eprintln!("{name:width$}  {:>7.1} s  {}", time.as_secs_f64(), Line(status));
        }
        eprintln!("{:width$}  {:>7.1} s", "all", total.as_secs_f64());
        let failed: Vec<_> = self
            .steps
            .iter()
            .filter(|(_, _, status)| matches!(status, Status::Failed(_)))
            .map(|(name, ..)| name.as_str())
            .collect();
        if failed.is_empty() { Ok(()) } else { Err(format!("failed: {}", failed.join(", "))) }
    }
}

struct Line<'a>(&'a Status);

impl fmt::Display for Line<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Status::Passed => f.write_str("passed"),
            Status::Partly(what) => write!(f, "passed, but {what}"),
            Status::Failed(why) => write!(f, "FAILED: {why}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_failed_step_fails_the_run_and_is_named() {
        let mut report = Report::default();
        report.step("one", "passes", || Ok(Status::Passed));
        report.step("two", "fails", || Err("it is broken".to_owned()));
        report.step("three", "can't run in full", || Ok(Status::Partly("half was not run".to_owned())));
        assert_eq!(report.steps.len(), 3, "a failure does not end the run");
        assert_eq!(report.finish(), Err("failed: two".to_owned()));
    }

    #[test]
    fn a_run_without_failures_passes() {
        let mut report = Report::default();
        report.step("one", "passes", || Ok(Status::Passed));
        report.step("two", "can't run in full", || Ok(Status::Partly("half was not run".to_owned())));
        assert_eq!(report.finish(), Ok(()));
    }
}
