//! A packed table of the last declaration of every address.
//!
//! ```text
//! index: address -> entry      entry: dates, states, flags, position in the heap
//! heap:  tag, length (4 bytes, little-endian), payload; one run of items per entry
//! ```

use std::collections::HashMap;
use std::hash::BuildHasherDefault;
use std::net::Ipv4Addr;

use crate::address_hasher::AddressHasher;

use super::lease::{BindingState, Date, Hardware, Lease, SetValue};

/// The fixed-size parts of a lease.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Fixed {
    /// `starts`, `ends`, `tstp`, `tsfp`, `atsfp` and `cltt`.
    pub(crate) dates: [i64; 6],
    /// The binding, next and rewind state. 0 means none.
    pub(crate) states: [u8; 3],
    pub(crate) flags: u8,
}

pub(crate) const RESERVED: u8 = 1;
pub(crate) const BOOTP: u8 = 2;

/// The types of items in the heap.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Tag {
    Hardware = 1,
    Uid = 2,
    Hostname = 3,
    /// Payload: length of the name (2 bytes), name, value.
    SetData = 4,
    SetNumber = 5,
    SetBoolean = 6,
    /// Payload: option code, value.
    Agent = 7,
    OnExpiry = 8,
    OnRelease = 9,
    Billing = 10,
}

/// Appends the header of an item and returns the position of its payload, for [`finish_item`].
#[inline]
pub(crate) fn begin_item(heap: &mut Vec<u8>, tag: Tag) -> usize {
    heap.extend_from_slice(&[tag as u8, 0, 0, 0, 0]);
    heap.len()
}

#[inline]
pub(crate) fn finish_item(heap: &mut [u8], start: usize) {
    let length = (heap.len() - start) as u32;
    heap[start - 4..start].copy_from_slice(&length.to_le_bytes());
}

fn put_item(heap: &mut Vec<u8>, tag: Tag, parts: &[&[u8]]) {
    let start = begin_item(heap, tag);
    for part in parts {
        heap.extend_from_slice(part);
    }
    finish_item(heap, start);
}

/// An iterator over the items of one entry.
pub(crate) struct Items<'a>(pub(crate) &'a [u8]);

impl<'a> Iterator for Items<'a> {
    type Item = (u8, &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        let (head, rest) = self.0.split_first_chunk::<5>()?;
        let length = u32::from_le_bytes([head[1], head[2], head[3], head[4]]) as usize;
        let (payload, rest) = rest.split_at_checked(length)?;
        self.0 = rest;
        Some((head[0], payload))
    }
}

#[derive(Debug, Clone, Copy)]
struct Entry {
    address: u32,
    fixed: Fixed,
    at: usize,
    length: u32,
    capacity: u32,
}

/// The leases of a file. Memory use grows with the number of addresses, not of declarations.
#[derive(Debug, Default)]
pub struct LeaseTable {
    index: HashMap<u32, u32, BuildHasherDefault<AddressHasher>>,
    entries: Vec<Entry>,
    heap: Vec<u8>,
    garbage: usize,
}

impl LeaseTable {
    /// Returns the number of addresses.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Returns whether there are no leases.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Returns the lease of an address.
    pub fn get(&self, address: Ipv4Addr) -> Option<Lease> {
        let entry = *self.index.get(&u32::from(address))?;
        Some(self.unpack(&self.entries[entry as usize]))
    }

    /// Returns whether the address has a declaration.
    pub fn has(&self, address: Ipv4Addr) -> bool {
        self.index.contains_key(&u32::from(address))
    }

    /// Returns the leases in the order in which their addresses first appeared.
    pub fn iter(&self) -> impl Iterator<Item = Lease> + '_ {
        self.entries.iter().map(|entry| self.unpack(entry))
    }

    /// Returns the leases, sorted by address.
    pub fn iter_sorted(&self) -> impl Iterator<Item = Lease> + '_ {
        let mut order: Vec<&Entry> = self.entries.iter().collect();
        order.sort_unstable_by_key(|entry| entry.address);
        order.into_iter().map(|entry| self.unpack(entry))
    }

    /// Returns the leases that lack a state or next state although a statement should have named it.
    pub(crate) fn iter_bogus(&self) -> impl Iterator<Item = Lease> + '_ {
        const BOGUS: u8 = BindingState::Bogus as u8;
        let bogus = self.entries.iter().filter(|entry| entry.fixed.states[..2].contains(&BOGUS));
        bogus.map(|entry| self.unpack(entry))
    }

    pub(crate) fn put(&mut self, lease: &Lease) {
        let mut heap = Vec::new();
        let fixed = pack(lease, &mut heap);
        self.put_packed(u32::from(lease.address), fixed, &heap);
    }

    #[inline]
    pub(crate) fn put_packed(&mut self, address: u32, fixed: Fixed, items: &[u8]) {
        let next = self.entries.len() as u32;
        let slot = *self.index.entry(address).or_insert(next);
        if slot == next {
            let at = self.heap.len();
            self.heap.extend_from_slice(items);
            let length = items.len() as u32;
            self.entries.push(Entry { address, fixed, at, length, capacity: length });
            return;
        }
        let entry = &mut self.entries[slot as usize];
        entry.fixed = fixed;
        if items.len() <= entry.capacity as usize {
            self.heap[entry.at..entry.at + items.len()].copy_from_slice(items);
            entry.length = items.len() as u32;
        } else {
            self.garbage += entry.capacity as usize;
            entry.at = self.heap.len();
            entry.length = items.len() as u32;
            entry.capacity = entry.length;
            self.heap.extend_from_slice(items);
            if self.garbage > self.heap.len() / 2 + 4096 {
                self.compact();
            }
        }
    }

    /// Adds the leases of `later`, which replace existing ones.
    pub(crate) fn merge(&mut self, later: &Self) {
        if self.is_empty() {
            self.index.reserve(later.len());
        }
        for entry in &later.entries {
            let items = &later.heap[entry.at..entry.at + entry.length as usize];
            self.put_packed(entry.address, entry.fixed, items);
        }
    }

    fn compact(&mut self) {
        let mut heap = Vec::with_capacity(self.heap.len() - self.garbage);
        for entry in &mut self.entries {
            let at = heap.len();
            heap.extend_from_slice(&self.heap[entry.at..entry.at + entry.length as usize]);
            entry.at = at;
            entry.capacity = entry.length;
        }
        self.heap = heap;
        self.garbage = 0;
    }

    fn unpack(&self, entry: &Entry) -> Lease {
        let items = &self.heap[entry.at..entry.at + entry.length as usize];
        unpack(entry.address, entry.fixed, items)
    }
}

