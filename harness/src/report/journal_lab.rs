//! Reports about programs that rewrite their lease database.

use super::{JunitEnd, JunitTest};
use explore::crash::Report;
use journal_lab::{CaseResult, FaultKind, Loss, expected_losses};
use scenario::Case;

/// Prints a row for each strategy, the deviations from the scenario, and one example for each kind of cut.
pub fn print(cases: &[Case], explored: &[CaseResult]) {
    if explored.is_empty() {
        return;
    }
    print_heading();
    for (case, CaseResult { report, deviations }) in cases.iter().zip(explored) {
        print_row(report);
        for deviation in deviations {
            outln!("  {}: {deviation}", case.name());
        }
    }
    for report in explored.iter().map(|explored| &explored.report) {
        for kind in FaultKind::ALL {
            if let Some(example) = report.examples.iter().find(|example| example.kind == kind) {
                let (name, files) = (report.strategy.name(), format!("{:?}", report.ordering));
                outln!(
                    "{name}, {}: {} {}: {}: {} (files: {})",
                    files.to_lowercase(),
                    kind.event(),
                    example.place,
                    example.loss,
                    example.text,
                    example.names.join(" ")
                );
            }
        }
    }
}

/// The counts of one strategy in the terms of an exploration.
pub fn counts(case: &Case, CaseResult { report, deviations }: &CaseResult) -> Report {
    let expected = case.scenario.journal.as_ref().map(expected_losses).unwrap_or_default();
    let of = |wanted: bool| -> u64 {
        Loss::ALL
            .into_iter()
            .filter(|loss| expected.contains(loss) == wanted)
            .map(|loss| report.count(loss))
            .sum()
    };
    let (declared, broken) = (of(true), of(false));
    // An expected loss that did not occur counts as broken, too.
    let broken = broken.max(u64::from(!deviations.is_empty()));
    Report {
        points: report.points,
        distinct: report.distinct,
        checked: report.checked,
        // The program was started on each of these disks, and its leases were checked.
        images: report.checked,
        kept: report.checked.saturating_sub(declared + broken),
        declared,
        broken,
        took: report.cpu_time,
        ..Report::default()
    }
}

/// The JUnit test of one strategy.
pub fn junit(case: &Case, explored: &CaseResult) -> JunitTest {
    let Report { broken, checked, took, .. } = counts(case, explored);
    let end = if broken == 0 {
        JunitEnd::Passed
    } else {
        let message = format!("{broken} of {checked} states broken");
        JunitEnd::Failed {
            kind: "unexpected-loss".to_owned(),
            message,
            description: explored.deviations.join("\n"),
        }
    };
    JunitTest::of_case(case, took, end)
}

fn print_heading() {
    out!("{:<18} {:<11} {:>6} {:>8}", "strategy", "ordering", "calls", "checked");
    for loss in Loss::ALL {
        out!(" {loss:>12}");
    }
    outln!("  by");
}

fn print_row(report: &journal_lab::Report) {
    let files = format!("{:?}", report.ordering).to_lowercase();
    let (name, calls, checked) = (report.strategy.name(), report.calls, report.checked);
    out!("{name:<18} {files:<11} {calls:>6} {checked:>8}");
    for loss in Loss::ALL {
        out!(" {:>12}", report.count(loss));
    }
    let kinds: Vec<&str> = FaultKind::ALL
        .into_iter()
        .filter(|kind| report.losses.keys().any(|(cut, _)| cut == kind))
        .map(FaultKind::name)
        .collect();
    outln!("  {}", if kinds.is_empty() { "none".to_owned() } else { kinds.join("; ") });
}
