//! Failures, which combine equal findings of any number of cases.

use serde::{Deserialize, Serialize};

use crate::event::Call;

/// How serious a failure is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Severity {
    /// The script does more than necessary, but nothing can be lost.
    Advice,
    /// Something can be lost in rare circumstances.
    Risk,
    /// Leases or settings are lost, or dnsmasq stops.
    Bug,
}

impl Severity {
    /// Returns the name in reports.
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
    /// The id by which cases refer to the failure. It is also the anchor on the page.
    pub id: String,
    /// The name of the group to which it belongs.
    pub group: String,
    /// How serious it is.
    pub severity: Severity,
    /// The invariant that is broken, or another kind of finding.
    pub kind: String,
    /// Number of findings.
    pub count: usize,
    /// The names of the cases with these findings.
    pub cases: Vec<String>,
    /// The difference that was found in the example.
    pub text: String,
    /// The title of the example's scenario: `story` in JSON.
    #[serde(rename = "story")]
    pub title: String,
    /// The scenario file of the example.
    pub file: String,
    /// The line of the step in the file, starting at 1, or 0 if the finding belongs to no step.
    pub line: usize,
    /// The name of the example's case. Its timeline is in `timelines`.
    pub case: String,
    /// The number of the step, starting at 1, or 0 if the finding belongs to no step.
    pub step: usize,
    /// The step as its file describes it, without its expectations.
    pub step_text: String,
    /// The call that the finding is about.
    pub call: Option<Call>,
    /// Lease lines that must be stored but are not.
    pub expected: Vec<String>,
    /// Lease lines that are stored but must not be.
    pub found: Vec<String>,
    /// A hint at what to examine first.
    pub hint: Option<String>,
    /// The command that runs the example again, even after its scenario has changed.
    pub reproduce: String,
    /// The command that runs the example by its id. It fails if the scenario has changed.
    pub replay: String,
}
