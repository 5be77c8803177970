//! The addresses that are reserved for a DHCPv6 host (rfc3315.c `config_valid`, `config_implies`).

use std::net::Ipv6Addr;

use super::netmask::same_net6;
use super::range::Range6;

/// An IPv6 address of a `--dhcp-host`, in brackets (`struct addrlist`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HostAddress6 {
    /// The address. If its network part is zero, it is a suffix, and stands for the address with this suffix in each
    /// network.
    pub addr: Ipv6Addr,
    /// Prefix length, if the host has all addresses with this prefix.
    pub prefix: Option<u8>,
}

impl HostAddress6 {
    /// Parses the text between the brackets.
    ///
    /// # Errors
    /// Returns a description of the problem if the address or the prefix length is invalid.
    pub(crate) fn parse(text: &str) -> Result<HostAddress6, String> {
        let (addr, prefix) = match text.split_once('/') {
            Some((addr, prefix)) => (addr, Some(prefix)),
            None => (text, None),
        };
        let addr: Ipv6Addr = addr.parse().map_err(|_| format!("invalid IPv6 address `{addr}`"))?;
        let prefix = match prefix {
            None => None,
            Some(text) => {
                let prefix: u8 = text
                    .parse()
                    .ok()
                    .filter(|prefix| (65..=128).contains(prefix))
                    .filter(|prefix| addr.to_bits() & ((1 << (128 - u32::from(*prefix))) - 1) == 0)
                    .ok_or_else(|| format!("invalid IPv6 prefix `{text}` of {addr}"))?;
                Some(prefix)
            }
        };
        Ok(HostAddress6 { addr, prefix })
    }

    /// Returns whether the network part is zero (`ADDRLIST_WILDCARD`).
    pub(crate) fn is_suffix(self) -> bool {
        self.addr.to_bits() >> 64 == 0
    }

    /// Returns the first address in the network of a range, or `None` if this address is in another network.
    fn first_in(self, range: &Range6) -> Option<Ipv6Addr> {
        if self.is_suffix() {
            let network = range.start.to_bits() >> 64 << 64;
            (range.prefix == 64).then(|| Ipv6Addr::from_bits(network | self.addr.to_bits()))
        } else {
            same_net6(range.start, self.addr, range.prefix).then_some(self.addr)
        }
    }

    /// Returns the number of addresses that the host may get.
    fn count(self) -> u128 {
        1 << (128 - u32::from(self.prefix.unwrap_or(128)))
    }

    /// Returns whether an address in the network of a range could come from this entry (`config_implies`).
    pub(crate) fn implies(self, range: &Range6, addr: Ipv6Addr) -> bool {
        self.first_in(range).is_some_and(|own| same_net6(own, addr, self.prefix.unwrap_or(128)))
    }

    /// Returns the addresses in the network of a range, in the order in which they are tried (`config_valid`).
    pub(crate) fn candidates(self, range: &Range6) -> impl Iterator<Item = Ipv6Addr> {
        // A client never holds more than a few of them.
        const MAX_TRIED: u128 = 1 << 16;
        let first = self.first_in(range).map(Ipv6Addr::to_bits);
        let count = self.count().min(MAX_TRIED);
        first
            .into_iter()
            .flat_map(move |first| (0..count).map(move |i| Ipv6Addr::from_bits(first + i)))
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("fd00:1::44", true)]
    #[case("fd00:1::44/126", true)]
    #[case("::44", true)]
    #[case("fd00:1::45/126", false)]
    #[case("fd00:1::/48", false)]
    #[case("here", false)]
    fn an_address_may_have_a_prefix_length(#[case] text: &str, #[case] valid: bool) {
        assert_eq!(HostAddress6::parse(text).is_ok(), valid);
    }
}
