//! What a simulation of a household simulates.

use super::household::Household;
use dnsmasq_model::Build;

/// Some time in a household. Equal runs have equal events.
#[derive(Clone, Copy, Debug)]
pub struct HouseholdRun<'a> {
    /// The household.
    pub household: &'a Household,
    /// The build of its dnsmasq.
    pub build: Build,
    /// Seed of all random decisions.
    pub seed: u64,
    /// Length of the run, in seconds.
    pub seconds: u64,
}
