//! Failures: equal findings of any number of cases.

use serde::{Deserialize, Serialize};

use crate::event::Call;

/// How serious a failure is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Severity {
    /// The script does more than it needs to. Nothing can be lost.
    Advice,
    /// Something can be lost under rare circumstances.
    Risk,
    /// Leases or settings are lost, or dnsmasq stops.
    Bug,
}

impl Severity {
    /// The name in reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::Advice => "advice",
            Self::Risk => "risk",
            Self::Bug => "bug",
        }
    }
}

/// Equal findings, with one of them as the example.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// The name by which cases refer to it; also the anchor of the page.
    pub id: String,
    /// The name of its group.
    pub group: String,
    /// How serious it is.
    pub severity: Severity,
    /// The invariant that is broken, or another kind of finding.
    pub kind: String,
    /// Number of findings.
    pub count: usize,
    /// The names of their cases.
    pub cases: Vec<String>,
    /// What differs, in the example.
    pub text: String,
    /// The title of the example's scenario: `story` in JSON.
    #[serde(rename = "story")]
    pub title: String,
    /// The scenario file of the example.
    pub file: String,
    /// Line of the step in it, from 1; 0 if the finding belongs to no step.
    pub line: usize,
    /// The name of the example's case. Its timeline is in `timelines`.
    pub case: String,
    /// Number of the step, from 1; 0 if the finding belongs to no step.
    pub step: usize,
    /// The step as its file describes it, without its expectations.
    pub step_text: String,
    /// The call that the finding is about.
    pub call: Option<Call>,
    /// Lease lines that must be stored, and are not.
    pub expected: Vec<String>,
    /// Lease lines that are stored, and must not be.
    pub found: Vec<String>,
    /// What to look at first.
    pub hint: Option<String>,
    /// The command that runs the example again, also after its scenario has changed.
    pub reproduce: String,
    /// The command that runs it by its id, and refuses when the scenario has changed.
    pub replay: String,
}
