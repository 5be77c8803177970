//! One finding of a case.

use scenario::{Case, Group, Invariant};

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
    /// What a report shows in addition to the text.
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

    /// The text without names and numbers: findings with the same one are alike.
    pub fn shape(&self) -> String {
        shape(self.kind, &self.text)
    }
}

/// The text of a finding without names and numbers.
pub fn shape(kind: FindingKind, text: &str) -> String {
    let mut text = text;
    if kind == FindingKind::Broken(Invariant::Neighbours)
        && let Some((_, rest)) = text.split_once(' ')
    {
        // It begins with the name of a variable.
        text = rest;
    }
    let mut shape = String::new();
    for (index, part) in text.split(['`', '"']).enumerate() {
        if index % 2 == 1 {
            shape.push('`');
            continue;
        }
        let mut is_name = false;
        for word in part.split_whitespace() {
            let is_number = word.bytes().any(|byte| byte.is_ascii_digit()) || word.contains("::");
            shape.push_str(if is_number || is_name { "#" } else { word });
            shape.push(' ');
            // As in "dnsmasq has no answer for NAME".
            is_name = word == "for";
        }
    }
    shape
}
