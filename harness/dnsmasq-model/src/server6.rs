//! The decisions of the DHCPv6 server: rfc3315.c `dhcp6_no_relay` and dhcp6.c `address6_allocate`.

use std::net::{IpAddr, Ipv6Addr};

use super::call::CallSink;
use super::clock::Clock;
use super::hosts::{EmptyList, match_tags};
use super::ia_kind::IaKind;
use super::lease::LeaseKind;
use super::server::{Server, granted_lease_time};
use super::v6::{Client6, Ia, Kind6, Renewal6, Reply6, Return6};

/// The hash that determines where the search for a free IA_NA address starts (dhcp6.c `address6_allocate`).
#[must_use]
pub fn address_hash6(iaid: u32, duid: &[u8]) -> u64 {
    duid.iter().fold(u64::from(iaid), |j, &byte| {
        u64::from(byte).wrapping_add(j << 6).wrapping_add(j << 16).wrapping_sub(j)
    })
}

impl Server {
    /// SOLICIT and REQUEST for one identity association. `valid` is the requested lifetime in seconds.
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
        let given = self.choose6(client, kind, iaid).map(|(addr, configured)| Ia {
            kind,
            iaid,
            addrs: vec![addr],
            valid: granted_lease_time(configured, valid.filter(|v| *v != 0)),
        });
        self.answer6(Kind6::Request, client, given.into_iter().collect(), clock, sink)
    }

    /// RENEW or REBIND of identity associations. `valid` of each is the requested lifetime in seconds; 0 for none.
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
        let mut given = Vec::new();
        for ia in asked {
            for &addr in &ia.addrs {
                let known =
                    process.db.find6(&client.duid, ia.kind, ia.iaid, IpAddr::V6(addr)).is_some();
                if !known && (renewal == Renewal6::Renew || process.db.leases_left() == 0) {
                    continue;
                }
                let range =
                    process.config.ranges6.iter().find(|r| r.start <= addr && addr <= r.end);
                let valid = range.map_or(0, |r| {
                    granted_lease_time(r.lease_time, Some(ia.valid).filter(|v| *v != 0))
                });
                given.push(Ia { kind: ia.kind, iaid: ia.iaid, addrs: vec![addr], valid });
            }
        }
        self.answer6(renewal.into(), client, given, clock, sink)
    }

    /// RELEASE or DECLINE. After a DECLINE the client gets a different address.
    pub fn release6(
        &mut self,
        client: &Client6,
        message: Return6,
        asked: &[Ia],
        clock: Clock,
        sink: &mut impl CallSink,
    ) -> Reply6 {
        if message == Return6::Decline {
            let ranges = self.engine.config().ranges6.len();
            self.epochs6.resize(ranges, 0);
            for epoch in &mut self.epochs6 {
                *epoch = epoch.wrapping_add(1);
            }
        }
        let reply = Reply6::Reply(Vec::new());
        self.engine.dhcp6(message.into(), client, asked, &reply, clock, sink);
        reply
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

    /// The address for an identity association (the one that it holds, else a free one), and the lease time of its range.
    fn choose6(&mut self, client: &Client6, kind: IaKind, iaid: u32) -> Option<(Ipv6Addr, u32)> {
        let process = self.engine.process.as_ref()?;
        let ranges = &process.config.ranges6;
        let held = process.db.newest_first().find_map(|lease| match lease.addr {
            IpAddr::V6(addr)
                if lease.kind == LeaseKind::V6(kind)
                    && lease.iaid == iaid
                    && lease.clid.as_deref() == Some(&client.duid[..]) =>
            {
                let range =
                    ranges.iter().find(|r| !r.is_static && r.start <= addr && addr <= r.end)?;
                Some((addr, range.lease_time))
            }
            _ => None,
        });
        if held.is_some() {
            return held;
        }
        let expected = self.expected_temporary.take().filter(|_| kind == IaKind::Ta);
        if let Some(expected) = expected
            && let Some(range) = ranges.iter().find(|r| r.start <= expected && expected <= r.end)
        {
            return Some((expected, range.lease_time));
        }
        let own: Vec<Ipv6Addr> = self.engine.network.v6.iter().map(|(addr, _)| *addr).collect();
        for empty in [EmptyList::DoesNotMatch, EmptyList::Matches] {
            // dhcp6.c links the ranges of an interface in reverse order.
            for (index, range) in ranges.iter().enumerate().rev() {
                if range.is_static || !match_tags(&range.filter, &[], empty) {
                    continue;
                }
                let hash = if kind == IaKind::Ta {
                    random(&mut self.random)
                } else {
                    address_hash6(iaid, &client.duid)
                };
                let epoch = self.epochs6.get(index).copied().unwrap_or(0);
                let (first, last) = (range.start.to_bits(), range.end.to_bits());
                let size = (last - first).saturating_add(1);
                let offset = u128::from(hash.wrapping_add(epoch)) % size;
                // With more steps than there are used addresses, a free address is found if there is one.
                for step in 0..size.min(process.db.len() as u128 + own.len() as u128 + 1) {
                    let addr = Ipv6Addr::from_bits(first + (offset + step) % size);
                    if !own.contains(&addr)
                        && process.db.find6_by_addr(IpAddr::V6(addr)).is_none()
                        && !process.directory.has_addr6(addr)
                    {
                        return Some((addr, range.lease_time));
                    }
                }
            }
        }
        None
    }
}

/// SplitMix64, in place of dnsmasq's rand64().
fn random(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let z = (*state ^ (*state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hash_gives_the_recorded_address() {
        // This DUID with IAID 1 got fd77::1f2e out of fd77::1000 to fd77::1fff.
        let duid = [0, 3, 0, 1, 2, 0xaa, 0, 0, 0, 1];
        assert_eq!(0x1000 + address_hash6(1, &duid) % 0x1000, 0x1f2e);
    }
}
