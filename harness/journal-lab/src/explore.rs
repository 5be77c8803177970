//! Interrupts a strategy at every system call.

use std::collections::HashSet;
use std::net::Ipv4Addr;

use rustix::time::{ClockId, clock_gettime};

use super::acknowledged::{Acknowledged, hash};
use super::leases::Leases;
use super::programs::{LoadResult, Program, install, program};
use super::report::{Breach, CutKind, Report};
use disk_model::{Cut, Disk, Step, WriteOrdering, states_after_power_cut};
use lease_journal::OperationError;
use scenario::Strategy;

/// Number of leases at the beginning. With this number, dhcpd needs more than one call to write its file.
const INSTALLED: u8 = 20;
const ENDS: u64 = 1_700_000_000;

/// A task for a program.
#[derive(Clone, Copy, Debug)]
enum Task {
    Commit(u8, u64),
    Rewrite,
}

/// A new lease, a renewal and a rewrite; the same again; another renewal and another new lease.
const TASKS: [Task; 8] = [
    Task::Commit(100, ENDS + 10),
    Task::Commit(1, ENDS + 20),
    Task::Rewrite,
    Task::Commit(101, ENDS + 30),
    Task::Commit(1, ENDS + 40),
    Task::Rewrite,
    Task::Commit(2, ENDS + 50),
    Task::Commit(102, ENDS + 60),
];

fn address(last: u8) -> Ipv4Addr {
    Ipv4Addr::new(10, 0, 0, last)
}

struct Explorer {
    strategy: Strategy,
    installed: Disk,
    base: Acknowledged,
    seen: HashSet<u64>,
    /// Hashes of the disks that were already checked after a power cut, with those of the acknowledged leases.
    power_cuts: HashSet<(u64, u64, CutKind)>,
    report: Report,
}

/// Cuts the power and kills the process at every call of a strategy, and checks the leases that the next start finds.
pub fn explore(strategy: Strategy, ordering: WriteOrdering) -> Report {
    let before = clock_gettime(ClockId::ThreadCPUTime);
    let (installed, base) = installed(strategy, ordering);
    let mut explorer = Explorer {
        strategy,
        installed,
        base,
        seen: HashSet::new(),
        power_cuts: HashSet::new(),
        report: Report::new(strategy, ordering),
    };
    explorer.run();
    let after = clock_gettime(ClockId::ThreadCPUTime);
    let nanoseconds = |at: rustix::time::Timespec| at.tv_sec * 1_000_000_000 + at.tv_nsec;
    let cpu_time = u64::try_from(nanoseconds(after) - nanoseconds(before)).unwrap_or(0);
    explorer.report.cpu_time = std::time::Duration::from_nanos(cpu_time);
    explorer.report
}

