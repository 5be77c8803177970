//! The names of leases for which dnsmasq answers DNS queries (lease.c `lease_update_dns`, cache.c `is_expired`).

use std::net::IpAddr;

use super::clock::Clock;
use super::engine::Engine;
use super::lease::Lease;
use super::names::same_name;

impl Engine {
    /// Returns the addresses of the leases with this name. A name with a domain is compared with the names and domains
    /// of the leases.
    #[must_use]
    pub fn resolve(&self, name: &[u8], clock: Clock) -> Vec<IpAddr> {
        let now = self.build().now(clock);
        let is_named = |lease: &&Lease| self.answered_names(lease).any(|own| same_name(own, name));
        // The name of a lease is no longer answered once the lease has expired, even if dnsmasq removes the lease
        // later.
        let leases = self.leases().filter(|lease| !lease.has_expired(now));
        leases.filter(is_named).map(|lease| lease.addr).collect()
    }

    /// Returns the names for which dnsmasq answers with the address of a lease: the name with its domain, and the name
    /// without it unless `--dhcp-fqdn` is set.
    pub fn answered_names<'a>(&self, lease: &'a Lease) -> impl Iterator<Item = &'a [u8]> {
        let short = lease.hostname.as_deref().filter(|_| !self.config().fqdn);
        lease.fqdn.as_deref().into_iter().chain(short)
    }
}
