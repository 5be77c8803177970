//! JUnit reports: a suite for each scenario file, a test for each case.

use std::path::Path;
use std::time::Duration;

use quick_junit::{NonSuccessKind, Report, TestCase, TestCaseStatus, TestSuite};

use super::output::write_atomically;
use super::{CaseOutcome, FileReport};
use crate::error::CommandError;
use runner::Verdict;
use scenario::Case;

/// One test.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JunitTest {
    /// The path of the scenario file. Tests of one suite have to be neighbours.
    pub suite: String,
    /// The title of the scenario.
    pub class: String,
    /// The name of the case.
    pub name: String,
    /// Its duration.
    pub took: Duration,
    /// Its result.
    pub end: JunitEnd,
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
            class: case.scenario.title.clone(),
            name: case.name(),
            took,
            end,
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
                Verdict::Failed => {
                    let lines: Vec<String> = case
                        .failures
                        .iter()
                        .map(|f| format!("line {}: {}: {}", f.line, f.kind.name(), f.text))
                        .collect();
                    let description = format!("{}\nreproduce: {run}", lines.join("\n"));
                    let message = lines.into_iter().next().unwrap_or_default();
                    JunitEnd::Failed { message, description }
                }
            };
            tests.push(JunitTest {
                suite: file.path.to_string_lossy().into_owned(),
                class: file.title.clone(),
                name: case.name.clone(),
                took: case.took,
                end,
            });
        }
    }
    write_junit_tests(path, &tests)
}

/// Writes a report of any tests.
///
/// # Errors
/// When the file cannot be written.
pub fn write_junit_tests(path: &Path, tests: &[JunitTest]) -> Result<(), CommandError> {
    let mut report = Report::new("leaselab");
    for together in tests.chunk_by(|a, b| a.suite == b.suite) {
        let mut suite = TestSuite::new(together[0].suite.as_str());
        for test in together {
            let status = match &test.end {
                JunitEnd::Passed => TestCaseStatus::success(),
                JunitEnd::Skipped(why) => {
                    let mut status = TestCaseStatus::skipped();
                    status.set_message(why.as_str());
                    status
                }
                JunitEnd::Failed { message, description } => {
                    non_success(NonSuccessKind::Failure, message, description)
                }
                JunitEnd::Error { message, description } => {
                    non_success(NonSuccessKind::Error, message, description)
                }
            };
            let mut case = TestCase::new(test.name.as_str(), status);
            case.set_classname(test.class.as_str());
            case.set_time(test.took);
            suite.add_test_case(case);
        }
        report.add_test_suite(suite);
    }
    let text = report.to_string().map_err(|error| CommandError::file(path, error))?;
    write_atomically(path, text.as_bytes())
}

fn non_success(kind: NonSuccessKind, message: &str, description: &str) -> TestCaseStatus {
    let mut status = TestCaseStatus::non_success(kind);
    status.set_message(message);
    status.set_description(description);
    status
}
