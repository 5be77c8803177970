//! The decisions of the DHCPv4 server (rfc2131.c `dhcp_reply` and dhcp.c `address_allocate`).
//!
//! A [`Server`] decides how dnsmasq replies to a message, and passes message and reply to the [`Engine`]. Not modelled are
//! the ICMP probe (as with `--no-ping`), PXE, and several interfaces.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::Arc;

use super::call::CallSink;
use super::client4::Client4;
use super::clock::Clock;
use super::engine::Engine;
use super::host::{Host, config_has_mac};
use super::hosts::ClientNetwork;
use super::lease_time::{INFINITE, SHORTEST_LEASE};
use super::netmask::same_net;
use super::process::Process;
use super::reservations6::NameSent;
use super::rules::AddressHash;
use super::tag_list::{EmptyList, match_tags};
use super::tags::{TagIf, add_name_tags, tags4};
use super::v4::{
    Context4, Kind4, Message4, Reply4, client_name, contexts, extended_hwaddr, sent_name,
};

/// `DECLINE_BACKOFF` of config.h: the number of seconds for which a declined static address is not used.
pub(crate) const DECLINE_BACKOFF: i64 = 600;

/// dnsmasq with its DHCP server: an engine, and the state of the server besides the leases.
#[derive(Debug, Clone)]
pub struct Server {
    pub(crate) engine: Engine,
    /// `addr_epoch` of each IPv4 range, which is incremented when a client declines.
    epochs: Vec<u32>,
    /// `addr_epoch` of each IPv6 range.
    pub(crate) epochs6: Vec<u64>,
    /// Declined static addresses, with the time on dnsmasq's clock.
    pub(crate) declined: HashMap<IpAddr, i64>,
    /// State of the generator of temporary addresses.
    pub(crate) random: u64,
    /// The next temporary address, as a real server chose it.
    pub(crate) expected_temporary: Option<Ipv6Addr>,
}

/// The lease time that a client gets, in seconds: that of its `dhcp-host` or its range, or the requested one if that is
/// shorter, but at least 120 seconds (rfc2131.c `calc_time`).
#[must_use]
pub fn granted_lease_time(configured: u32, requested: Option<u32>) -> u32 {
    match requested.map(|requested| requested.max(SHORTEST_LEASE)) {
        Some(requested)
            if configured == INFINITE || (requested != INFINITE && requested < configured) =>
        {
            requested
        }
        _ => configured,
    }
}

/// The hash of the hardware address by which a release chooses an address.
fn hash_of(bytes: &[u8], hash: AddressHash) -> u32 {
    match hash {
        AddressHash::Sum => bytes.iter().fold(0, |j: u32, &byte| {
            let byte = u32::from(byte);
            j.wrapping_add(byte).wrapping_add(byte << 8).wrapping_add(byte << 16)
        }),
        AddressHash::AccumulatedSdbm => bytes
            .iter()
            .fold(0, |j: u32, &byte| u32::from(byte).wrapping_add(j << 6).wrapping_add(j << 16)),
        AddressHash::Sdbm => address_hash(bytes),
    }
}

/// The SDBM hash of the hardware address, which determines where the search for a free address starts (dhcp.c
/// `address_allocate`).
#[must_use]
pub fn address_hash(bytes: &[u8]) -> u32 {
    let hash = bytes.iter().fold(0u32, |j, &byte| {
        u32::from(byte).wrapping_add(j << 6).wrapping_add(j << 16).wrapping_sub(j)
    });
    hash.max(1)
}

/// A message with the data on which a decision depends.
struct Request<'a> {
    process: &'a Process,
    client: &'a Client4,
    clid: Option<&'a [u8]>,
    contexts: Vec<Context4<'a>>,
    host: Option<&'a Host>,
    tags: Vec<String>,
    /// The client's lease.
    lease: Option<usize>,
    now: i64,
}

impl Server {
    /// A server without declined addresses.
    #[must_use]
    pub fn new(engine: Engine) -> Server {
        Server {
            engine,
            epochs: Vec::new(),
            epochs6: Vec::new(),
            declined: HashMap::new(),
            random: 0,
            expected_temporary: None,
        }
    }

