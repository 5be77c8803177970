//! Equal findings, folded into failures.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use lab_report::{Failure, FindingEntry, Scenario, Severity, Timeline, printable};
use runner::{Finding, FindingKind};
use scenario::Group;

use super::convert::{self, line};
use super::hint::hint;
use super::{CaseOutcome, FileReport};

/// Maximum number of lease lines of one failure.
const MAX_LINES: usize = 12;

/// What equal findings have in common.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Key {
    kind: FindingKind,
    group: Group,
    severity: runner::Severity,
    /// The text without names and numbers.
    shape: String,
}

/// Failures while findings are added.
#[derive(Debug, Default)]
pub(super) struct Failures {
    list: Vec<Failure>,
    by_key: BTreeMap<Key, usize>,
    /// The example of each failure: how many events it has.
    lengths: Vec<usize>,
    timelines: BTreeMap<String, Timeline>,
}

impl Failures {
    /// Adds the findings of a case. Returns them with the ids of their failures.
    pub(super) fn add(&mut self, file: &FileReport, outcome: &CaseOutcome) -> Vec<FindingEntry> {
        let mut entries = Vec::new();
        for finding in &outcome.report.failures {
            let index = self.add_finding(file, outcome, finding);
            entries.push(entry(finding, &self.list[index].id));
        }
        entries
    }

    /// The failures and the timelines of their examples. The most serious failures come first, broken invariants before
    /// unmet expectations, and what occurs in many cases before what occurs in few. `scenarios` get the ids of this order.
    pub(super) fn finish(
        self,
        scenarios: &mut [Scenario],
    ) -> (Vec<Failure>, BTreeMap<String, Timeline>) {
        let Self { list: mut failures, mut timelines, .. } = self;
        failures.sort_by_key(|failure| {
            let is_general = failure.kind != FindingKind::Unmet.name();
            Reverse((failure.severity, is_general, failure.cases.len()))
        });
        let mut ids = BTreeMap::new();
        for (index, failure) in failures.iter_mut().enumerate() {
            let id = format!("f{}", index + 1);
            ids.insert(std::mem::replace(&mut failure.id, id.clone()), id);
        }
        let cases = scenarios.iter_mut().flat_map(|scenario| &mut scenario.cases);
        for finding in cases.flat_map(|case| &mut case.failures) {
            if let Some(id) = ids.get(&finding.failure) {
                finding.failure.clone_from(id);
            }
        }
        let examples: BTreeSet<&str> =
            failures.iter().map(|failure| failure.case.as_str()).collect();
        timelines.retain(|case, _| examples.contains(case.as_str()));
        (failures, timelines)
    }

    fn add_finding(
        &mut self,
        file: &FileReport,
        outcome: &CaseOutcome,
        finding: &Finding,
    ) -> usize {
        let events = outcome.report.history.events.len();
        let next = self.list.len();
        let index = *self.by_key.entry(key(finding)).or_insert(next);
        if index == next {
            let id = format!("f{}", index + 1);
            self.list.push(example(id, &Place::of(file, outcome), finding));
            self.lengths.push(events);
        }
        let failure = &mut self.list[index];
        failure.count += 1;
        let name = printable(&outcome.report.name);
        let is_new_case = failure.cases.last() != Some(&name);
        if is_new_case {
            failure.cases.push(name.clone());
        }
        if index != next && !is_new_case && failure.case == name && failure.step == finding.step {
            let lines =
                |lines: &[Vec<u8>]| lines.iter().map(|bytes| line(bytes)).collect::<Vec<_>>();
            failure.expected.extend(lines(&finding.evidence.expected));
            failure.found.extend(lines(&finding.evidence.found));
            failure.expected.truncate(MAX_LINES);
            failure.found.truncate(MAX_LINES);
        } else if is_new_case && events > 0 && events < self.lengths[index] {
            // The shortest case is the best example.
            let Failure { id, count, cases, .. } = std::mem::replace(
                failure,
                example(String::new(), &Place::of(file, outcome), finding),
            );
            (failure.id, failure.count, failure.cases) = (id, count, cases);
            self.lengths[index] = events;
        }
        if events > 0 && failure.case == name && !self.timelines.contains_key(&name) {
            let report = &outcome.report;
            let timeline = convert::timeline(&report.history, report.machine.as_ref());
            self.timelines.insert(name, timeline);
        }
        index
    }
}

