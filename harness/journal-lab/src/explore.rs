//! Interrupts a strategy at every system call.

use std::collections::HashSet;

use super::acknowledged::Acknowledged;
use super::programs::program;
use super::report::{FaultKind, LossExample, Report};
use super::run::{ENDS, TASKS, Task, difference, installed, run_tasks};
use disk_model::{Cut, Disk, Step, WriteOrdering, states_after_power_cut};
use scenario::{Strategy, digest};

struct Explorer<'a> {
    strategy: Strategy,
    installed: Disk,
    base: Acknowledged,
    seen: HashSet<u64>,
    /// The cases that were already checked after a power cut: the hash of the disk, the hash of the acknowledged leases, and
    /// the kind of fault.
    power_cuts: HashSet<(u64, u64, FaultKind)>,
    report: &'a mut Report,
}

/// Cuts the power or kills the process at every call of a strategy, and checks the leases that the next start finds.
pub fn explore(strategy: Strategy, ordering: WriteOrdering) -> Report {
    Report::timed(strategy, ordering, |report| {
        let (installed, base) = installed(strategy, ordering);
        let mut explorer = Explorer {
            strategy,
            installed,
            base,
            seen: HashSet::new(),
            power_cuts: HashSet::new(),
            report,
        };
        explorer.run();
    })
}

/// Returns the cuts of a run: before each call, inside each write, and after the last call.
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

/// Describes the position of a cut in the sequence of calls.
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

impl Explorer<'_> {
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
            self.check_power_cut(&disk, &acknowledged, FaultKind::Power, &place);
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
        kind: FaultKind,
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

    /// Checks the leases that the next process finds after the process was killed. Then the next process makes one more
    /// change, and the power is cut at each of its calls.
    fn check_process_kill(&mut self, mut disk: Disk, acknowledged: &Acknowledged, place: &str) {
        disk.end_processes();
        self.check(disk.clone(), acknowledged, FaultKind::Kill, place);
        let again = [Task::Commit(103, ENDS + 70)];
        let mut trial = disk.clone();
        let mut running = program(self.strategy);
        let _ = run_tasks(running.as_mut(), &mut trial, &mut acknowledged.clone(), &again);
        let calls = trial.take_steps().len() as u64;
        for call in 0..=calls {
            let (disk, acknowledged) =
                self.cut(&disk, acknowledged, &again, Cut { call, bytes: 0 });
            self.check_power_cut(&disk, &acknowledged, FaultKind::KillThenPower, place);
        }
    }

    fn check(&mut self, mut disk: Disk, acknowledged: &Acknowledged, kind: FaultKind, place: &str) {
        self.report.points += 1;
        if !self.seen.insert(digest::of(&(disk.digest(), acknowledged.digest(), kind))) {
            return;
        }
        self.report.distinct += 1;
        let mut next = program(self.strategy);
        let Ok(found) = next.load(&mut disk) else { return };
        self.report.checked += 1;
        let Some(loss) = acknowledged.loss(&found) else { return };
        let names: Vec<String> = disk.names().collect();
        self.report.lost(kind, loss, || LossExample {
            kind,
            loss,
            place: place.to_owned(),
            text: difference(acknowledged, &found),
            names,
        });
    }
}