    /// The engine.
    #[must_use]
    pub fn engine(&self) -> &Engine {
        &self.engine
    }

    /// The engine, to start, stop and signal it.
    pub fn engine_mut(&mut self) -> &mut Engine {
        &mut self.engine
    }

    /// A copy without the running dnsmasq, as after a kill. Cheaper than a clone.
    #[must_use]
    pub fn without_process(&self) -> Server {
        Server { random: self.random, ..Server::new(self.engine.without_process()) }
    }

    /// Forgets the declined addresses, as a restart of dnsmasq does.
    pub fn forget_declined(&mut self) {
        self.epochs.clear();
        self.epochs6.clear();
        self.declined.clear();
    }

    /// State of the generator of temporary addresses.
    #[must_use]
    pub fn random_state(&self) -> u64 {
        self.random
    }

    /// Seeds the generator of temporary addresses (IA_TA).
    pub fn seed(&mut self, seed: u64) {
        self.random = seed;
    }

    /// Sets the next temporary address to the one that a real server chose.
    pub fn expect_temporary_address(&mut self, address: Ipv6Addr) {
        self.expected_temporary = Some(address);
    }

    /// Handles a message: decides, replies, and makes the script calls. `addr` is the requested address or the client's own;
    /// 0.0.0.0 for none.
    pub fn handle(
        &mut self,
        kind: Kind4,
        client: &Client4,
        addr: Ipv4Addr,
        clock: Clock,
        sink: &mut impl CallSink,
    ) -> Reply4 {
        let reply = self.decide(kind, client, addr, clock);
        if kind == Kind4::Decline {
            self.record_decline(client, addr, clock);
        }
        let was_running = self.engine.is_running();
        self.engine.dhcp4(Message4 { kind, client, addr }, reply, clock, sink);
        if was_running && !self.engine.is_running() { Reply4::Silent } else { reply }
    }

    /// DISCOVER and, if an address is offered, REQUEST. `requested` is the address that the client requests.
    pub fn join(
        &mut self,
        client: &Client4,
        requested: Option<Ipv4Addr>,
        clock: Clock,
        sink: &mut impl CallSink,
    ) -> Reply4 {
        let requested = requested.unwrap_or(Ipv4Addr::UNSPECIFIED);
        match self.handle(Kind4::Discover { rapid: false }, client, requested, clock, sink) {
            Reply4::Offer(addr) => self.handle(Kind4::Request, client, addr, clock, sink),
            other => other,
        }
    }

    /// The reply of dnsmasq to this message. Expired leases are removed first, as for every packet; their calls are made
    /// with the next input of the engine.
    pub fn decide(
        &mut self,
        kind: Kind4,
        client: &Client4,
        addr: Ipv4Addr,
        clock: Clock,
    ) -> Reply4 {
        self.engine.drop_expired(clock);
        let now = self.engine.build().now(clock);
        let Some(process) = &self.engine.process else { return Reply4::Silent };
        if process.loses_next_packet {
            return Reply4::Silent;
        }
        let ciaddr = matches!(kind, Kind4::Renew | Kind4::Rebind | Kind4::Inform | Kind4::Release)
            .then_some(addr);
        let contexts = contexts(&process.config, &self.engine.network, client, ciaddr);
        if contexts.is_empty() || process.config.serves_no_dhcp() {
            return Reply4::Silent;
        }
        let sent = client
            .clid
            .as_deref()
            .filter(|c| !c.is_empty() && !process.config.ignore_clid && kind != Kind4::Bootp);
        let lease = process.db.find_by_client(&client.hw, sent);
        let clid = sent.or_else(|| lease.and_then(|l| process.db.get(l).clid.as_deref()));
        let name_sent = match kind {
            Kind4::Release | Kind4::Decline => NameSent::No,
            _ => NameSent::Yes,
        };
        let request = Request::new(process, client, clid, contexts, lease, now, name_sent);
        let mut epochs = self.epochs.clone();
        let reply = match kind {
            Kind4::Discover { rapid } => self.discover(&request, addr, rapid, &mut epochs),
            Kind4::Request | Kind4::InitReboot | Kind4::Renew | Kind4::Rebind => {
                self.request_reply(&request, kind, addr)
            }
            Kind4::Inform if !request.ignored() => Reply4::Ack { addr, lease_time: INFINITE },
            Kind4::Bootp => bootp_reply(&request, &mut epochs),
            Kind4::Inform | Kind4::Release | Kind4::Decline => Reply4::Silent,
        };
        self.epochs = epochs;
        reply
    }

