//! A table of the last row of every address, as text.

use std::collections::HashMap;
use std::hash::BuildHasherDefault;
use std::net::{IpAddr, Ipv6Addr};

use crate::address_hasher::AddressHasher;

/// The rows. The text of all of them is in one buffer.
#[derive(Debug, Default)]
pub(super) struct RowTable {
    places: Places,
    text: Vec<u8>,
    garbage: usize,
}

#[derive(Debug, Clone, Copy, Default)]
struct Place {
    /// The number of the header to which the row belongs.
    header: u32,
    start: usize,
    length: u32,
}

#[derive(Debug, Default)]
struct Places {
    four: HashMap<u32, Place, BuildHasherDefault<AddressHasher>>,
    six: HashMap<Ipv6Addr, Place>,
}

impl Places {
    fn of(&mut self, address: IpAddr) -> &mut Place {
        match address {
            IpAddr::V4(address) => self.four.entry(address.into()).or_default(),
            IpAddr::V6(address) => self.six.entry(address).or_default(),
        }
    }

    fn remove(&mut self, address: IpAddr) -> Option<Place> {
        match address {
            IpAddr::V4(address) => self.four.remove(&address.into()),
            IpAddr::V6(address) => self.six.remove(&address),
        }
    }
}

impl RowTable {
    pub(super) fn put(&mut self, address: IpAddr, header: u32, row: &[u8]) {
        let length = row.len() as u32;
        let place = self.places.of(address);
        place.header = header;
        if row.len() > place.length as usize {
            self.garbage += place.length as usize;
            place.start = self.text.len();
            self.text.extend_from_slice(row);
        } else {
            self.garbage += place.length as usize - row.len();
            self.text[place.start..place.start + row.len()].copy_from_slice(row);
        }
        place.length = length;
        if self.garbage > self.text.len() / 2 + 4096 {
            self.compact();
        }
    }

    pub(super) fn remove(&mut self, address: IpAddr) {
        if let Some(place) = self.places.remove(address) {
            self.garbage += place.length as usize;
        }
    }

    pub(super) fn len(&self) -> usize {
        self.places.four.len() + self.places.six.len()
    }

    /// Returns the rows with the numbers of their headers, in any order.
    pub(super) fn iter(&self) -> impl Iterator<Item = (u32, &[u8])> {
        let places = self.places.four.values().chain(self.places.six.values());
        places.map(|place| (place.header, self.of(*place)))
    }

    fn of(&self, place: Place) -> &[u8] {
        &self.text[place.start..place.start + place.length as usize]
    }

    fn compact(&mut self) {
        let mut text = Vec::with_capacity(self.text.len() - self.garbage);
        for place in self.places.four.values_mut().chain(self.places.six.values_mut()) {
            let start = text.len();
            text.extend_from_slice(&self.text[place.start..place.start + place.length as usize]);
            place.start = start;
        }
        self.text = text;
        self.garbage = 0;
    }
}
