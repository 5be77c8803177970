//! Findings: broken invariants, unmet expectations, and those of them that the scenario expects.

use std::collections::BTreeSet;
use std::ops::Range;

use scenario::{Case, Group, Invariant};

use super::expected::Difference;
use super::finding_kind::FindingKind;
use super::lease_fault::LeaseFault;
use super::severity::Severity;

/// Maximum number of findings of one kind that a case keeps.
const MAX_FINDINGS: usize = 50;

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
    /// How a stored lease differs from the reported one, if the finding is about a lease.
    pub lease: Option<LeaseFault>,
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
            lease: None,
        }
    }
}

/// The findings of one case.
#[derive(Debug)]
pub(super) struct Findings<'a> {
    case: &'a Case,
    step: usize,
    span: Range<usize>,
    failures: Vec<Finding>,
    /// Findings that the scenario expects.
    expected_violations: Vec<Finding>,
    omitted: usize,
}

impl<'a> Findings<'a> {
    pub(super) fn new(case: &'a Case) -> Self {
        let (failures, expected_violations) = (Vec::new(), Vec::new());
        Self { case, step: 0, span: 0..0, failures, expected_violations, omitted: 0 }
    }

    /// The following findings belong to this step, whose index counts from 0.
    pub(super) fn at_step(&mut self, index: usize, span: Range<usize>) {
        self.step = index + 1;
        self.span = span;
    }

    /// Number of the step, from 1.
    pub(super) fn step(&self) -> usize {
        self.step
    }

    /// Adds a finding of the current step.
    pub(super) fn add(&mut self, kind: FindingKind, text: impl Into<String>) {
        self.add_finding(Finding::of_case(self.case, kind, text));
    }

    /// Adds a finding, of the current step.
    fn add_finding(&mut self, finding: Finding) {
        let kind = finding.kind;
        let (line, _) = self.case.source.position(self.span.start);
        let finding = Finding { step: self.step, line, ..finding };
        let is_expected = self.case.scenario.breaks.iter().any(|breaks| {
            FindingKind::Broken(breaks.invariant) == kind && self.case.matches(&breaks.when)
        });
        let list = if is_expected { &mut self.expected_violations } else { &mut self.failures };
        if list.iter().filter(|found| found.kind == kind).count() < MAX_FINDINGS {
            list.push(finding);
        } else if !is_expected {
            self.omitted += 1;
        }
    }

    /// Whether anything failed so far.
    pub(super) fn any(&self) -> bool {
        !self.failures.is_empty()
    }

    /// Adds an invariant that is broken by a stored lease.
    pub(super) fn lease(&mut self, invariant: Invariant, difference: Difference) {
        let kind = FindingKind::Broken(invariant);
        let (severity, lease) = (difference.fault.severity(), Some(difference.fault));
        let finding = Finding::of_case(self.case, kind, difference.text);
        self.add_finding(Finding { severity, lease, ..finding });
    }

    /// Adds an invariant that is broken without consequences so far.
    pub(super) fn harmless(&mut self, invariant: Invariant, text: impl Into<String>) {
        let finding = Finding::of_case(self.case, FindingKind::Broken(invariant), text);
        self.add_finding(Finding { severity: Severity::Risk, ..finding });
    }

    /// Adds a broken invariant.
    pub(super) fn broken(&mut self, invariant: Invariant, text: impl Into<String>) {
        self.add(FindingKind::Broken(invariant), text);
    }

    /// The failures and the expected findings. An expected violation that did not occur is a failure.
    pub(super) fn finish(mut self) -> (Vec<Finding>, Vec<Finding>) {
        let found_kinds: BTreeSet<FindingKind> =
            self.expected_violations.iter().map(|found| found.kind).collect();
        let missing: Vec<String> = self
            .case
            .scenario
            .breaks
            .iter()
            .filter(|breaks| self.case.matches(&breaks.when))
            .filter(|breaks| !found_kinds.contains(&FindingKind::Broken(breaks.invariant)))
            .map(|breaks| {
                let name = breaks.invariant.name();
                format!("{name} held, but the scenario expects it to be broken: {}", breaks.why)
            })
            .collect();
        for text in missing {
            self.add(FindingKind::Unmet, text);
        }
        if self.omitted > 0 {
            let text = format!("{} more findings of this case", self.omitted);
            self.failures.push(Finding::of_case(self.case, FindingKind::Unmet, text));
        }
        (self.failures, self.expected_violations)
    }
}
