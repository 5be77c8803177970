//! Records: declarations as text, with the keys of their index entries.

use std::net::Ipv6Addr;

use lease_formats::dhcpd::{IaKind, Unwritable};

use crate::checksum::START;
use crate::declaration::{Declaration, Subject, put};
use crate::index::{Key, Place};
use crate::reading::Reading;
use crate::syntax::line_length;

/// A declaration that is written as a unit.
#[derive(Clone, Debug)]
pub struct Record {
    pub(crate) text: Vec<u8>,
    pub(crate) keys: Vec<Key>,
}

impl Record {
    /// Creates the record of a lease or an association with these statements, or of the DUID of the server.
    ///
    /// # Errors
    /// If dhcpd does not read an identifier of this length.
    pub fn new(subject: Subject, body: Vec<u8>) -> Result<Self, Unwritable> {
        let (what, bytes, lengths) = match &subject {
            Subject::ServerDuid => ("server-duid", body.len(), 3..=127),
            Subject::Association(kind, id) => (kind.declaration_word(), id.len(), 6..=133),
            Subject::Lease(_) | Subject::Other(_) => ("", 0, 0..=0),
        };
        if !lengths.contains(&bytes) {
            let reason = format!("an identifier of {bytes} bytes");
            return Err(Unwritable { subject: what.to_owned(), reason });
        }
        let mut text = Vec::new();
        put(&mut text, &subject, &body);
        let place = 0..text.len();
        let keys = keys(&Declaration { subject, body, place });
        Ok(Self { text, keys })
    }

    /// Returns the text of the record, without its checksum.
    pub fn text(&self) -> &[u8] {
        &self.text
    }
}

/// Returns the key of a subject.
pub(crate) fn key(subject: &Subject) -> Key {
    match subject {
        Subject::ServerDuid => Key::new(b'd', &[]),
        Subject::Other(name) => Key::new(b'o', name),
        Subject::Lease(address) => Key::new(b'l', &address.octets()),
        Subject::Association(kind, id) => {
            let kind = match kind {
                IaKind::NonTemporary => b'n',
                IaKind::Temporary => b't',
                IaKind::Prefix => b'p',
            };
            Key::new(kind, id)
        }
    }
}

/// Returns the key of the association that holds an address.
pub(crate) fn holder_key(address: Ipv6Addr) -> Key {
    Key::new(b'h', &address.octets())
}

/// Returns the keys of a declaration: its subject, and the addresses that an association holds.
fn keys(declaration: &Declaration) -> Vec<Key> {
    let mut keys = vec![key(&declaration.subject)];
    keys.extend(declaration.held_addresses().map(holder_key));
    keys
}

/// Returns the positions of the latest records in an undamaged journal. Returns `None` if an index would not find everything
/// that `reading` contains.
pub(crate) fn places(text: &[u8], reading: &Reading) -> Option<Vec<(Key, Place)>> {
    // A record is read without the header that declares the byte order. The index finds only one holder of an address.
    if reading.is_big_endian == Some(true) || !reading.holders_are_unique() {
        return None;
    }
    let mut places = Vec::new();
    for declaration in &reading.declarations {
        let start = declaration.place.start;
        let place = Place::new(start, with_checksum(text, declaration.place.end) - start)?;
        places.extend(keys(declaration).into_iter().map(|key| (key, place)));
    }
    Some(places)
}

/// Returns the end of the comment with the checksum of a record, or of the record if it has none.
fn with_checksum(text: &[u8], end: usize) -> usize {
    let blank = text[end..].iter().take_while(|c| **c == b'\n').count();
    let rest = &text[end + blank..];
    if rest.starts_with(START) { end + blank + line_length(rest) } else { end }
}
