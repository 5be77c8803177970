//! Configured DHCPv6 hosts: the entry that matches a client, and the addresses that are reserved for it (rfc3315.c
//! `dhcp6_no_relay`, `config_valid`, `config_implies`).

use std::net::Ipv6Addr;

use super::client6::Client6;
use super::config::ServerConfig;
use super::host::Host;
use super::host_address6::HostAddress6;
use super::hosts::{ClientNetwork, HostDirectory};
use super::names::{legal_name, strip_hostname};
use super::range::Range6;
use super::rules::Rules;
use super::tag_list::{EmptyList, match_tags};
use super::tags::{TagIf, add_name_tags, tags6};

/// The configuration that applies to a DHCPv6 client.
#[derive(Debug)]
pub(crate) struct Identity6<'a> {
    /// The client's entry.
    pub(crate) host: Option<&'a Host>,
    /// The entry, if it was found by hardware address or DUID. Only the name of such an entry is used.
    pub(crate) named_by: Option<&'a Host>,
    /// The tags, including those of `--tag-if`.
    pub(crate) tags: Vec<String>,
}

/// Whether the message contains the client's name. RELEASE and DECLINE do not (RFC 4704, section 5).
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
        let hw = client.hw.as_ref().filter(|_| rules.mac6);
        let mut tags = tags6(&rules, &config.tag_rules, &config.interface, hw);
        let sent = client.hostname.as_deref().filter(|_| name_sent == NameSent::Yes);
        add_name_tags(&config.tag_rules, sent, &mut tags);
        let with_tag_if = |tags: &Vec<String>| TagIf::apply(&config.tag_if, tags.clone());
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
            elsewhere.filter(|_| rules.known_othernet_tag).map(|_| "known-othernet")
        };
        if let Some(known) = known {
            tags.insert(0, known.to_owned());
        }
        Identity6 { host, named_by: found, tags: with_tag_if(&tags) }
    }

    /// Returns whether dnsmasq ignores SOLICIT and REQUEST of the client.
    pub(crate) fn is_ignored(&self, config: &ServerConfig) -> bool {
        self.host.is_some_and(|host| host.ignore)
            || config
                .ignore
                .iter()
                .any(|list| match_tags(list, &self.tags, EmptyList::DoesNotMatch))
    }

    /// Returns the reservation of the client's host that includes this address (`config_implies`).
    pub(crate) fn implied(&self, range: &Range6, addr: Ipv6Addr) -> Option<HostAddress6> {
        self.host?.addr6.iter().rev().copied().find(|own| own.implies(range, addr))
    }

    /// Returns the lease time of an address: that of the host if the address is reserved for it, otherwise that of the
    /// range.
    pub(crate) fn lease_time(&self, range: &Range6, addr: Ipv6Addr) -> u32 {
        let own = self.host.and_then(|host| host.lease_time);
        own.filter(|_| self.implied(range, addr).is_some()).unwrap_or(range.lease_time)
    }
}
