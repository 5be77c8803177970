//! The result of exploring a strategy.

use std::collections::BTreeMap;
use std::time::Duration;

use disk_model::WriteOrdering;
use scenario::{Loss, Strategy};

/// Maximum number of stored breaches of each kind.
const MAX_KEPT: usize = 3;

/// What was cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum CutKind {
    /// The power was cut.
    Power,
    /// The process was killed, without a power cut.
    Process,
    /// The process was killed, then the power was cut during or after the first change of the next process.
    Both,
}

impl CutKind {
    /// All kinds.
    pub const ALL: [Self; 3] = [Self::Power, Self::Process, Self::Both];

    /// The name in reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::Power => "power",
            Self::Process => "process",
            Self::Both => "process, then power",
        }
    }
}

/// A cut after which leases were lost.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Breach {
    /// What was cut.
    pub kind: CutKind,
    /// What was lost.
    pub loss: Loss,
    /// The place of the cut in the sequence of calls.
    pub place: String,
    /// The difference between the acknowledged leases and those found.
    pub text: String,
    /// The names of the files after the cut.
    pub names: Vec<String>,
}

/// The result of exploring one strategy with one write ordering.
#[derive(Clone, Debug)]
pub struct Report {
    /// The strategy.
    pub strategy: Strategy,
    /// The write ordering of the file system.
    pub ordering: WriteOrdering,
    /// Number of calls of an undisturbed run.
    pub calls: u64,
    /// Number of states that cuts left.
    pub points: u64,
    /// Number of distinct states.
    pub distinct: u64,
    /// Number of distinct states in which the program was started.
    pub checked: u64,
    /// Number of states with a loss, by what was cut and what was lost.
    pub losses: BTreeMap<(CutKind, Loss), u64>,
    /// The first breaches of each kind.
    pub breaches: Vec<Breach>,
    /// Processor time.
    pub cpu_time: Duration,
}

impl Report {
    pub(super) fn new(strategy: Strategy, ordering: WriteOrdering) -> Self {
        Self {
            strategy,
            ordering,
            calls: 0,
            points: 0,
            distinct: 0,
            checked: 0,
            losses: BTreeMap::new(),
            breaches: Vec::new(),
            cpu_time: Duration::ZERO,
        }
    }

    pub(super) fn lost(&mut self, kind: CutKind, loss: Loss, breach: impl FnOnce() -> Breach) {
        *self.losses.entry((kind, loss)).or_default() += 1;
        let same = |one: &&Breach| (one.kind, one.loss) == (kind, loss);
        if self.breaches.iter().filter(same).count() < MAX_KEPT {
            self.breaches.push(breach());
        }
    }

    /// The number of cuts with this kind of loss.
    pub fn count(&self, loss: Loss) -> u64 {
        self.losses.iter().filter(|((_, lost), _)| *lost == loss).map(|(_, count)| count).sum()
    }

    /// The kinds of loss that occurred.
    pub fn kinds(&self) -> Vec<Loss> {
        Loss::ALL.into_iter().filter(|loss| self.count(*loss) > 0).collect()
    }
}
