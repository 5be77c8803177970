//! The report of `crash`.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::failure::{Failure, Severity};

/// The report of `crash`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct CrashReport {
    /// The version of leaselab.
    pub leaselab: String,
    /// The script under test, if the command line named one.
    #[serde(default)]
    pub script: Option<String>,
    /// Points at which power was cut or a process was killed.
    pub points: u64,
    /// Points with distinct states of the router.
    pub distinct: u64,
    /// States that were judged.
    pub checked: u64,
    /// Flash images that were loaded.
    pub images: u64,
    /// States in which everything was kept.
    pub kept: u64,
    /// States in which something was lost, which is unavoidable with this store.
    pub lost: u64,
    /// States that have only findings of severity advice or risk, or that the options allow.
    #[serde(default)]
    pub allowed: u64,
    /// Broken states that the scenario expects.
    pub declared: u64,
    /// Broken states that the scenario does not expect.
    pub broken: u64,
    /// Counts by kind of point.
    pub coverage: BTreeMap<String, Count>,
    /// Examples of broken and allowed states.
    pub breaches: Vec<Breach>,
    /// Broken and allowed states, and findings that occurred without a fault. Equal findings are combined.
    #[serde(default)]
    pub failures: Vec<Failure>,
    /// Unexpected results of programs that rewrite their lease database.
    #[serde(default)]
    pub faults: Vec<CaseText>,
    /// Cases that request something that cannot be done.
    #[serde(default)]
    pub invalid: Vec<CaseText>,
    /// Number of commits.
    pub commits: u64,
    /// Simulated seconds during which a power cut loses everything.
    pub fatal_window_seconds: f64,
    /// Simulated seconds.
    pub simulated_seconds: f64,
    /// Processor time, in seconds.
    pub processor_seconds: f64,
}

/// Counts of one kind of point.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Count {
    /// Points.
    pub points: u64,
    /// Points with distinct states of the router.
    pub distinct: u64,
}

/// A broken state.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Breach {
    /// The invariant.
    pub invariant: String,
    /// How serious it is.
    #[serde(default = "worst")]
    pub severity: Severity,
    /// The name of the group to which it belongs.
    #[serde(default)]
    pub group: String,
    /// The number of the step, starting at 1.
    pub step: usize,
    /// The difference that was found.
    pub text: String,
    /// The number of states in which it was found.
    #[serde(default)]
    pub count: u64,
    /// The reproduction id.
    pub id: String,
    /// The command that replays the state.
    #[serde(default)]
    pub replay: String,
}

/// Returns the severity of breaches in older reports, which do not contain it.
fn worst() -> Severity {
    Severity::Bug
}

/// A text about a case.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CaseText {
    /// The name of the case.
    pub case: String,
    /// The text.
    pub text: String,
}
