//! The progress bar of a count.

use std::io::IsTerminal as _;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// A progress bar, shown only where stderr is a terminal.
pub(super) struct Progress(ProgressBar);

impl Progress {
    /// A bar of unknown length.
    pub(super) fn new() -> Self {
        let target = if std::io::stderr().is_terminal() {
            ProgressDrawTarget::stderr()
        } else {
            ProgressDrawTarget::hidden()
        };
        let bar = ProgressBar::with_draw_target(None, target);
        if let Ok(style) = ProgressStyle::with_template("{bar:30} {pos}/{len} rows  {elapsed}") {
            bar.set_style(style);
        }
        // The bar redraws itself while a long row is counted.
        bar.enable_steady_tick(Duration::from_millis(200));
        Self(bar)
    }

    /// Counts one more of `all` rows as done.
    pub(super) fn advance(&self, all: usize) {
        self.0.set_length(all as u64);
        self.0.inc(1);
    }

    /// Removes the bar.
    pub(super) fn finish(&self) {
        self.0.finish_and_clear();
    }
}