fn pack(lease: &Lease, heap: &mut Vec<u8>) -> Fixed {
    let code = |state: Option<BindingState>| state.map_or(0, |state| state as u8);
    if let Some(hardware) = &lease.hardware {
        put_item(heap, Tag::Hardware, &[&[hardware.kind], &hardware.bytes]);
    }
    if !lease.uid.is_empty() {
        put_item(heap, Tag::Uid, &[&lease.uid]);
    }
    if let Some(hostname) = &lease.hostname {
        put_item(heap, Tag::Hostname, &[hostname]);
    }
    for (name, value) in &lease.set {
        let name_length = (name.len() as u16).to_le_bytes();
        let name = name.as_bytes();
        match value {
            SetValue::Data(bytes) => put_item(heap, Tag::SetData, &[&name_length, name, bytes]),
            SetValue::Number(number) => {
                put_item(heap, Tag::SetNumber, &[&name_length, name, &number.to_le_bytes()]);
            }
            SetValue::Boolean(boolean) => {
                put_item(heap, Tag::SetBoolean, &[&name_length, name, &[u8::from(*boolean)]]);
            }
        }
    }
    for (code, bytes) in &lease.agent {
        put_item(heap, Tag::Agent, &[&[*code], bytes]);
    }
    if let Some(text) = &lease.billing {
        put_item(heap, Tag::Billing, &[text]);
    }
    if let Some(text) = &lease.on_expiry {
        put_item(heap, Tag::OnExpiry, &[text]);
    }
    if let Some(text) = &lease.on_release {
        put_item(heap, Tag::OnRelease, &[text]);
    }
    let dates = [lease.starts, lease.ends, lease.tstp, lease.tsfp, lease.atsfp, lease.cltt];
    Fixed {
        dates: dates.map(|date| date.0),
        states: [lease.state as u8, code(lease.next_state), code(lease.rewind_state)],
        flags: u8::from(lease.reserved) * RESERVED + u8::from(lease.bootp) * BOOTP,
    }
}

fn unpack(address: u32, fixed: Fixed, items: &[u8]) -> Lease {
    let mut lease = Lease::new(Ipv4Addr::from(address));
    let [starts, ends, tstp, tsfp, atsfp, cltt] = fixed.dates.map(Date);
    (lease.starts, lease.ends, lease.tstp) = (starts, ends, tstp);
    (lease.tsfp, lease.atsfp, lease.cltt) = (tsfp, atsfp, cltt);
    let [state, next, rewind] = fixed.states.map(BindingState::from_code);
    lease.state = state.unwrap_or(BindingState::Free);
    lease.next_state = next;
    lease.rewind_state = rewind;
    lease.reserved = fixed.flags & RESERVED != 0;
    lease.bootp = fixed.flags & BOOTP != 0;
    for (tag, payload) in Items(items) {
        unpack_item(&mut lease, tag, payload);
    }
    lease
}

fn unpack_item(lease: &mut Lease, tag: u8, payload: &[u8]) {
    const HARDWARE: u8 = Tag::Hardware as u8;
    const UID: u8 = Tag::Uid as u8;
    const HOSTNAME: u8 = Tag::Hostname as u8;
    const AGENT: u8 = Tag::Agent as u8;
    const EXPIRY: u8 = Tag::OnExpiry as u8;
    const RELEASE: u8 = Tag::OnRelease as u8;
    const BILLING: u8 = Tag::Billing as u8;
    match tag {
        HARDWARE => {
            if let Some((&kind, bytes)) = payload.split_first() {
                lease.hardware = Some(Hardware { kind, bytes: bytes.to_vec() });
            }
        }
        UID => lease.uid = payload.to_vec(),
        HOSTNAME => lease.hostname = Some(payload.to_vec()),
        AGENT => {
            if let Some((&code, bytes)) = payload.split_first() {
                lease.agent.push((code, bytes.to_vec()));
            }
        }
        EXPIRY => lease.on_expiry = Some(payload.to_vec()),
        BILLING => lease.billing = Some(payload.to_vec()),
        RELEASE => lease.on_release = Some(payload.to_vec()),
        _ => {
            if let Some(set) = unpack_set(tag, payload) {
                lease.set.push(set);
            }
        }
    }
}

fn unpack_set(tag: u8, payload: &[u8]) -> Option<(String, SetValue)> {
    let (length, rest) = payload.split_first_chunk::<2>()?;
    let (name, value) = rest.split_at_checked(u16::from_le_bytes(*length) as usize)?;
    let value = if tag == Tag::SetData as u8 {
        SetValue::Data(value.to_vec())
    } else if tag == Tag::SetNumber as u8 {
        SetValue::Number(i64::from_le_bytes(value.try_into().ok()?))
    } else {
        SetValue::Boolean(value.first()? != &0)
    };
    Some((String::from_utf8_lossy(name).into_owned(), value))
}
