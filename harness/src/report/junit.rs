//! The JUnit report: a suite for each scenario file, a test for each case.

use std::path::Path;

use quick_junit::{NonSuccessKind, Report, TestCase, TestCaseStatus, TestSuite};

use super::{FileReport, write_whole};
use crate::cli::Failure;
use crate::run::Verdict;

/// Writes the report.
///
/// # Errors
/// When the file cannot be written.
pub fn write_junit(path: &Path, files: &[FileReport]) -> Result<(), Failure> {
    let mut report = Report::new("leaselab");
    for file in files {
        let mut suite = TestSuite::new(file.path.to_string_lossy());
        for case in &file.cases {
            let status = match &case.verdict {
                Verdict::Passed => TestCaseStatus::success(),
                Verdict::Skipped(why) => {
                    let mut status = TestCaseStatus::skipped();
                    status.set_message(why.as_str());
                    status
                }
                Verdict::Failed => {
                    let mut status = TestCaseStatus::non_success(NonSuccessKind::Failure);
                    let lines: Vec<String> = case
                        .failures
                        .iter()
                        .map(|f| format!("line {}: {}: {}", f.line, f.kind.name(), f.text))
                        .collect();
                    status.set_message(lines.first().map_or("", String::as_str));
                    let command = &case.reproduction;
                    status.set_description(format!("{}\nreproduce: {command}", lines.join("\n")));
                    status
                }
            };
            let mut test = TestCase::new(case.name.as_str(), status);
            test.set_classname(file.title.as_str());
            test.set_time(case.took);
            suite.add_test_case(test);
        }
        report.add_test_suite(suite);
    }
    let text = report
        .to_string()
        .map_err(|error| Failure::Input(format!("{}: {error}", path.display())))?;
    write_whole(path, text.as_bytes())
}
