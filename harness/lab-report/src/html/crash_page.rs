//! The page of `crash`.

use askama::Template;

use super::head::{Head, Verdict};
use crate::crash::CrashReport;
use crate::failure::Severity;

#[derive(Template)]
#[template(path = "crash.html")]
pub(super) struct CrashPage<'a> {
    head: Head<'a>,
    verdict: Verdict,
    report: &'a CrashReport,
    window: String,
}

impl<'a> CrashPage<'a> {
    pub(super) fn new(head: Head<'a>, report: &'a CrashReport) -> Self {
        let CrashReport { broken, checked, faults, invalid, .. } = report;
        let has_bugs = report.failures.iter().any(|failure| failure.severity == Severity::Bug);
        let verdict = if *broken > 0 || !faults.is_empty() {
            let sentence = format!("{broken} of {checked} states are broken");
            Verdict { class: "bug", word: "failed", sentence }
        } else if has_bugs {
            let sentence = "There are bugs without a power cut, too".to_owned();
            Verdict { class: "bug", word: "bug", sentence }
        } else if invalid.is_empty() {
            let sentence = format!("No power cut breaks a lease in {checked} states");
            Verdict { class: "good", word: "passed", sentence }
        } else {
            let sentence = format!("{} cases cannot be explored", invalid.len());
            Verdict { class: "bug", word: "invalid", sentence }
        };
        let window = if report.commits == 0 {
            "There was no commit, so there is no time in which a power cut loses everything."
                .to_owned()
        } else {
            let each = report.fatal_window_seconds / report.commits as f64;
            format!(
                "A power cut loses everything during {each:.3} s of a commit; there were {} commits in {:.1} h.",
                report.commits,
                report.simulated_seconds / 3600.0
            )
        };
        Self { head, verdict, report, window }
    }
}
