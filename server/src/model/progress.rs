//! How a long step tells its progress, so that the store knows nothing of terminals.

use indicatif::{ProgressBar, ProgressStyle};
use std::io::IsTerminal;
use std::time::Duration;

/// Listens to a long step.
pub trait Progress {
    /// A step begins; `total` is its size in bytes, where it is known.
    fn begin(&mut self, step: &str, total: Option<u64>);
    /// So many bytes of the step are done.
    fn at(&mut self, bytes: u64);
    /// Something a person should know.
    fn note(&mut self, line: &str);
    /// All steps are over, well or not.
    fn end(&mut self);
}

/// Says nothing.
#[derive(Debug, Default)]
pub struct Silent;

impl Progress for Silent {
    fn begin(&mut self, _step: &str, _total: Option<u64>) {}
    fn at(&mut self, _bytes: u64) {}
    fn note(&mut self, _line: &str) {}
    fn end(&mut self) {}
}

/// Speaks on standard error: a bar on a terminal, else one line a step, so that a log stays readable.
#[derive(Debug, Default)]
pub struct Terminal {
    bar: Option<ProgressBar>,
}

impl Terminal {
    /// Nothing is shown before the first step.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }
}

impl Progress for Terminal {
    fn begin(&mut self, step: &str, total: Option<u64>) {
        self.end();
        if !std::io::stderr().is_terminal() {
            anstream::eprintln!("{step}");
            return;
        }
        let bar = total.map_or_else(ProgressBar::new_spinner, ProgressBar::new);
        let template = if total.is_some() {
            "{msg}\n{wide_bar} {bytes} of {total_bytes}, {bytes_per_sec}, {eta} left"
        } else {
            "{msg}\n{spinner} {bytes}"
        };
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style);
        }
        bar.enable_steady_tick(Duration::from_millis(200));
        bar.set_message(step.to_owned());
        self.bar = Some(bar);
    }

    fn at(&mut self, bytes: u64) {
        if let Some(bar) = &self.bar {
            bar.set_position(bytes);
        }
    }

    fn note(&mut self, line: &str) {
        match &self.bar {
            Some(bar) => bar.suspend(|| anstream::eprintln!("{line}")),
            None => anstream::eprintln!("{line}"),
        }
    }

    fn end(&mut self) {
        if let Some(bar) = self.bar.take() {
            bar.finish_and_clear();
        }
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        self.end();
    }
}
