//! The parameters of the simulation of a household.

use super::household::Household;
use dnsmasq_model::Build;

/// A run of a household for some time. Equal runs produce equal events.
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
