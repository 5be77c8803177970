//! JUnit reports: a suite for each scenario file, a test for each case.

use std::collections::BTreeSet;
use std::path::{Component, Path};
use std::time::Duration;

use quick_junit::{NonSuccessKind, Report, TestCase, TestCaseStatus, TestSuite};

use super::hint::hint;
use super::output::write_atomically;
use super::{CaseOutcome, FileReport};
use crate::error::CommandError;
use crate::words::Words;
use lab_report::{printable, printable_lines};
use runner::{CaseReport, Finding, Verdict, call_text, stderr_lines};
use scenario::Case;

/// One test.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JunitTest {
    /// The path of the scenario file. Tests of one suite have to be neighbours.
    pub suite: String,
    /// The scenario file as a name of a class: without its extension, with dots between the folders.
    pub class: String,
    /// Line of the first failure in the scenario file, from 1.
    pub line: usize,
    /// The name of the case.
    pub name: String,
    /// Its duration.
    pub took: Duration,
    /// Its result.
    pub end: JunitEnd,
    /// What the script wrote to stderr in the calls that failures are about.
    pub stderr: String,
}

/// The result of a test.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum JunitEnd {
    /// The test passed.
    Passed,
    /// The test was not run, for this reason.
    Skipped(String),
    /// The test failed.
    Failed {
        /// The kind of the first finding, such as the name of an invariant.
        kind: String,
        /// What failed, in one line.
        message: String,
        /// Details, in any number of lines.
        description: String,
    },
    /// The test could not be run.
    Error {
        /// The reason, in one line.
        message: String,
        /// Details, in any number of lines.
        description: String,
    },
}

impl JunitTest {
    /// The test of a case.
    pub fn of_case(case: &Case, took: Duration, end: JunitEnd) -> Self {
        Self {
            suite: case.source.path.to_string_lossy().into_owned(),
            class: class_of(&case.source.path),
            line: 1,
            name: case.name(),
            took,
            end,
            stderr: String::new(),
        }
    }
}

/// Writes the report of a run.
///
/// # Errors
/// When the file cannot be written.
pub fn write_junit(path: &Path, files: &[FileReport]) -> Result<(), CommandError> {
    let mut tests = Vec::new();
    for file in files {
        for CaseOutcome { report: case, run, .. } in &file.cases {
            let end = match &case.verdict {
                Verdict::Passed => JunitEnd::Passed,
                Verdict::Skipped(why) => JunitEnd::Skipped(why.clone()),
                Verdict::Invalid(error) => JunitEnd::Error {
                    message: error.message.clone(),
                    description: format!("{error}\nreproduce: {run}"),
                },
                Verdict::Failed => failed(case, run),
            };
            let line = case.failures.iter().map(|finding| finding.line).find(|line| *line > 0);
            tests.push(JunitTest {
                suite: file.path.to_string_lossy().into_owned(),
                class: class_of(&file.path),
                line: line.unwrap_or(1),
                name: case.name.clone(),
                took: case.took,
                end,
                stderr: stderr_of(case),
            });
        }
    }
    write_junit_tests(path, &tests)
}

fn failed(case: &CaseReport, run: &Words) -> JunitEnd {
    let mut findings: Vec<&Finding> = case.failures.iter().collect();
    findings.sort_by_key(|finding| std::cmp::Reverse(finding.severity));
    let mut lines = Vec::new();
    let mut hints = BTreeSet::new();
    for finding in &findings {
        let Finding { line, kind, text, .. } = finding;
        lines.push(format!("line {line}: {}: {text}", kind.name()));
        if let Some(hint) = hint(finding)
            && hints.insert(hint.clone())
        {
            lines.push(format!("  hint: {hint}"));
        }
    }
    let first = findings.first();
    JunitEnd::Failed {
        kind: first.map_or(String::new(), |finding| finding.kind.name().to_owned()),
        message: lines.first().cloned().unwrap_or_default(),
        description: format!("{}\nreproduce: {run}", lines.join("\n")),
    }
}

/// What the script wrote to stderr in the calls that the findings are about, each call once.
fn stderr_of(case: &CaseReport) -> String {
    let calls = case.failures.iter().filter_map(|finding| finding.evidence.call.as_ref());
    let mut lines: Vec<String> = Vec::new();
    let mut last = None;
    for call in calls.filter(|call| !call.result.stderr.is_empty()) {
        if last != Some(call) {
            lines.push(format!("{}:", call_text(&call.call)));
            lines.extend(stderr_lines(&call.result.stderr));
        }
        last = Some(call);
    }
    lines.join("\n")
}

/// The path of a scenario file as the name of a class.
fn class_of(path: &Path) -> String {
    let names = path.with_extension("");
    let names: Vec<String> = names
        .components()
        .filter_map(|component| match component {
            Component::Normal(name) => Some(name.to_string_lossy().replace('.', "_")),
            _ => None,
        })
        .collect();
    names.join(".")
}

/// Writes a report of any tests.
///
/// # Errors
/// When the file cannot be written.
pub fn write_junit_tests(path: &Path, tests: &[JunitTest]) -> Result<(), CommandError> {
    let mut report = Report::new("leaselab");
    for together in tests.chunk_by(|a, b| a.suite == b.suite) {
        let file = printable(&together[0].suite);
        let mut suite = TestSuite::new(file.as_str());
        for test in together {
            let status = match &test.end {
                JunitEnd::Passed => TestCaseStatus::success(),
                JunitEnd::Skipped(why) => {
                    let mut status = TestCaseStatus::skipped();
                    status.set_message(printable(why));
                    status
                }
                JunitEnd::Failed { kind, message, description } => {
                    non_success(NonSuccessKind::Failure, kind, message, description)
                }
                JunitEnd::Error { message, description } => {
                    non_success(NonSuccessKind::Error, "invalid", message, description)
                }
            };
            let mut case = TestCase::new(printable(&test.name), status);
            case.set_classname(printable(&test.class));
            case.set_time(test.took);
            case.extra.insert("file".into(), file.as_str().into());
            case.extra.insert("line".into(), test.line.to_string().into());
            if !test.stderr.is_empty() {
                case.set_system_err(printable_lines(&test.stderr));
            }
            suite.add_test_case(case);
        }
        report.add_test_suite(suite);
    }
    let text = report.to_string().map_err(|error| CommandError::file(path, error))?;
    write_atomically(path, text.as_bytes())
}

fn non_success(
    end: NonSuccessKind,
    kind: &str,
    message: &str,
    description: &str,
) -> TestCaseStatus {
    let mut status = TestCaseStatus::non_success(end);
    status.set_type(printable(kind));
    status.set_message(printable(message));
    status.set_description(printable_lines(description));
    status
}
