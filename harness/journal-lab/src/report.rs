//! The result of exploring a strategy.

use std::collections::BTreeMap;
use std::time::Duration;

use disk_model::WriteOrdering;
use rustix::time::{ClockId, Timespec, clock_gettime};
use scenario::{Loss, Strategy};

/// Maximum number of stored examples for each kind of fault and kind of loss.
const MAX_KEPT: usize = 3;

/// A kind of fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum FaultKind {
    /// The power was cut.
    Power,
    /// The process was killed, without a power cut.
    Kill,
    /// The process was killed, then the power was cut during or after the first change of the next process.
    KillThenPower,
    /// A call failed.
    IoError,
    /// The medium was damaged.
    Damage,
}

impl FaultKind {
    /// All kinds.
    pub const ALL: [Self; 5] =
        [Self::Power, Self::Kill, Self::KillThenPower, Self::IoError, Self::Damage];

    /// Returns the name in reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::Power => "power",
            Self::Kill => "kill",
            Self::KillThenPower => "kill, then power",
            Self::IoError => "I/O error",
            Self::Damage => "damage",
        }
    }

    /// Returns the beginning of a sentence about one fault. The place of the fault follows it.
    pub fn event(self) -> &'static str {
        match self {
            Self::Power => "power cut",
            Self::Kill => "kill",
            Self::KillThenPower => "kill, then power cut",
            Self::IoError => "I/O error:",
            Self::Damage => "damage:",
        }
    }
}

/// A fault after which leases were lost.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LossExample {
    /// The kind of fault.
    pub kind: FaultKind,
    /// The kind of loss.
    pub loss: Loss,
    /// The place of the fault in the sequence of calls, or on the medium.
    pub place: String,
    /// The difference between the leases that were acknowledged and those that were found.
    pub text: String,
    /// The names of the files after the fault.
    pub names: Vec<String>,
}

/// The result of exploring one strategy with one write ordering.
#[derive(Clone, Debug)]
pub struct Report {
    /// The strategy.
    pub strategy: Strategy,
    /// The write ordering of the file system.
    pub ordering: WriteOrdering,
    /// Number of calls in a run without faults.
    pub calls: u64,
    /// Number of disk states that the faults left.
    pub points: u64,
    /// Number of distinct states among them.
    pub distinct: u64,
    /// Number of distinct states in which the program was started.
    pub checked: u64,
    /// Number of states with a loss, by kind of fault and kind of loss.
    pub losses: BTreeMap<(FaultKind, Loss), u64>,
    /// The first examples for each kind of fault and kind of loss.
    pub examples: Vec<LossExample>,
    /// Processor time of the exploration.
    pub cpu_time: Duration,
}

impl Report {
    fn new(strategy: Strategy, ordering: WriteOrdering) -> Self {
        Self {
            strategy,
            ordering,
            calls: 0,
            points: 0,
            distinct: 0,
            checked: 0,
            losses: BTreeMap::new(),
            examples: Vec::new(),
            cpu_time: Duration::ZERO,
        }
    }

    /// Creates a report, fills it in with `explore`, and measures the processor time of `explore`.
    pub(super) fn timed(
        strategy: Strategy,
        ordering: WriteOrdering,
        explore: impl FnOnce(&mut Self),
    ) -> Self {
        let before = clock_gettime(ClockId::ThreadCPUTime);
        let mut report = Self::new(strategy, ordering);
        explore(&mut report);
        let after = clock_gettime(ClockId::ThreadCPUTime);
        let nanoseconds = |at: Timespec| at.tv_sec * 1_000_000_000 + at.tv_nsec;
        let cpu_time = u64::try_from(nanoseconds(after) - nanoseconds(before)).unwrap_or(0);
        report.cpu_time = Duration::from_nanos(cpu_time);
        report
    }

    pub(super) fn lost(
        &mut self,
        kind: FaultKind,
        loss: Loss,
        example: impl FnOnce() -> LossExample,
    ) {
        *self.losses.entry((kind, loss)).or_default() += 1;
        let same = |one: &&LossExample| (one.kind, one.loss) == (kind, loss);
        if self.examples.iter().filter(same).count() < MAX_KEPT {
            self.examples.push(example());
        }
    }

    /// Returns the number of states with this kind of loss.
    pub fn count(&self, loss: Loss) -> u64 {
        self.losses.iter().filter(|((_, lost), _)| *lost == loss).map(|(_, count)| count).sum()
    }

    /// Returns the kinds of loss that occurred.
    pub fn kinds(&self) -> Vec<Loss> {
        Loss::ALL.into_iter().filter(|loss| self.count(*loss) > 0).collect()
    }
}
