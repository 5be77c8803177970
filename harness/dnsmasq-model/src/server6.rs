//! The decisions of the DHCPv6 server: rfc3315.c `dhcp6_no_relay` and dhcp6.c `address6_allocate`.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};

use super::address_hash::hash6;
use super::call_sink::CallSink;
use super::client6::Client6;
use super::clock::Clock;
use super::host_address6::HostAddress6;
use super::ia_kind::IaKind;
use super::lease::LeaseKind;
use super::message6::{Ia, Kind6, Renewal6, Reply6, Return6};
use super::netmask::same_net6;
use super::process::Process;
use super::range::Range6;
use super::reservations6::{Identity6, NameSent};
use super::rules::{Rules, UnknownRebind};
use super::server::{DECLINE_BACKOFF, Server, granted_lease_time};
use super::tag_list::{EmptyList, match_tags};

/// An address that the server offers or assigns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Given {
    addr: Ipv6Addr,
    /// Valid lifetime in seconds.
    valid: u32,
}

/// An identity association in a message, with the configuration that applies to the client.
#[derive(Clone, Copy)]
struct Association<'a> {
    process: &'a Process,
    client: &'a Client6,
    identity: &'a Identity6<'a>,
    kind: IaKind,
    iaid: u32,
    now: i64,
}

/// Returns the lifetime that a client requests with this value, or `None` if it requests none (rfc3315.c
/// `calculate_times`).
fn requested_lifetime(valid: u32, rules: &Rules) -> Option<u32> {
    (valid != 0 || rules.zero_lifetime_is_shortest).then_some(valid)
}

impl Server {
    /// Sends SOLICIT and REQUEST for one identity association. `valid` is the requested lifetime in seconds.
    pub fn join6(
        &mut self,
        client: &Client6,
        kind: IaKind,
        iaid: u32,
        valid: Option<u32>,
        clock: Clock,
        sink: &mut impl CallSink,
    ) -> Reply6 {
        self.engine.drop_expired(clock);
        let now = self.engine.build().now(clock);
        let expected = self.expected_temporary.take().filter(|_| kind == IaKind::Ta);
        let (offered, given) = {
            let Some(process) = &self.engine.process else { return Reply6::Silent };
            let config = &process.config;
            let identity = Identity6::find(config, &process.directory, client, NameSent::Yes);
            if identity.is_ignored(config) || config.serves_no_dhcp() {
                self.engine.finish_packet(clock, sink);
                return Reply6::Silent;
            }
            let identity = &identity;
            let ia = Association { process, client, identity, kind, iaid, now };
            let own: Vec<Ipv6Addr> = self.engine.network.v6.iter().map(|(addr, _)| *addr).collect();
            let pool = Pool { own: &own, epochs: &mut self.epochs6, random: &mut self.random };
            let offered = ia.offer(expected, &self.declined, pool);
            let valid = requested_lifetime(valid.unwrap_or(0), process.db.rules());
            let given: Vec<Given> =
                offered.iter().filter_map(|addr| ia.assign(*addr, valid)).collect();
            (offered, given)
        };
        if offered.is_empty() {
            // The client sends no REQUEST, and SOLICIT creates no lease.
            self.engine.finish_packet(clock, sink);
            return Reply6::Reply(Vec::new());
        }
        let given = associations(kind, iaid, &given);
        let renews = |process: &Process| process.db.rules().solicit_renews;
        if self.engine.process.as_ref().is_some_and(renews) {
            let offer = Reply6::Advertise(given.clone());
            self.engine.dhcp6(Kind6::Solicit, client, &[], &offer, clock, sink);
        }
        self.answer6(Kind6::Request, client, given, clock, sink)
    }

    /// Sends RENEW or REBIND for identity associations. `valid` of each is the requested lifetime in seconds; 0 for
    /// none.
    pub fn renew6(
        &mut self,
        client: &Client6,
        renewal: Renewal6,
        asked: &[Ia],
        clock: Clock,
        sink: &mut impl CallSink,
    ) -> Reply6 {
        self.engine.drop_expired(clock);
        let Some(process) = &self.engine.process else { return Reply6::Silent };
        let config = &process.config;
        let identity = Identity6::find(config, &process.directory, client, NameSent::Yes);
        let mut given = Vec::new();
        for ia in asked {
            for &addr in &ia.addrs {
                let known =
                    process.db.find6(&client.duid, ia.kind, ia.iaid, IpAddr::V6(addr)).is_some();
                let makes = match process.db.rules().unknown_rebind {
                    _ if renewal == Renewal6::Renew => false,
                    UnknownRebind::Ignored => false,
                    UnknownRebind::CreatesLease => true,
                    UnknownRebind::CreatesLeaseIfAuthoritative => config.authoritative,
                };
                if !known && (!makes || process.db.leases_left() == 0) {
                    if process.db.rules().unknown_rebind == UnknownRebind::Ignored
                        && renewal == Renewal6::Rebind
                    {
                        self.engine.finish_packet(clock, sink);
                        return Reply6::Silent;
                    }
                    continue;
                }
                let range = available(&config.ranges6, addr, &identity.tags)
                    .or_else(|| on_link(&config.ranges6, addr, &identity.tags));
                let valid = range.map_or(0, |range| {
                    let configured = identity.lease_time(range, addr);
                    granted_lease_time(configured, requested_lifetime(ia.valid, process.db.rules()))
                });
                given.push(Ia { kind: ia.kind, iaid: ia.iaid, addrs: vec![addr], valid });
            }
        }
        self.answer6(renewal.into(), client, given, clock, sink)
    }

