//! A DHCPv4 message with the data on which the reply depends (rfc2131.c `dhcp_reply`).

use std::net::Ipv4Addr;

use super::client4::Client4;
use super::context4::Context4;
use super::host::Host;
use super::hosts::ClientNetwork;
use super::netmask::same_net;
use super::process::Process;
use super::reservations6::NameSent;
use super::tag_list::{EmptyList, match_tags};
use super::tags::{TagIf, add_name_tags, tags4};
use super::v4::{client_name, sent_name};

/// A message with the data on which a decision depends.
pub(crate) struct Request4<'a> {
    pub(crate) process: &'a Process,
    pub(crate) client: &'a Client4,
    pub(crate) clid: Option<&'a [u8]>,
    pub(crate) contexts: Vec<Context4<'a>>,
    pub(crate) host: Option<&'a Host>,
    pub(crate) tags: Vec<String>,
    /// The client's lease.
    pub(crate) lease: Option<usize>,
    pub(crate) now: i64,
}

impl<'a> Request4<'a> {
    pub(crate) fn new(
        process: &'a Process,
        client: &'a Client4,
        clid: Option<&'a [u8]>,
        contexts: Vec<Context4<'a>>,
        lease: Option<usize>,
        now: i64,
        name_sent: NameSent,
    ) -> Request4<'a> {
        let pairs: Vec<_> = contexts.iter().map(|c| (c.range, c.mask)).collect();
        let network = ClientNetwork::V4(&pairs);
        let directory = &process.directory;
        let config = &process.config;
        let interface = process.interface_name(client.interface);
        let mut tags = tags4(&config.tag_rules, interface, client);
        let found_with = TagIf::apply(&config.tag_if, tags.clone());
        let mut host = directory.find(network, clid, Some(&client.hw), None, &found_with);
        let name = client_name(client, process.db.rules(), config.domain.as_deref())
            .filter(|_| name_sent == NameSent::Yes);
        if name.is_some() {
            add_name_tags(&config.tag_rules, sent_name(client), &mut tags);
        }
        let found_with = TagIf::apply(&config.tag_if, tags.clone());
        if host.is_none()
            && let Some(name) = name
        {
            host = directory
                .find(network, None, Some(&client.hw), Some(name), &found_with)
                .filter(|h| h.clid.is_none() && h.hardware.is_empty());
        }
        if let Some(host) = host {
            tags.push("known".to_owned());
            tags.extend(host.set.iter().cloned());
        }
        let tags = TagIf::apply(&config.tag_if, tags);
        Request4 { process, client, clid, contexts, host, tags, lease, now }
    }

    pub(crate) fn ignored(&self) -> bool {
        self.host.is_some_and(|h| h.ignore)
            || self
                .process
                .config
                .ignore
                .iter()
                .any(|list| match_tags(list, &self.tags, EmptyList::DoesNotMatch))
    }

    /// Returns the range from which this address may be assigned (dhcp.c `address_available`).
    pub(crate) fn available(&self, addr: Ipv4Addr) -> Option<&Context4<'a>> {
        if self.contexts.iter().any(|c| c.router == Some(addr)) {
            return None;
        }
        self.contexts.iter().find(|c| {
            !c.range.is_static
                && c.range.start <= addr
                && addr <= c.range.end
                && match_tags(&c.range.filter, &self.tags, EmptyList::Matches)
        })
    }

    /// Returns the range that contains an address, or else a range on the same network (dhcp.c `narrow_context`).
    pub(crate) fn narrow(&self, addr: Ipv4Addr) -> Option<&Context4<'a>> {
        let on_net = |c: &&Context4<'a>| {
            match_tags(&c.range.filter, &self.tags, EmptyList::Matches)
                && same_net(addr, c.range.start, c.mask)
        };
        self.available(addr)
            .or_else(|| self.contexts.iter().filter(|c| c.range.is_static).find(on_net))
            .or_else(|| self.contexts.iter().find(on_net))
    }
}