    fn is_declined(&self, addr: Ipv4Addr, now: i64) -> bool {
        self.declined
            .get(&IpAddr::V4(addr))
            .is_some_and(|when| now.wrapping_sub(*when) < DECLINE_BACKOFF)
    }

    /// Records a DECLINE without removing the lease. [`Server::handle`] calls this itself.
    pub fn record_decline(&mut self, client: &Client4, addr: Ipv4Addr, clock: Clock) {
        let now = self.engine.build().now(clock);
        let Some(process) = &self.engine.process else { return };
        let config = Arc::clone(&process.config);
        let contexts = contexts(&config, &self.engine.network, client, None);
        let lease = process.db.find_by_client(&client.hw, client.clid.as_deref());
        let clid = client.clid.as_deref();
        // A DECLINE has no host name (RFC 2131, table 5), so that a host is not found by its name.
        let request = Request::new(process, client, clid, contexts, lease, now, NameSent::No);
        if request.host.and_then(|h| h.addr) == Some(addr) {
            self.declined.insert(IpAddr::V4(addr), now);
        } else {
            self.epochs.resize(config.ranges4.len(), 0);
            for context in &request.contexts {
                self.epochs[context.index] = self.epochs[context.index].wrapping_add(1);
            }
        }
    }

    fn discover(
        &self,
        request: &Request<'_>,
        requested: Ipv4Addr,
        rapid: bool,
        epochs: &mut [u32],
    ) -> Reply4 {
        if request.ignored() {
            return Reply4::Silent;
        }
        let db = &request.process.db;
        let free = |addr: Ipv4Addr| request.process.directory.find_by_addr(addr).is_none();
        let configured = request.host.and_then(|host| {
            let addr = host.addr?;
            let holder = db.find_by_addr(addr);
            let taken = holder
                .is_some_and(|h| Some(h) != request.lease && !config_has_mac(host, &db.get(h).hw));
            let own = request.contexts.iter().any(|c| c.router == Some(addr));
            (!taken && !own && !self.is_declined(addr, request.now)).then_some(addr)
        });
        let held = request.lease.and_then(|l| db.get(l).v4());
        let addr = if let Some(addr) = configured {
            addr
        } else if let Some(addr) = held.filter(|a| request.available(*a).is_some() && free(*a)) {
            addr
        } else if requested != Ipv4Addr::UNSPECIFIED
            && request.available(requested).is_some()
            && db.find_by_addr(requested).is_none()
            && free(requested)
        {
            requested
        } else {
            match allocate(request, epochs) {
                Some(addr) => addr,
                None => return Reply4::Silent,
            }
        };
        if request.narrow(addr).is_none() {
            return Reply4::Silent;
        }
        if rapid && request.process.config.rapid_commit {
            return match self.grant(request, Kind4::Discover { rapid }, addr) {
                Reply4::Nak => Reply4::Silent,
                reply => reply,
            };
        }
        Reply4::Offer(addr)
    }

    fn request_reply(&self, request: &Request<'_>, kind: Kind4, addr: Ipv4Addr) -> Reply4 {
        if request.ignored() {
            return Reply4::Silent;
        }
        let authoritative = request.process.config.authoritative;
        let own = request.lease.and_then(|l| request.process.db.get(l).v4());
        match kind {
            Kind4::InitReboot if own.is_none() && !authoritative => return Reply4::Silent,
            Kind4::InitReboot if own.is_some_and(|own| own != addr) => return Reply4::Nak,
            Kind4::Renew | Kind4::Rebind
                if own.is_some_and(|own| own != addr) || (own.is_none() && !authoritative) =>
            {
                // A client that rebinds may belong to another server.
                let refuses = request.process.db.rules().refuses_rebinding;
                return if kind == Kind4::Rebind && !refuses {
                    Reply4::Silent
                } else {
                    Reply4::Nak
                };
            }
            _ => {}
        }
        self.grant(request, kind, addr)
    }

