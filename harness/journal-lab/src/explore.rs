//! Cuts a strategy everywhere.

use std::collections::hash_map::DefaultHasher;
use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::hash::{Hash, Hasher};
use std::net::Ipv4Addr;

use rustix::time::{ClockId, clock_gettime};

use super::programs::{Found, Program, install, program};
use super::report::{Breach, CutKind, Report};
use super::{Files, Leases, Loss, Strategy};
use disk_model::survivors;
use disk_model::{Cut, Disk, Step};
use lease_journal::OperationError;

/// Leases at the beginning: enough that dhcpd writes its file in more than one piece.
const INSTALLED: u8 = 20;
const ENDS: u64 = 1_700_000_000;

/// What a program is asked to do.
#[derive(Clone, Copy, Debug)]
enum Event {
    Commit(u8, u64),
    Rewrite,
}

/// A lease made, one renewed, a rewrite, both again, a second rewrite, one more.
const EVENTS: [Event; 8] = [
    Event::Commit(100, ENDS + 10),
    Event::Commit(1, ENDS + 20),
    Event::Rewrite,
    Event::Commit(101, ENDS + 30),
    Event::Commit(1, ENDS + 40),
    Event::Rewrite,
    Event::Commit(2, ENDS + 50),
    Event::Commit(102, ENDS + 60),
];

fn address(last: u8) -> Ipv4Addr {
    Ipv4Addr::new(10, 0, 0, last)
}

/// What was acknowledged, and what was on its way.
#[derive(Clone, Debug, Default)]
struct Ledger {
    acknowledged: Leases,
    /// The values that a lease in doubt may have: `None` for none.
    doubt: BTreeMap<Ipv4Addr, BTreeSet<Option<u64>>>,
    /// The database after each acknowledgement, the latest last.
    history: Vec<Leases>,
}

fn hash(value: &impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    value.hash(&mut hasher);
    hasher.finish()
}

impl Ledger {
    fn digest(&self) -> u64 {
        hash(&(&self.acknowledged, &self.doubt))
    }

    fn begin(&mut self, address: Ipv4Addr, ends: u64) {
        let before = self.acknowledged.get(&address).copied();
        self.doubt.entry(address).or_default().extend([before, Some(ends)]);
    }

    fn acknowledge(&mut self, address: Ipv4Addr, ends: u64) {
        self.acknowledged.insert(address, ends);
        self.doubt.remove(&address);
        self.history.push(self.acknowledged.clone());
    }

    /// What a program that found this lost; `None`: nothing.
    fn judge(&self, found: &Found) -> Option<Loss> {
        let Some(leases) = &found.leases else { return Some(Loss::NoDatabase) };
        let fine = |address: &Ipv4Addr| {
            let value = leases.get(address).copied();
            match self.doubt.get(address) {
                Some(choices) => choices.contains(&value),
                None => value == self.acknowledged.get(address).copied(),
            }
        };
        let wrong: Vec<&Ipv4Addr> = leases
            .keys()
            .chain(self.acknowledged.keys())
            .chain(self.doubt.keys())
            .filter(|address| !fine(address))
            .collect();
        if wrong.is_empty() {
            return None;
        }
        if leases.is_empty() {
            return Some(Loss::NoDatabase);
        }
        let without_doubt = |leases: &Leases| -> Leases {
            let mut leases = leases.clone();
            leases.retain(|address, _| !self.doubt.contains_key(address));
            leases
        };
        let ever = |address: &Ipv4Addr, value: u64| {
            self.history.iter().any(|then| then.get(address) == Some(&value))
        };
        let invented =
            leases.iter().any(|(address, value)| !fine(address) && !ever(address, *value));
        // Neither as before nor as after: half a record was taken, now or by an earlier start.
        let half = wrong.iter().all(|address| self.doubt.contains_key(*address));
        if invented || half || found.damaged {
            return Some(Loss::Torn);
        }
        let now = without_doubt(leases);
        let earlier = self.history.iter().any(|then| without_doubt(then) == now);
        Some(if earlier { Loss::Old } else { Loss::Lost })
    }
}

struct Explorer {
    strategy: Strategy,
    installed: Disk,
    base: Ledger,
    seen: HashSet<u64>,
    /// Disks on which the power has gone already, with what was acknowledged.
    cut_at: HashSet<(u64, u64, CutKind)>,
    report: Report,
}

/// Cuts the power and the process at every call of a strategy, and judges what its next start finds.
pub fn explore(strategy: Strategy, files: Files) -> Report {
    let before = clock_gettime(ClockId::ThreadCPUTime);
    let (installed, base) = installed(strategy, files);
    let mut explorer = Explorer {
        strategy,
        installed,
        base,
        seen: HashSet::new(),
        cut_at: HashSet::new(),
        report: Report::new(strategy, files),
    };
    explorer.run();
    let after = clock_gettime(ClockId::ThreadCPUTime);
    let nanoseconds = |at: rustix::time::Timespec| at.tv_sec * 1_000_000_000 + at.tv_nsec;
    let took = u64::try_from(nanoseconds(after) - nanoseconds(before)).unwrap_or(0);
    explorer.report.took = std::time::Duration::from_nanos(took);
    explorer.report
}

