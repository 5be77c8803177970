//! What the judge needs to know of a script and its scenario.

use super::demands::ReadMethod;
use super::owned_variables::OwnedVariables;
use dnsmasq_model::Release;
use scenario::Forgiven;

/// What the judge needs to know of a script and its scenario.
#[derive(Debug)]
pub(super) struct Rules<'a> {
    /// The NVRAM variables that belong to the script.
    pub(super) owned: OwnedVariables,
    /// The prefix of variables with one lease each, if the judge can decode them.
    pub(super) record_prefix: Option<Vec<u8>>,
    /// `LEASE_SLACK` in seconds.
    pub(super) slack: u64,
    /// `LEASE_MAX`: the maximum number of leases that `init` prints; 0 for no limit.
    pub(super) lease_max: usize,
    /// How the store is read between calls of `init` that the scenario asks for.
    pub(super) read_method: ReadMethod,
    /// The release of dnsmasq, which determines how the output of `init` is read.
    pub(super) release: Release,
    /// Whether the persistent folders can be full, so that a script may refuse a lease although the NVRAM has room.
    pub(super) files_can_be_full: bool,
    /// Violations that the scenario forgives because the hardware makes them unavoidable.
    pub(super) forgive: &'a [Forgiven],
}
