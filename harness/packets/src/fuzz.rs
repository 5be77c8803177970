//! Fuzz tests of the decoders. A decoder must decode or ignore every packet from the network, and must not panic.

use std::net::Ipv4Addr;

use dnsmasq_model::{Kind4, Reply4, Reply6};

use crate::{dhcp4, dhcp6, dns};

/// Returns the transaction id or query id that the packet contains. The decoders ignore packets with any other id.
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

/// Tests options with invalid lengths for which the decoder of dhcproto panics instead of returning an error, such as a
/// static route with a prefix length of 33.
#[test]
fn options_of_invalid_length_are_ignored() {
    for option in [&[121, 5, 33, 1, 2, 3, 4][..], &[152, 0], &[151, 0], &[81, 1, 0], &[94, 1, 0]] {
        let mut packet = vec![2, 1, 6, 0, 0, 0, 0, 1];
        packet.resize(236, 0);
        packet.extend([99, 130, 83, 99, 53, 1, 2]);
        packet.extend(option);
        packet.extend([1, 1, 1, 255]);
        let reply = dhcp4::parse_reply(&packet, 1, Kind4::Request, Ipv4Addr::LOCALHOST);
        assert_eq!(reply, Some(Reply4::Offer(Ipv4Addr::UNSPECIFIED)), "{option:?}");
    }
    for option in [&[0, 13, 0, 1, 0][..], &[0, 16, 0, 0], &[0, 17, 0, 1, 0], &[0, 19, 0, 0]] {
        let packet = [&[7, 0, 0, 1], option, &[0, 2, 0, 2, 0, 9]].concat();
        let reply = dhcp6::parse_reply(&packet, 1);
        assert_eq!(reply, Some((Reply6::Reply(Vec::new()), vec![0, 9])), "{option:?}");
    }
}
