//! The rules of each release, computed from the table of changes up to that release.

use super::changes::CHANGES;
use super::release::Release;
use super::rules::{CallDelivery, Rules};

impl Rules {
    /// Returns the rules of a release.
    pub(crate) fn of(release: Release) -> Rules {
        let mut rules = Rules::FIRST;
        for change in CHANGES.iter().filter(|change| change.since <= release) {
            (change.apply)(&mut rules);
        }
        rules
    }
}

impl Release {
    /// Returns whether this release reports leases to the script only when it is terminated, so that no script can
    /// preserve leases across a power cut (2.48 and 2.74).
    #[must_use]
    pub fn reports_leases_only_at_its_end(self) -> bool {
        match Rules::of(self).delivery {
            CallDelivery::OneAtATime | CallDelivery::Queued => false,
            CallDelivery::LastAtStop | CallDelivery::MergedAtStop => true,
        }
    }

    /// Returns whether this release serves DHCPv6, and reads DHCPv6 leases.
    #[must_use]
    pub fn has_dhcpv6(self) -> bool {
        Rules::of(self).dhcpv6
    }
}
