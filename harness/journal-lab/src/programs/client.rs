//! The client of each lease. Its hardware address and host name are derived from the IPv4 address.

use std::net::Ipv4Addr;

use dnsmasq_model::hex_text;

/// Returns the hardware address of the client that has `address`.
pub(super) fn hardware(address: Ipv4Addr) -> [u8; 6] {
    let [_, _, a, b] = address.octets();
    [2, 0, 0, 0, a, b]
}

/// Returns the hardware address of the client that has `address` as text.
pub(super) fn hardware_text(address: Ipv4Addr) -> String {
    hex_text(&hardware(address))
}

/// Returns the host name of the client that has `address`.
pub(super) fn hostname(address: Ipv4Addr) -> String {
    let [_, _, a, b] = address.octets();
    format!("host-{a}-{b}")
}
