//! Counts as years.

use serde::Serialize;

use super::household::YEAR;
use super::tally::Wear;

/// What counts mean for a flash.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Life {
    /// Script calls a year.
    pub calls: f64,
    /// Those of them that fail, for want of room.
    pub failed: f64,
    /// `nvram` commands a year.
    pub commands: f64,
    /// Commits a year.
    pub commits: f64,
    /// Erases of the busiest block a year.
    pub erases: f64,
    /// Bytes programmed a year.
    pub programmed: f64,
    /// Bytes programmed for each byte that had to change.
    pub amplification: f64,
    /// Seconds a year spent erasing and programming.
    pub busy: f64,
    /// Seconds a year in which a power cut takes all settings along.
    pub fatal: f64,
    /// Years until the busiest block has been erased as often as it is rated for; none: it never is.
    pub years: Option<f64>,
}

impl Life {
    /// Counts as a rate, on blocks rated for `endurance` erases, when they come again after `every` seconds.
    pub fn of(wear: &Wear, endurance: u32, every: u64) -> Self {
        let yearly = |count: u64| count as f64 * YEAR as f64 / every.max(1) as f64;
        let erases = yearly(wear.busiest());
        Self {
            calls: yearly(wear.calls),
            failed: yearly(wear.failed),
            commands: yearly(wear.commands),
            commits: yearly(wear.commits),
            erases,
            programmed: yearly(wear.programmed),
            amplification: wear.amplification(),
            busy: yearly(wear.erasing + wear.programming) / 1e6,
            fatal: yearly(wear.fatal) / 1e6,
            years: (wear.busiest() > 0).then(|| f64::from(endurance) / erases),
        }
    }

    /// Configurations lost a year, where power goes `cuts` times a year at any moment.
    pub fn losses(&self, cuts: u32) -> f64 {
        f64::from(cuts) * self.fatal / YEAR as f64
    }
}
