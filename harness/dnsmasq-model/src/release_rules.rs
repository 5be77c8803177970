//! The rules of each release: the table of changes, applied up to the release.

use super::changes::CHANGES;
use super::release::Release;
use super::rules::{CallDelivery, Rules};

impl Rules {
    /// The rules of a release.
    pub(crate) fn of(release: Release) -> Rules {
        let mut rules = Rules::FIRST;
        for change in CHANGES.iter().filter(|change| change.since <= release) {
            (change.apply)(&mut rules);
        }
        rules
    }
}

impl Release {
    /// Whether this release tells the script of no lease before it is terminated, so that no script can keep leases with it
    /// (2.48 and 2.74).
    #[must_use]
    pub fn reports_leases_only_at_its_end(self) -> bool {
        match Rules::of(self).delivery {
            CallDelivery::OneAtATime | CallDelivery::Queued => false,
            CallDelivery::LastAtStop | CallDelivery::MergedAtStop => true,
        }
    }

    /// Whether this release serves DHCPv6, and reads DHCPv6 leases.
    #[must_use]
    pub fn has_dhcpv6(self) -> bool {
        Rules::of(self).dhcpv6
    }
}
