//! One finding of a case.

use scenario::{Case, Group};

use super::evidence::Evidence;
use super::finding_kind::FindingKind;
use super::severity::Severity;

/// A broken invariant, an unmet expectation, or another failure of a case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// Its kind.
    pub kind: FindingKind,
    /// How serious it is.
    pub severity: Severity,
    /// The group of the report to which it belongs.
    pub group: Group,
    /// Number of the step, from 1.
    pub step: usize,
    /// Line of the step in the scenario file, from 1.
    pub line: usize,
    /// A description of the difference.
    pub text: String,
    /// What a report shows beside the text.
    pub evidence: Evidence,
}

impl Finding {
    /// A finding of the case as a whole, which belongs to no step.
    pub fn of_case(case: &Case, kind: FindingKind, text: impl Into<String>) -> Self {
        let group = kind.group(case.scenario.group);
        Self {
            kind,
            severity: kind.severity(),
            group,
            step: 0,
            line: 0,
            text: text.into(),
            evidence: Evidence::default(),
        }
    }
}