/// A finding of a case. `failure` is the id of its failure, or empty.
pub(super) fn entry(finding: &Finding, failure: &str) -> FindingEntry {
    FindingEntry {
        kind: finding.kind.name().to_owned(),
        group: finding.group.name().to_owned(),
        severity: severity(finding.severity),
        failure: failure.to_owned(),
        step: finding.step,
        line: finding.line,
        text: printable(&finding.text),
    }
}

/// The severity of a finding, as reports name it.
pub(super) fn severity(severity: runner::Severity) -> Severity {
    match severity {
        runner::Severity::Advice => Severity::Advice,
        runner::Severity::Risk => Severity::Risk,
        runner::Severity::Bug => Severity::Bug,
    }
}

/// Where a finding was made, and the commands that make it again.
#[derive(Clone, Debug)]
pub struct Place<'a> {
    /// The title of the scenario.
    pub title: &'a str,
    /// The scenario file.
    pub path: &'a Path,
    /// The name of the case.
    pub case: &'a str,
    /// The command that runs just this case, even after the scenario has changed.
    pub reproduce: String,
    /// The command that runs it by its id.
    pub replay: String,
}

impl<'a> Place<'a> {
    fn of(file: &'a FileReport, outcome: &'a CaseOutcome) -> Self {
        Self {
            title: &file.title,
            path: &file.path,
            case: &outcome.report.name,
            reproduce: outcome.run.to_string(),
            replay: outcome.replay.to_string(),
        }
    }
}

/// Findings that were made without a history, folded into failures.
#[derive(Debug, Default)]
pub struct FoldedFindings {
    list: Vec<Failure>,
    by_key: BTreeMap<Key, usize>,
}

impl FoldedFindings {
    /// Adds a finding that was made `count` times.
    pub fn add(&mut self, finding: &Finding, count: u64, place: &Place<'_>) {
        let next = self.list.len();
        let index = *self.by_key.entry(key(finding)).or_insert(next);
        if index == next {
            self.list.push(example(String::new(), place, finding));
        }
        let failure = &mut self.list[index];
        failure.count += usize::try_from(count).unwrap_or(usize::MAX);
        let name = printable(place.case);
        if failure.cases.last() != Some(&name) {
            failure.cases.push(name);
        }
    }

    /// The failures, the most serious ones first.
    pub fn finish(self) -> Vec<Failure> {
        let mut failures = self.list;
        failures.sort_by_key(|failure| Reverse(failure.severity));
        for (index, failure) in failures.iter_mut().enumerate() {
            failure.id = format!("f{}", index + 1);
        }
        failures
    }
}

/// A failure as the example of findings that are like this one.
fn example(id: String, place: &Place<'_>, finding: &Finding) -> Failure {
    let lines = |lines: &[Vec<u8>]| lines.iter().map(|bytes| line(bytes)).collect();
    let evidence = &finding.evidence;
    Failure {
        id,
        group: finding.group.name().to_owned(),
        severity: severity(finding.severity),
        kind: finding.kind.name().to_owned(),
        count: 0,
        cases: Vec::new(),
        text: printable(&finding.text),
        title: printable(place.title),
        file: printable(&place.path.to_string_lossy()),
        line: finding.line,
        case: printable(place.case),
        step: finding.step,
        step_text: printable(&evidence.step),
        call: evidence.call.as_deref().map(convert::call),
        expected: lines(&evidence.expected),
        found: lines(&evidence.found),
        hint: hint(finding),
        reproduce: place.reproduce.clone(),
        replay: place.replay.clone(),
    }
}

fn key(finding: &Finding) -> Key {
    let Finding { kind, group, severity, .. } = *finding;
    Key { kind, group, severity, shape: finding.shape() }
}
