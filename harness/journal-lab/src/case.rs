//! Runs a scenario with a `[journal]` section: explores one strategy and compares the losses with the expected losses.

use super::damage::explore_damage;
use super::explore::explore;
use super::io_errors::explore_io_errors;
use super::report::Report;
use disk_model::WriteOrdering;
use scenario::{DiskFaults, JournalLab, Loss};

/// The result of a scenario with a `[journal]` section.
#[derive(Debug)]
pub struct CaseResult {
    /// The result of the exploration.
    pub report: Report,
    /// The deviations from the scenario, as lines of text.
    pub deviations: Vec<String>,
}

/// Returns the number of states that an exploration must exceed. A lower number shows that the faults do not occur.
fn min_checked(faults: DiskFaults) -> u64 {
    match faults {
        DiskFaults::Cuts => 100,
        DiskFaults::IoErrors => 70,
        DiskFaults::Damage => 700,
    }
}

/// Returns the losses that the scenario expects.
pub fn expected_losses(lab: &JournalLab) -> &[Loss] {
    match lab.write_ordering {
        WriteOrdering::Ordered => &lab.loses.ordered,
        WriteOrdering::Reordering => &lab.loses.reordering,
    }
}

/// Explores the strategy and compares the losses with the expected losses.
pub fn run_case(lab: &JournalLab) -> CaseResult {
    let explore = match lab.faults {
        DiskFaults::Cuts => explore,
        DiskFaults::IoErrors => explore_io_errors,
        DiskFaults::Damage => explore_damage,
    };
    let report = explore(lab.strategy, lab.write_ordering);
    let faults = lab.faults.name();
    let mut deviations = Vec::new();
    if report.checked <= min_checked(lab.faults) {
        deviations.push(format!("the {faults} left only {} states to check", report.checked));
    }
    let loses = expected_losses(lab);
    for loss in report.kinds().into_iter().filter(|loss| !loses.contains(loss)) {
        let count = report.count(loss);
        deviations.push(format!("{loss}: {count} {faults}, and the scenario does not expect it"));
        for example in report.examples.iter().filter(|example| example.loss == loss) {
            let (event, place, text) = (example.kind.event(), &example.place, &example.text);
            let names = example.names.join(" ");
            deviations.push(format!("  {event} {place}: {text} (files: {names})"));
        }
    }
    for loss in loses.iter().filter(|loss| report.count(**loss) == 0) {
        deviations.push(format!("{loss}: expected, but shown by none of the {faults}"));
    }
    if let Some(window) = &lab.window {
        let place = format!("between `{}` and `{}`", window.after, window.before);
        let found = report
            .examples
            .iter()
            .any(|example| example.place == place && example.loss == Loss::NoDatabase);
        if !found {
            deviations.push(format!("no cut {place} leaves no database"));
        }
    }
    CaseResult { report, deviations }
}
