//! From one declaration to the next: what happened.

use std::collections::HashMap;
use std::net::IpAddr;

use lease_formats::dhcpd::{BindingState, Date, Declared, Hardware, Ia, IaKind, Lease};

/// What happened to an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum SiteKind {
    /// A client had it before the journal begins.
    Held,
    /// A client got it.
    Grant,
    /// Its client got more time.
    Renewal,
    /// Its client gave it back.
    Release,
    /// Its time was over.
    Expiry,
    /// Its client refused it.
    Decline,
    /// The server found it in use by somebody unknown.
    Abandoned,
    /// Abandoned before, given out or freed again.
    Reclaim,
}

impl SiteKind {
    /// The word in reports.
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
pub enum Who {
    /// A DHCPv4 client.
    Four {
        /// Its hardware address.
        hardware: Option<Hardware>,
        /// Its identifier; empty for none.
        uid: Vec<u8>,
        /// Its name.
        hostname: Option<Vec<u8>>,
    },
    /// A DHCPv6 client.
    Six {
        /// Which kind of association.
        kind: IaKind,
        /// The association's number.
        iaid: u32,
        /// Its DUID.
        duid: Vec<u8>,
        /// The length of a delegated prefix, 0 for addresses.
        prefix_length: u8,
    },
}

impl Who {
    fn is(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Four { hardware, uid, .. }, Self::Four { hardware: h, uid: u, .. }) => {
                // A client is its identifier, where it has one.
                if uid.is_empty() && u.is_empty() { hardware == h } else { uid == u }
            }
            _ => self == other,
        }
    }
}

/// One event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SiteEvent {
    /// When, in seconds since 1970: never before the event before it.
    pub time: i64,
    /// What.
    pub kind: SiteKind,
    /// To which address.
    pub address: IpAddr,
    /// Whose it is, or was.
    pub who: Who,
    /// Until when it is leased then.
    pub ends: Date,
}

/// What is known of an address.
#[derive(Debug, Clone)]
struct Known {
    state: BindingState,
    ends: Date,
    who: Who,
}

/// `abandon-lease-time` of dhcpd.conf by default.
const ABANDONED_FOR: i64 = 86_400;

/// The events so far.
#[derive(Debug, Default)]
pub(super) struct Tale {
    known: HashMap<IpAddr, Known>,
    events: Vec<SiteEvent>,
    last: i64,
}

impl Tale {
    /// What the first generation begins with happened before.
    pub(super) fn held_before(&mut self, head: &[lease_formats::dhcpd::Declaration]) {
        for declaration in head {
            for (address, known, _) in bindings(&declaration.what) {
                if known.state == BindingState::Active {
                    let Known { ends, who, .. } = known.clone();
                    let kind = SiteKind::Held;
                    self.events.push(SiteEvent { time: 0, kind, address, who, ends });
                }
                self.known.insert(address, known);
            }
        }
    }

    pub(super) fn tell(&mut self, what: &Declared) {
        let gone = self.gone(what);
        for (address, known, time) in bindings(what) {
            self.step(address, known, time);
        }
        for (address, time) in gone {
            if let Some(before) = self.known.remove(&address) {
                let ended = !before.ends.is_never() && before.ends.0 <= time;
                let kind = if ended { SiteKind::Expiry } else { SiteKind::Release };
                self.event(kind, address, before.who, before.ends, time);
            }
        }
    }

    /// Addresses that an association had and does not name any more.
    fn gone(&self, what: &Declared) -> Vec<(IpAddr, i64)> {
        let Declared::Ia(ia) = what else { return Vec::new() };
        let named: Vec<IpAddr> = ia.addresses.iter().map(|held| held.address.into()).collect();
        let known = self.known.iter().filter(|(address, known)| {
            let own = matches!(&known.who, Who::Six { kind, duid, iaid, .. }
                if *kind == ia.kind && *iaid == number(ia) && duid == ia.duid());
            own && known.state == BindingState::Active && !named.contains(address)
        });
        let mut gone: Vec<(IpAddr, i64)> =
            known.map(|(address, _)| (*address, ia.cltt.0)).collect();
        gone.sort();
        gone
    }

    fn event(&mut self, kind: SiteKind, address: IpAddr, who: Who, ends: Date, time: i64) {
        self.last = self.last.max(time);
        self.events.push(SiteEvent { time: self.last, kind, address, who, ends });
    }

    fn step(&mut self, address: IpAddr, now: Known, time: i64) {
        use BindingState::{Abandoned, Active, Expired, Free, Released};
        let before = self.known.insert(address, now.clone());
        let Known { state, ends, who } = now;
        let had = before.as_ref().filter(|before| before.state == Active);
        let was_abandoned = before.as_ref().is_some_and(|before| before.state == Abandoned);
        if was_abandoned && matches!(state, Active | Free) {
            self.event(SiteKind::Reclaim, address, who.clone(), ends, time);
        }
        match (state, had) {
            (Active, Some(had)) if had.who.is(&who) => {
                self.event(SiteKind::Renewal, address, who, ends, time);
            }
            (Active, _) => self.event(SiteKind::Grant, address, who, ends, time),
            (Free | Expired | Released, Some(had)) => {
                let owner = had.who.clone();
                let kind = if state == Released || ends < had.ends {
                    SiteKind::Release
                } else {
                    SiteKind::Expiry
                };
                self.event(kind, address, owner, ends, ends.0);
            }
            (Abandoned, had) => {
                let (kind, owner) = match had {
                    Some(had) => (SiteKind::Decline, had.who.clone()),
                    None => (SiteKind::Abandoned, who),
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
        for event in self.events.iter_mut().filter(|event| event.kind == SiteKind::Held) {
            event.time = begin.unwrap_or(1);
        }
        self.events
    }
}

fn number(ia: &Ia) -> u32 {
    ia.iaid().try_into().map_or(0, u32::from_le_bytes)
}

/// The addresses of a declaration with what it says of them, and when.
fn bindings(what: &Declared) -> Vec<(IpAddr, Known, i64)> {
    match what {
        Declared::Lease(lease) => {
            let Lease { hardware, uid, hostname, .. } = &**lease;
            let who = Who::Four {
                hardware: hardware.clone(),
                uid: uid.clone(),
                hostname: hostname.clone(),
            };
            let known = Known { state: lease.state, ends: lease.ends, who };
            vec![(lease.address.into(), known, lease.cltt.0.max(lease.starts.0))]
        }
        Declared::Ia(ia) => ia
            .addresses
            .iter()
            .map(|held| {
                let who = Who::Six {
                    kind: ia.kind,
                    iaid: number(ia),
                    duid: ia.duid().to_vec(),
                    prefix_length: held.prefix_length,
                };
                (held.address.into(), Known { state: held.state, ends: held.ends, who }, ia.cltt.0)
            })
            .collect(),
        Declared::ServerDuid => Vec::new(),
    }
}
