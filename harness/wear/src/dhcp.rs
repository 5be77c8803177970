//! The DHCP server and the clients of a household.

use std::net::Ipv4Addr;

use super::household::Household;
use dnsmasq_model::{Build, Client4, Engine, HwAddr, Network, Server, ServerConfig};

/// The largest pool that is placed in a /24 network.
const MAX_SMALL: u32 = 200;

/// The addresses that a router leases.
#[derive(Clone, Copy, Debug)]
pub(super) struct AddressRange {
    pub(super) first: Ipv4Addr,
    pub(super) count: u32,
}

impl AddressRange {
    /// Returns the addresses for a household.
    pub(super) fn of(household: &Household) -> Self {
        let count = household.pool.unwrap_or((household.leases() * 5 / 4).max(MAX_SMALL));
        if count <= MAX_SMALL {
            Self { first: Ipv4Addr::new(192, 168, 1, 50), count }
        } else {
            Self { first: Ipv4Addr::new(10, 0, 1, 0), count }
        }
    }

    fn last(self) -> Ipv4Addr {
        Ipv4Addr::from_bits(self.first.to_bits() + self.count - 1)
    }
}

/// Creates the dnsmasq of a household's router.
pub(super) fn server(household: &Household, build: Build) -> Server {
    let range = AddressRange::of(household);
    let (mask, prefix, own) = if range.count > MAX_SMALL {
        ("255.255.0.0", 16, Ipv4Addr::new(10, 0, 0, 1))
    } else {
        ("255.255.255.0", 24, Ipv4Addr::new(192, 168, 1, 1))
    };
    let line = [
        "dnsmasq".to_owned(),
        "--leasefile-ro".to_owned(),
        "--dhcp-script=/etc/lease_update.sh".to_owned(),
        "--interface=br0".to_owned(),
        "--dhcp-authoritative".to_owned(),
        format!("--dhcp-lease-max={}", household.lease_max.unwrap_or(range.count)),
        format!("--dhcp-range={},{},{mask},{}", range.first, range.last(), household.lease_time),
    ];
    let mut config = ServerConfig::parse(&line).expect("a valid command line");
    config.release = household.release;
    let network = Network { v4: vec![(own, prefix)], ..Network::default() };
    Server::new(Engine::with_network(build, config, network))
}

/// Creates a client with a host name. Its client-id is its hardware address, as for most clients.
pub(super) fn client(kind: u8, number: u64, name: &str) -> Client4 {
    let n = (number as u32).to_be_bytes();
    let mac = [2, kind, n[0], n[1], n[2], n[3]];
    let mut client = Client4::new(HwAddr::ethernet(mac));
    client.clid = Some([&[1][..], &mac].concat().into());
    client.hostname = Some(name.as_bytes().into());
    client
}
