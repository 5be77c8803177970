//! What the cases and the power cuts of a check have shown.

use super::suite;
use crate::conformance::{Cause, Observation, Origin};
use crate::report::CaseOutcome;
use crate::words::Words;
use explore::crash::Report;
use runner::{Evidence, Finding, FindingKind, Severity, Verdict, stderr_lines};
use scenario::{Case, FaultPoint, Group, Id};

/// What a case has shown.
pub(super) fn of_case(case: &Case, outcome: &CaseOutcome) -> Vec<Observation> {
    let CaseOutcome { report, run: command, .. } = outcome;
    if let Verdict::Invalid(error) = &report.verdict {
        let text = error.message.clone();
        return vec![observation(case, Cause::Expectation, Severity::Bug, text, command)];
    }
    // What the scenario expects fails as a consequence where something else is wrong.
    let is_broken = |finding: &Finding| {
        matches!(finding.kind, FindingKind::Broken(_))
            && finding.severity > Severity::Advice
            && !Cause::of(finding).concerns_no_lease()
    };
    let explained = report.failures.iter().any(is_broken);
    // Once dnsmasq has misread its leases, whatever differs later is a consequence, too.
    let is_misread = |finding: &&Finding| {
        Cause::of(finding) == Cause::UnreadableOutput && finding.severity == Severity::Bug
    };
    let misread = report.failures.iter().find(is_misread).map(|finding| finding.step);
    let tells_more = |finding: &&Finding| match Cause::of(finding) {
        Cause::Expectation => !explained,
        Cause::Lease(_) => misread.is_none_or(|step| finding.step <= step),
        _ => true,
    };
    let findings = report.failures.iter().filter(tells_more);
    findings
        .map(|finding| {
            let cause = Cause::of(finding);
            let first = |lines: &[Vec<u8>]| lines.first().cloned();
            let Evidence { expected, found, .. } = &finding.evidence;
            Observation {
                lines: (first(expected), first(found)),
                stderr: stderr_of(&finding.evidence),
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
            let first = |lines: &[Vec<u8>]| lines.first().cloned();
            let Evidence { expected, found, .. } = &violation.evidence;
            let lines = (first(expected), first(found));
            let point = violation.id.schedule.last().map(|fault| fault.point);
            let has_returned =
                matches!(point, Some(FaultPoint::AfterCall | FaultPoint::AfterCallUnsynced(_)));
            let cause = match point {
                Some(FaultPoint::AfterCallUnsynced(_) | FaultPoint::FileChange { .. })
                    if violation.severity == Severity::Risk =>
                {
                    Cause::NotSynced
                }
                _ => Cause::of_invariant(violation.invariant, &lines),
            };
            let command = command(&violation.id);
            let text = violation.text.clone();
            Observation {
                origin: Origin::Fault,
                found_in: if has_returned { Group::Survives } else { Group::Atomic },
                lines,
                stderr: stderr_of(&violation.evidence),
                ..observation(case, cause, violation.severity, text, &command)
            }
        })
        .collect()
}

/// What the script wrote to stderr in the call that a finding is about.
fn stderr_of(evidence: &Evidence) -> Vec<String> {
    evidence.call.as_ref().map_or_else(Vec::new, |record| stderr_lines(&record.result.stderr))
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
        origin: if suite::is_basic(case) { Origin::OrderlyRestart } else { Origin::Scenario },
        case: case.name(),
        title: case.scenario.title.clone(),
        text,
        lines: (None, None),
        stderr: Vec::new(),
        command: command.clone(),
    }
}
