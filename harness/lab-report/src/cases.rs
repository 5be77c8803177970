//! The report of a command that plays cases.

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
    /// Number of cases that failed, with the invalid ones.
    pub failed: usize,
    /// Number of cases in which the file asks for something that cannot be carried out.
    pub invalid: usize,
    /// Number of cases that cannot be run with the chosen options.
    pub skipped: usize,
    /// A verdict for each group of properties.
    #[serde(default)]
    pub groups: Vec<GroupVerdict>,
    /// Answers to general questions about the script, one sentence each.
    #[serde(default)]
    pub answers: Vec<String>,
    /// The findings that the scenarios do not expect, equal ones together.
    #[serde(default)]
    pub failures: Vec<Failure>,
    /// The cases, by scenario.
    pub scenarios: Vec<Scenario>,
    /// Cases that make no sense with the script or the dialect of the command line, with the reason.
    #[serde(default)]
    pub left_out: Vec<CaseText>,
    /// What happened in the examples of the failures, by the name of the case.
    #[serde(default)]
    pub timelines: BTreeMap<String, Timeline>,
}

/// The verdict of one group.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct GroupVerdict {
    /// The name.
    pub group: String,
    /// The property in words.
    pub title: String,
    /// The worst severity of its findings; `None`: it holds in every case.
    pub severity: Option<Severity>,
    /// Number of cases in which it was tested.
    pub cases: usize,
    /// Number of cases with a finding of this group.
    pub failed: usize,
    /// `leaselab check`: `ok`, `advice`, `risk`, `bug`, `hidden` or `n/a`.
    #[serde(default)]
    pub verdict: String,
    /// Why the verdict is `hidden` or `n/a`.
    #[serde(default)]
    pub why: Option<String>,
    /// A finding in words.
    #[serde(default)]
    pub example: Option<String>,
    /// `leaselab check`: the ids of the failures that belong to the group.
    #[serde(default)]
    pub failures: Vec<String>,
    /// The command that shows the example again.
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

/// How a case ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CaseVerdict {
    /// Every invariant and every expectation held.
    Passed,
    /// At least one finding is a failure.
    Failed,
    /// The file asks for something that cannot be carried out.
    Invalid,
    /// The case cannot be run with the chosen options.
    Skipped,
}

impl CaseVerdict {
    /// The name in reports.
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
    /// The command that runs the case again, also after its scenario has changed.
    pub reproduction: String,
    /// The command that runs it by its id, and refuses when the scenario has changed.
    pub replay: String,
    /// How it ended.
    pub verdict: CaseVerdict,
    /// Why the case is invalid or was skipped.
    pub why: Option<String>,
    /// The findings that the scenario does not expect.
    pub failures: Vec<FindingEntry>,
    /// The findings that the scenario lists under `[[breaks]]`.
    pub foreseen: Vec<FindingEntry>,
    /// Wall-clock time.
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
    /// The script calls, if `--verbose` or `--keep` asked for them.
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
    /// The id of the failure to which it belongs; empty for a finding that the scenario expects.
    #[serde(default)]
    pub failure: String,
    /// Number of the step, from 1; 0 if it belongs to no step.
    pub step: usize,
    /// Line of the step in the scenario file, from 1.
    pub line: usize,
    /// What differs.
    pub text: String,
}