    /// Sends RELEASE or DECLINE. After a DECLINE, the client gets a different address.
    pub fn release6(
        &mut self,
        client: &Client6,
        message: Return6,
        asked: &[Ia],
        clock: Clock,
        sink: &mut impl CallSink,
    ) -> Reply6 {
        if message == Return6::Decline {
            for addr in asked.iter().flat_map(|ia| &ia.addrs) {
                self.record_decline6(client, *addr, clock);
            }
        }
        let reply = Reply6::Reply(Vec::new());
        self.engine.dhcp6(message.into(), client, asked, &reply, clock, sink);
        reply
    }

    /// Records a DECLINE. A declined reserved address is not used for a while. After any other DECLINE, the search for
    /// a free address starts elsewhere.
    fn record_decline6(&mut self, client: &Client6, addr: Ipv6Addr, clock: Clock) {
        let now = self.engine.build().now(clock);
        let Some(process) = &self.engine.process else { return };
        let config = &process.config;
        let identity = Identity6::find(config, &process.directory, client, NameSent::No);
        // dnsmasq looks at the first range of the interface only.
        let reserved = config.ranges6.last().and_then(|range| identity.implied(range, addr));
        if let Some(reserved) = reserved {
            self.declined.insert(IpAddr::V6(reserved.addr), now);
            return;
        }
        self.epochs6.resize(config.ranges6.len(), 0);
        for epoch in &mut self.epochs6 {
            *epoch = epoch.wrapping_add(1);
        }
    }

    fn answer6(
        &mut self,
        kind: Kind6,
        client: &Client6,
        given: Vec<Ia>,
        clock: Clock,
        sink: &mut impl CallSink,
    ) -> Reply6 {
        let reply = Reply6::Reply(given);
        self.engine.dhcp6(kind, client, &[], &reply, clock, sink);
        reply
    }
}

/// Groups consecutive addresses with the same lifetime into associations.
fn associations(kind: IaKind, iaid: u32, given: &[Given]) -> Vec<Ia> {
    given
        .chunk_by(|a, b| a.valid == b.valid)
        .map(|chunk| {
            let addrs = chunk.iter().map(|given| given.addr).collect();
            Ia { kind, iaid, addrs, valid: chunk[0].valid }
        })
        .collect()
}

/// Returns the range from which this address may be assigned to any client (dhcp6.c `address6_available`).
fn available<'a>(ranges: &'a [Range6], addr: Ipv6Addr, tags: &[String]) -> Option<&'a Range6> {
    // dhcp6.c links the ranges of an interface in reverse order.
    ranges.iter().rev().find(|range| {
        range.is_dynamic()
            && range.start <= addr
            && addr <= range.end
            && match_tags(&range.filter, tags, EmptyList::Matches)
    })
}

/// Returns a range whose network contains this address (dhcp6.c `address6_valid`).
fn on_link<'a>(ranges: &'a [Range6], addr: Ipv6Addr, tags: &[String]) -> Option<&'a Range6> {
    ranges.iter().rev().find(|range| {
        same_net6(range.start, addr, range.prefix)
            && match_tags(&range.filter, tags, EmptyList::Matches)
    })
}

/// The state of the search for a free address.
struct Pool<'a> {
    /// The server's own addresses.
    own: &'a [Ipv6Addr],
    epochs: &'a mut Vec<u64>,
    random: &'a mut u64,
}

