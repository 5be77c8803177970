//! What an exploration of a strategy found.

use std::collections::BTreeMap;
use std::time::Duration;

use super::{Files, Loss, Strategy};

/// Breaches of one kind that are kept.
const KEPT: usize = 3;

/// What was cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum CutKind {
    /// The power.
    Power,
    /// The process; the power stayed.
    Process,
    /// The process, and the power during or after the next one's first change.
    Both,
}

impl CutKind {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Power, Self::Process, Self::Both];

    /// In a word.
    pub fn name(self) -> &'static str {
        match self {
            Self::Power => "power",
            Self::Process => "process",
            Self::Both => "process, then power",
        }
    }
}

/// One cut that lost something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Breach {
    /// What was cut.
    pub kind: CutKind,
    /// What it cost.
    pub loss: Loss,
    /// Where.
    pub place: String,
    /// What was found instead.
    pub text: String,
    /// The files that were there then.
    pub names: Vec<String>,
}

/// Counts and findings of one strategy on one kind of file system.
#[derive(Clone, Debug)]
pub struct Report {
    /// The strategy.
    pub strategy: Strategy,
    /// The file system.
    pub files: Files,
    /// Calls of an undisturbed run.
    pub calls: u64,
    /// States that cuts left.
    pub points: u64,
    /// Those that were not known before.
    pub distinct: u64,
    /// Those in which the program was started.
    pub checked: u64,
    /// How many of them lost what, by what was cut.
    pub losses: BTreeMap<(CutKind, Loss), u64>,
    /// The first ones.
    pub breaches: Vec<Breach>,
    /// Processor time.
    pub took: Duration,
}

impl Report {
    pub(super) fn new(strategy: Strategy, files: Files) -> Self {
        Self {
            strategy,
            files,
            calls: 0,
            points: 0,
            distinct: 0,
            checked: 0,
            losses: BTreeMap::new(),
            breaches: Vec::new(),
            took: Duration::ZERO,
        }
    }

    pub(super) fn lost(&mut self, kind: CutKind, loss: Loss, breach: impl FnOnce() -> Breach) {
        *self.losses.entry((kind, loss)).or_default() += 1;
        let same = |one: &&Breach| (one.kind, one.loss) == (kind, loss);
        if self.breaches.iter().filter(same).count() < KEPT {
            self.breaches.push(breach());
        }
    }

    /// How many cuts lost in this way.
    pub fn count(&self, loss: Loss) -> u64 {
        self.losses.iter().filter(|((_, lost), _)| *lost == loss).map(|(_, count)| count).sum()
    }

    /// The kinds of loss that there were.
    pub fn kinds(&self) -> Vec<Loss> {
        Loss::ALL.into_iter().filter(|loss| self.count(*loss) > 0).collect()
    }
}
