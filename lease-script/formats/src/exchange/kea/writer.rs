//! Writes a memfile.

use std::io::Write as _;
use std::net::IpAddr;

use super::columns::{COLUMNS_4, COLUMNS_6, columns_of, columns_of_2_2};
use crate::dhcpd::{BindingState, Date, Family, Hardware, IaKind, Lease};
use crate::exchange::database::{Binding, Database};
use crate::exchange::fields::{FieldKind, lost_of_binding, lost_of_lease};
use crate::exchange::losses::Losses;
use crate::hex;

/// An infinite lifetime (`Lease::INFINITY_LFT`).
pub(super) const INFINITE: u32 = u32::MAX;

/// The name of the format in messages.
const FORMAT: &str = "Kea's memfile";

/// The DUID of a declined address that has no client (`DUID::EMPTY`). It has one byte in Kea 2.2 and three later.
const EMPTY_DUID: [u8; 3] = [0; 3];

/// The prefix of the names of fields of this format.
const OWN: &str = "kea.";

/// Writes a memfile of one protocol. `subnet` is the number of a subnet in Kea's configuration, for all addresses that do
/// not have one yet.
pub fn write(
    database: &Database,
    family: Family,
    subnet: u32,
    now: i64,
    losses: &mut Losses,
) -> Vec<u8> {
    database.other_protocol(family, losses);
    database.lost_further(OWN, FORMAT, losses);
    database.lost_non_leases(FORMAT, losses);
    database.lost_server_duid(FORMAT, losses);
    let columns = columns(database, family);
    let mut out = columns.join(",").into_bytes();
    out.push(b'\n');
    let mut writer = Writer { database, columns, subnet, now, out, losses };
    match family {
        Family::V4 => database.leases.iter().for_each(|lease| writer.lease(lease)),
        Family::V6 => database.bindings.iter().for_each(|binding| writer.binding(binding)),
    }
    writer.out
}

/// Returns the columns of Kea 2.2, and later or unknown columns if a lease has them.
fn columns(database: &Database, family: Family) -> Vec<String> {
    let known = columns_of(family);
    let mut more: Vec<String> = Vec::new();
    for (address, field) in database.further.iter() {
        let Some(name) = field.name.strip_prefix(OWN) else { continue };
        if address.is_ipv4() == (family == Family::V4)
            && !known[..columns_of_2_2(family)].contains(&name)
            && !more.iter().any(|column| column == name)
        {
            more.push(name.to_owned());
        }
    }
    let mut columns: Vec<String> =
        known[..columns_of_2_2(family)].iter().map(|name| (*name).to_owned()).collect();
    if !more.is_empty() {
        columns.push("pool_id".to_owned());
        columns.extend(more.into_iter().filter(|name| name != "pool_id"));
    }
    columns
}

struct Writer<'a> {
    database: &'a Database,
    columns: Vec<String>,
    subnet: u32,
    now: i64,
    out: Vec<u8>,
    losses: &'a mut Losses,
}

