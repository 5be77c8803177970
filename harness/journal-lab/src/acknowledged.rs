//! The leases that a program has acknowledged to its clients.

use std::collections::{BTreeMap, BTreeSet};
use std::net::Ipv4Addr;

use super::leases::Leases;
use super::programs::LoadResult;
use scenario::{Loss, digest};

/// The leases that a program has acknowledged, and those whose commit was interrupted.
#[derive(Clone, Debug, Default)]
pub(super) struct Acknowledged {
    pub(super) leases: Leases,
    /// The values that are allowed for a lease whose commit was interrupted. `None` stands for no lease.
    pub(super) uncertain: BTreeMap<Ipv4Addr, BTreeSet<Option<u64>>>,
    /// The leases after each acknowledgement, in chronological order.
    pub(super) history: Vec<Leases>,
}

impl Acknowledged {
    /// Returns a hash of the state, without its history.
    pub(super) fn digest(&self) -> u64 {
        digest::of(&(&self.leases, &self.uncertain))
    }

    /// Records the beginning of a commit. Until the commit is acknowledged, the old value and the new value are allowed.
    pub(super) fn begin(&mut self, address: Ipv4Addr, ends: u64) {
        let before = self.leases.get(&address).copied();
        self.uncertain.entry(address).or_default().extend([before, Some(ends)]);
    }

    /// Records that a commit was acknowledged.
    pub(super) fn acknowledge(&mut self, address: Ipv4Addr, ends: u64) {
        self.leases.insert(address, ends);
        self.uncertain.remove(&address);
        self.history.push(self.leases.clone());
    }

    /// Returns the kind of loss if a program finds these leases on a damaged disk. Leases that were never acknowledged always
    /// count as a loss. Other differences count only if the program has not reported damage.
    pub(super) fn unnoticed_loss(&self, found: &LoadResult) -> Option<Loss> {
        let leases = found.leases.as_ref()?;
        let ever = |(address, value): (&Ipv4Addr, &u64)| {
            self.history.iter().any(|then| then.get(address) == Some(value))
        };
        if !leases.iter().all(ever) {
            return Some(Loss::Torn);
        }
        if found.damaged { None } else { self.loss(found) }
    }

    /// Returns the kind of loss if a program finds these leases after a cut, or `None` if nothing was lost.
    pub(super) fn loss(&self, found: &LoadResult) -> Option<Loss> {
        let Some(leases) = &found.leases else { return Some(Loss::NoDatabase) };
        let is_allowed = |address: &Ipv4Addr| {
            let value = leases.get(address).copied();
            match self.uncertain.get(address) {
                Some(choices) => choices.contains(&value),
                None => value == self.leases.get(address).copied(),
            }
        };
        let wrong: Vec<&Ipv4Addr> = leases
            .keys()
            .chain(self.leases.keys())
            .chain(self.uncertain.keys())
            .filter(|address| !is_allowed(address))
            .collect();
        if wrong.is_empty() {
            return None;
        }
        if leases.is_empty() {
            return Some(Loss::NoDatabase);
        }
        let certain = |leases: &Leases| -> Leases {
            let mut leases = leases.clone();
            leases.retain(|address, _| !self.uncertain.contains_key(address));
            leases
        };
        let ever = |address: &Ipv4Addr, value: u64| {
            self.history.iter().any(|then| then.get(address) == Some(&value))
        };
        let invented =
            leases.iter().any(|(address, value)| !is_allowed(address) && !ever(address, *value));
        // If only leases with an interrupted commit are wrong, they have neither the old nor the new value: the program has
        // read a part of a record, at this start or at an earlier one.
        let half = wrong.iter().all(|address| self.uncertain.contains_key(*address));
        if invented || half || found.damaged {
            return Some(Loss::Torn);
        }
        let now = certain(leases);
        let earlier = self.history.iter().any(|then| certain(then) == now);
        Some(if earlier { Loss::Old } else { Loss::Lost })
    }
}
