//! Ranges of addresses, and those that are constructed from the addresses of an interface (dhcp6.c `construct_worker`).

use std::net::{Ipv4Addr, Ipv6Addr};

use super::netmask::{netmask, same_net};
use super::network::Network;

/// A `--dhcp-range` of IPv4 addresses (`struct dhcp_context`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Range4 {
    /// First address.
    pub start: Ipv4Addr,
    /// Last address.
    pub end: Ipv4Addr,
    /// Netmask, if given. Otherwise that of the interface is used, or that of the address class for a relayed network.
    pub netmask: Option<Ipv4Addr>,
    /// Whether addresses are assigned only to configured hosts (`static`).
    pub is_static: bool,
    /// Lease time in seconds; [`INFINITE`](crate::INFINITE) for infinite.
    pub lease_time: u32,
    /// `set:` tag.
    pub set: Option<String>,
    /// `tag:` filter.
    pub filter: Vec<String>,
}

impl Range4 {
    /// Returns whether the whole range lies in the network of this address and netmask.
    pub(crate) fn is_in(&self, addr: Ipv4Addr, mask: Ipv4Addr) -> bool {
        same_net(addr, self.start, mask) && same_net(addr, self.end, mask)
    }

    /// Returns the network of the range: that of its netmask, or else the smallest network that contains the range and
    /// has a prefix length of at most `prefix`.
    #[must_use]
    pub fn network(&self, prefix: u8) -> (Ipv4Addr, u8) {
        let prefix = match self.netmask {
            Some(mask) => mask.to_bits().leading_ones() as u8,
            None => (self.start.to_bits() ^ self.end.to_bits())
                .leading_zeros()
                .min(u32::from(prefix)) as u8,
        };
        (Ipv4Addr::from_bits(self.start.to_bits() & netmask(prefix).to_bits()), prefix)
    }
}

/// A `--dhcp-range` of IPv6 addresses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Range6 {
    /// First address.
    pub start: Ipv6Addr,
    /// Last address.
    pub end: Ipv6Addr,
    /// Prefix length.
    pub prefix: u8,
    /// Whether addresses are assigned only to configured hosts (`static`).
    pub is_static: bool,
    /// Lease time in seconds; [`INFINITE`](crate::INFINITE) for infinite.
    pub lease_time: u32,
    /// `set:` tag.
    pub set: Option<String>,
    /// `tag:` filter.
    pub filter: Vec<String>,
    /// What the range is for.
    pub use6: Use6,
    /// The interface of `constructor:`, from whose addresses the range gets its network. It may end in `*`.
    pub template: Option<String>,
}

/// What a range of IPv6 addresses is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Use6 {
    /// Addresses are leased: to any client, or only to configured hosts (`static`).
    Leases,
    /// DHCPv6 gives options only (`ra-stateless`).
    Stateless,
    /// Router advertisements only (`ra-only`, `slaac`, or no last address).
    Advertisements,
}

impl Range6 {
    /// Returns whether addresses of the range are leased to any client.
    pub(crate) fn is_dynamic(&self) -> bool {
        self.use6 == Use6::Leases && !self.is_static
    }

    /// Returns the ranges that DHCPv6 serves, without those for router advertisements only. A template is replaced by
    /// one range for each address of the interface that it names.
    pub(crate) fn construct(ranges: &[Range6], interface: &[u8], network: &Network) -> Vec<Range6> {
        let mut all = Vec::new();
        for range in ranges.iter().filter(|range| range.use6 != Use6::Advertisements) {
            let Some(template) = &range.template else {
                all.push(range.clone());
                continue;
            };
            let is_named = match template.strip_suffix('*') {
                Some(start) => interface.starts_with(start.as_bytes()),
                None => template.as_bytes() == interface,
            };
            for (own, _) in network.v6.iter().filter(|_| is_named) {
                let prefix = own.to_bits() >> 64 << 64;
                let at = |addr: Ipv6Addr| Ipv6Addr::from_bits(prefix | addr.to_bits());
                let (start, end) = (at(range.start), at(range.end));
                all.push(Range6 { start, end, template: None, ..range.clone() });
            }
        }
        all
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_constructed_range_lies_in_the_prefix_of_its_interface() {
        let template = Range6 {
            start: "::100".parse().expect("an address"),
            end: "::1ff".parse().expect("an address"),
            prefix: 64,
            is_static: false,
            lease_time: 43_200,
            set: None,
            filter: Vec::new(),
            use6: Use6::Leases,
            template: Some("br*".to_owned()),
        };
        let network = Network {
            v6: vec![("fd00:7::1".parse().expect("an address"), 64)],
            ..Network::default()
        };
        let made = Range6::construct(std::slice::from_ref(&template), b"br0", &network);
        assert_eq!(made.len(), 1);
        assert_eq!(made[0].start.to_string(), "fd00:7::100");
        assert_eq!(made[0].end.to_string(), "fd00:7::1ff");
        assert!(Range6::construct(&[template], b"eth0", &network).is_empty());
    }
}
