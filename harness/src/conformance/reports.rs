//! Reports of a check for other programs.

use std::collections::BTreeSet;
use std::time::Duration;

use lab_report::{CasesReport, GroupVerdict as GroupEntry, printable};

use super::answers;
use super::check_result::CheckResult;
use super::explanation::in_words;
use super::group_result::GroupResult;
use super::observation::{Observation, Origin};
use super::verdict::GroupVerdict;
use crate::report::{JunitEnd, JunitTest};
use runner::{GatePolicy, Severity};

/// The report of the cases, with the verdicts and the answers of the check.
pub fn complete(report: CasesReport, result: &CheckResult) -> CasesReport {
    CasesReport {
        groups: result.groups.iter().map(|group| group_entry(group, &report)).collect(),
        answers: answers::all(result).map(|(_, answer)| printable(&answer)).to_vec(),
        ..report
    }
}

/// The ids of the failures that the observations of a group are about.
fn failures_of(result: &GroupResult, report: &CasesReport) -> Vec<String> {
    let mut ids = Vec::new();
    for observation in &result.observations {
        let (case, text) = (printable(&observation.case), printable(&observation.text));
        let entries = report.scenarios.iter().flat_map(|scenario| &scenario.cases);
        let played = entries.filter(|entry| entry.name == case).flat_map(|entry| &entry.failures);
        let played = played.filter(|entry| entry.text == text).map(|entry| &entry.failure);
        let reproduce = observation.command.to_string();
        let cut = report.failures.iter().filter(|failure| failure.reproduce == reproduce);
        let cut = cut.map(|failure| &failure.id);
        let id = match observation.origin {
            Origin::Fault => cut.into_iter().next(),
            Origin::OrderlyRestart | Origin::Scenario => played.into_iter().next(),
        };
        ids.extend(id.filter(|id| !ids.contains(*id)).cloned().into_iter().collect::<Vec<_>>());
    }
    ids
}

fn group_entry(result: &GroupResult, report: &CasesReport) -> GroupEntry {
    let severity = result.verdict.severity().map(|severity| match severity {
        Severity::Advice => lab_report::Severity::Advice,
        Severity::Risk => lab_report::Severity::Risk,
        Severity::Bug => lab_report::Severity::Bug,
    });
    GroupEntry {
        group: result.group.name().to_owned(),
        title: result.group.title().to_owned(),
        severity,
        cases: result.cases,
        failed: result.failed(),
        verdict: result.verdict.name().to_owned(),
        why: result.verdict.why(),
        example: result.example().map(|example| printable(&in_words(example))),
        failures: failures_of(result, report),
        reproduction: result.example().map(|example| example.command.to_string()),
    }
}

/// A JUnit test for each group. A test fails as the exit code does.
pub fn junit_tests(result: &CheckResult, gate: &GatePolicy) -> Vec<JunitTest> {
    result.groups.iter().map(|group| junit_test(group, result, gate)).collect()
}

fn junit_test(group: &GroupResult, result: &CheckResult, gate: &GatePolicy) -> JunitTest {
    let end = match (group.verdict, group.example()) {
        (GroupVerdict::Found(severity), Some(example)) if gate.denies(severity, group.group) => {
            // One observation of each case and cause.
            let mut known = BTreeSet::new();
            let is_new = |it: &&Observation| known.insert((it.cause, it.case.clone()));
            let each = group.observations.iter().filter(is_new).map(|observation| {
                let text = printable(&in_words(observation));
                format!("{}: {text}\n  {}", observation.case, observation.command)
            });
            JunitEnd::Failed {
                kind: severity.name().to_owned(),
                message: printable(&in_words(example)),
                description: each.collect::<Vec<String>>().join("\n"),
            }
        }
        (verdict @ (GroupVerdict::NotApplicable(_) | GroupVerdict::HiddenBy(_)), _) => {
            JunitEnd::Skipped(verdict.why().unwrap_or_default())
        }
        _ => JunitEnd::Passed,
    };
    JunitTest {
        suite: result.script.clone(),
        class: "leaselab.check".to_owned(),
        line: 1,
        name: group.group.name().to_owned(),
        took: Duration::ZERO,
        end,
        stderr: group.example().map_or(String::new(), |example| example.stderr.join("\n")),
    }
}