    /// The checks after `rapid_commit:` in `dhcp_reply`.
    fn grant(&self, request: &Request<'_>, kind: Kind4, addr: Ipv4Addr) -> Reply4 {
        let db = &request.process.db;
        // A REQUEST in state SELECTING for another address removes the client's lease first.
        let lease =
            request.lease.filter(|l| kind != Kind4::Request || db.get(*l).v4() == Some(addr));
        let dropped = usize::from(lease != request.lease);
        let Some(context) = request.narrow(addr) else { return Reply4::Nak };
        let fixed = request.host.and_then(|h| h.addr);
        if request.available(addr).is_none() && fixed != Some(addr) {
            return Reply4::Nak;
        }
        let holder = |addr: Ipv4Addr| {
            db.find_by_addr(addr).filter(|h| dropped == 0 || Some(*h) != request.lease)
        };
        if let Some(fixed) = fixed
            && kind != Kind4::Request
            && !request.contexts.iter().any(|c| c.router == Some(fixed))
            && !self.is_declined(fixed, request.now)
            && fixed != addr
            && holder(fixed).is_none_or(|h| Some(h) == lease)
        {
            return Reply4::Nak;
        }
        if request
            .process
            .directory
            .find_by_addr(addr)
            .is_some_and(|h| !request.host.is_some_and(|own| std::ptr::eq(own, h)))
        {
            return Reply4::Nak;
        }
        let mut known = lease;
        if known.is_none()
            && let Some(holder) = holder(addr)
        {
            let shares = |host: &Host| {
                db.rules().hosts_share_leases && config_has_mac(host, &db.get(holder).hw)
            };
            if !request.host.is_some_and(shares) {
                return Reply4::Nak;
            }
            known = Some(holder);
        }
        let has_no_id = extended_hwaddr(&request.client.hw, request.clid).is_empty();
        // Some releases crash instead; the engine does so for this ACK.
        let is_full = db.leases_left() + dropped == 0 && !db.rules().lease_limit_crashes;
        if has_no_id || (known.is_none() && is_full) {
            return Reply4::Nak;
        }
        let configured =
            request.host.and_then(|h| h.lease_time).unwrap_or(context.range.lease_time);
        Reply4::Ack { addr, lease_time: granted_lease_time(configured, request.client.lease_time) }
    }
}

/// dhcp.c `address_allocate`: the first free address from the hash of the hardware address upwards. `epochs`: for each
/// range, how often an address of it was declined.
fn allocate(request: &Request<'_>, epochs: &mut [u32]) -> Option<Ipv4Addr> {
    let id = extended_hwaddr(&request.client.hw, request.clid);
    if id.is_empty() {
        return None;
    }
    let db = &request.process.db;
    let hash = hash_of(id, db.rules().address_hash);
    let sequential = request.process.config.sequential;
    let skips_declined = sequential && db.rules().sequential_skips_declined;
    for empty in [EmptyList::DoesNotMatch, EmptyList::Matches] {
        for context in &request.contexts {
            let range = context.range;
            if range.is_static || !match_tags(&range.filter, &request.tags, empty) {
                continue;
            }
            let (first, last) = (range.start.to_bits(), range.end.to_bits());
            let size = u64::from(last - first) + 1;
            let start = if sequential {
                let highest = db.newest_first().filter_map(super::Lease::v4).map(Ipv4Addr::to_bits);
                highest.filter(|a| *a > first && *a <= last).max().unwrap_or(first)
            } else {
                let epoch = epochs.get(context.index).copied().unwrap_or(0);
                first + (u64::from(hash.wrapping_add(epoch)) % size) as u32
            };
            for step in 0..size {
                let addr =
                    Ipv4Addr::from_bits(first + ((u64::from(start - first) + step) % size) as u32);
                // Addresses ending in .0 and .255 of a class C network confuse Windows.
                let class_c = (192..=223).contains(&addr.octets()[0]);
                let is_avoided = db.rules().avoids_windows_addresses
                    && class_c
                    && matches!(addr.octets()[3], 0 | 255);
                if !is_avoided
                    && !request.contexts.iter().any(|c| c.router == Some(addr))
                    && db.find_by_addr(addr).is_none()
                    && request.process.directory.find_by_addr(addr).is_none()
                {
                    let declined = epochs.get_mut(context.index).filter(|count| **count != 0);
                    match declined {
                        Some(count) if skips_declined => *count -= 1,
                        _ => return Some(addr),
                    }
                }
            }
        }
    }
    None
}

