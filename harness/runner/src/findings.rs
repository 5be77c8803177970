//! Findings: broken invariants, unmet expectations, and those of them that the scenario expects.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::sync::Arc;

use scenario::{Case, Group, Invariant};

use super::evidence::{CallRecord, Evidence};
use super::expected::Difference;
use super::finding::Finding;
use super::finding_kind::FindingKind;
use super::gate_policy::GatePolicy;
use super::severity::Severity;

/// Maximum number of addresses whose last calls are kept.
const MAX_ADDRESSES: usize = 4_096;

/// Maximum number of findings of one kind that a case keeps.
const MAX_FINDINGS: usize = 50;

/// How the findings of a case are judged.
#[derive(Clone, Debug)]
pub(super) struct FindingRules {
    /// Which findings make the case fail.
    pub(super) gate: GatePolicy,
    /// Whether the case fails if a violation of `[[breaks]]` does not occur.
    pub(super) demands_breaks: bool,
}

/// The findings of one case.
#[derive(Debug)]
pub(super) struct Findings<'a> {
    case: &'a Case,
    rules: FindingRules,
    step: usize,
    span: Range<usize>,
    /// The current step in one line.
    step_text: String,
    /// The last script call of the current step.
    last_call: Option<Arc<CallRecord>>,
    /// The last call about each address.
    calls: BTreeMap<Vec<u8>, Arc<CallRecord>>,
    failures: Vec<Finding>,
    /// Findings that the scenario expects.
    expected_violations: Vec<Finding>,
    omitted: usize,
    /// Severity and group of the most serious finding that was omitted.
    worst_omitted: Option<(Severity, Group)>,
    /// The highest severity of the findings that follow.
    highest: Severity,
}

impl<'a> Findings<'a> {
    pub(super) fn new(case: &'a Case, rules: FindingRules) -> Self {
        let (failures, expected_violations) = (Vec::new(), Vec::new());
        Self {
            case,
            rules,
            step: 0,
            span: 0..0,
            step_text: String::new(),
            last_call: None,
            calls: BTreeMap::new(),
            failures,
            expected_violations,
            omitted: 0,
            worst_omitted: None,
            highest: Severity::Bug,
        }
    }

    /// The following findings belong to this step, whose index counts from 0.
    pub(super) fn at_step(&mut self, index: usize, span: Range<usize>, text: String) {
        self.step = index + 1;
        self.span = span;
        self.step_text = text;
        self.last_call = None;
    }

    /// A script call has ended: the following findings may be about it.
    pub(super) fn called(&mut self, record: &Arc<CallRecord>) {
        self.last_call = Some(Arc::clone(record));
        if let (b"add" | b"old" | b"del", Some(address)) =
            (record.call.action(), record.call.argv.get(3))
            && (self.calls.len() < MAX_ADDRESSES || self.calls.contains_key(address))
        {
            self.calls.insert(address.clone(), Arc::clone(record));
        }
    }

    /// The findings that follow are no more serious than this.
    pub(super) fn limit_severity(&mut self, highest: Severity) {
        self.highest = self.highest.min(highest);
    }

    /// Number of the step, from 1.
    pub(super) fn step(&self) -> usize {
        self.step
    }

    /// Adds a finding of the current step, about its last call, with the severity of its kind.
    pub(super) fn add(&mut self, kind: FindingKind, text: impl Into<String>) {
        self.add_with_severity(kind, kind.severity(), text);
    }

    /// Like [`Self::add`], with another severity.
    pub(super) fn add_with_severity(
        &mut self,
        kind: FindingKind,
        severity: Severity,
        text: impl Into<String>,
    ) {
        let evidence = Evidence { call: self.last_call.clone(), ..Evidence::default() };
        self.add_with(kind, severity, text, evidence);
    }

    /// Adds a broken invariant about a stored line, and about the last call that asked to change it.
    pub(super) fn broken_line(&mut self, invariant: Invariant, difference: Difference) {
        let about = self.calls.get(&difference.subject);
        let evidence = Evidence {
            call: about.or(self.last_call.as_ref()).cloned(),
            expected: difference.wanted.into_iter().collect(),
            found: difference.found.into_iter().collect(),
            ..Evidence::default()
        };
        let kind = FindingKind::Broken(invariant);
        self.add_with(kind, difference.severity, difference.text, evidence);
    }

    /// Adds an unmet expectation about the lines of `init`.
    pub(super) fn unmet_lines(
        &mut self,
        text: String,
        expected: Vec<Vec<u8>>,
        found: Vec<Vec<u8>>,
    ) {
        let evidence =
            Evidence { call: self.last_call.clone(), expected, found, ..Evidence::default() };
        self.add_with(FindingKind::Unmet, FindingKind::Unmet.severity(), text, evidence);
    }

    fn add_with(
        &mut self,
        kind: FindingKind,
        severity: Severity,
        text: impl Into<String>,
        evidence: Evidence,
    ) {
        let severity = severity.min(self.highest);
        let (line, _) = self.case.source.position(self.span.start);
        let evidence = Evidence { step: self.step_text.clone(), ..evidence };
        let finding = Finding::of_case(self.case, kind, text);
        let finding = Finding { severity, step: self.step, line, evidence, ..finding };
        let is_expected = self.case.scenario.breaks.iter().any(|breaks| {
            FindingKind::Broken(breaks.invariant) == kind && self.case.matches(&breaks.when)
        });
        let list = if is_expected { &mut self.expected_violations } else { &mut self.failures };
        let is_alike = |found: &&Finding| (found.kind, found.severity) == (kind, severity);
        if list.iter().filter(is_alike).count() < MAX_FINDINGS {
            list.push(finding);
        } else if !is_expected {
            self.omitted += 1;
            self.worst_omitted = self.worst_omitted.max(Some((severity, finding.group)));
        }
    }

    /// Whether anything was found that makes the case fail.
    pub(super) fn any_denied(&self) -> bool {
        !self.rules.gate.passes(&self.failures)
    }

    /// Adds a broken invariant.
    pub(super) fn broken(&mut self, invariant: Invariant, text: impl Into<String>) {
        self.add(FindingKind::Broken(invariant), text);
    }

    /// Adds a call that reported an error, about the lines that it had to store.
    pub(super) fn refused(&mut self, text: String, expected: Vec<Vec<u8>>) {
        let evidence = Evidence { call: self.last_call.clone(), expected, ..Evidence::default() };
        self.add_with(FindingKind::Broken(Invariant::Durability), Severity::Bug, text, evidence);
    }

    /// Adds a broken invariant of this severity.
    pub(super) fn broken_with(
        &mut self,
        invariant: Invariant,
        severity: Severity,
        text: impl Into<String>,
    ) {
        self.add_with_severity(FindingKind::Broken(invariant), severity, text);
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
            .filter(|breaks| self.rules.demands_breaks && self.case.matches(&breaks.when))
            .filter(|breaks| !found_kinds.contains(&FindingKind::Broken(breaks.invariant)))
            .map(|breaks| {
                let name = breaks.invariant.name();
                format!("{name} held, but the scenario expects it to be broken: {}", breaks.why)
            })
            .collect();
        for text in missing {
            self.add(FindingKind::Unmet, text);
        }
        if let Some((severity, group)) = self.worst_omitted {
            let text = format!("{} more findings of this case", self.omitted);
            let finding = Finding::of_case(self.case, FindingKind::Unmet, text);
            self.failures.push(Finding { severity, group, ..finding });
        }
        (self.failures, self.expected_violations)
    }
}
