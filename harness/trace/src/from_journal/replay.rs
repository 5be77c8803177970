//! Converts the events of a site into a workload: the same clients on a router with dnsmasq.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::Arc;

use lease_formats::dhcpd::{Date, IaKind};

use super::site_events::{SiteClient, SiteEvent, SiteEventKind};
use crate::workload::{Workload, WorkloadEvent};
use dnsmasq_model::{
    Client4, Client6, ConfigError, HwAddr, Ia, Kind4, Kind6, Network, Reply4, Reply6, ServerConfig,
};

/// The lease time of an infinite lease in a message, in seconds.
const INFINITE: u32 = u32::MAX;

/// Returns a configuration whose ranges contain all addresses of the events, and the server's network. There is one
/// range for each IPv4 /16 and each IPv6 /64 network that occurs, and the server has an unused address in each of them.
///
/// # Errors
/// If the model rejects the options, which does not happen for events of a journal.
pub fn server_of(events: &[SiteEvent]) -> Result<(ServerConfig, Network), ConfigError> {
    let mut four: BTreeMap<u32, BTreeSet<u32>> = BTreeMap::new();
    let mut six: BTreeMap<u64, BTreeSet<u128>> = BTreeMap::new();
    for event in events {
        match event.address {
            IpAddr::V4(address) => {
                four.entry(u32::from(address) >> 16).or_default().insert(address.into());
            }
            IpAddr::V6(address) => {
                let bits = u128::from(address);
                six.entry((bits >> 64) as u64).or_default().insert(bits);
            }
        }
    }
    let addresses: BTreeSet<IpAddr> = events.iter().map(|event| event.address).collect();
    let mut line = vec![
        "dnsmasq".to_owned(),
        "--interface=br0".to_owned(),
        "--leasefile-ro".to_owned(),
        "--dhcp-script=/etc/lease_update.sh".to_owned(),
        format!("--dhcp-lease-max={}", addresses.len() + 1),
    ];
    let mut network = Network { v4: Vec::new(), v6: Vec::new(), ..Network::default() };
    for (net, used) in &four {
        let own = ((net << 16) + 1..=(net << 16) + 0xffff)
            .find(|own| !used.contains(own))
            .unwrap_or(net << 16);
        network.v4.push((Ipv4Addr::from(own), 16));
        let (low, high) = ends(used);
        let (low, high) = (Ipv4Addr::from(low), Ipv4Addr::from(high));
        line.push(format!("--dhcp-range={low},{high},255.255.0.0,1h"));
    }
    for (net, used) in &six {
        let base = u128::from(*net) << 64;
        let own = (base + 1..=base + u128::from(u64::MAX))
            .find(|own| !used.contains(own))
            .unwrap_or(base);
        network.v6.push((Ipv6Addr::from(own), 64));
        let (low, high) = ends(used);
        let (low, high) = (Ipv6Addr::from(low), Ipv6Addr::from(high));
        line.push(format!("--dhcp-range={low},{high},64,1h"));
    }
    Ok((ServerConfig::parse(&line)?, network))
}

fn ends<T: Copy + Default + Ord>(used: &BTreeSet<T>) -> (T, T) {
    (used.first().copied().unwrap_or_default(), used.last().copied().unwrap_or_default())
}

/// Converts the events into a workload for both builds: dnsmasq starts, and then the same clients get, renew and
/// release the same addresses at the same times. Expiries come from dnsmasq itself. Delegated prefixes are omitted.
///
/// # Errors
/// If [`server_of`] returns an error.
pub fn workload(label: &str, events: &[SiteEvent]) -> Result<Workload, ConfigError> {
    let (server, network) = server_of(events)?;
    let begin = events.first().map_or(0, |event| event.time);
    let seconds = events.last().map_or(0, |event| since(begin, event.time));
    let mut list = vec![(0, WorkloadEvent::Start)];
    for event in events {
        let second = since(begin, event.time);
        if let Some(message) = message(event) {
            list.push((second, message));
        }
    }
    Ok(Workload {
        label: label.to_owned(),
        build: None,
        server,
        network,
        begin,
        seconds,
        events: list,
    })
}

fn since(begin: i64, time: i64) -> u64 {
    u64::try_from(time - begin).unwrap_or(0)
}

/// Returns the lease time of a grant or renewal.
pub(super) fn lease_time_of(event: &SiteEvent) -> u32 {
    if event.ends.is_never() || event.ends == Date::ABSENT {
        return INFINITE;
    }
    u32::try_from(event.ends.0 - event.time).unwrap_or(0).max(1)
}

/// Returns the message that led to an event, or `None` for an event without a message from a client.
pub fn message(event: &SiteEvent) -> Option<WorkloadEvent> {
    match (&event.client, event.address) {
        (SiteClient::V4 { hardware, uid, hostname }, IpAddr::V4(addr)) => {
            let kind = match event.kind {
                SiteEventKind::Held | SiteEventKind::Grant => Kind4::Request,
                SiteEventKind::Renewal => Kind4::Renew,
                SiteEventKind::Release => Kind4::Release,
                SiteEventKind::Decline => Kind4::Decline,
                SiteEventKind::Expiry | SiteEventKind::Abandoned | SiteEventKind::Reclaim => {
                    return None;
                }
            };
            let hw = hardware.as_ref().map_or_else(
                || HwAddr::new(0, &[]),
                |hardware| HwAddr::new(u16::from(hardware.kind), &hardware.bytes),
            );
            let mut client = Client4::new(hw);
            client.clid = (!uid.is_empty()).then(|| Arc::from(&uid[..]));
            client.hostname = hostname.as_ref().map(|name| Arc::from(&name[..]));
            let reply = match kind {
                Kind4::Request | Kind4::Renew => {
                    Reply4::Ack { addr, lease_time: lease_time_of(event) }
                }
                _ => Reply4::Silent,
            };
            Some(WorkloadEvent::Message { client, kind, addr, reply })
        }
        (SiteClient::V6 { kind, iaid, duid, .. }, IpAddr::V6(address)) => {
            let lease = match kind {
                IaKind::NonTemporary => dnsmasq_model::IaKind::Na,
                IaKind::Temporary => dnsmasq_model::IaKind::Ta,
                IaKind::Prefix => return None,
            };
            let message = match event.kind {
                SiteEventKind::Held | SiteEventKind::Grant => Kind6::Request,
                SiteEventKind::Renewal => Kind6::Renew,
                SiteEventKind::Release => Kind6::Release,
                SiteEventKind::Decline => Kind6::Decline,
                SiteEventKind::Expiry | SiteEventKind::Abandoned | SiteEventKind::Reclaim => {
                    return None;
                }
            };
            let gives = matches!(message, Kind6::Request | Kind6::Renew);
            let valid = if gives { lease_time_of(event) } else { 0 };
            let ia = Ia { kind: lease, iaid: *iaid, addrs: vec![address], valid };
            let client = Client6::new(duid.clone());
            let reply = Reply6::Reply(vec![ia.clone()]);
            Some(WorkloadEvent::Message6 { client, kind: message, asked: vec![ia], reply })
        }
        _ => None,
    }
}