impl Writer<'_> {
    /// Writes a row with the values of the columns that Kea 2.2 has. Fields that came from a memfile replace them.
    fn row(&mut self, address: IpAddr, values: &[Vec<u8>]) {
        let fields = self.database.further.of(address);
        for (at, column) in self.columns.iter().enumerate() {
            if at > 0 {
                self.out.push(b',');
            }
            let field =
                fields.iter().find(|field| field.name.strip_prefix(OWN) == Some(column.as_str()));
            match (field, values.get(at)) {
                (Some(field), _) => self.out.extend_from_slice(&field.value),
                (None, Some(value)) => self.out.extend_from_slice(value),
                (None, None) if column == "pool_id" => self.out.push(b'0'),
                (None, None) => {}
            }
        }
        self.out.push(b'\n');
    }

    /// Returns whether the lease has a field from this column of a memfile.
    fn has(&self, address: IpAddr, column: &str) -> bool {
        let fields = self.database.further.of(address);
        fields.iter().any(|field| field.name.strip_prefix(OWN) == Some(column))
    }

    /// Returns the state in Kea, or `None` if Kea has no row for the lease.
    fn state(&mut self, state: BindingState, owned: bool, address: IpAddr) -> Option<u8> {
        if self.has(address, "state") {
            return Some(0);
        }
        match state {
            BindingState::Active => Some(0),
            BindingState::Abandoned => Some(1),
            BindingState::Free if owned => Some(2),
            BindingState::Expired | BindingState::Released if owned => {
                let what = format!("{state}: written as Kea's state expired-reclaimed");
                self.losses.add(what, address);
                Some(2)
            }
            BindingState::Free => {
                self.losses.add("free, without a client: Kea has no row for it", address);
                None
            }
            other => {
                self.losses.add(format!("{other}: {FORMAT} has no such state"), address);
                None
            }
        }
    }

    /// Counts the start as lost if the lifetime from which Kea derives it does not fit.
    fn long_lifetime(&mut self, start: Date, ends: Date, address: IpAddr) {
        let is_long = ends.0.saturating_sub(start.0) >= i64::from(INFINITE);
        if is_long && !start.is_absent() && !ends.is_never() && !self.has(address, "expire") {
            self.losses.add("its start: Kea's lifetimes have 32 bits", address);
        }
    }

    fn host_name(&mut self, name: Option<&Vec<u8>>, address: IpAddr) -> Vec<u8> {
        let Some(name) = name else { return Vec::new() };
        // At its next cleanup, Kea would write a line break without escaping it.
        if name.iter().any(|c| matches!(c, b'\n' | b'\r' | 0)) {
            self.losses.add("its host name would break the row: left out", address);
            return Vec::new();
        }
        let mut out = Vec::with_capacity(name.len());
        for &byte in name {
            match byte {
                b',' => out.extend_from_slice(b"&#x2c"),
                b'&' => out.extend_from_slice(b"&#x26"),
                _ => out.push(byte),
            }
        }
        out
    }

    fn lease(&mut self, lease: &Lease) {
        let address = IpAddr::V4(lease.address);
        let hardware = lease.hardware.as_ref();
        let owned =
            hardware.is_some_and(|hardware| !hardware.bytes.is_empty()) || lease.uid.len() >= 2;
        let Some(state) = self.state(lease.state, owned, address) else { return };
        if state == 0 && !owned && !self.has(address, "state") {
            self.losses.add("active without a client: Kea has no row for it", address);
            return;
        }
        if lease.ends.is_absent() && !self.has(address, "expire") {
            self.losses.add("no end: Kea needs one", address);
            return;
        }
        let start = if lease.cltt.is_absent() { lease.starts } else { lease.cltt };
        let (valid, expire) = lifetime(start, lease.ends, self.now);
        self.long_lifetime(start, lease.ends, address);
        if hardware.is_some_and(|hardware| hardware.kind != 1) {
            self.losses.add("its hardware type: Kea's DHCPv4 rows have none", address);
        }
        let is_kept = (2..=255).contains(&lease.uid.len());
        if !lease.uid.is_empty() && !is_kept {
            self.losses.add("its client identifier: Kea's have 2 to 255 bytes", address);
        }
        let uid = if is_kept { &lease.uid[..] } else { b"" };
        let name = self.host_name(lease.hostname.as_ref(), address);
        let values = [
            text(address),
            hex::encode(hardware.map_or(&[], |hardware| &hardware.bytes)),
            hex::encode(uid),
            text(valid),
            text(expire),
            text(self.subnet),
            text(0),
            text(0),
            name,
            text(state),
            Vec::new(),
        ];
        debug_assert_eq!(values.len() + 1, COLUMNS_4.len());
        self.row(address, &values);
        let mut held =
            vec![FieldKind::Cltt, FieldKind::Hardware, FieldKind::ClientId, FieldKind::HostName];
        if lease.starts == lease.cltt || lease.cltt.is_absent() {
            held.push(FieldKind::Starts);
        }
        lost_of_lease(lease, &held, FORMAT, self.losses);
    }

    fn binding(&mut self, binding: &Binding) {
        let held = &binding.held;
        let address = IpAddr::V6(held.address);
        let Some(state) = self.state(held.state, true, address) else { return };
        let declined = held.state == BindingState::Abandoned;
        let duid = if declined && binding.duid == [0] { &EMPTY_DUID[..] } else { &binding.duid };
        if !(3..=130).contains(&duid.len()) || (duid == EMPTY_DUID && !declined) {
            self.losses.add("no DUID of 3 to 130 bytes: Kea has no row for it", address);
            return;
        }
        if held.ends.is_absent() && !self.has(address, "expire") {
            self.losses.add("no end: Kea needs one", address);
            return;
        }
        let (valid, expire) = lifetime(binding.cltt, held.ends, self.now);
        self.long_lifetime(binding.cltt, held.ends, address);
        let (kind, length) = match binding.kind {
            IaKind::NonTemporary => (0, 128),
            IaKind::Temporary => (1, 128),
            IaKind::Prefix => (2, held.prefix_length),
        };
        let hardware = binding.hardware.as_ref();
        let of = |text: fn(&Hardware) -> Vec<u8>| hardware.map(text).unwrap_or_default();
        let name = self.host_name(binding.hostname.as_ref(), address);
        let values = [
            text(address),
            hex::encode(duid),
            text(valid),
            text(expire),
            text(self.subnet),
            text(held.preferred),
            text(kind),
            text(binding.iaid),
            text(length),
            text(0),
            text(0),
            name,
            of(|hardware| hex::encode(&hardware.bytes)),
            text(state),
            Vec::new(),
            of(|hardware| text(hardware.kind)),
            of(|_| text(0)),
        ];
        debug_assert_eq!(values.len() + 1, COLUMNS_6.len());
        self.row(address, &values);
        if held.max != 0 && held.max != valid {
            self.losses.add("its valid lifetime: Kea's is the time from cltt to the end", address);
        }
        let held =
            [FieldKind::Cltt, FieldKind::Hardware, FieldKind::HostName, FieldKind::Lifetimes];
        lost_of_binding(binding, &held, FORMAT, self.losses);
    }
}

fn text(value: impl std::fmt::Display) -> Vec<u8> {
    let mut out = Vec::new();
    let _ = write!(out, "{value}");
    out
}

/// Returns the lifetime and the expiry. Kea derives the time of the last transaction from them.
pub(super) fn lifetime(start: Date, ends: Date, now: i64) -> (u32, i64) {
    let start =
        if start.is_absent() || start > ends { Date(now.max(0).min(ends.0)) } else { start };
    if ends.is_never() {
        return (INFINITE, start.0.saturating_add(i64::from(INFINITE)));
    }
    // A lifetime of 0 would remove the lease.
    let valid = (ends.0 - start.0).clamp(1, i64::from(INFINITE - 1));
    (valid as u32, ends.0)
}
