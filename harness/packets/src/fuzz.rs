//! Fuzz tests of the decoders: a packet from the network is decoded or ignored; nothing panics.

use std::net::Ipv4Addr;

use dnsmasq_model::Kind4;

use crate::{dhcp4, dhcp6, dns};

/// The transaction id, or the id of a query, that the packet itself has: the decoders ignore all others.
fn id(bytes: &[u8], at: usize, length: usize) -> u32 {
    let id = bytes.get(at..at + length).unwrap_or_default();
    id.iter().fold(0, |id, byte| id << 8 | u32::from(*byte))
}

#[test]
fn fuzz_the_replies_of_dhcpv4() {
    fuzz_inputs::check!(1000, |bytes: &[u8]| {
        for kind in [Kind4::Discover { rapid: true }, Kind4::Request, Kind4::Inform] {
            dhcp4::parse_reply(bytes, id(bytes, 4, 4), kind, Ipv4Addr::LOCALHOST);
        }
    });
}

#[test]
fn fuzz_the_replies_of_dhcpv6() {
    fuzz_inputs::check!(1000, |bytes: &[u8]| {
        dhcp6::parse_reply(bytes, id(bytes, 1, 3));
    });
}

#[test]
fn fuzz_the_responses_of_dns() {
    fuzz_inputs::check!(1000, |bytes: &[u8]| {
        dns::parse_response(bytes, id(bytes, 0, 2) as u16);
    });
}
