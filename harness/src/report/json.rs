//! The JSON report of a run: one object.

use std::path::Path;

use serde_json::{Value, json};

use super::output::write_atomically;
use super::{CaseOutcome, FileReport, Summary};
use crate::error::CommandError;
use runner::{Finding, Verdict};
use scenario::Unsuited;

/// Writes the report.
///
/// # Errors
/// When the file cannot be written.
pub fn write_json(
    path: &Path,
    files: &[FileReport],
    unsuited: &[Unsuited],
) -> Result<(), CommandError> {
    let summary = Summary::of(files);
    let scenarios: Vec<Value> = files
        .iter()
        .map(|file| {
            let cases: Vec<Value> = file.cases.iter().map(case).collect();
            json!({ "file": file.path, "title": file.title, "cases": cases })
        })
        .collect();
    let report = json!({
        "leaselab": env!("CARGO_PKG_VERSION"),
        "passed": summary.passed,
        "failed": summary.failed,
        "invalid": summary.invalid,
        "skipped": summary.skipped,
        "scenarios": scenarios,
        "left_out": unsuited.iter().map(left_out).collect::<Vec<Value>>(),
    });
    write_atomically(path, format!("{report:#}\n").as_bytes())
}

/// A case that makes no sense with the script or the dialect of the command line.
fn left_out(Unsuited { path, name, why }: &Unsuited) -> Value {
    json!({ "file": path, "name": name, "why": why })
}

fn case(CaseOutcome { report, run, replay }: &CaseOutcome) -> Value {
    let (verdict, why) = match &report.verdict {
        Verdict::Passed => ("passed", None),
        Verdict::Failed => ("failed", None),
        Verdict::Invalid(error) => ("invalid", Some(error.to_string())),
        Verdict::Skipped(why) => ("skipped", Some(why.clone())),
    };
    let total = &report.total;
    json!({
        "name": report.name,
        "reproduction": run.to_string(),
        "replay": replay.to_string(),
        "verdict": verdict,
        "why": why,
        "failures": report.failures.iter().map(finding).collect::<Vec<Value>>(),
        "foreseen": report.expected_violations.iter().map(finding).collect::<Vec<Value>>(),
        "seconds": report.took.as_secs_f64(),
        "calls": total.calls,
        "failed_calls": total.failed_calls,
        "nvram_commands": total.commands,
        "commits": total.commits,
        "erases": total.erases,
        "bytes_programmed": total.programmed,
        "log": report.log,
    })
}

fn finding(finding: &Finding) -> Value {
    json!({
        "kind": finding.kind.name(),
        "severity": finding.severity.name(),
        "group": finding.group.name(),
        "step": finding.step,
        "line": finding.line,
        "text": finding.text,
    })
}
