//! Identity associations of DHCPv6, and a table of them.

use std::collections::{BTreeMap, HashSet};
use std::net::Ipv6Addr;

use super::ia_kind::IaKind;
use super::lease::{BindingState, Date, SetValue};

/// An address or a prefix of an identity association.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IaAddress {
    /// The address, or the first address of the prefix.
    pub address: Ipv6Addr,
    /// The length of the prefix, or 0 for an address.
    pub prefix_length: u8,
    /// The binding state.
    pub state: BindingState,
    /// The preferred lifetime in seconds.
    pub preferred: u32,
    /// The valid lifetime in seconds.
    pub max: u32,
    /// The end of the lease.
    pub ends: Date,
    /// The variables of `set` statements.
    pub set: Vec<(String, SetValue)>,
    /// The events of each `on` block, and its statements as text.
    pub on: Vec<(Vec<&'static str>, Vec<u8>)>,
}

/// An identity association of DHCPv6.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ia {
    /// The kind of the association.
    pub kind: IaKind,
    /// The IAID in little-endian byte order, followed by the DUID of the client.
    pub id: Vec<u8>,
    /// The time of the last transaction of the client (`cltt`).
    pub cltt: Date,
    /// The addresses or prefixes.
    pub addresses: Vec<IaAddress>,
}

impl Ia {
    /// Returns the four bytes of the IAID.
    pub fn iaid(&self) -> &[u8] {
        &self.id[..self.id.len().min(4)]
    }

    /// Returns the DUID of the client.
    pub fn duid(&self) -> &[u8] {
        self.id.get(4..).unwrap_or_default()
    }
}

/// The identity associations of a file, by kind and identifier.
#[derive(Debug, Default)]
pub struct IaTable {
    index: BTreeMap<(IaKind, Vec<u8>), usize>,
    /// The associations in the order of insertion. A removed association leaves a gap of `None`.
    list: Vec<Option<Entry>>,
    /// The index of the association that has an address, by pool and address.
    holders: BTreeMap<(IaKind, Option<usize>, Ipv6Addr), usize>,
}

#[derive(Debug)]
struct Entry {
    ia: Ia,
    /// The addresses that the association still has, if one was removed. Removing the addresses of a large association from
    /// the list one by one would take quadratic time.
    left: Option<HashSet<Ipv6Addr>>,
}

/// The number of buckets of hash tables in dhcpd (`DEFAULT_HASH_SIZE` of omapip/hash.h).
const BUCKETS: u32 = 9973;

/// Returns the bucket of an identifier (`do_string_hash` of omapip/hash.c).
fn bucket(id: &[u8]) -> u32 {
    let mut sum = 0u32;
    for &byte in id {
        sum = (sum << 1) + u32::from(byte);
        while sum > 65535 {
            sum = (sum & 65535) + (sum >> 16);
        }
    }
    sum % BUCKETS
}

impl IaTable {
    /// Returns the identity associations in the order in which they were declared.
    pub fn iter(&self) -> impl Iterator<Item = &Ia> {
        self.list.iter().flatten().map(|entry| &entry.ia)
    }

    /// Returns the number of associations.
    pub fn len(&self) -> usize {
        self.index.len()
    }

    /// Returns whether there are no associations.
    pub fn is_empty(&self) -> bool {
        self.index.is_empty()
    }

    /// Returns the identity associations in the order in which dhcpd writes them: by kind, then in the order of its hash
    /// table, with the latest first in each bucket.
    pub fn iter_as_written(&self) -> impl Iterator<Item = &Ia> {
        let mut order: Vec<(usize, &Ia)> = self.iter().enumerate().collect();
        order.sort_by_key(|(at, ia)| (ia.kind, bucket(&ia.id), std::cmp::Reverse(*at)));
        order.into_iter().map(|(_, ia)| ia)
    }

    /// Adds an association. Replaces an earlier declaration of the same association.
    pub(crate) fn put(&mut self, ia: Ia) {
        let key = (ia.kind, ia.id.clone());
        if let Some(old) = self.index.remove(&key) {
            self.list[old] = None;
        }
        self.index.insert(key, self.list.len());
        self.list.push(Some(Entry { ia, left: None }));
        self.remove_gaps();
    }

    /// Removes an association.
    pub(crate) fn remove(&mut self, kind: IaKind, id: &[u8]) {
        if let Some(old) = self.index.remove(&(kind, id.to_vec())) {
            self.list[old] = None;
        }
    }

    /// Removes an address from another association than `id`. Returns whether one had it.
    pub(crate) fn take_from_other(
        &mut self,
        kind: IaKind,
        id: &[u8],
        address: Ipv6Addr,
        pool: Option<usize>,
    ) -> bool {
        let Some(&holder) = self.holders.get(&(kind, pool, address)) else { return false };
        match self.list.get(holder) {
            Some(Some(entry)) if entry.ia.id != id => self.remove_address(holder, address),
            _ => false,
        }
    }

    /// Removes an address that is no longer in use from its association.
    pub(crate) fn release(&mut self, kind: IaKind, id: &[u8], address: Ipv6Addr) {
        if let Some(&at) = self.index.get(&(kind, id.to_vec())) {
            self.remove_address(at, address);
        }
    }

    /// Removes an address from the association at this index. Returns whether the association had it.
    fn remove_address(&mut self, at: usize, address: Ipv6Addr) -> bool {
        let Some(Some(Entry { ia, left })) = self.list.get_mut(at) else { return false };
        let left = left.get_or_insert_with(|| ia.addresses.iter().map(|it| it.address).collect());
        let had = left.remove(&address);
        if left.is_empty() {
            let (kind, id) = (ia.kind, ia.id.clone());
            self.remove(kind, &id);
        }
        had
    }

    /// Removes the removed addresses from the lists, at the end of reading.
    pub(crate) fn apply_removals(&mut self) {
        for Entry { ia, left } in self.list.iter_mut().flatten() {
            if let Some(left) = left.take() {
                ia.addresses.retain(|held| left.contains(&held.address));
            }
        }
    }

    /// Records that the last declared association has `address`.
    pub(crate) fn add_holder(&mut self, kind: IaKind, address: Ipv6Addr, pool: Option<usize>) {
        self.holders.insert((kind, pool, address), self.list.len() - 1);
    }

    /// Removes the gaps if they outnumber the associations.
    fn remove_gaps(&mut self) {
        if self.list.len() < 2 * self.index.len() + 1024 {
            return;
        }
        let mut places = vec![usize::MAX; self.list.len()];
        let mut list = Vec::with_capacity(self.index.len());
        for (at, ia) in self.list.drain(..).enumerate() {
            if ia.is_some() {
                places[at] = list.len();
                list.push(ia);
            }
        }
        self.list = list;
        self.index.values_mut().for_each(|at| *at = places[*at]);
        self.holders.retain(|_, at| places[*at] != usize::MAX);
        self.holders.values_mut().for_each(|at| *at = places[*at]);
    }
}
