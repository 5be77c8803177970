//! Finds the end of the head of a generation. The commits follow the head.

use std::collections::{HashMap, HashSet};
use std::net::Ipv4Addr;

use lease_formats::dhcpd::{BindingState, Declaration, Declared, Ia, IaKind, Lease};

/// The subject of a declaration.
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

/// Returns the last declaration of each subject. The head of the next generation repeats these declarations, by which
/// it is recognised.
pub(super) fn latest(history: &[Declaration]) -> HashMap<Key, Declared> {
    history.iter().map(|record| (key(&record.what), record.what.clone())).collect()
}

/// Returns the number of declarations in the head.
pub(super) fn head_length(
    history: &[Declaration],
    before: &HashMap<Key, Declared>,
    first: bool,
) -> usize {
    if first {
        return head_length_of_first(history);
    }
    let mut seen = HashSet::new();
    let distinct = history.iter().take_while(|record| seen.insert(key(&record.what))).count();
    // Not every record of the head was in the previous file: an association can get an address while the end of another
    // one was written last. However, a commit never repeats a record of the previous file.
    let repeats = |record: &Declaration| {
        before.get(&key(&record.what)).is_some_and(|known| is_same(known, &record.what))
    };
    history[..distinct].iter().rposition(repeats).map_or(0, |last| last + 1)
}

/// Returns whether declaration `b` of a head repeats `a`. A rewrite may drop names and options, but not the fields
/// compared here. The time of the last transaction is not compared. It may be later in the head, because a renewal
/// within `dhcp-cache-threshold` is not written before the rewrite.
fn is_same(a: &Declared, b: &Declared) -> bool {
    match (a, b) {
        (Declared::Lease(a), Declared::Lease(b)) => {
            (a.starts, a.ends, a.state) == (b.starts, b.ends, b.state)
                && (&a.hardware, &a.uid) == (&b.hardware, &b.uid)
        }
        (Declared::Ia(a), Declared::Ia(b)) => {
            // A rewrite drops addresses without a client.
            let times = |ia: &Ia| ia.addresses.iter().map(|one| (one.address, one.ends)).collect();
            let (a_times, b_times): (HashSet<_>, HashSet<_>) = (times(a), times(b));
            b_times.is_subset(&a_times)
        }
        (Declared::ServerDuid, Declared::ServerDuid) => true,
        _ => false,
    }
}

/// Returns the length of the head when there is no previous generation. The head ends before the record that the server
/// appends when it starts, or where the records are no longer in the order of a rewrite.
fn head_length_of_first(history: &[Declaration]) -> usize {
    let mut seen = HashSet::new();
    let distinct = history.iter().take_while(|record| seen.insert(key(&record.what))).count();
    let is_duid = |record: &Declaration| record.what == Declared::ServerDuid;
    let is_v6 = history.iter().any(|record| matches!(record.what, Declared::Ia(_)));
    if let Some(start) = history[..distinct].iter().position(is_duid).filter(|_| !is_v6) {
        return start;
    }
    let mut last = None;
    history[..distinct]
        .iter()
        .take_while(|record| {
            let Declared::Lease(lease) = &record.what else { return true };
            let position = (queue(lease), lease.ends);
            let in_order = last.is_none_or(|last| last <= position);
            last = Some(position);
            in_order
        })
        .count()
}

/// Returns the position of a lease's queue in the order in which `write_leases4` of server/mdb.c writes the queues.
fn queue(lease: &Lease) -> u8 {
    match lease.state {
        BindingState::Free => 0,
        BindingState::Active => 1,
        BindingState::Expired | BindingState::Released | BindingState::Reset => 2,
        BindingState::Abandoned => 3,
        BindingState::Backup | BindingState::Bogus => 4,
    }
}
