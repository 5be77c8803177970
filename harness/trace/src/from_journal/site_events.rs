//! Derives events from the changes between consecutive declarations of an address.

use std::collections::HashMap;
use std::net::IpAddr;

use lease_formats::dhcpd::{BindingState, Date, Declared, Hardware, Ia, IaKind, Lease};

/// The kind of an event of an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum SiteEventKind {
    /// A client had the address before the journal began.
    Held,
    /// A client got the address.
    Grant,
    /// The client renewed the lease.
    Renewal,
    /// The client released the address.
    Release,
    /// The lease expired.
    Expiry,
    /// The client declined the address.
    Decline,
    /// The server found the address in use by an unknown host.
    Abandoned,
    /// An abandoned address was assigned or freed again.
    Reclaim,
}

impl SiteEventKind {
    /// Returns the name in reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::Held => "held before",
            Self::Grant => "grant",
            Self::Renewal => "renewal",
            Self::Release => "release",
            Self::Expiry => "expiry",
            Self::Decline => "decline",
            Self::Abandoned => "abandoned",
            Self::Reclaim => "reclaim",
        }
    }
}

/// The client of an event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SiteClient {
    /// A DHCPv4 client.
    V4 {
        /// The hardware address.
        hardware: Option<Hardware>,
        /// The client identifier, or an empty vector if there is none.
        uid: Vec<u8>,
        /// The host name.
        hostname: Option<Vec<u8>>,
    },
    /// A DHCPv6 client.
    V6 {
        /// The kind of identity association.
        kind: IaKind,
        /// The IAID.
        iaid: u32,
        /// The DUID.
        duid: Vec<u8>,
        /// The length of a delegated prefix, or 0 for an address.
        prefix_length: u8,
    },
}

impl SiteClient {
    /// Returns whether this is the same client, possibly with another host name or hardware address.
    fn is_same(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::V4 { hardware, uid, .. }, Self::V4 { hardware: h, uid: u, .. }) => {
                // The identifier takes precedence over the hardware address.
                if uid.is_empty() && u.is_empty() { hardware == h } else { uid == u }
            }
            _ => self == other,
        }
    }
}

/// An event of a site.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SiteEvent {
    /// Time in seconds since 1970. It is not earlier than the time of the previous event.
    pub time: i64,
    /// The kind of event.
    pub kind: SiteEventKind,
    /// The address.
    pub address: IpAddr,
    /// The client that has the address or had it.
    pub client: SiteClient,
    /// The end of the lease after the event.
    pub ends: Date,
}

/// The last declaration of an address.
#[derive(Debug, Clone)]
struct Known {
    state: BindingState,
    ends: Date,
    client: SiteClient,
}

/// The default of `abandon-lease-time` in dhcpd.conf, in seconds.
const ABANDONED_FOR: i64 = 86_400;

/// Derives events from declarations.
#[derive(Debug, Default)]
pub(super) struct SiteTracker {
    known: HashMap<IpAddr, Known>,
    events: Vec<SiteEvent>,
    last: i64,
}

impl SiteTracker {
    /// Processes the head of the first generation. Its leases were granted before the journal began.
    pub(super) fn held_before(&mut self, head: &[lease_formats::dhcpd::Declaration]) {
        for declaration in head {
            for (address, known, _) in bindings(&declaration.what) {
                if known.state == BindingState::Active {
                    let Known { ends, client, .. } = known.clone();
                    let kind = SiteEventKind::Held;
                    self.events.push(SiteEvent { time: 0, kind, address, client, ends });
                }
                self.known.insert(address, known);
            }
        }
    }

    /// Derives the events of a new declaration.
    pub(super) fn apply(&mut self, what: &Declared) {
        let gone = self.gone(what);
        for (address, known, time) in bindings(what) {
            self.step(address, known, time);
        }
        for (address, time) in gone {
            if let Some(before) = self.known.remove(&address) {
                let ended = !before.ends.is_never() && before.ends.0 <= time;
                let kind = if ended { SiteEventKind::Expiry } else { SiteEventKind::Release };
                self.event(kind, address, before.client, before.ends, time);
            }
        }
    }

