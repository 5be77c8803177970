//! Addresses in the form that `inet_ntop()` writes, the only one that becomes part of a variable's name.

use std::fmt;
use std::net::{Ipv4Addr, Ipv6Addr};

/// A leased address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Address {
    /// An address of DHCPv4.
    V4(Ipv4Addr),
    /// An address of DHCPv6.
    V6(Ipv6Addr),
}

impl Address {
    /// Parses an address in canonical form; `None` for other text.
    ///
    /// IPv4-mapped IPv6 addresses are refused in both spellings, since they are never leased.
    pub fn parse(text: &[u8]) -> Option<Self> {
        let text = std::str::from_utf8(text).ok()?;
        if text.contains(':') {
            let address: Ipv6Addr = text.parse().ok()?;
            (!text.contains('.') && address.to_string() == text).then_some(Self::V6(address))
        } else {
            let address: Ipv4Addr = text.parse().ok()?;
            (address.to_string() == text).then_some(Self::V4(address))
        }
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::V4(address) => address.fmt(f),
            Self::V6(address) => address.fmt(f),
        }
    }
}
