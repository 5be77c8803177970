//! The page of a command that runs cases.

use std::collections::BTreeMap;

use askama::Template;

use super::head::{Head, Verdict};
use super::timeline::TimelineView;
use crate::cases::{CaseEntry, CaseVerdict, CasesReport, GroupVerdict};
use crate::failure::{Failure, Severity};

/// Number of failures that are expanded when the page is loaded.
const OPEN: usize = 1;
/// The questions to which `leaselab check` gives answers, in the order of the answers.
const QUESTIONS: [&str; 3] = ["How long does the flash live?", "Power cuts?", "What to fix first?"];
/// Maximum number of failures with a timeline.
const MAX_TIMELINES: usize = 200;

#[derive(Template)]
#[template(path = "cases.html")]
pub(super) struct CasesPage<'a> {
    head: Head<'a>,
    verdict: Verdict,
    report: &'a CasesReport,
    groups: Vec<GroupView<'a>>,
    answers: Vec<(&'static str, &'a str)>,
    filters: Vec<(&'static str, usize)>,
    failures: Vec<FailureView<'a>>,
    matrix: Vec<MatrixRow<'a>>,
}

struct GroupView<'a> {
    title: &'a str,
    class: &'static str,
    word: &'a str,
    cases: usize,
    failed: usize,
    /// The reason why there is no verdict, or the findings.
    texts: Vec<&'a str>,
    /// The command that reproduces the finding.
    reproduction: Option<&'a str>,
    /// The ids of its failures.
    failures: Vec<&'a str>,
}

struct FailureView<'a> {
    failure: &'a Failure,
    timeline: Option<TimelineView>,
    open: bool,
}

struct MatrixRow<'a> {
    title: &'a str,
    file: &'a str,
    cells: Vec<Cell<'a>>,
}

struct Cell<'a> {
    class: &'static str,
    sign: &'static str,
    title: String,
    failure: Option<&'a str>,
}

impl<'a> CasesPage<'a> {
    pub(super) fn new(head: Head<'a>, report: &'a CasesReport) -> Self {
        let mut sorted: Vec<&Failure> = report.failures.iter().collect();
        sorted.sort_by_key(|failure| std::cmp::Reverse(failure.severity));
        let of_severity = |severity: Severity| {
            let count = sorted.iter().filter(|failure| failure.severity == severity).count();
            (count > 0).then_some((severity.name(), count))
        };
        let filters = [Severity::Bug, Severity::Risk, Severity::Advice];
        let filters = filters.into_iter().filter_map(of_severity).collect();
        let failures = sorted.iter().enumerate().map(|(index, failure)| FailureView {
            failure,
            timeline: report
                .timelines
                .get(&failure.case)
                .filter(|_| index < MAX_TIMELINES)
                .map(|timeline| TimelineView::new(timeline, failure.step)),
            open: index < OPEN,
        });
        Self {
            head,
            verdict: verdict(report),
            report,
            groups: report.groups.iter().map(|group| group_view(group, &report.failures)).collect(),
            answers: QUESTIONS.into_iter().zip(report.answers.iter().map(String::as_str)).collect(),
            filters,
            failures: failures.collect(),
            matrix: matrix(report),
        }
    }
}

fn verdict(report: &CasesReport) -> Verdict {
    if report.groups.iter().any(|group| !group.verdict.is_empty()) {
        return verdict_of_groups(&report.groups);
    }
    let worst = report.failures.iter().map(|failure| failure.severity).max();
    let CasesReport { passed, failed, .. } = report;
    let all = passed + failed;
    match (failed, worst) {
        (0, None) => {
            Verdict { class: "good", word: "passed", sentence: format!("All {passed} cases hold") }
        }
        (0, Some(worst)) => Verdict {
            class: "good",
            word: "passed",
            sentence: format!("No case fails; there is {} to read", article(worst)),
        },
        (failed, _) => Verdict {
            class: "bug",
            word: "failed",
            sentence: format!("{failed} of {all} cases fail"),
        },
    }
}

/// Returns the verdict of `leaselab check`.
fn verdict_of_groups(groups: &[GroupVerdict]) -> Verdict {
    let worst = groups.iter().filter_map(|group| group.severity).max();
    let of_severity = |wanted| groups.iter().filter(|group| group.severity == wanted).count();
    let (class, word) = worst.map_or(("good", "ok"), |worst| (worst.name(), worst.name()));
    let sentence = match worst {
        None => "The script holds in every group that applies".to_owned(),
        Some(Severity::Bug) => {
            format!("The script has bugs in {} of {} groups", of_severity(worst), groups.len())
        }
        Some(Severity::Risk) => {
            format!("The script has risks in {} of {} groups", of_severity(worst), groups.len())
        }
        Some(Severity::Advice) => "The script has no bug; there is advice".to_owned(),
    };
    Verdict { class, word, sentence }
}

fn article(severity: Severity) -> &'static str {
    match severity {
        Severity::Advice => "advice",
        Severity::Risk => "a risk",
        Severity::Bug => "a bug",
    }
}

fn group_view<'a>(group: &'a GroupVerdict, failures: &'a [Failure]) -> GroupView<'a> {
    let (class, word) = match group.severity {
        Some(severity) => (severity.name(), severity.name()),
        None if !matches!(group.verdict.as_str(), "" | "ok") => ("skipped", group.verdict.as_str()),
        None if group.cases == 0 => ("skipped", "not tested"),
        None => ("good", "holds"),
    };
    let of_group = failures.iter().filter(|failure| match group.verdict.as_str() {
        "" => failure.group == group.group,
        _ => group.failures.contains(&failure.id),
    });
    GroupView {
        title: &group.title,
        class,
        word,
        cases: group.cases,
        failed: group.failed,
        texts: group.why.iter().chain(&group.example).map(String::as_str).collect(),
        reproduction: group.reproduction.as_deref(),
        failures: of_group.map(|failure| failure.id.as_str()).take(6).collect(),
    }
}

fn matrix(report: &CasesReport) -> Vec<MatrixRow<'_>> {
    let rows = report.scenarios.iter().map(|scenario| MatrixRow {
        title: &scenario.title,
        file: &scenario.file,
        cells: scenario.cases.iter().map(cell).collect(),
    });
    rows.collect()
}

fn cell(case: &CaseEntry) -> Cell<'_> {
    let (class, sign) = match case.verdict {
        CaseVerdict::Passed if !case.failures.is_empty() => ("advice", "·"),
        CaseVerdict::Passed => ("good", "✓"),
        CaseVerdict::Failed => ("failed", "✕"),
        CaseVerdict::Invalid => ("invalid", "!"),
        CaseVerdict::Skipped => ("skipped", "–"),
    };
    let name =
        if case.parameters.is_empty() { case.name.clone() } else { parameters(&case.parameters) };
    let mut title = format!("{name}: {}", case.verdict.name());
    if let Some(why) = case.why.as_deref().and_then(|why| why.lines().next()) {
        title.push_str(": ");
        title.push_str(why);
    }
    let worst = case.failures.iter().max_by_key(|finding| finding.severity);
    Cell { class, sign, title, failure: worst.map(|finding| finding.failure.as_str()) }
}

fn parameters(parameters: &BTreeMap<String, String>) -> String {
    let pairs: Vec<String> =
        parameters.iter().map(|(name, value)| format!("{name}={value}")).collect();
    pairs.join(", ")
}
