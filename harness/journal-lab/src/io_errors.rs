//! Makes each call of a program fail, either alone or together with all later calls.

use std::collections::HashSet;
use std::io;

use super::acknowledged::Acknowledged;
use super::programs::program;
use super::report::{FaultKind, LossExample, Report};
use super::run::{TASKS, difference, installed, run_tasks};
use disk_model::{Disk, IoFault, WriteOrdering, states_after_power_cut};
use scenario::{Strategy, digest};

/// The errors, whether they also affect all later calls, and their descriptions.
const ERRORS: [(io::ErrorKind, bool, &str); 3] = [
    (io::ErrorKind::Other, false, "EIO in"),
    (io::ErrorKind::Other, true, "EIO from then on in"),
    (io::ErrorKind::StorageFull, true, "ENOSPC from then on in"),
];

/// Makes each call of a strategy fail, including those that only read. After the errors have ended, with or without a power
/// cut, the next start must find all leases that were acknowledged.
pub(super) fn explore_io_errors(strategy: Strategy, ordering: WriteOrdering) -> Report {
    Report::timed(strategy, ordering, |report| {
        let (installed, base) = installed(strategy, ordering);
        let run = |fault: Option<IoFault>| {
            let (mut disk, mut acknowledged) = (installed.clone(), base.clone());
            disk.fail(fault.unwrap_or(NEVER));
            // A program that does not start acknowledges nothing.
            let _ = run_tasks(program(strategy).as_mut(), &mut disk, &mut acknowledged, &TASKS);
            (disk, acknowledged)
        };
        let calls = run(None).0.attempts();
        report.calls = calls;
        let mut seen = HashSet::new();
        for (error, lasts, name) in ERRORS {
            for call in 0..calls {
                let (mut disk, acknowledged) = run(Some(IoFault { call, lasts, error }));
                let Some(failed) = disk.failed_call() else { continue };
                let place = format!("{name} `{failed}`");
                let after_power_cut = states_after_power_cut(&disk);
                disk.end_processes();
                for state in std::iter::once(disk).chain(after_power_cut) {
                    report.points += 1;
                    if seen.insert(digest::of(&(state.digest(), acknowledged.digest()))) {
                        report.distinct += 1;
                        check(report, state, &acknowledged, &place);
                    }
                }
            }
        }
    })
}

/// A fault that never occurs.
const NEVER: IoFault = IoFault { call: u64::MAX, lasts: false, error: io::ErrorKind::Other };

fn check(report: &mut Report, mut disk: Disk, acknowledged: &Acknowledged, place: &str) {
    let Ok(found) = program(report.strategy).start(&mut disk) else { return };
    report.checked += 1;
    let Some(loss) = acknowledged.loss(&found) else { return };
    report.lost(FaultKind::IoError, loss, || LossExample {
        kind: FaultKind::IoError,
        loss,
        place: place.to_owned(),
        text: difference(acknowledged, &found),
        names: disk.names().collect(),
    });
}