impl Association<'_> {
    /// Returns the addresses that the server offers in reply to SOLICIT: reserved ones, those that the client holds,
    /// and a free one in each network in which it has none yet. `expected` is a temporary address that a real server
    /// chose.
    fn offer(
        &self,
        expected: Option<Ipv6Addr>,
        declined: &HashMap<IpAddr, i64>,
        mut pool: Pool<'_>,
    ) -> Vec<Ipv6Addr> {
        let ranges = &self.process.config.ranges6;
        let tags = &self.identity.tags;
        let mut offered: Vec<Ipv6Addr> = Vec::new();
        let has_one = |offered: &[Ipv6Addr], range: &Range6| {
            offered.iter().any(|addr| same_net6(*addr, range.start, range.prefix))
        };
        for range in ranges.iter().rev() {
            if !has_one(&offered, range)
                && match_tags(&range.filter, tags, EmptyList::Matches)
                && let Some(addr) = self.reserved(range, declined)
            {
                offered.push(addr);
            }
        }
        for lease in self.process.db.newest_first() {
            if let IpAddr::V6(addr) = lease.addr
                && lease.kind == LeaseKind::V6(self.kind)
                && lease.iaid == self.iaid
                && lease.clid.as_deref() == Some(&self.client.duid[..])
                && !offered.contains(&addr)
                && available(ranges, addr, tags).is_some()
            {
                offered.push(addr);
            }
        }
        if let Some(expected) = expected.filter(|_| offered.is_empty()) {
            offered.extend(available(ranges, expected, tags).map(|_| expected));
        }
        for empty in [EmptyList::DoesNotMatch, EmptyList::Matches] {
            for (index, range) in ranges.iter().enumerate().rev() {
                if range.is_dynamic()
                    && !has_one(&offered, range)
                    && match_tags(&range.filter, tags, empty)
                {
                    offered.extend(self.free(range, index, &mut pool));
                }
            }
        }
        offered
    }

    /// Returns the first reserved address in the network of a range that no other client has (rfc3315.c
    /// `config_valid`).
    fn reserved(&self, range: &Range6, declined: &HashMap<IpAddr, i64>) -> Option<Ipv6Addr> {
        let avoids_declined = self.process.db.rules().avoids_declined6;
        let is_declined = |entry: &HostAddress6| {
            let when = declined.get(&IpAddr::V6(entry.addr));
            avoids_declined
                && when.is_some_and(|when| self.now.wrapping_sub(*when) < DECLINE_BACKOFF)
        };
        let entries = self.identity.host?.addr6.iter().rev();
        entries
            .filter(|entry| !is_declined(entry))
            .flat_map(|entry| entry.candidates(range))
            .find(|addr| self.is_own_or_free(*addr))
    }

    /// Returns whether no other client has the address (rfc3315.c `check_address`).
    fn is_own_or_free(&self, addr: Ipv6Addr) -> bool {
        let Some(slot) = self.process.db.find6_by_addr(IpAddr::V6(addr)) else { return true };
        let lease = self.process.db.get(slot);
        lease.clid.as_deref() == Some(&self.client.duid[..]) && lease.iaid == self.iaid
    }

    /// Finds a free address of a range (dhcp6.c `address6_allocate`).
    fn free(&self, range: &Range6, index: usize, pool: &mut Pool<'_>) -> Option<Ipv6Addr> {
        let db = &self.process.db;
        let (first, last) = (range.start.to_bits(), range.end.to_bits());
        let size = (last - first).saturating_add(1);
        pool.epochs.resize(self.process.config.ranges6.len().max(pool.epochs.len()), 0);
        let epoch = &mut pool.epochs[index];
        let start = if self.process.config.sequential && self.kind == IaKind::Na {
            let held = db.newest_first().filter_map(|lease| match lease.addr {
                IpAddr::V6(addr) => Some(addr.to_bits()),
                IpAddr::V4(_) => None,
            });
            let highest = held.filter(|addr| first < *addr && *addr <= last).max().unwrap_or(first);
            if db.rules().sequential_after_highest {
                let start = highest + 1 + u128::from(*epoch);
                *epoch = epoch.saturating_sub(1);
                start
            } else {
                highest
            }
        } else {
            let hash = match self.kind {
                IaKind::Ta => random(pool.random),
                IaKind::Na => hash6(self.iaid, &self.client.duid, self.process.db.rules()),
            };
            first + u128::from(hash.wrapping_add(*epoch)) % size
        };
        // With more steps than there are used addresses, a free address is found if there is one.
        let steps = size.min(db.len() as u128 + pool.own.len() as u128 + 1);
        let mut addr = start;
        for _ in 0..=steps {
            let candidate = Ipv6Addr::from_bits(addr);
            if !pool.own.contains(&candidate)
                && db.find6_by_addr(IpAddr::V6(candidate)).is_none()
                && !self.process.directory.has_addr6(candidate)
            {
                return Some(candidate);
            }
            addr = if addr == last { first } else { addr + 1 };
        }
        None
    }

    /// Returns the address and lifetime that the server assigns in reply to REQUEST, or `None` if it refuses the
    /// address.
    fn assign(&self, addr: Ipv6Addr, valid: Option<u32>) -> Option<Given> {
        let (ranges, tags) = (&self.process.config.ranges6, &self.identity.tags);
        let network = on_link(ranges, addr, tags);
        let is_reserved = network.is_some_and(|range| self.identity.implied(range, addr).is_some());
        let range = available(ranges, addr, tags).or(network.filter(|_| is_reserved))?;
        let configured = self.identity.lease_time(range, addr);
        let given = Given { addr, valid: granted_lease_time(configured, valid) };
        self.is_own_or_free(addr).then_some(given)
    }
}

/// Returns the next number of SplitMix64, which replaces dnsmasq's rand64().
fn random(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let z = (*state ^ (*state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}