/// A machine with some leases, everything on the medium.
fn installed(strategy: Strategy, files: Files) -> (Disk, Ledger) {
    let mut disk = Disk::new(files);
    if strategy == Strategy::Dhcpd44NoLink {
        disk = disk.without_links();
    }
    install(strategy, &mut disk);
    let mut ledger = Ledger { history: vec![Leases::new()], ..Ledger::default() };
    let has_links = std::mem::replace(&mut disk.has_links, true);
    let mut program = program(strategy);
    // Nothing is armed, so nothing ends here.
    let _ = program.start(&mut disk);
    for last in 1..=INSTALLED {
        if program.commit(&mut disk, address(last), ENDS).is_ok_and(|told| told) {
            ledger.acknowledge(address(last), ENDS);
        }
    }
    disk.sync_all();
    disk.end_processes();
    disk.has_links = has_links;
    (disk, ledger)
}

/// Lets a program do its work until it is cut off; the calls that it made.
fn work(
    program: &mut dyn Program,
    disk: &mut Disk,
    ledger: &mut Ledger,
    events: &[Event],
) -> Result<(), OperationError> {
    if program.start(disk)?.leases.is_none() {
        // It does not run: nobody is told anything.
        return Ok(());
    }
    for event in events {
        match *event {
            Event::Rewrite => program.rewrite(disk)?,
            Event::Commit(last, ends) => {
                ledger.begin(address(last), ends);
                if program.commit(disk, address(last), ends)? {
                    ledger.acknowledge(address(last), ends);
                }
            }
        }
    }
    Ok(())
}

/// Where a run is cut: before each call, inside each write, and after all.
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

/// Where a cut strikes, for a person.
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
        let mut ledger = self.base.clone();
        let mut running = program(self.strategy);
        let _ = work(running.as_mut(), &mut disk, &mut ledger, &EVENTS);
        let steps = disk.take_steps();
        self.report.calls = steps.len() as u64;
        for cut in cuts(&steps) {
            let (disk, ledger) =
                self.cut(&self.installed.clone(), &self.base.clone(), &EVENTS, cut);
            let place = place(&steps, cut);
            self.power(&disk, &ledger, CutKind::Power, &place);
            self.process(disk, &ledger, &place);
        }
    }

    /// A run that is cut off.
    fn cut(&self, from: &Disk, base: &Ledger, events: &[Event], cut: Cut) -> (Disk, Ledger) {
        let (mut disk, mut ledger) = (from.clone(), base.clone());
        disk.arm(cut);
        let mut running = program(self.strategy);
        let _ = work(running.as_mut(), &mut disk, &mut ledger, events);
        (disk, ledger)
    }

    fn power(&mut self, disk: &Disk, ledger: &Ledger, kind: CutKind, place: &str) {
        let known = (disk.digest(), ledger.digest(), kind);
        if !self.cut_at.insert(known) {
            return;
        }
        for left in survivors(disk) {
            self.check(left, ledger, kind, place);
        }
    }

    /// The process ends, the power stays: the next one finds what programs see. Then one more change, and the power
    /// goes at any call of that: what was acknowledged before counts as ever.
    fn process(&mut self, mut disk: Disk, ledger: &Ledger, place: &str) {
        disk.end_processes();
        self.check(disk.clone(), ledger, CutKind::Process, place);
        let again = [Event::Commit(103, ENDS + 70)];
        let mut trial = disk.clone();
        let mut running = program(self.strategy);
        let _ = work(running.as_mut(), &mut trial, &mut ledger.clone(), &again);
        let calls = trial.take_steps().len() as u64;
        for call in 0..=calls {
            let (disk, ledger) = self.cut(&disk, ledger, &again, Cut { call, bytes: 0 });
            self.power(&disk, &ledger, CutKind::Both, place);
        }
    }

    fn check(&mut self, mut disk: Disk, ledger: &Ledger, kind: CutKind, place: &str) {
        self.report.points += 1;
        if !self.seen.insert(hash(&(disk.digest(), ledger.digest(), kind))) {
            return;
        }
        self.report.distinct += 1;
        let mut next = program(self.strategy);
        let Ok(found) = next.start(&mut disk) else { return };
        self.report.checked += 1;
        let Some(loss) = ledger.judge(&found) else { return };
        let names: Vec<String> = disk.names().collect();
        self.report.lost(kind, loss, || Breach {
            kind,
            loss,
            place: place.to_owned(),
            text: difference(ledger, &found),
            names,
        });
    }
}

fn difference(ledger: &Ledger, found: &Found) -> String {
    let Some(leases) = &found.leases else { return "the program does not start".to_owned() };
    let wanted = &ledger.acknowledged;
    if leases.is_empty() {
        return format!("an empty database instead of {} leases", wanted.len());
    }
    let shown =
        |ends: Option<&u64>| ends.map_or("nothing".to_owned(), |ends| format!("until {ends}"));
    let wrong = wanted.iter().find(|(address, ends)| {
        leases.get(*address) != Some(*ends) && !ledger.doubt.contains_key(*address)
    });
    if let Some((address, ends)) = wrong {
        let missing = wanted.keys().filter(|address| !leases.contains_key(*address)).count();
        let there = shown(leases.get(address));
        return format!(
            "{address}: {} acknowledged, {there} there; {missing} leases missing",
            shown(Some(ends))
        );
    }
    let half = ledger
        .doubt
        .iter()
        .find(|(address, choices)| !choices.contains(&leases.get(*address).copied()));
    match half {
        Some((address, _)) => format!(
            "{address}: {} before the cut, {} there",
            shown(wanted.get(address)),
            shown(leases.get(address))
        ),
        None => "a lease that nobody made".to_owned(),
    }
}
