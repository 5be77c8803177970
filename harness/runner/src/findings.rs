//! Findings: broken invariants, unmet expectations, and those of them that the scenario expects.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::sync::Arc;

use scenario::{Case, Group, Invariant};

use super::evidence::{CallRecord, Evidence};
use super::expected::Difference;
use super::finding_kind::FindingKind;
use super::severity::Severity;

/// Maximum number of addresses whose last calls are kept.
const MAX_ADDRESSES: usize = 4_096;

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

/// The findings of one case.
#[derive(Debug)]
pub(super) struct Findings<'a> {
    case: &'a Case,
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
}

impl<'a> Findings<'a> {
    pub(super) fn new(case: &'a Case) -> Self {
        let (failures, expected_violations) = (Vec::new(), Vec::new());
        Self {
            case,
            step: 0,
            span: 0..0,
            step_text: String::new(),
            last_call: None,
            calls: BTreeMap::new(),
            failures,
            expected_violations,
            omitted: 0,
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

    /// Number of the step, from 1.
    pub(super) fn step(&self) -> usize {
        self.step
    }

    /// Adds a finding of the current step, about its last call.
    pub(super) fn add(&mut self, kind: FindingKind, text: impl Into<String>) {
        let evidence = Evidence { call: self.last_call.clone(), ..Evidence::default() };
        self.add_with(kind, text, evidence);
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
        self.add_with(FindingKind::Broken(invariant), difference.text, evidence);
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
        self.add_with(FindingKind::Unmet, text, evidence);
    }

    fn add_with(&mut self, kind: FindingKind, text: impl Into<String>, evidence: Evidence) {
        let (line, _) = self.case.source.position(self.span.start);
        let evidence = Evidence { step: self.step_text.clone(), ..evidence };
        let finding =
            Finding { step: self.step, line, evidence, ..Finding::of_case(self.case, kind, text) };
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
