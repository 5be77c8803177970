//! The part of `leaselab crash` that is about programs which rewrite their lease database.

use rayon::prelude::*;

use explore::crash::Report;
use journal_lab::{CutKind, Explored, Loss, declared, run_case};
use scenario::Case;

/// Explores each strategy, prints a table and what was not expected. The counts, for the last line.
pub(super) fn explore(cases: &[Case]) -> Report {
    let explored: Vec<Explored> =
        cases.par_iter().filter_map(|case| case.scenario.journal.as_ref()).map(run_case).collect();
    let mut total = Report::default();
    if explored.is_empty() {
        return total;
    }
    print_head();
    for (case, Explored { report, faults }) in cases.iter().zip(&explored) {
        let expected = case.scenario.journal.as_ref().map(declared).unwrap_or_default();
        print_row(report);
        for fault in faults {
            anstream::println!("  {}: {fault}", case.name());
        }
        let of = |wanted: bool| -> u64 {
            Loss::ALL
                .into_iter()
                .filter(|loss| expected.contains(loss) == wanted)
                .map(|loss| report.count(loss))
                .sum()
        };
        let (declared, broken) = (of(true), of(false));
        // A loss that was expected and did not show is a fault, too.
        let broken = broken.max(u64::from(!faults.is_empty()));
        total.add(Report {
            points: report.points,
            distinct: report.distinct,
            checked: report.checked,
            // Each is a disk that was started from, read and judged.
            images: report.checked,
            kept: report.checked.saturating_sub(declared + broken),
            declared,
            broken,
            took: report.took,
            ..Report::default()
        });
    }
    for report in explored.iter().map(|explored| &explored.report) {
        for kind in CutKind::ALL {
            if let Some(breach) = report.breaches.iter().find(|breach| breach.kind == kind) {
                let (name, files) = (report.strategy.name(), format!("{:?}", report.ordering));
                anstream::println!(
                    "{name}, {}: {} cut {}: {}: {} (files: {})",
                    files.to_lowercase(),
                    kind.name(),
                    breach.place,
                    breach.loss,
                    breach.text,
                    breach.names.join(" ")
                );
            }
        }
    }
    total
}

fn print_head() {
    anstream::print!("{:<18} {:<11} {:>6} {:>8}", "strategy", "files", "calls", "checked");
    for loss in Loss::ALL {
        anstream::print!(" {loss:>12}");
    }
    anstream::println!("  by cuts of");
}

fn print_row(report: &journal_lab::Report) {
    let files = format!("{:?}", report.ordering).to_lowercase();
    let (name, calls, checked) = (report.strategy.name(), report.calls, report.checked);
    anstream::print!("{name:<18} {files:<11} {calls:>6} {checked:>8}");
    for loss in Loss::ALL {
        anstream::print!(" {:>12}", report.count(loss));
    }
    let kinds: Vec<&str> = CutKind::ALL
        .into_iter()
        .filter(|kind| report.losses.keys().any(|(cut, _)| cut == kind))
        .map(CutKind::name)
        .collect();
    anstream::println!("  {}", if kinds.is_empty() { "none".to_owned() } else { kinds.join("; ") });
}
