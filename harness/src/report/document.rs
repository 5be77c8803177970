//! The report of a run of cases, as JSON and as a page.

use std::collections::BTreeMap;
use std::path::Path;

use lab_report::{
    CaseEntry, CaseText, CaseVerdict, CasesReport, Document, GroupVerdict, Scenario, printable,
    printable_lines,
};

use super::failures::{Failures, entry, severity};
use super::output::write_atomically;
use super::{CaseOutcome, FileReport, Summary};
use crate::error::CommandError;
use runner::Verdict;
use scenario::{Group, Unsuited};

/// The report of a run of cases.
pub fn cases_report(
    script: Option<&Path>,
    files: &[FileReport],
    unsuited: &[Unsuited],
) -> CasesReport {
    let summary = Summary::of(files);
    let mut failures = Failures::default();
    let mut scenarios: Vec<Scenario> =
        files.iter().map(|file| scenario(file, &mut failures)).collect();
    let (failures, timelines) = failures.finish(&mut scenarios);
    CasesReport {
        leaselab: env!("CARGO_PKG_VERSION").to_owned(),
        script: script.map(|path| printable(&path.to_string_lossy())),
        passed: summary.passed,
        failed: summary.failed,
        invalid: summary.invalid,
        skipped: summary.skipped,
        groups: Group::ALL.into_iter().map(|group| verdict(group, files)).collect(),
        answers: Vec::new(),
        failures,
        scenarios,
        left_out: unsuited.iter().map(left_out).collect(),
        timelines,
    }
}

/// Writes a document as JSON.
///
/// # Errors
/// When the file cannot be written.
pub fn write_json(path: &Path, document: &Document) -> Result<(), CommandError> {
    let text = document.to_json().map_err(|error| CommandError::file(path, error))?;
    write_atomically(path, text.as_bytes())
}

/// Writes a document as a page.
///
/// # Errors
/// When the file cannot be written.
pub fn write_html(path: &Path, document: &Document) -> Result<(), CommandError> {
    let text = lab_report::page(document).map_err(|error| CommandError::file(path, error))?;
    write_atomically(path, text.as_bytes())
}

fn left_out(Unsuited { name, why, .. }: &Unsuited) -> CaseText {
    CaseText { case: printable(name), text: printable(why) }
}

fn scenario(file: &FileReport, failures: &mut Failures) -> Scenario {
    Scenario {
        file: printable(&file.path.to_string_lossy()),
        title: printable(&file.title),
        cases: file.cases.iter().map(|outcome| case(file, outcome, failures)).collect(),
    }
}

fn case(file: &FileReport, outcome: &CaseOutcome, failures: &mut Failures) -> CaseEntry {
    let CaseOutcome { report, parameters, run, replay } = outcome;
    let (verdict, why) = match &report.verdict {
        Verdict::Passed => (CaseVerdict::Passed, None),
        Verdict::Failed => (CaseVerdict::Failed, None),
        Verdict::Invalid(error) => (CaseVerdict::Invalid, Some(error.to_string())),
        Verdict::Skipped(why) => (CaseVerdict::Skipped, Some(why.clone())),
    };
    let total = &report.total;
    let text = |(name, value): (&String, &String)| (printable(name), printable(value));
    CaseEntry {
        name: printable(&report.name),
        parameters: parameters.iter().map(text).collect::<BTreeMap<String, String>>(),
        reproduction: run.to_string(),
        replay: replay.to_string(),
        verdict,
        why: why.map(|why| printable_lines(&why)),
        failures: failures.add(file, outcome),
        foreseen: report.expected_violations.iter().map(|found| entry(found, "")).collect(),
        seconds: report.took.as_secs_f64(),
        calls: total.calls,
        failed_calls: total.failed_calls,
        nvram_commands: total.commands,
        commits: total.commits,
        erases: total.erases,
        bytes_programmed: total.programmed,
        log: report.log.clone(),
    }
}

/// The verdict of a group. A scenario without a group tests the invariants, each of which belongs to one.
fn verdict(group: Group, files: &[FileReport]) -> GroupVerdict {
    let of_invariants = [
        Group::Survives,
        Group::Atomic,
        Group::StartUpOutput,
        Group::OtherSettings,
        Group::WriteEconomy,
    ];
    let is_tested = |file: &&FileReport| match file.group {
        _ if group == Group::WriteEconomy => true,
        Some(own) => own == group,
        None => of_invariants.contains(&group),
    };
    let was_played =
        |case: &&CaseOutcome| matches!(case.report.verdict, Verdict::Passed | Verdict::Failed);
    let cases: usize = files
        .iter()
        .filter(is_tested)
        .map(|file| file.cases.iter().filter(was_played).count())
        .sum();
    let mut failed = 0;
    let mut worst = None;
    for case in files.iter().flat_map(|file| &file.cases) {
        let of_group = case.report.failures.iter().filter(|finding| finding.group == group);
        let of_case = of_group.map(|finding| severity(finding.severity)).max();
        failed += usize::from(of_case.is_some());
        worst = worst.max(of_case);
    }
    GroupVerdict {
        group: group.name().to_owned(),
        title: group.title().to_owned(),
        severity: worst,
        cases: cases.max(failed),
        failed,
        ..GroupVerdict::default()
    }
}
