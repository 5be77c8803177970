//! The rules of each release: the table of changes, applied up to the release.

use super::changes::CHANGES;
use super::release::Release;
use super::rules::Rules;

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
    /// Whether this release serves DHCPv6.
    #[must_use]
    pub fn has_dhcpv6(self) -> bool {
        Rules::of(self).dhcpv6
    }
}
