//! The part of the report of `wear` that the page shows. The file contains more data.

use serde::{Deserialize, Serialize};

/// The report of `wear`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct WearReport {
    /// The version of leaselab.
    pub leaselab: String,
    /// The assumptions behind the numbers.
    #[serde(default)]
    pub assumptions: Vec<String>,
    /// A row for each combination of build, router and script.
    pub rows: Vec<WearRow>,
}

impl WearReport {
    /// Returns the simulated time of the longest row, in seconds.
    pub(crate) fn seconds(&self) -> u64 {
        self.rows.iter().map(|row| row.wear.seconds).max().unwrap_or(0)
    }
}

/// The wear that one script causes on one router.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct WearRow {
    /// The name of the workload, or `None` for a household.
    #[serde(default)]
    pub workload: Option<String>,
    /// The build of dnsmasq, named after its clock: `good` or `broken`.
    pub rtc: String,
    /// The dialect.
    pub dialect: String,
    /// The chip.
    pub chip: String,
    /// The script.
    pub script: String,
    /// Erase cycles that a block endures.
    pub endurance: u32,
    /// Whether the leases ever exceeded the NVRAM.
    #[serde(default)]
    pub full: bool,
    /// Yearly rates.
    pub life: LifeEntry,
    /// Counts.
    pub wear: WearCounts,
}

/// Yearly rates, and the life of the flash.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct LifeEntry {
    /// Commits a year.
    pub commits: f64,
    /// Erases a year of the block with the most erases.
    pub erases: f64,
    /// Seconds a year during which a power cut loses all settings.
    pub fatal: f64,
    /// Years until the block with the most erases reaches its rating, or `None` if nothing is erased.
    pub years: Option<f64>,
}

/// Counts over the simulated time.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct WearCounts {
    /// Simulated seconds.
    pub seconds: u64,
    /// Erases of each block.
    pub erases: Vec<u64>,
    /// Erases in each of several equal parts of the time.
    #[serde(default)]
    pub bins: Vec<u64>,
}
