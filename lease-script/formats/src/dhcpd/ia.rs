//! What an `ia-na`, `ia-ta` or `ia-pd` declaration says, and the table of them.

use std::collections::HashMap;
use std::net::Ipv6Addr;

use super::ia_kind::IaKind;
use super::lease::{BindingState, Date, SetValue};

/// An address or a prefix of an identity association.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IaAddress {
    /// The address, or the first one of the prefix.
    pub address: Ipv6Addr,
    /// The length of the prefix; 0 for addresses.
    pub prefix_length: u8,
    /// The binding state.
    pub state: BindingState,
    /// Preferred lifetime in seconds.
    pub preferred: u32,
    /// Valid lifetime in seconds.
    pub max: u32,
    /// End of the lease.
    pub ends: Date,
    /// Variables.
    pub set: Vec<(String, SetValue)>,
    /// The events of each `on` block, and its statements as text.
    pub on: Vec<(Vec<&'static str>, Vec<u8>)>,
}

/// An identity association of DHCPv6.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ia {
    /// Which of the three kinds.
    pub kind: IaKind,
    /// The IAID in the byte order of the server that wrote it, then the DUID of the client.
    pub id: Vec<u8>,
    /// The client's last transaction.
    pub cltt: Date,
    /// Its addresses or prefixes.
    pub addresses: Vec<IaAddress>,
}

impl Ia {
    /// The four bytes of the IAID as the server keeps them.
    pub fn iaid(&self) -> &[u8] {
        &self.id[..self.id.len().min(4)]
    }

    /// The client's DUID.
    pub fn duid(&self) -> &[u8] {
        self.id.get(4..).unwrap_or_default()
    }
}

/// The identity associations of a file, by kind and identifier.
#[derive(Debug, Default)]
pub struct IaTable {
    index: HashMap<(IaKind, Vec<u8>), usize>,
    /// `None` where one was removed; the place is the order of insertion.
    list: Vec<Option<Ia>>,
    /// Who holds an address: pool and address to the place of the association.
    holders: HashMap<(IaKind, Option<usize>, Ipv6Addr), usize>,
}

/// dhcpd's hash tables have so many buckets (`DEFAULT_HASH_SIZE` of omapip/hash.h).
const BUCKETS: u32 = 9973;

/// `do_string_hash` of omapip/hash.c.
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
    /// The identity associations in the order in which they were declared.
    pub fn iter(&self) -> impl Iterator<Item = &Ia> {
        self.list.iter().flatten()
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.index.len()
    }

    /// True without any.
    pub fn is_empty(&self) -> bool {
        self.index.is_empty()
    }

    /// The identity associations in the order in which dhcpd writes them: by kind, then as its
    /// hash table holds them, the latest first in each bucket.
    pub fn iter_as_written(&self) -> impl Iterator<Item = &Ia> {
        let mut order: Vec<(usize, &Ia)> =
            self.list.iter().enumerate().filter_map(|(at, ia)| Some((at, ia.as_ref()?))).collect();
        order.sort_by_key(|(at, ia)| (ia.kind, bucket(&ia.id), std::cmp::Reverse(*at)));
        order.into_iter().map(|(_, ia)| ia)
    }

    /// Puts a declaration over the earlier one of the same association.
    pub(crate) fn put(&mut self, ia: Ia) {
        let key = (ia.kind, ia.id.clone());
        if let Some(old) = self.index.remove(&key) {
            self.list[old] = None;
        }
        self.index.insert(key, self.list.len());
        self.list.push(Some(ia));
        self.squeeze();
    }

    /// Forgets an association that has no address left.
    pub(crate) fn remove(&mut self, kind: IaKind, id: &[u8]) {
        if let Some(old) = self.index.remove(&(kind, id.to_vec())) {
            self.list[old] = None;
        }
    }

    /// Takes an address from the association that holds it, when that is not `id`. True when
    /// there was one: two associations for one address.
    pub(crate) fn take_from_other(
        &mut self,
        kind: IaKind,
        id: &[u8],
        address: Ipv6Addr,
        pool: Option<usize>,
    ) -> bool {
        let Some(&holder) = self.holders.get(&(kind, pool, address)) else { return false };
        let Some(Some(ia)) = self.list.get_mut(holder) else { return false };
        if ia.id == id {
            return false;
        }
        let before = ia.addresses.len();
        ia.addresses.retain(|held| held.address != address);
        if ia.addresses.len() == before {
            return false;
        }
        if ia.addresses.is_empty() {
            let id = ia.id.clone();
            self.remove(kind, &id);
        }
        true
    }

    /// Takes an address that is no longer in use from its own association.
    pub(crate) fn release(&mut self, kind: IaKind, id: &[u8], address: Ipv6Addr) {
        let Some(&at) = self.index.get(&(kind, id.to_vec())) else { return };
        if let Some(Some(ia)) = self.list.get_mut(at) {
            ia.addresses.retain(|held| held.address != address);
            if ia.addresses.is_empty() {
                self.remove(kind, id);
            }
        }
    }

    /// Notes that the association declared last holds `address`.
    pub(crate) fn hold(&mut self, kind: IaKind, address: Ipv6Addr, pool: Option<usize>) {
        self.holders.insert((kind, pool, address), self.list.len() - 1);
    }

    /// Closes the gaps once they outnumber what is left.
    fn squeeze(&mut self) {
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
