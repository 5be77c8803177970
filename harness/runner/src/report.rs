//! The report of one case.

use std::time::Duration;

use nvram_emu::Machine;

use super::findings::Finding;
use super::tally::Tally;
use scenario::Case;

/// How a case ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Every invariant and every expectation held.
    Passed,
    /// At least one finding is a failure.
    Failed,
    /// The case cannot be run with these options; the text says why.
    Skipped(String),
}

/// The result of a case.
#[derive(Clone, Debug)]
pub struct CaseReport {
    /// The file's name, with the values of its parameters.
    pub name: String,
    /// How it ended.
    pub verdict: Verdict,
    /// The findings that the scenario does not expect.
    pub failures: Vec<Finding>,
    /// The findings that the scenario lists under `[[breaks]]`.
    pub expected_violations: Vec<Finding>,
    /// Script calls, `nvram` commands and flash operations of the whole case.
    pub total: Tally,
    /// One line for each script call, if the options ask for them.
    pub log: Vec<String>,
    /// Why the script ran without a private root, if it did.
    pub shared_root: Option<String>,
    /// The router at the end of a case that failed.
    pub machine: Option<Machine>,
    /// Wall-clock time.
    pub took: Duration,
}

/// The report of a case that has not run yet.
pub fn blank_report(case: &Case) -> CaseReport {
    CaseReport {
        name: case.name(),
        verdict: Verdict::Passed,
        failures: Vec::new(),
        expected_violations: Vec::new(),
        total: Tally::default(),
        log: Vec::new(),
        shared_root: None,
        machine: None,
        took: Duration::ZERO,
    }
}
