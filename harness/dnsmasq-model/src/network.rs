//! The interfaces of the machine on which dnsmasq runs, and their addresses.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::netmask::{netmask, same_net, same_net6};

/// The server's interfaces, as the kernel reports them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Network {
    /// IPv4 addresses with prefix lengths.
    pub v4: Vec<(Ipv4Addr, u8)>,
    /// IPv6 addresses with prefix lengths.
    pub v6: Vec<(Ipv6Addr, u8)>,
    /// Hardware address, which is a part of the server's DUID.
    pub mac: [u8; 6],
    /// The server's other interfaces, for DHCPv4.
    pub others: Vec<Interface>,
}

/// Another interface of the server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Interface {
    /// Its name.
    pub name: Vec<u8>,
    /// IPv4 addresses with prefix lengths.
    pub v4: Vec<(Ipv4Addr, u8)>,
}

impl Network {
    /// Returns the IPv4 addresses of an interface. Number 0 is the first interface; [`Network::others`] follow.
    pub(crate) fn addresses4(&self, interface: u8) -> &[(Ipv4Addr, u8)] {
        match interface.checked_sub(1) {
            None => &self.v4,
            Some(other) => self.others.get(usize::from(other)).map_or(&[], |own| &own.v4),
        }
    }

    /// Returns the name of an interface. `first` is the name of the first interface.
    pub(crate) fn name<'a>(&'a self, interface: u8, first: &'a [u8]) -> &'a [u8] {
        let other = interface.checked_sub(1).and_then(|other| self.others.get(usize::from(other)));
        other.map_or(first, |own| &own.name)
    }

    /// Returns the interface whose network contains the address.
    pub(crate) fn interface_of(&self, addr: IpAddr) -> Option<u8> {
        match addr {
            IpAddr::V4(addr) => (0..=self.others.len() as u8).find(|number| {
                let own = self.addresses4(*number);
                own.iter().any(|(own, prefix)| same_net(addr, *own, netmask(*prefix)))
            }),
            IpAddr::V6(addr) => {
                self.v6.iter().any(|(own, prefix)| same_net6(addr, *own, *prefix)).then_some(0)
            }
        }
    }
}

impl Default for Network {
    /// Returns one interface with the address 192.168.77.1/24 and the hardware address 02:00:00:00:00:01.
    fn default() -> Network {
        Network {
            v4: vec![(Ipv4Addr::new(192, 168, 77, 1), 24)],
            v6: Vec::new(),
            mac: [2, 0, 0, 0, 0, 1],
            others: Vec::new(),
        }
    }
}
