//! Configured hosts of DHCPv6: which of them a client is, and the addresses that are reserved for it (rfc3315.c
//! `dhcp6_no_relay`, `config_valid`, `config_implies`).

use std::net::Ipv6Addr;

use super::config::{Host, Range6, ServerConfig};
use super::hosts::{ClientNetwork, EmptyList, HostDirectory, match_tags, same_net6};
use super::names::{legal_name, strip_hostname};
use super::rules::Rules;
use super::tags::{TagIf, add_name_tags, tags6};
use super::v6::Client6;

/// An IPv6 address of a `--dhcp-host`, in brackets (`struct addrlist`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HostAddress6 {
    /// The address. With a network part of zero it is a suffix: it stands for the address with this suffix in each network.
    pub addr: Ipv6Addr,
    /// Prefix length, if the host has all addresses with this prefix.
    pub prefix: Option<u8>,
}

impl HostAddress6 {
    /// Parses the text between the brackets.
    ///
    /// # Errors
    /// An invalid address or prefix length; the text describes the problem.
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

    /// `ADDRLIST_WILDCARD`: whether the network part is zero.
    pub(crate) fn is_suffix(self) -> bool {
        self.addr.to_bits() >> 64 == 0
    }

    /// The first address in the network of a range; `None` if it is in another network.
    fn first_in(self, range: &Range6) -> Option<Ipv6Addr> {
        if self.is_suffix() {
            let network = range.start.to_bits() >> 64 << 64;
            (range.prefix == 64).then(|| Ipv6Addr::from_bits(network | self.addr.to_bits()))
        } else {
            same_net6(range.start, self.addr, range.prefix).then_some(self.addr)
        }
    }

    /// Number of addresses that the host may get.
    fn count(self) -> u128 {
        1 << (128 - u32::from(self.prefix.unwrap_or(128)))
    }

    /// Whether an address in the network of a range could come from this entry (`config_implies`).
    pub(crate) fn implies(self, range: &Range6, addr: Ipv6Addr) -> bool {
        self.first_in(range).is_some_and(|own| same_net6(own, addr, self.prefix.unwrap_or(128)))
    }

    /// The addresses in the network of a range, in the order in which they are tried (`config_valid`).
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

/// A DHCPv6 client as the configuration knows it.
#[derive(Debug)]
pub(crate) struct Identity6<'a> {
    /// The client's entry.
    pub(crate) host: Option<&'a Host>,
    /// The entry by hardware address or DUID; the name of only such an entry is used.
    pub(crate) named_by: Option<&'a Host>,
    /// The tags, with those of `--tag-if`.
    pub(crate) tags: Vec<String>,
}

/// Whether the message has the client's name. RELEASE and DECLINE have none (RFC 4704, section 5).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NameSent {
    Yes,
    No,
}

impl<'a> Identity6<'a> {
    pub(crate) fn find(
        config: &ServerConfig,
        directory: &'a HostDirectory,
        client: &Client6,
        name_sent: NameSent,
    ) -> Identity6<'a> {
        let network = ClientNetwork::V6(&config.ranges6);
        let rules = Rules::of(config.release);
        let mut tags = tags6(&rules, &config.tag_rules, &config.interface, client.hw.as_ref());
        let sent = client.hostname.as_deref().filter(|_| name_sent == NameSent::Yes);
        add_name_tags(&config.tag_rules, sent, &mut tags);
        let with_tag_if = |tags: &Vec<String>| TagIf::apply(&config.tag_if, tags.clone());
        let hw = client.hw.as_ref();
        let found = directory.find(network, Some(&client.duid), hw, None, &with_tag_if(&tags));
        let by_name = || {
            let legal = sent.and_then(|name| legal_name(name, rules.name_syntax));
            let legal = legal.map(|name| strip_hostname(name).0);
            let name = legal.filter(|name| !name.is_empty())?;
            directory
                .find(network, None, None, Some(name), &with_tag_if(&tags))
                .filter(|host| host.clid.is_none() && host.hardware.is_empty())
        };
        let host = found.or_else(by_name);
        let known = if let Some(host) = host {
            for tag in host.set.iter().rev() {
                tags.insert(0, tag.clone());
            }
            Some("known")
        } else {
            let any = ClientNetwork::Any;
            let elsewhere = directory.find(any, Some(&client.duid), hw, None, &with_tag_if(&tags));
            elsewhere.map(|_| "known-othernet")
        };
        if let Some(known) = known {
            tags.insert(0, known.to_owned());
        }
        Identity6 { host, named_by: found, tags: with_tag_if(&tags) }
    }

    /// Whether dnsmasq ignores SOLICIT and REQUEST of the client.
    pub(crate) fn is_ignored(&self, config: &ServerConfig) -> bool {
        self.host.is_some_and(|host| host.ignore)
            || config
                .ignore
                .iter()
                .any(|list| match_tags(list, &self.tags, EmptyList::DoesNotMatch))
    }

    /// The entry of the client's host that could be this address (`config_implies`).
    pub(crate) fn implied(&self, range: &Range6, addr: Ipv6Addr) -> Option<HostAddress6> {
        self.host?.addr6.iter().rev().copied().find(|own| own.implies(range, addr))
    }

    /// The lease time of an address: that of the host if the address is reserved for it, else that of the range.
    pub(crate) fn lease_time(&self, range: &Range6, addr: Ipv6Addr) -> u32 {
        let own = self.host.and_then(|host| host.lease_time);
        own.filter(|_| self.implied(range, addr).is_some()).unwrap_or(range.lease_time)
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
