//! Records: declarations as text, with the keys under which an index finds them.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{Ipv4Addr, Ipv6Addr};

use lease_formats::dhcpd::{
    BindingState, ByteOrder, Family, Ia, IaKind, Lease, Reading, Unwritable, salvage_bytes,
    write_ia, write_lease, write_server_duid,
};

use crate::checksum::START;
use crate::index::{Key, Place};
use crate::text::{line_length, statements};

/// A declaration that is written in one piece.
#[derive(Clone, Debug)]
pub struct Record {
    pub(crate) text: Vec<u8>,
    pub(crate) keys: Vec<Key>,
}

impl Record {
    /// The record of a DHCPv4 lease.
    ///
    /// # Errors
    /// dhcpd would not read it back as it is.
    pub fn lease(lease: &Lease) -> Result<Self, Unwritable> {
        let mut text = Vec::new();
        write_lease(&mut text, lease)?;
        Ok(Self { text, keys: vec![lease_key(lease.address)] })
    }

    /// The record of an identity association.
    ///
    /// # Errors
    /// Those of [`Self::lease`].
    pub fn association(ia: &Ia) -> Result<Self, Unwritable> {
        let mut text = Vec::new();
        write_ia(&mut text, ia)?;
        Ok(Self { text, keys: association_keys(ia) })
    }

    /// The record of the server's DUID.
    ///
    /// # Errors
    /// The DUID is too short or too long.
    pub fn server_duid(duid: &[u8]) -> Result<Self, Unwritable> {
        let mut text = Vec::new();
        write_server_duid(&mut text, duid)?;
        Ok(Self { text, keys: vec![server_duid_key()] })
    }
}

/// Whether an association has an active lease of this address.
pub fn holds(ia: &Ia, address: Ipv6Addr) -> bool {
    let held = |one: &lease_formats::dhcpd::IaAddress| {
        one.address == address && one.state == BindingState::Active
    };
    ia.addresses.iter().any(held)
}

pub(crate) fn lease_key(address: Ipv4Addr) -> Key {
    Key::new(b'l', &address.octets())
}

/// The key of the association that holds an address.
pub(crate) fn holder_key(address: Ipv6Addr) -> Key {
    Key::new(b'h', &address.octets())
}

pub(crate) fn association_key(kind: IaKind, id: &[u8]) -> Key {
    let kind = match kind {
        IaKind::NonTemporary => b'n',
        IaKind::Temporary => b't',
        IaKind::Prefix => b'p',
    };
    Key::new(kind, id)
}

pub(crate) fn server_duid_key() -> Key {
    Key::new(b'd', &[])
}

fn association_keys(ia: &Ia) -> Vec<Key> {
    let held = ia.addresses.iter().filter(|one| one.state == BindingState::Active);
    let held = held.map(|one| holder_key(one.address));
    std::iter::once(association_key(ia.kind, &ia.id)).chain(held).collect()
}

/// Reads a single record.
pub(crate) fn read_record(text: &[u8], family: Option<Family>) -> Reading {
    if family == Some(Family::V6) {
        let header = b"authoring-byte-order little-endian;\n";
        return salvage_bytes(&[header, text].concat(), family);
    }
    salvage_bytes(text, family)
}

/// The places of the latest records in a journal without damage; `None` if an index would not find what `reading`
/// contains.
pub(crate) fn places(
    text: &[u8],
    reading: &Reading,
    family: Option<Family>,
) -> Option<BTreeMap<Key, Place>> {
    let v6 = family == Some(Family::V6);
    if v6 && reading.byte_order != Some(ByteOrder::Little) {
        return None;
    }
    let mut places = BTreeMap::new();
    let mut subjects = BTreeSet::new();
    for range in statements(text)? {
        let statement = &text[range.clone()];
        let word = statement.split(|c| !c.is_ascii_lowercase() && *c != b'-').next()?;
        let keys = match word {
            b"lease" if !v6 => {
                let address = statement[word.len()..].split(|c| *c == b'{').next()?;
                let address = std::str::from_utf8(address).ok()?.trim().parse().ok()?;
                subjects.insert(lease_key(address));
                vec![lease_key(address)]
            }
            b"ia-na" | b"ia-ta" | b"ia-pd" if v6 => {
                let read = read_record(statement, family);
                let keys = association_keys(read.ias().next()?);
                subjects.insert(keys[0]);
                keys
            }
            b"server-duid" => vec![server_duid_key()],
            b"authoring-byte-order" | b"host" | b"group" | b"class" | b"subclass" | b"failover" => {
                continue;
            }
            _ => return None,
        };
        let place = Place::new(range.start, with_checksum(text, range.end) - range.start)?;
        places.extend(keys.into_iter().map(|key| (key, place)));
    }
    let count = if v6 { reading.ias().count() } else { reading.table.len() };
    let mut held = BTreeSet::new();
    // An index finds one holder of an address.
    let active = reading.ias().flat_map(|ia| &ia.addresses);
    let mut active = active.filter(|one| one.state == BindingState::Active);
    let is_unique = active.all(|one| held.insert(one.address));
    (count == subjects.len() && is_unique).then_some(places)
}

/// The end of the comment with the checksum of a record, or of the record if it has none.
fn with_checksum(text: &[u8], end: usize) -> usize {
    let blank = text[end..].iter().take_while(|c| **c == b'\n').count();
    let rest = &text[end + blank..];
    if rest.starts_with(START) { end + blank + line_length(rest) } else { end }
}
