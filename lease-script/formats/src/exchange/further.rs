//! Fields that the common representation cannot store.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::net::IpAddr;

/// A field of one format, as text of that format.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Field {
    /// The format and the name of the field in this format: `kea.subnet_id`, `odhcpd.interface`.
    pub name: Cow<'static, str>,
    /// The value as written in the file.
    pub value: Vec<u8>,
}

impl Field {
    /// Creates a field with a name that is known in advance.
    pub fn new(name: &'static str, value: impl Into<Vec<u8>>) -> Self {
        Self { name: Cow::Borrowed(name), value: value.into() }
    }
}

/// The fields of each address that the common representation cannot store.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Further(BTreeMap<IpAddr, Vec<Field>>);

impl Further {
    /// Replaces the fields of an address.
    pub fn put(&mut self, address: IpAddr, fields: Vec<Field>) {
        if fields.is_empty() {
            self.0.remove(&address);
        } else {
            self.0.insert(address, fields);
        }
    }

    /// Adds a field to those of an address. Replaces a field with the same name.
    pub(super) fn add(&mut self, address: IpAddr, field: Field) {
        let fields = self.0.entry(address).or_default();
        fields.retain(|known| known.name != field.name);
        fields.push(field);
    }

    /// Returns the fields of an address, in the order of its file.
    pub fn of(&self, address: IpAddr) -> &[Field] {
        self.0.get(&address).map_or(&[], Vec::as_slice)
    }

    /// Returns the value of a field.
    pub fn get(&self, address: IpAddr, name: &str) -> Option<&[u8]> {
        self.of(address).iter().find(|field| field.name == name).map(|field| &field.value[..])
    }

    /// Returns all fields with their addresses.
    pub fn iter(&self) -> impl Iterator<Item = (IpAddr, &Field)> {
        self.0.iter().flat_map(|(address, fields)| fields.iter().map(|field| (*address, field)))
    }

    /// Removes the fields of addresses that `keep` rejects.
    pub(super) fn retain(&mut self, keep: impl Fn(IpAddr) -> bool) {
        self.0.retain(|address, _| keep(*address));
    }

    /// Adds the fields of `other`, which replace those of the same addresses.
    pub(super) fn extend(&mut self, other: Self) {
        self.0.extend(other.0);
    }
}
