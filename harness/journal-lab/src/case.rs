//! A scenario with a `[journal]` section: one strategy, explored, and what it may lose.

use super::report::Report;
use super::{Files, Loss, explore};
use scenario::JournalLab;

/// What an exploration says to its scenario.
#[derive(Debug)]
pub struct Explored {
    /// The counts.
    pub report: Report,
    /// What is not as the scenario says, one line each.
    pub faults: Vec<String>,
}

/// What the scenario expects to be lost.
pub fn declared(lab: &JournalLab) -> &[Loss] {
    match lab.files {
        Files::Ordered => &lab.loses.ordered,
        Files::Reordering => &lab.loses.reordering,
    }
}

/// Explores, and compares with what the scenario says.
pub fn run_case(lab: &JournalLab) -> Explored {
    let report = explore(lab.strategy, lab.files);
    let mut faults = Vec::new();
    let loses = declared(lab);
    for loss in report.kinds().into_iter().filter(|loss| !loses.contains(loss)) {
        let count = report.count(loss);
        faults.push(format!("{loss}: {count} cuts, and the scenario does not expect it"));
        for breach in report.breaches.iter().filter(|breach| breach.loss == loss) {
            let (kind, place, text) = (breach.kind.name(), &breach.place, &breach.text);
            let names = breach.names.join(" ");
            faults.push(format!("  {kind} cut {place}: {text} (files: {names})"));
        }
    }
    for loss in loses.iter().filter(|loss| report.count(**loss) == 0) {
        faults.push(format!("{loss}: expected, and no cut shows it"));
    }
    if let Some(window) = &lab.window {
        let place = format!("between `{}` and `{}`", window.after, window.before);
        let found = report
            .breaches
            .iter()
            .any(|breach| breach.place == place && breach.loss == Loss::NoDatabase);
        if !found {
            faults.push(format!("no cut {place} leaves no database"));
        }
    }
    Explored { report, faults }
}
