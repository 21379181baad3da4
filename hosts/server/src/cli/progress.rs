//! Says on a terminal that something takes its time. Nothing elsewhere.

use std::io::{self, IsTerminal as _};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

const FRAME: Duration = Duration::from_millis(100);

/// A spinner on stderr, gone when it is dropped.
pub(super) struct Progress {
    spinner: Option<ProgressBar>,
}

impl Progress {
    pub fn start(what: &'static str) -> Self {
        let spinner = io::stderr().is_terminal().then(|| {
            let spinner = ProgressBar::new_spinner().with_message(what);
            if let Ok(style) = ProgressStyle::with_template("{spinner} {msg} [{elapsed}] {pos}") {
                spinner.set_style(style);
            }
            spinner.enable_steady_tick(FRAME);
            spinner
        });
        Self { spinner }
    }

    /// One more is done.
    pub fn advance(&self) {
        if let Some(spinner) = &self.spinner {
            spinner.inc(1);
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if let Some(spinner) = &self.spinner {
            spinner.finish_and_clear();
        }
    }
}