    /// Returns the addresses that an association no longer contains, each with the time of the change.
    fn gone(&self, what: &Declared) -> Vec<(IpAddr, i64)> {
        let Declared::Ia(ia) = what else { return Vec::new() };
        let named: Vec<IpAddr> = ia.addresses.iter().map(|held| held.address.into()).collect();
        let known = self.known.iter().filter(|(address, known)| {
            let own = matches!(&known.client, SiteClient::V6 { kind, duid, iaid, .. }
                if *kind == ia.kind && *iaid == iaid_of(ia) && duid == ia.duid());
            own && known.state == BindingState::Active && !named.contains(address)
        });
        let mut gone: Vec<(IpAddr, i64)> =
            known.map(|(address, _)| (*address, ia.cltt.0)).collect();
        gone.sort();
        gone
    }

    fn event(
        &mut self,
        kind: SiteEventKind,
        address: IpAddr,
        client: SiteClient,
        ends: Date,
        time: i64,
    ) {
        self.last = self.last.max(time);
        self.events.push(SiteEvent { time: self.last, kind, address, client, ends });
    }

    fn step(&mut self, address: IpAddr, now: Known, time: i64) {
        use BindingState::{Abandoned, Active, Expired, Free, Released};
        let before = self.known.insert(address, now.clone());
        let Known { state, ends, client } = now;
        let had = before.as_ref().filter(|before| before.state == Active);
        let was_abandoned = before.as_ref().is_some_and(|before| before.state == Abandoned);
        if was_abandoned && matches!(state, Active | Free) {
            self.event(SiteEventKind::Reclaim, address, client.clone(), ends, time);
        }
        match (state, had) {
            (Active, Some(had)) if had.client.is_same(&client) => {
                self.event(SiteEventKind::Renewal, address, client, ends, time);
            }
            (Active, _) => self.event(SiteEventKind::Grant, address, client, ends, time),
            (Free | Expired | Released, Some(had)) => {
                let owner = had.client.clone();
                let kind = if state == Released || ends < had.ends {
                    SiteEventKind::Release
                } else {
                    SiteEventKind::Expiry
                };
                self.event(kind, address, owner, ends, ends.0);
            }
            (Abandoned, had) => {
                let (kind, owner) = match had {
                    Some(had) => (SiteEventKind::Decline, had.client.clone()),
                    None => (SiteEventKind::Abandoned, client),
                };
                let since = if ends.is_never() { time } else { ends.0 - ABANDONED_FOR };
                let again = before.is_some_and(|before| before.state == Abandoned);
                if !again {
                    self.event(kind, address, owner, ends, since.max(time));
                }
            }
            _ => {}
        }
    }

    pub(super) fn finish(mut self) -> Vec<SiteEvent> {
        let begin = self.events.iter().map(|event| event.time).filter(|time| *time > 0).min();
        for event in self.events.iter_mut().filter(|event| event.kind == SiteEventKind::Held) {
            event.time = begin.unwrap_or(1);
        }
        self.events
    }
}

fn iaid_of(ia: &Ia) -> u32 {
    ia.iaid().try_into().map_or(0, u32::from_le_bytes)
}

/// Returns the addresses of a declaration, with their states and the time of the last transaction.
fn bindings(what: &Declared) -> Vec<(IpAddr, Known, i64)> {
    match what {
        Declared::Lease(lease) => {
            let Lease { hardware, uid, hostname, .. } = &**lease;
            let client = SiteClient::V4 {
                hardware: hardware.clone(),
                uid: uid.clone(),
                hostname: hostname.clone(),
            };
            let known = Known { state: lease.state, ends: lease.ends, client };
            vec![(lease.address.into(), known, lease.cltt.0.max(lease.starts.0))]
        }
        Declared::Ia(ia) => ia
            .addresses
            .iter()
            .map(|held| {
                let client = SiteClient::V6 {
                    kind: ia.kind,
                    iaid: iaid_of(ia),
                    duid: ia.duid().to_vec(),
                    prefix_length: held.prefix_length,
                };
                (
                    held.address.into(),
                    Known { state: held.state, ends: held.ends, client },
                    ia.cltt.0,
                )
            })
            .collect(),
        Declared::ServerDuid => Vec::new(),
    }
}
