//! Counts as yearly rates, and the life of the flash.

use serde::Serialize;

use super::durations::YEAR;
use super::wear_counts::WearCounts;

/// Counts as yearly rates, and the life of the flash.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct YearlyWear {
    /// Script calls a year.
    pub calls: f64,
    /// Script calls that fail for lack of space, a year.
    pub failed: f64,
    /// `nvram` commands a year.
    pub commands: f64,
    /// Commits a year.
    pub commits: f64,
    /// Erases a year of the block with the most erases.
    pub erases: f64,
    /// Bytes programmed a year.
    pub programmed: f64,
    /// Bytes programmed for each byte of a variable that was added, changed or removed.
    pub amplification: f64,
    /// Seconds a year spent erasing and programming.
    pub busy: f64,
    /// Seconds a year during which a power cut loses all settings.
    pub fatal: f64,
    /// Years until the block with the most erases reaches its rating, or `None` if nothing is erased.
    pub years: Option<f64>,
}

impl YearlyWear {
    /// Computes the yearly rates of counts that repeat every `every` seconds, on blocks that endure `endurance` erases.
    pub fn of(wear: &WearCounts, endurance: u32, every: u64) -> Self {
        let yearly = |count: u64| count as f64 * YEAR as f64 / every.max(1) as f64;
        let erases = yearly(wear.max_erases());
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
            years: (wear.max_erases() > 0).then(|| f64::from(endurance) / erases),
        }
    }
}

/// Formats a lifetime, such as `12.3 y`, `41 days` or `for ever`.
pub(super) fn format_years(years: Option<f64>) -> String {
    match years {
        None => "for ever".to_owned(),
        Some(years) if years >= 10_000.0 => "> 10000 y".to_owned(),
        Some(years) if years >= 100.0 => format!("{years:.0} y"),
        Some(years) if years >= 1.0 => format!("{years:.1} y"),
        Some(years) => format!("{:.0} days", years * 365.0),
    }
}
