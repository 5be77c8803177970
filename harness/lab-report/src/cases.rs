//! The report of a command that runs cases.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::crash::CaseText;
use crate::event::Timeline;
use crate::failure::{Failure, Severity};

/// The report of `check`, `run`, `live` or `qemu run`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct CasesReport {
    /// The version of leaselab.
    pub leaselab: String,
    /// The script under test, if the command line named one.
    #[serde(default)]
    pub script: Option<String>,
    /// Number of cases that passed.
    pub passed: usize,
    /// Number of cases that failed, including the invalid ones.
    pub failed: usize,
    /// Number of cases in which the file requests something that cannot be done.
    pub invalid: usize,
    /// Number of cases that cannot be run with the chosen options.
    pub skipped: usize,
    /// A verdict for each group of properties.
    #[serde(default)]
    pub groups: Vec<GroupVerdict>,
    /// The answers to general questions about the script, one sentence each.
    #[serde(default)]
    pub answers: Vec<String>,
    /// The findings that the scenarios do not expect. Equal findings are combined.
    #[serde(default)]
    pub failures: Vec<Failure>,
    /// The cases, grouped by scenario.
    pub scenarios: Vec<Scenario>,
    /// Cases that do not apply to the script or the dialect on the command line, with the reason.
    #[serde(default)]
    pub left_out: Vec<CaseText>,
    /// The timelines of the failures' examples, by the name of the case.
    #[serde(default)]
    pub timelines: BTreeMap<String, Timeline>,
}

/// The verdict of one group.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct GroupVerdict {
    /// The name.
    pub group: String,
    /// The tested property, in words.
    pub title: String,
    /// The worst severity of its findings, or `None` if the property holds in every case.
    pub severity: Option<Severity>,
    /// Number of cases in which the property was tested.
    pub cases: usize,
    /// Number of cases with a finding of this group.
    pub failed: usize,
    /// For `leaselab check`: `ok`, `advice`, `risk`, `bug`, `hidden` or `n/a`.
    #[serde(default)]
    pub verdict: String,
    /// The reason why the verdict is `hidden` or `n/a`.
    #[serde(default)]
    pub why: Option<String>,
    /// The text of an example finding.
    #[serde(default)]
    pub example: Option<String>,
    /// For `leaselab check`: the ids of the failures that belong to the group.
    #[serde(default)]
    pub failures: Vec<String>,
    /// The command that reproduces the example.
    #[serde(default)]
    pub reproduction: Option<String>,
}

/// The cases of one scenario file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Scenario {
    /// The file.
    pub file: String,
    /// The title.
    pub title: String,
    /// The cases.
    pub cases: Vec<CaseEntry>,
}

/// The verdict of a case.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CaseVerdict {
    /// Every invariant and every expectation held.
    Passed,
    /// At least one finding is a failure.
    Failed,
    /// The file requests something that cannot be done.
    Invalid,
    /// The case cannot be run with the chosen options.
    Skipped,
}

impl CaseVerdict {
    /// Returns the name in reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::Passed => "passed",
            Self::Failed => "failed",
            Self::Invalid => "invalid",
            Self::Skipped => "skipped",
        }
    }
}

/// A case.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CaseEntry {
    /// The name.
    pub name: String,
    /// The parameters of the scenario's matrix, by name.
    #[serde(default)]
    pub parameters: BTreeMap<String, String>,
    /// The command that runs the case again, even after its scenario has changed.
    pub reproduction: String,
    /// The command that runs the case by its id. It fails if the scenario has changed.
    pub replay: String,
    /// The verdict.
    pub verdict: CaseVerdict,
    /// The reason why the case is invalid or was skipped.
    pub why: Option<String>,
    /// The findings that the scenario does not expect.
    pub failures: Vec<FindingEntry>,
    /// The findings that the scenario lists under `[[breaks]]`.
    pub foreseen: Vec<FindingEntry>,
    /// Wall-clock time, in seconds.
    pub seconds: f64,
    /// Script calls, `init` included.
    pub calls: u64,
    /// Script calls that did not exit with 0.
    pub failed_calls: u64,
    /// `nvram` commands of the script.
    pub nvram_commands: u64,
    /// `nvram commit` commands that wrote to the flash.
    pub commits: u64,
    /// Erases.
    pub erases: u64,
    /// Bytes programmed.
    pub bytes_programmed: u64,
    /// The script calls, if `--verbose` or `--keep` was given.
    pub log: Vec<String>,
}

/// A finding of a case.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FindingEntry {
    /// The invariant that is broken, or another kind of finding.
    pub kind: String,
    /// The group to which it belongs.
    pub group: String,
    /// How serious it is.
    pub severity: Severity,
    /// The id of the failure to which it belongs, or an empty string for a finding that the scenario expects.
    #[serde(default)]
    pub failure: String,
    /// The number of the step, starting at 1, or 0 if it belongs to no step.
    pub step: usize,
    /// The line of the step in the scenario file, starting at 1.
    pub line: usize,
    /// The difference that was found.
    pub text: String,
}
