//! A router after a boot, held against what must be stored.

use crate::run::lines::{self, Lines, show};
use crate::run::neighbours::{Variables, Views};
use crate::run::store::{Expected, Tolerance};
use crate::scenario::Invariant;
use crate::target::{InProcess, Loaded};

/// What a boot must find.
#[derive(Clone, Copy, Debug)]
pub(super) struct Wanted<'a> {
    pub(super) expected: &'a Expected,
    /// The NVRAM before the call that was struck.
    pub(super) views: &'a Views,
    pub(super) tolerance: Tolerance,
    pub(super) prefix: &'a [u8],
}

/// What it found.
#[derive(Debug, Default)]
pub(super) struct Found {
    pub(super) lines: Lines,
    pub(super) variables: Variables,
    pub(super) broken: Vec<Invariant>,
    stdout: Vec<u8>,
    exit: u8,
}

impl Found {
    /// Boots, reads `init`, judges.
    pub(super) fn check(router: &InProcess, wanted: &Wanted<'_>) -> Self {
        let (outcome, variables) = router.read_init();
        let mut found = Self { stdout: outcome.stdout, exit: outcome.exit, ..Self::default() };
        match lines::read(&found.stdout) {
            Ok(lines) if found.exit == 0 => found.lines = lines,
            _ => found.broken.push(Invariant::Parsability),
        }
        let (in_doubt, other) = wanted.expected.faults(&found.lines, wanted.tolerance);
        if in_doubt {
            found.broken.push(Invariant::Atomicity);
        }
        if other {
            found.broken.push(Invariant::Durability);
        }
        if harmed(wanted, variables.as_ref()) {
            found.broken.push(Invariant::Neighbours);
        }
        found.variables = variables.unwrap_or_default().into_iter().collect();
        found
    }

    /// The difference that broke an invariant.
    pub(super) fn explain(&self, invariant: Invariant, wanted: &Wanted<'_>) -> String {
        let differences = || wanted.expected.differences(&self.lines, wanted.tolerance).into_iter();
        let (first, count) = match invariant {
            Invariant::Parsability if self.exit != 0 => {
                (Some(format!("init exited with {}", self.exit)), 1)
            }
            Invariant::Parsability => {
                (Some(lines::read(&self.stdout).err().unwrap_or_else(|| show(&self.stdout))), 1)
            }
            Invariant::Neighbours => {
                let now = Views { ram: wanted.views.ram.clone(), flash: self.variables.clone() };
                let harm = wanted.views.harm(&now, wanted.prefix);
                (harm.first().cloned(), harm.len())
            }
            _ => {
                let doubt = invariant == Invariant::Atomicity;
                let mut texts = differences().filter(|d| d.in_doubt == doubt).map(|d| d.text);
                let first = texts.next();
                (first, 1 + texts.count())
            }
        };
        let first = first.unwrap_or_default();
        if count > 1 { format!("{first} (and {} more)", count - 1) } else { first }
    }
}

/// Whether another variable is not as it was, in flash or in RAM.
fn harmed(wanted: &Wanted<'_>, now: Option<&Loaded>) -> bool {
    let Views { ram, flash } = wanted.views;
    let value = |name: &Vec<u8>| now.and_then(|now| now.get(name));
    let theirs = |name: &Vec<u8>| !name.starts_with(wanted.prefix);
    let kept = |name: &Vec<u8>| {
        let value = value(name);
        value == flash.get(name) || value == ram.get(name)
    };
    if flash.keys().chain(ram.keys()).any(|name| theirs(name) && !kept(name)) {
        return true;
    }
    let added = |name: &&Vec<u8>| {
        theirs(name)
            && !name.starts_with(b"sdram_")
            && !flash.contains_key(*name)
            && !ram.contains_key(*name)
    };
    now.is_some_and(|now| now.keys().any(|name| added(&name)))
}
