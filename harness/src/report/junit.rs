//! The JUnit report: a suite for each scenario file, a test for each case.

use std::path::Path;
use std::time::Duration;

use quick_junit::{NonSuccessKind, Report, TestCase, TestCaseStatus, TestSuite};

use super::{FileReport, write_whole};
use crate::cli::Failure;
use runner::Verdict;

/// One test.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JunitTest {
    /// The suite; tests of one suite stand together.
    pub suite: String,
    /// What groups tests below a suite.
    pub class: String,
    /// Its name.
    pub name: String,
    /// How long it took.
    pub took: Duration,
    /// How it ended.
    pub end: JunitEnd,
}

/// How a test ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum JunitEnd {
    /// Well.
    Passed,
    /// It was not done, for this reason.
    Skipped(String),
    /// Badly.
    Failed {
        /// In one line.
        message: String,
        /// In many.
        description: String,
    },
}

/// Writes the report of a run.
///
/// # Errors
/// When the file cannot be written.
pub fn write_junit(path: &Path, files: &[FileReport]) -> Result<(), Failure> {
    let mut tests = Vec::new();
    for file in files {
        for case in &file.cases {
            let end = match &case.verdict {
                Verdict::Passed => JunitEnd::Passed,
                Verdict::Skipped(why) => JunitEnd::Skipped(why.clone()),
                Verdict::Failed => {
                    let lines: Vec<String> = case
                        .failures
                        .iter()
                        .map(|f| format!("line {}: {}: {}", f.line, f.kind.name(), f.text))
                        .collect();
                    let command = &case.reproduction;
                    let description = format!("{}\nreproduce: {command}", lines.join("\n"));
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

/// Writes any tests.
///
/// # Errors
/// When the file cannot be written.
pub fn write_junit_tests(path: &Path, tests: &[JunitTest]) -> Result<(), Failure> {
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
                    let mut status = TestCaseStatus::non_success(NonSuccessKind::Failure);
                    status.set_message(message.as_str());
                    status.set_description(description.as_str());
                    status
                }
            };
            let mut case = TestCase::new(test.name.as_str(), status);
            case.set_classname(test.class.as_str());
            case.set_time(test.took);
            suite.add_test_case(case);
        }
        report.add_test_suite(suite);
    }
    let text = report
        .to_string()
        .map_err(|error| Failure::Input(format!("{}: {error}", path.display())))?;
    write_whole(path, text.as_bytes())
}
