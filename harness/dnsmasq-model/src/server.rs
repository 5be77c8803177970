//! The decisions of the DHCPv4 server (rfc2131.c `dhcp_reply` and dhcp.c `address_allocate`).
//!
//! A [`Server`] decides how dnsmasq replies to a message, and passes the message and the reply to the [`Engine`]. The
//! ICMP probe (as with `--no-ping`) and PXE are not modelled.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::Arc;

use super::allocate4::allocate;
use super::call_sink::CallSink;
use super::client4::Client4;
use super::clock::Clock;
use super::context4::contexts;
use super::engine::Engine;
use super::host::{Host, config_has_mac};
use super::lease_time::{INFINITE, SHORTEST_LEASE};
use super::message4::{Kind4, Message4, Reply4};
use super::request4::Request4;
use super::reservations6::NameSent;
use super::tag_list::{EmptyList, match_tags};
use super::v4::extended_hwaddr;

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

/// Returns the lease time that a client gets, in seconds: the configured time of its `dhcp-host` or its range, or the
/// requested time if that is shorter. A requested time counts as at least 120 seconds (rfc2131.c `calc_time`).
#[must_use]
pub(crate) fn granted_lease_time(configured: u32, requested: Option<u32>) -> u32 {
    match requested.map(|requested| requested.max(SHORTEST_LEASE)) {
        Some(requested)
            if configured == INFINITE || (requested != INFINITE && requested < configured) =>
        {
            requested
        }
        _ => configured,
    }
}

impl Server {
    /// Creates a server without declined addresses.
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

    /// Returns the engine.
    #[must_use]
    pub fn engine(&self) -> &Engine {
        &self.engine
    }

    /// Returns the engine, for starting, stopping and signalling it.
    pub fn engine_mut(&mut self) -> &mut Engine {
        &mut self.engine
    }

    /// Returns a copy without the running dnsmasq, as after a kill. This is cheaper than a clone.
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

    /// Returns the state of the generator of temporary addresses.
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

    /// Handles a message: decides on the reply and makes the script calls. `addr` is the requested address or the
    /// client's own; 0.0.0.0 for none.
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

    /// Sends DISCOVER and, if an address is offered, REQUEST. `requested` is the address that the client requests.
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

    /// Decides how dnsmasq replies to this message. Expired leases are removed first, as for every packet. The calls
    /// for them are made at the next input of the engine.
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
        let request = Request4::new(process, client, clid, contexts, lease, now, name_sent);
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
        // A DECLINE has no host name (RFC 2131, table 5), so a host is not found by its name.
        let request = Request4::new(process, client, clid, contexts, lease, now, NameSent::No);
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
        request: &Request4<'_>,
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

    fn request_reply(&self, request: &Request4<'_>, kind: Kind4, addr: Ipv4Addr) -> Reply4 {
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

    /// Performs the checks after `rapid_commit:` in `dhcp_reply`.
    fn grant(&self, request: &Request4<'_>, kind: Kind4, addr: Ipv4Addr) -> Reply4 {
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
        // Some releases crash instead. The engine models the crash when it handles this ACK.
        let is_full = db.leases_left() + dropped == 0 && !db.rules().lease_limit_crashes;
        if has_no_id || (known.is_none() && is_full) {
            return Reply4::Nak;
        }
        let configured =
            request.host.and_then(|h| h.lease_time).unwrap_or(context.range.lease_time);
        Reply4::Ack { addr, lease_time: granted_lease_time(configured, request.client.lease_time) }
    }
}

fn bootp_reply(request: &Request4<'_>, epochs: &mut [u32]) -> Reply4 {
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
}
