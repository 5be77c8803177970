//! How long the store is without a valid copy of its contents.

use std::time::Duration;

/// Seconds in a year.
const YEAR: f64 = 365.0 * 86_400.0;

/// How long the flash has no valid copy of the store during an undisturbed run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct VulnerabilityWindow {
    /// Number of `nvram` commands with flash operations.
    pub commits: u64,
    /// Duration of their flash operations on this chip.
    pub open: Duration,
    /// Simulated time from the beginning to the end of the scenario.
    pub simulated: Duration,
}

impl VulnerabilityWindow {
    /// Seconds per commit; `None` without commits.
    pub fn per_commit(&self) -> Option<f64> {
        (self.commits > 0).then(|| self.open.as_secs_f64() / self.commits as f64)
    }

    /// Seconds per year, extrapolated from the scenario's simulated time; `None` if no time passes in it.
    pub fn per_year(&self) -> Option<f64> {
        let simulated = self.simulated.as_secs_f64();
        (simulated > 0.0).then(|| self.open.as_secs_f64() * YEAR / simulated)
    }
}
