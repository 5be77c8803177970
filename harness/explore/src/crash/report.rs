//! What an exploration found.

use std::collections::BTreeMap;
use std::time::Duration;

use super::Verdict;
use super::kind::{Count, Kind};
use super::part::Outcome;
use scenario::Id;
use scenario::Invariant;

/// More breaches than this of one case are counted, but not kept.
const MAX_BREACHES: usize = 20;

/// Seconds in a year.
const YEAR: f64 = 365.25 * 86_400.0;

/// One broken invariant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Breach {
    /// Which.
    pub invariant: Invariant,
    /// The difference, for a person.
    pub text: String,
    /// Number of the scenario's step, from 1.
    pub step: usize,
    /// Runs exactly this again.
    pub id: Id,
}

/// How long the store has no valid copy, in an undisturbed run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Window {
    /// `nvram` commands that touched the flash.
    pub commits: u64,
    /// Time that their flash operations took on this chip.
    pub open: Duration,
    /// Time that passed in the scenario.
    pub simulated: Duration,
}

impl Window {
    /// Seconds per commit.
    pub fn per_commit(&self) -> Option<f64> {
        (self.commits > 0).then(|| self.open.as_secs_f64() / self.commits as f64)
    }

    /// Seconds per year, if the scenario's time went on like this.
    pub fn per_year(&self) -> Option<f64> {
        let simulated = self.simulated.as_secs_f64();
        (simulated > 0.0).then(|| self.open.as_secs_f64() * YEAR / simulated)
    }
}

/// Counts and findings of one case.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// Points at which something was struck.
    pub points: u64,
    /// States that were not known before.
    pub distinct: u64,
    /// States that were judged.
    pub checked: u64,
    /// Distinct flash images among them: each was loaded by the dialect and read by `init`.
    pub images: u64,
    /// Of them: everything kept.
    pub kept: u64,
    /// Of them: lost as this store must.
    pub lost: u64,
    /// Of them: broken, and the scenario does not say so.
    pub broken: u64,
    /// Of them: broken as the scenario says.
    pub declared: u64,
    /// Points by kind.
    pub coverage: BTreeMap<Kind, Count>,
    /// What was broken, the first ones.
    pub breaches: Vec<Breach>,
    /// Every cut with its verdict, where asked for.
    pub listed: Vec<(Id, Verdict)>,
    /// The fatal window.
    pub window: Window,
    /// Processor time.
    pub took: Duration,
}

impl Report {
    /// Adds another part of the same exploration.
    pub fn add(&mut self, other: Self) {
        self.points += other.points;
        self.distinct += other.distinct;
        self.checked += other.checked;
        self.images += other.images;
        self.kept += other.kept;
        self.lost += other.lost;
        self.broken += other.broken;
        self.declared += other.declared;
        for (kind, count) in other.coverage {
            let sum = self.coverage.entry(kind).or_default();
            sum.points += count.points;
            sum.distinct += count.distinct;
        }
        for breach in other.breaches {
            self.breach(breach);
        }
        self.listed.extend(other.listed);
        self.window.commits += other.window.commits;
        self.window.open += other.window.open;
        self.window.simulated += other.window.simulated;
        self.took += other.took;
    }

    /// Kinds of points that were never reached.
    pub fn unreached(&self, depth: u32) -> Vec<Kind> {
        let reached = |kind: &Kind| self.coverage.get(kind).is_some_and(|count| count.points > 0);
        Kind::ALL.into_iter().filter(|kind| kind.within(depth) && !reached(kind)).collect()
    }

    pub(super) fn breach(&mut self, breach: Breach) {
        if self.breaches.len() < MAX_BREACHES {
            self.breaches.push(breach);
        }
    }

    /// Counts what became of a cut.
    pub(super) fn count(&mut self, outcome: Outcome) {
        match outcome {
            Outcome::Kept => self.kept += 1,
            Outcome::Lost => self.lost += 1,
            Outcome::Declared => self.declared += 1,
            Outcome::Broken(breaches) => {
                self.broken += 1;
                for breach in breaches {
                    self.breach(breach);
                }
            }
        }
    }
}
