//! Netmasks and prefix lengths.

use std::net::{Ipv4Addr, Ipv6Addr};

/// Returns the netmask of a prefix length.
pub(crate) fn netmask(prefix: u8) -> Ipv4Addr {
    Ipv4Addr::from_bits(u32::MAX.checked_shl(32 - u32::from(prefix.min(32))).unwrap_or(0))
}

/// Returns whether two addresses are in the same network (util.c `is_same_net`).
pub(crate) fn same_net(a: Ipv4Addr, b: Ipv4Addr, mask: Ipv4Addr) -> bool {
    (a.to_bits() ^ b.to_bits()) & mask.to_bits() == 0
}

/// Returns whether two addresses are in the same network (util.c `is_same_net6`).
pub(crate) fn same_net6(a: Ipv6Addr, b: Ipv6Addr, prefix: u8) -> bool {
    let differ = a.to_bits() ^ b.to_bits();
    prefix == 0 || differ >> (128 - u32::from(prefix.min(128))) == 0
}