fn bootp_reply(request: &Request<'_>, epochs: &mut [u32]) -> Reply4 {
    let db = &request.process.db;
    let hw = &request.client.hw;
    if hw.kind == 0 || hw.is_empty() || request.ignored() {
        return Reply4::Silent;
    }
    let fixed = request.host.and_then(|h| h.addr);
    let mut lease = None;
    let addr = match fixed {
        Some(addr) => {
            lease = db.find_by_addr(addr);
            if lease.is_some_and(|l| db.get(l).hw != *hw) {
                return Reply4::Silent;
            }
            Some(addr)
        }
        None => match request
            .lease
            .and_then(|l| db.get(l).v4())
            .filter(|a| request.available(*a).is_some())
        {
            Some(addr) => {
                lease = request.lease;
                Some(addr)
            }
            None => allocate(request, epochs),
        },
    };
    let Some(addr) = addr.filter(|a| request.narrow(*a).is_some()) else {
        return Reply4::Silent;
    };
    let mut tags = request.tags.clone();
    tags.push("bootp".to_owned());
    let dynamic = request
        .process
        .config
        .bootp_dynamic
        .iter()
        .any(|list| match_tags(list, &tags, EmptyList::Matches));
    let is_full = db.leases_left() == 0 && !db.rules().lease_limit_crashes;
    if (fixed.is_none() && !dynamic) || (lease.is_none() && is_full) {
        return Reply4::Silent;
    }
    Reply4::BootReply(addr)
}

impl<'a> Request<'a> {
    fn new(
        process: &'a Process,
        client: &'a Client4,
        clid: Option<&'a [u8]>,
        contexts: Vec<Context4<'a>>,
        lease: Option<usize>,
        now: i64,
        name_sent: NameSent,
    ) -> Request<'a> {
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
        Request { process, client, clid, contexts, host, tags, lease, now }
    }

    fn ignored(&self) -> bool {
        self.host.is_some_and(|h| h.ignore)
            || self
                .process
                .config
                .ignore
                .iter()
                .any(|list| match_tags(list, &self.tags, EmptyList::DoesNotMatch))
    }

    /// dhcp.c `address_available`: the range from which this address may be assigned.
    fn available(&self, addr: Ipv4Addr) -> Option<&Context4<'a>> {
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

    /// dhcp.c `narrow_context`: the range that contains an address, or else one on the same network.
    fn narrow(&self, addr: Ipv4Addr) -> Option<&Context4<'a>> {
        let on_net = |c: &&Context4<'a>| {
            match_tags(&c.range.filter, &self.tags, EmptyList::Matches)
                && same_net(addr, c.range.start, c.mask)
        };
        self.available(addr)
            .or_else(|| self.contexts.iter().filter(|c| c.range.is_static).find(on_net))
            .or_else(|| self.contexts.iter().find(on_net))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case(3600, None, 3600)]
    #[case(3600, Some(600), 600)]
    #[case(3600, Some(60), 120)]
    #[case(3600, Some(7200), 3600)]
    #[case(3600, Some(INFINITE), 3600)]
    #[case(INFINITE, Some(600), 600)]
    #[case(INFINITE, None, INFINITE)]
    fn a_request_can_shorten_the_lease_time_to_two_minutes(
        #[case] configured: u32,
        #[case] requested: Option<u32>,
        #[case] granted: u32,
    ) {
        assert_eq!(granted_lease_time(configured, requested), granted);
    }

    #[test]
    fn the_hash_gives_the_recorded_address() {
        // 02:aa:00:00:00:01 got 192.168.77.173 out of .50 to .199.
        assert_eq!(50 + address_hash(&[2, 0xaa, 0, 0, 0, 1]) % 150, 173);
    }
}
