//! The result of a check.

use std::time::Duration;

use super::flash_life::LifeEstimate;
use super::group_result::GroupResult;
use explore::crash::Report;

/// The result of a check.
#[derive(Clone, Debug)]
pub struct CheckResult {
    /// The script, as it was named.
    pub script: String,
    /// The shell that was named, if any.
    pub shell: Option<String>,
    /// The dialect of the `nvram` tool.
    pub dialect: String,
    /// The groups, in the order of the page.
    pub groups: Vec<GroupResult>,
    /// Number of cases that were played.
    pub cases: usize,
    /// Number of script calls in these cases.
    pub calls: u64,
    /// Power cuts and kills.
    pub cuts: Report,
    /// How long the flash lives.
    pub life: LifeEstimate,
    /// Why the check ended early.
    pub ended_early: Option<String>,
    /// Real time.
    pub took: Duration,
}
