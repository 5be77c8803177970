//! The common representation of leases in all formats.

use std::collections::{HashMap, HashSet};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::dhcpd::{
    BindingState, Date, Family, Hardware, Ia, IaAddress, IaKind, Lease, NonLease, Reading,
};

use super::further::Further;
use super::losses::Losses;

/// An IPv6 address or prefix of one client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Binding {
    /// The kind of the association.
    pub kind: IaKind,
    /// The number of the association (IAID).
    pub iaid: u32,
    /// The DUID of the client.
    pub duid: Vec<u8>,
    /// The time of the last transaction of the client.
    pub cltt: Date,
    /// The address or prefix with its state and times.
    pub held: IaAddress,
    /// The host name of the client, which dhcpd.leases cannot store.
    pub hostname: Option<Vec<u8>>,
    /// The hardware address of the client, if known.
    pub hardware: Option<Hardware>,
}

impl Binding {
    /// Returns the bindings of an identity association.
    pub fn of(ia: &Ia) -> Vec<Self> {
        let binding = |held: &IaAddress| Self {
            kind: ia.kind,
            iaid: iaid(ia),
            duid: ia.duid().to_vec(),
            cltt: ia.cltt,
            held: held.clone(),
            hostname: None,
            hardware: None,
        };
        ia.addresses.iter().map(binding).collect()
    }
}

/// Leases of both protocols, one for each address.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Database {
    /// The DHCPv4 leases, by address.
    pub leases: Vec<Lease>,
    /// The DHCPv6 bindings, by kind and address.
    pub bindings: Vec<Binding>,
    /// The DUID of the server.
    pub server_duid: Option<Vec<u8>>,
    /// The declarations of a dhcpd.leases other than leases: hosts, groups, classes, failover states.
    pub non_leases: Vec<NonLease>,
    /// The fields of other formats that the structures above cannot store.
    pub further: Further,
}

impl Database {
    /// Creates a database with the leases of a dhcpd.leases.
    pub fn from_dhcpd(reading: &Reading) -> Self {
        let mut database = Self {
            leases: reading.leases().collect(),
            // In the order of the file, because the later of two associations with the same address counts.
            bindings: reading.ia_table.iter().flat_map(Binding::of).collect(),
            server_duid: reading.server_duid.clone(),
            non_leases: reading.non_leases.clone(),
            further: Further::default(),
        };
        database.sort();
        database
    }

    /// Adds the leases of another file, for example of the other protocol.
    pub fn append(&mut self, other: Self) {
        self.leases.extend(other.leases);
        self.bindings.extend(other.bindings);
        self.non_leases.extend(other.non_leases);
        self.server_duid = other.server_duid.or(self.server_duid.take());
        self.further.extend(other.further);
        self.sort();
    }

    /// Sorts the leases by address. Leases of the same address keep their order.
    pub(super) fn sort(&mut self) {
        let key = |one: &Binding| (one.kind, one.held.address, one.held.prefix_length);
        // Leases are large. They are moved only once, and not at all if they are in order.
        if !self.leases.is_sorted_by_key(|lease| lease.address) {
            self.leases.sort_by_cached_key(|lease| lease.address);
        }
        if !self.bindings.is_sorted_by_key(key) {
            self.bindings.sort_by_cached_key(key);
        }
    }

    /// Removes the fields of addresses that no longer have a lease.
    pub fn forget_other_fields(&mut self) {
        let leases = self.leases.iter().map(|lease| IpAddr::V4(lease.address));
        let bindings = self.bindings.iter().map(|one| IpAddr::V6(one.held.address));
        let known: HashSet<IpAddr> = leases.chain(bindings).collect();
        self.further.retain(|address| known.contains(&address));
    }

    /// Sorts the leases and keeps the last one of each address. Returns the addresses of dropped leases that differ from it.
    pub(super) fn keep_last(&mut self) -> Vec<IpAddr> {
        self.sort();
        let mut dropped = Vec::new();
        self.leases.dedup_by(|later, kept| {
            let is_same = later.address == kept.address;
            if is_same {
                if later != kept {
                    dropped.push(kept.address.into());
                }
                std::mem::swap(later, kept);
            }
            is_same
        });
        self.bindings.dedup_by(|later, kept| {
            let key = |one: &Binding| (one.kind, one.held.address, one.held.prefix_length);
            let is_same = key(later) == key(kept);
            if is_same {
                if later != kept {
                    dropped.push(kept.held.address.into());
                }
                std::mem::swap(later, kept);
            }
            is_same
        });
        dropped
    }

    /// Returns the identity associations of the bindings, in the order of their first addresses.
    pub fn associations(&self) -> Vec<Ia> {
        let mut places: HashMap<(IaKind, u32, &[u8]), usize> = HashMap::new();
        let mut list: Vec<Ia> = Vec::new();
        for binding in &self.bindings {
            let key = (binding.kind, binding.iaid, &binding.duid[..]);
            let at = *places.entry(key).or_insert_with(|| {
                let id = [&binding.iaid.to_le_bytes()[..], &binding.duid].concat();
                list.push(Ia { kind: binding.kind, id, cltt: binding.cltt, addresses: Vec::new() });
                list.len() - 1
            });
            list[at].cltt = list[at].cltt.max(binding.cltt);
            list[at].addresses.push(binding.held.clone());
        }
        list
    }

    /// Counts the leases of the other protocol as losses.
    pub(super) fn other_protocol(&self, family: Family, losses: &mut Losses) {
        match family {
            Family::V6 => {
                for lease in &self.leases {
                    losses.add(
                        "a DHCPv4 lease: this format has one file for each protocol",
                        lease.address,
                    );
                }
            }
            Family::V4 => {
                for binding in &self.bindings {
                    let address = binding.held.address;
                    losses
                        .add("a DHCPv6 lease: this format has one file for each protocol", address);
                }
            }
        }
    }
}

/// Returns the IAID as a number. The reader has converted it to little-endian byte order.
fn iaid(ia: &Ia) -> u32 {
    ia.iaid().try_into().map_or(0, u32::from_le_bytes)
}

/// Creates an active lease, for formats without states.
pub(super) fn active(address: Ipv4Addr) -> Lease {
    let mut lease = Lease::new(address);
    lease.state = BindingState::Active;
    lease.next_state = Some(BindingState::Free);
    lease.rewind_state = Some(BindingState::Free);
    lease
}

/// Creates an active IPv6 address, for formats without states.
pub(super) fn active6(address: Ipv6Addr) -> IaAddress {
    IaAddress {
        address,
        prefix_length: 0,
        state: BindingState::Active,
        preferred: 0,
        max: 0,
        ends: Date::NEVER,
        set: Vec::new(),
        on: Vec::new(),
    }
}

/// Returns whether a name is empty, too long, or contains white space or control characters.
pub(super) fn breaks_line_format(name: &[u8]) -> bool {
    name.is_empty()
        || name.len() > 255
        || name.iter().any(|c| c.is_ascii_whitespace() || *c < 33 || *c == 127)
}
