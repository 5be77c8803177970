//! Where the rewritten head of a generation ends and the commits begin.

use std::collections::{HashMap, HashSet};
use std::net::Ipv4Addr;

use lease_formats::dhcpd::{BindingState, Declaration, Declared, Ia, IaKind, Lease};

/// What a declaration is about.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Key {
    Lease(Ipv4Addr),
    Ia(IaKind, Vec<u8>),
    ServerDuid,
}

pub(super) fn key(what: &Declared) -> Key {
    match what {
        Declared::Lease(lease) => Key::Lease(lease.address),
        Declared::Ia(ia) => Key::Ia(ia.kind, ia.id.clone()),
        Declared::ServerDuid => Key::ServerDuid,
    }
}

/// The last declaration of each, by which the next head is known.
pub(super) fn meaning(history: &[Declaration]) -> HashMap<Key, Declared> {
    history.iter().map(|record| (key(&record.what), record.what.clone())).collect()
}

/// How many declarations the head has.
pub(super) fn head(history: &[Declaration], before: &HashMap<Key, Declared>, first: bool) -> usize {
    if first {
        return of_first(history);
    }
    let mut seen = HashSet::new();
    let distinct = history.iter().take_while(|record| seen.insert(key(&record.what))).count();
    // Not every record of the head was in the file before: an association can get an address while the end of another
    // one was written last. But a commit never repeats what stood there.
    let repeats = |record: &Declaration| {
        before.get(&key(&record.what)).is_some_and(|known| is_same(known, &record.what))
    };
    history[..distinct].iter().rposition(repeats).map_or(0, |last| last + 1)
}

/// True when the head repeats it: a rewrite may drop names and options, but not these. The client's last transaction may
/// be later there: a renewal within `dhcp-cache-threshold` is remembered, but not written before the rewrite.
fn is_same(a: &Declared, b: &Declared) -> bool {
    match (a, b) {
        (Declared::Lease(a), Declared::Lease(b)) => {
            (a.starts, a.ends, a.state) == (b.starts, b.ends, b.state)
                && (&a.hardware, &a.uid) == (&b.hardware, &b.uid)
        }
        (Declared::Ia(a), Declared::Ia(b)) => {
            // Addresses that are nobody's any more vanish.
            let times = |ia: &Ia| ia.addresses.iter().map(|one| (one.address, one.ends)).collect();
            let (a_times, b_times): (HashSet<_>, HashSet<_>) = (times(a), times(b));
            b_times.is_subset(&a_times)
        }
        (Declared::ServerDuid, Declared::ServerDuid) => true,
        _ => false,
    }
}

/// Without a generation before: up to what the server appends when it starts, or as far as the order is that of a
/// rewrite.
fn of_first(history: &[Declaration]) -> usize {
    let mut seen = HashSet::new();
    let distinct = history.iter().take_while(|record| seen.insert(key(&record.what))).count();
    let is_duid = |record: &Declaration| record.what == Declared::ServerDuid;
    let is_six = history.iter().any(|record| matches!(record.what, Declared::Ia(_)));
    if let Some(start) = history[..distinct].iter().position(is_duid).filter(|_| !is_six) {
        return start;
    }
    let mut last = None;
    history[..distinct]
        .iter()
        .take_while(|record| {
            let Declared::Lease(lease) = &record.what else { return true };
            let place = (queue(lease), lease.ends);
            let in_order = last.is_none_or(|last| last <= place);
            last = Some(place);
            in_order
        })
        .count()
}

/// The order of a pool's queues in `write_leases4` of server/mdb.c.
fn queue(lease: &Lease) -> u8 {
    match lease.state {
        BindingState::Free => 0,
        BindingState::Active => 1,
        BindingState::Expired | BindingState::Released | BindingState::Reset => 2,
        BindingState::Abandoned => 3,
        BindingState::Backup | BindingState::Bogus => 4,
    }
}