/// A disk with some leases, all of them on the medium.
fn installed(strategy: Strategy, ordering: WriteOrdering) -> (Disk, Acknowledged) {
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
fn run_tasks(
    program: &mut dyn Program,
    disk: &mut Disk,
    acknowledged: &mut Acknowledged,
    tasks: &[Task],
) -> Result<(), OperationError> {
    if program.start(disk)?.leases.is_none() {
        // It does not start, so it acknowledges nothing.
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

/// The cuts of a run: before each call, inside each write, and after the last call.
fn cuts(steps: &[Step]) -> Vec<Cut> {
    let mut cuts = Vec::new();
    for (call, step) in steps.iter().enumerate() {
        let call = call as u64;
        cuts.push(Cut { call, bytes: 0 });
        let middle = [1, step.bytes / 2, step.bytes.saturating_sub(1)];
        let mut inside: Vec<usize> =
            middle.into_iter().filter(|at| (1..step.bytes).contains(at)).collect();
        inside.dedup();
        cuts.extend(inside.into_iter().map(|bytes| Cut { call, bytes }));
    }
    cuts.push(Cut { call: steps.len() as u64, bytes: 0 });
    cuts
}

/// Describes the place of a cut.
fn place(steps: &[Step], cut: Cut) -> String {
    let text = |at: u64| steps.get(at as usize).map(|step| step.text.as_str());
    match (cut.call.checked_sub(1).and_then(text), text(cut.call)) {
        (_, Some(within)) if cut.bytes > 0 => format!("{} bytes into `{within}`", cut.bytes),
        (Some(last), Some(next)) => format!("between `{last}` and `{next}`"),
        (None, Some(next)) => format!("before `{next}`"),
        (Some(last), None) => format!("after `{last}`"),
        (None, None) => "without a call".to_owned(),
    }
}

impl Explorer {
    fn run(&mut self) {
        let mut disk = self.installed.clone();
        let mut acknowledged = self.base.clone();
        let mut running = program(self.strategy);
        let _ = run_tasks(running.as_mut(), &mut disk, &mut acknowledged, &TASKS);
        let steps = disk.take_steps();
        self.report.calls = steps.len() as u64;
        for cut in cuts(&steps) {
            let (disk, acknowledged) =
                self.cut(&self.installed.clone(), &self.base.clone(), &TASKS, cut);
            let place = place(&steps, cut);
            self.check_power_cut(&disk, &acknowledged, CutKind::Power, &place);
            self.check_process_kill(disk, &acknowledged, &place);
        }
    }

    /// Runs a program until the cut. Returns the disk and the acknowledged leases.
    fn cut(
        &self,
        from: &Disk,
        base: &Acknowledged,
        tasks: &[Task],
        cut: Cut,
    ) -> (Disk, Acknowledged) {
        let (mut disk, mut acknowledged) = (from.clone(), base.clone());
        disk.arm(cut);
        let mut running = program(self.strategy);
        let _ = run_tasks(running.as_mut(), &mut disk, &mut acknowledged, tasks);
        (disk, acknowledged)
    }

    fn check_power_cut(
        &mut self,
        disk: &Disk,
        acknowledged: &Acknowledged,
        kind: CutKind,
        place: &str,
    ) {
        let known = (disk.digest(), acknowledged.digest(), kind);
        if !self.power_cuts.insert(known) {
            return;
        }
        for state in states_after_power_cut(disk) {
            self.check(state, acknowledged, kind, place);
        }
    }

    /// Checks the leases that the next process finds after a process was killed. Then that process makes one more change,
    /// and the power is cut at each of its calls.
    fn check_process_kill(&mut self, mut disk: Disk, acknowledged: &Acknowledged, place: &str) {
        disk.end_processes();
        self.check(disk.clone(), acknowledged, CutKind::Process, place);
        let again = [Task::Commit(103, ENDS + 70)];
        let mut trial = disk.clone();
        let mut running = program(self.strategy);
        let _ = run_tasks(running.as_mut(), &mut trial, &mut acknowledged.clone(), &again);
        let calls = trial.take_steps().len() as u64;
        for call in 0..=calls {
            let (disk, acknowledged) =
                self.cut(&disk, acknowledged, &again, Cut { call, bytes: 0 });
            self.check_power_cut(&disk, &acknowledged, CutKind::Both, place);
        }
    }

    fn check(&mut self, mut disk: Disk, acknowledged: &Acknowledged, kind: CutKind, place: &str) {
        self.report.points += 1;
        if !self.seen.insert(hash(&(disk.digest(), acknowledged.digest(), kind))) {
            return;
        }
        self.report.distinct += 1;
        let mut next = program(self.strategy);
        let Ok(found) = next.start(&mut disk) else { return };
        self.report.checked += 1;
        let Some(loss) = acknowledged.loss(&found) else { return };
        let names: Vec<String> = disk.names().collect();
        self.report.lost(kind, loss, || Breach {
            kind,
            loss,
            place: place.to_owned(),
            text: difference(acknowledged, &found),
            names,
        });
    }
}

fn difference(acknowledged: &Acknowledged, found: &LoadResult) -> String {
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
        let there = shown(leases.get(address));
        return format!(
            "{address}: {} acknowledged, {there} there; {missing} leases missing",
            shown(Some(ends))
        );
    }
    let half = acknowledged
        .uncertain
        .iter()
        .find(|(address, choices)| !choices.contains(&leases.get(*address).copied()));
    match half {
        Some((address, _)) => format!(
            "{address}: {} before the cut, {} there",
            shown(wanted.get(address)),
            shown(leases.get(address))
        ),
        None => "a lease that was never committed".to_owned(),
    }
}
