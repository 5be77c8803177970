//! What the cases and the power cuts of a check have shown.

use super::suite;
use crate::conformance::{Cause, Observation};
use crate::report::CaseOutcome;
use crate::words::Words;
use explore::crash::Report;
use runner::{Evidence, Finding, FindingKind, Severity, Verdict};
use scenario::{Case, Id};

/// What a case has shown.
pub(super) fn of_case(case: &Case, outcome: &CaseOutcome) -> Vec<Observation> {
    let CaseOutcome { report, run: command, .. } = outcome;
    if let Verdict::Invalid(error) = &report.verdict {
        let text = error.message.clone();
        return vec![observation(case, Cause::Expectation, Severity::Bug, text, command)];
    }
    // What the story expects fails as a consequence where something else is wrong.
    let is_broken = |finding: &Finding| {
        matches!(finding.kind, FindingKind::Broken(_)) && finding.severity > Severity::Advice
    };
    let explained = report.failures.iter().any(is_broken);
    let tells_more = |finding: &&Finding| !(explained && finding.kind == FindingKind::Unmet);
    let findings = report.failures.iter().filter(tells_more);
    findings
        .map(|finding| {
            let cause = Cause::of(finding);
            let first = |lines: &[Vec<u8>]| lines.first().cloned();
            let Evidence { expected, found, .. } = &finding.evidence;
            Observation {
                lines: (first(expected), first(found)),
                ..observation(case, cause, finding.severity, finding.text.clone(), command)
            }
        })
        .collect()
}

/// What the power cuts and kills of a case have shown. `command` replays one of them.
pub(super) fn of_cuts(
    case: &Case,
    report: &Report,
    command: &dyn Fn(&Id) -> Words,
) -> Vec<Observation> {
    let violations = report.violations.iter();
    violations
        .map(|violation| {
            let cause = Cause::of_invariant(violation.invariant, None);
            let command = command(&violation.id);
            let text = violation.text.clone();
            Observation {
                is_basic: false,
                found_in: scenario::Group::Atomic,
                ..observation(case, cause, violation.severity, text, &command)
            }
        })
        .collect()
}

fn observation(
    case: &Case,
    cause: Cause,
    severity: Severity,
    text: String,
    command: &Words,
) -> Observation {
    Observation {
        cause,
        severity,
        found_in: suite::group_of(case),
        is_basic: suite::is_basic(case),
        case: case.name(),
        title: case.scenario.title.clone(),
        text,
        lines: (None, None),
        command: command.clone(),
    }
}
