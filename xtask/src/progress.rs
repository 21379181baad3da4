//! Says what runs and for how long: a spinner on a terminal, plain lines elsewhere.

use std::cell::Cell;
use std::io::IsTerminal;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use indicatif::{ProgressBar, ProgressStyle};

const FRAME: Duration = Duration::from_millis(100);
/// Between two signs of life where there is no spinner.
const SIGN_OF_LIFE: Duration = Duration::from_secs(30);

/// Runs one step; its error says which step it was.
pub(crate) fn step<T>(what: &str, run: impl FnOnce(&Step) -> Result<T>) -> Result<T> {
    let step = Step::start(what);
    let result = run(&step);
    step.end(if result.is_ok() { "ok" } else { "failed" });
    result.with_context(|| what.to_owned())
}

/// A step that runs.
pub(crate) struct Step {
    what: String,
    started: Instant,
    spinner: Option<ProgressBar>,
    last_sign: Cell<Instant>,
}

impl Step {
    fn start(what: &str) -> Self {
        let now = Instant::now();
        let spinner = if std::io::stderr().is_terminal() {
            Some(spinner(what))
        } else {
            eprintln!("{what} ...");
            None
        };
        Self { what: what.to_owned(), started: now, spinner, last_sign: Cell::new(now) }
    }

    /// Shows what the step does at the moment.
    pub(crate) fn detail(&self, detail: &str) {
        if let Some(spinner) = &self.spinner {
            spinner.set_message(detail.to_owned());
        } else if self.last_sign.get().elapsed() >= SIGN_OF_LIFE {
            self.last_sign.set(Instant::now());
            eprintln!("{}: {:.0} s, {detail}", self.what, self.started.elapsed().as_secs_f64());
        }
    }

    fn end(self, outcome: &str) {
        if let Some(spinner) = self.spinner {
            spinner.finish_and_clear();
        }
        eprintln!("{}: {outcome} ({:.1} s)", self.what, self.started.elapsed().as_secs_f64());
    }
}

fn spinner(what: &str) -> ProgressBar {
    let spinner = ProgressBar::new_spinner().with_prefix(what.to_owned());
    if let Ok(style) = ProgressStyle::with_template("{spinner} {prefix} [{elapsed}] {wide_msg:.dim}") {
        spinner.set_style(style);
    }
    spinner.enable_steady_tick(FRAME);
    spinner
}
