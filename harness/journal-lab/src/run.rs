//! The tasks that the programs run while faults occur.

use std::net::Ipv4Addr;

use super::acknowledged::Acknowledged;
use super::leases::Leases;
use super::programs::{LoadResult, Program, install, program};
use disk_model::{Disk, WriteOrdering};
use lease_journal::OperationError;
use scenario::Strategy;

/// Initial number of leases. With this number, dhcpd needs more than one call to write its file.
const INSTALLED: u8 = 20;
pub(super) const ENDS: u64 = 1_700_000_000;

/// A task for a program.
#[derive(Clone, Copy, Debug)]
pub(super) enum Task {
    Commit(u8, u64),
    Rewrite,
}

/// A new lease, a renewal and a rewrite, twice in succession; then another renewal and another new lease.
pub(super) const TASKS: [Task; 8] = [
    Task::Commit(100, ENDS + 10),
    Task::Commit(1, ENDS + 20),
    Task::Rewrite,
    Task::Commit(101, ENDS + 30),
    Task::Commit(1, ENDS + 40),
    Task::Rewrite,
    Task::Commit(2, ENDS + 50),
    Task::Commit(102, ENDS + 60),
];

pub(super) fn address(last: u8) -> Ipv4Addr {
    Ipv4Addr::new(10, 0, 0, last)
}

/// Returns a disk with [`INSTALLED`] leases, all of them on the medium, and these leases as acknowledged.
pub(super) fn installed(strategy: Strategy, ordering: WriteOrdering) -> (Disk, Acknowledged) {
    let mut disk = Disk::new(ordering);
    install(strategy, &mut disk);
    let mut acknowledged = Acknowledged { history: vec![Leases::new()], ..Acknowledged::default() };
    let mut program = program(strategy);
    // No cut is scheduled, so this cannot fail.
    let _ = program.start(&mut disk);
    for last in 1..=INSTALLED {
        if program.commit(&mut disk, address(last), ENDS).is_ok_and(|acknowledged| acknowledged) {
            acknowledged.acknowledge(address(last), ENDS);
        }
    }
    disk.sync_all();
    disk.end_processes();
    disk.has_links = strategy != Strategy::Dhcpd44NoLink;
    (disk, acknowledged)
}

/// Starts a program and runs its tasks until they are done or a cut occurs.
pub(super) fn run_tasks(
    program: &mut dyn Program,
    disk: &mut Disk,
    acknowledged: &mut Acknowledged,
    tasks: &[Task],
) -> Result<(), OperationError> {
    if program.start(disk)?.leases.is_none() {
        // A program that does not start acknowledges nothing.
        return Ok(());
    }
    for task in tasks {
        match *task {
            Task::Rewrite => program.rewrite(disk)?,
            Task::Commit(last, ends) => {
                acknowledged.begin(address(last), ends);
                if program.commit(disk, address(last), ends)? {
                    acknowledged.acknowledge(address(last), ends);
                }
            }
        }
    }
    Ok(())
}

pub(super) fn difference(acknowledged: &Acknowledged, found: &LoadResult) -> String {
    let Some(leases) = &found.leases else { return "the program does not start".to_owned() };
    let wanted = &acknowledged.leases;
    if leases.is_empty() {
        return format!("an empty database instead of {} leases", wanted.len());
    }
    let shown =
        |ends: Option<&u64>| ends.map_or("nothing".to_owned(), |ends| format!("until {ends}"));
    let wrong = wanted.iter().find(|(address, ends)| {
        leases.get(*address) != Some(*ends) && !acknowledged.uncertain.contains_key(*address)
    });
    if let Some((address, ends)) = wrong {
        let missing = wanted.keys().filter(|address| !leases.contains_key(*address)).count();
        return format!(
            "{address}: {} acknowledged, {} found; {missing} leases missing",
            shown(Some(ends)),
            shown(leases.get(address))
        );
    }
    let half = acknowledged
        .uncertain
        .iter()
        .find(|(address, choices)| !choices.contains(&leases.get(*address).copied()));
    match half {
        Some((address, _)) => format!(
            "{address}: {} before the cut, {} found",
            shown(wanted.get(address)),
            shown(leases.get(address))
        ),
        None => "a lease that was never committed".to_owned(),
    }
}
