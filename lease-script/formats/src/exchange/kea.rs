//! Kea's memfile: comma-separated values under a header, the last row of an address counts
//! (`CSVLeaseFile4`, `CSVLeaseFile6` of Kea 2.2). `expire` is `cltt` plus `valid_lifetime`; a row with a
//! lifetime of 0 removes the lease. A comma inside a value is written `&#x2c`.

use std::collections::HashMap;
use std::io::{self, BufRead, Write as _};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::dhcpd::{BindingState, Date, Family, Hardware, IaKind, Lease};
use crate::hex;

use super::database::{Binding, Database, active, active6, date};
use super::lines::{BYTE_ORDER_MARK, Line, Lines, Problem};
use super::losses::Losses;

/// The columns of DHCPv4 in Kea 2.2.
const HEADER_4: &str = "address,hwaddr,client_id,valid_lifetime,expire,subnet_id,fqdn_fwd,fqdn_rev,\
                        hostname,state,user_context";
/// The columns of DHCPv6 in Kea 2.2.
const HEADER_6: &str = "address,duid,valid_lifetime,expire,subnet_id,pref_lifetime,lease_type,iaid,\
                        prefix_len,fqdn_fwd,fqdn_rev,hostname,hwaddr,state,user_context,hwtype,\
                        hwaddr_source";
fn columns_of(family: Family) -> &'static str {
    match family {
        Family::V4 => HEADER_4,
        Family::V6 => HEADER_6,
    }
}

/// An infinite lifetime.
const INFINITE: u32 = u32::MAX;
/// The maximum number of problems that are kept.
const MAX_KEPT: usize = 10_000;

/// The contents of a memfile.
#[derive(Debug, Default)]
pub struct Read {
    /// The leases.
    pub database: Database,
    /// The protocol according to the header; DHCPv4 for a file without a header.
    pub family: Family,
    /// Kea would not start with this file.
    pub refused: bool,
    /// The problems found.
    pub problems: Vec<Problem>,
    /// What the common representation cannot store.
    pub losses: Losses,
}

/// Reads a memfile.
///
/// # Errors
/// The source cannot be read.
pub fn read(source: impl BufRead) -> io::Result<Read> {
    let mut lines = Lines::new(source);
    let mut line = Vec::new();
    let mut read = Read::default();
    let columns = loop {
        match lines.next(&mut line)? {
            Line::End => return Ok(read),
            Line::Text(number, _) => {
                let mut refuse = |why: &str| {
                    read.refused = true;
                    let message = format!("{why}: Kea does not start");
                    read.problems.push(Problem { line: number, column: 1, message, loses: true });
                };
                let header = line.strip_prefix(BYTE_ORDER_MARK).unwrap_or(&line);
                if header.len() < line.len() {
                    refuse("a byte order mark before the header");
                }
                if header.ends_with(b"\r") {
                    refuse("the header ends in a carriage return");
                }
                match Columns::new(header) {
                    Ok(columns) => break columns,
                    Err(why) => {
                        refuse(&why);
                        return Ok(read);
                    }
                }
            }
            Line::TooLong(_) => line.clear(),
        }
    };
    read.family = columns.family;
    let mut reader = Reader { read, columns, places: HashMap::new() };
    loop {
        match lines.next(&mut line)? {
            Line::End => break,
            Line::TooLong(number) => {
                reader.problem(number, 1, "an overlong line: Kea discards the row");
            }
            Line::Text(number, ended) => {
                let text = line.strip_suffix(b"\r").unwrap_or(&line);
                if let Err(message) = reader.row(text) {
                    let torn = if ended { "" } else { " (the last line is torn)" };
                    reader.problem(number, 1, &format!("{message}: Kea discards the row{torn}"));
                }
            }
        }
    }
    Ok(reader.finish())
}

/// The names of the columns, in order.
struct Columns {
    family: Family,
    names: Vec<String>,
}

impl Columns {
    fn new(header: &[u8]) -> Result<Self, String> {
        let text = std::str::from_utf8(header).map_err(|_| "the header is not text".to_owned())?;
        let names: Vec<String> = text.trim_end().split(',').map(str::to_owned).collect();
        let has_duid = names.iter().any(|name| name == "duid");
        let family = if has_duid { Family::V6 } else { Family::V4 };
        let wanted = columns_of(family);
        // Older versions have fewer columns; newer versions append some.
        let least = match family {
            Family::V4 => 9,
            Family::V6 => 12,
        };
        for (at, wanted) in wanted.split(',').enumerate() {
            match names.get(at) {
                Some(name) if name == wanted => {}
                Some(name) => return Err(format!("column {} is {name:?}, not {wanted}", at + 1)),
                None if at >= least => break,
                None => return Err(format!("the column {wanted} is missing")),
            }
        }
        Ok(Self { family, names })
    }
}

struct Reader {
    read: Read,
    columns: Columns,
    /// `None` if a later row released the address.
    places: HashMap<(IpAddr, u8), Option<Entry>>,
}

enum Entry {
    Four(Box<Lease>),
    Six(Box<Binding>),
}

struct Row<'a> {
    columns: &'a Columns,
    fields: Vec<Vec<u8>>,
}

impl Row<'_> {
    fn text(&self, name: &str) -> &[u8] {
        let at = self.columns.names.iter().position(|column| column == name);
        at.and_then(|at| self.fields.get(at)).map_or(&[], Vec::as_slice)
    }

    fn number<T: std::str::FromStr>(&self, name: &str) -> Result<T, String> {
        let text = std::str::from_utf8(self.text(name)).ok();
        text.and_then(|text| text.parse().ok()).ok_or_else(|| format!("{name} is not a number"))
    }

    fn hex(&self, name: &str) -> Result<Vec<u8>, String> {
        hex::decode(self.text(name)).ok_or_else(|| format!("{name} is not hexadecimal with colons"))
    }

    /// The valid lifetime, `cltt` and the end of the lease.
    fn times(&self, address: IpAddr, losses: &mut Losses) -> Result<(u32, Date, Date), String> {
        let valid: u32 = self.number("valid_lifetime")?;
        let expire: i64 = self.number("expire")?;
        let cltt = Date(expire.saturating_sub(i64::from(valid)).clamp(0, Date::NEVER.0));
        let ends = if valid == INFINITE { Date::NEVER } else { date(expire, address, losses) };
        Ok((valid, cltt, ends))
    }

    fn state(&self) -> Result<BindingState, String> {
        Ok(match self.text("state") {
            b"" | b"0" => BindingState::Active,
            b"1" => BindingState::Abandoned,
            // Expired-reclaimed: free, with its previous holder recorded.
            b"2" => BindingState::Free,
            b"3" => BindingState::Released,
            _ => return Err("unknown state".to_owned()),
        })
    }

    fn hostname(&self) -> Option<Vec<u8>> {
        Some(self.text("hostname").to_vec()).filter(|name| !name.is_empty())
    }
}

impl Reader {
    fn problem(&mut self, line: u64, column: usize, message: &str) {
        if self.read.problems.len() < MAX_KEPT {
            let message = message.to_owned();
            self.read.problems.push(Problem { line, column, message, loses: true });
        }
    }

    fn row(&mut self, line: &[u8]) -> Result<(), String> {
        if line.is_empty() {
            return Ok(());
        }
        let fields: Vec<Vec<u8>> = line.split(|c| *c == b',').map(unescape).collect();
        let columns = self.columns.names.len();
        if fields.len() != columns {
            return Err(format!("{} fields instead of {columns}", fields.len()));
        }
        let row = Row { columns: &self.columns, fields };
        let address = std::str::from_utf8(row.text("address")).unwrap_or_default();
        let (key, entry) = if self.columns.family == Family::V6 {
            let address = address.parse().map_err(|_| "not an IPv6 address".to_owned())?;
            six(&row, address, &mut self.read.losses)?
        } else {
            let address = address.parse().map_err(|_| "not an IPv4 address".to_owned())?;
            four(&row, address, &mut self.read.losses)?
        };
        if !matches!(row.text("user_context"), b"") {
            self.read.losses.add("a user context: kept by Kea only", key.0);
        }
        self.places.insert(key, entry);
        Ok(())
    }

    fn finish(mut self) -> Read {
        for entry in self.places.into_values().flatten() {
            match entry {
                Entry::Four(lease) => self.read.database.leases.push(*lease),
                Entry::Six(binding) => self.read.database.bindings.push(*binding),
            }
        }
        self.read.database.sort();
        self.read
    }
}

type Placed = ((IpAddr, u8), Option<Entry>);

fn four(row: &Row<'_>, address: Ipv4Addr, losses: &mut Losses) -> Result<Placed, String> {
    let (valid, cltt, ends) = row.times(address.into(), losses)?;
    let key = (address.into(), 32);
    let mut lease = active(address);
    lease.state = row.state()?;
    (lease.starts, lease.cltt, lease.ends, lease.tstp) = (cltt, cltt, ends, ends);
    let bytes = row.hex("hwaddr")?;
    if bytes.len() > 20 {
        return Err("a hardware address of more than 20 bytes".to_owned());
    }
    lease.hardware = Some(bytes).filter(|b| !b.is_empty()).map(|bytes| Hardware { kind: 1, bytes });
    lease.uid = row.hex("client_id")?;
    lease.hostname = row.hostname();
    Ok((key, (valid > 0).then(|| Entry::Four(Box::new(lease)))))
}

fn six(row: &Row<'_>, address: Ipv6Addr, losses: &mut Losses) -> Result<Placed, String> {
    let (valid, cltt, ends) = row.times(address.into(), losses)?;
    let kind = match row.text("lease_type") {
        b"0" => IaKind::NonTemporary,
        b"1" => IaKind::Temporary,
        b"2" => IaKind::Prefix,
        _ => return Err("unknown lease_type".to_owned()),
    };
    let mut held = active6(address);
    let length: u8 = row.number("prefix_len")?;
    if length > 128 {
        return Err("prefix_len is more than 128".to_owned());
    }
    held.prefix_length = if kind == IaKind::Prefix { length } else { 0 };
    (held.state, held.ends, held.max) = (row.state()?, ends, valid);
    held.preferred = row.number("pref_lifetime")?;
    let bytes = row.hex("hwaddr")?;
    let hardware = Some(bytes)
        .filter(|bytes| !bytes.is_empty())
        .map(|bytes| Hardware { kind: row.number("hwtype").unwrap_or(1), bytes });
    let duid = row.hex("duid")?;
    if duid.is_empty() || duid.len() > 128 {
        return Err("invalid DUID".to_owned());
    }
    let iaid = row.number("iaid")?;
    let hostname = row.hostname();
    let binding = Binding { kind, iaid, duid, cltt, held, hostname, hardware };
    Ok(((address.into(), length), (valid > 0).then(|| Entry::Six(Box::new(binding)))))
}

/// Decodes `&#xHH`.
fn unescape(field: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(field.len());
    let mut rest = field;
    while let Some(at) = memchr::memmem::find(rest, b"&#x") {
        out.extend_from_slice(&rest[..at]);
        let digits = rest.get(at + 3..at + 5).and_then(|digits| std::str::from_utf8(digits).ok());
        match digits.and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
            Some(byte) => {
                out.push(byte);
                rest = &rest[at + 5..];
            }
            None => {
                out.extend_from_slice(b"&#x");
                rest = &rest[at + 3..];
            }
        }
    }
    out.extend_from_slice(rest);
    out
}

/// Writes a memfile of one protocol. `subnet` is the number of the subnet of all addresses in Kea's configuration.
pub fn write(
    database: &Database,
    family: Family,
    subnet: u32,
    now: i64,
    losses: &mut Losses,
) -> Vec<u8> {
    let mut out = Vec::new();
    out.extend_from_slice(columns_of(family).as_bytes());
    out.push(b'\n');
    database.other_protocol(family, losses);
    match family {
        Family::V4 => {
            for lease in &database.leases {
                write4(&mut out, lease, subnet, now, losses);
            }
        }
        Family::V6 => {
            for binding in &database.bindings {
                write6(&mut out, binding, subnet, now, losses);
            }
        }
    }
    out
}

/// The state in Kea; `None` for leases without a row.
fn state(state: BindingState, owned: bool, address: IpAddr, losses: &mut Losses) -> Option<u8> {
    match state {
        BindingState::Active => Some(0),
        BindingState::Abandoned => Some(1),
        BindingState::Free | BindingState::Expired | BindingState::Released if owned => {
            losses.add("free, with a previous client: Kea's state expired-reclaimed", address);
            Some(2)
        }
        BindingState::Free => None,
        other => {
            losses.add(format!("{other}: Kea's memfile has no such state"), address);
            None
        }
    }
}

/// The lifetime and the expiry; Kea derives the time of the last transaction from them.
fn lifetime(start: Date, ends: Date, now: i64) -> (u32, i64) {
    let start =
        if start.is_absent() || start > ends { Date(now.max(0).min(ends.0)) } else { start };
    if ends.is_never() {
        return (INFINITE, start.0 + i64::from(INFINITE));
    }
    // A lifetime of 0 would remove the lease.
    let valid = (ends.0 - start.0).clamp(1, i64::from(INFINITE - 1));
    (valid as u32, ends.0)
}

fn hostname(name: Option<&Vec<u8>>, address: IpAddr, losses: &mut Losses) -> Vec<u8> {
    let Some(name) = name else { return Vec::new() };
    // Kea would write a line end unescaped at its next clean-up.
    if name.len() > 255 || name.iter().any(u8::is_ascii_control) {
        losses.add("its host name would break the row: left out", address);
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

fn write4(out: &mut Vec<u8>, lease: &Lease, subnet: u32, now: i64, losses: &mut Losses) {
    let address = IpAddr::V4(lease.address);
    let hardware = lease.hardware.as_ref();
    let owned = hardware.is_some() || !lease.uid.is_empty();
    let Some(state) = state(lease.state, owned, address, losses) else { return };
    if state == 0 && !owned {
        losses.add("active without a client: Kea has no row for it", address);
        return;
    }
    if lease.ends.is_absent() {
        losses.add("no end: Kea needs one", address);
        return;
    }
    let start = if lease.cltt.is_absent() { lease.starts } else { lease.cltt };
    let (valid, expire) = lifetime(start, lease.ends, now);
    let _ = write!(out, "{address},");
    if let Some(hardware) = hardware {
        if hardware.kind != 1 {
            losses
                .add("its hardware type: Kea's DHCPv4 rows store only Ethernet addresses", address);
        }
        hex::append(out, &hardware.bytes);
    }
    out.push(b',');
    if (2..=255).contains(&lease.uid.len()) {
        hex::append(out, &lease.uid);
    } else if !lease.uid.is_empty() {
        losses.add("its client identifier: Kea's have 2 to 255 bytes", address);
    }
    let _ = write!(out, ",{valid},{expire},{subnet},0,0,");
    out.extend_from_slice(&hostname(lease.hostname.as_ref(), address, losses));
    let _ = writeln!(out, ",{state},");
    for (is_lost, what) in [
        (!lease.set.is_empty(), "variables (`set`)"),
        (!lease.agent.is_empty(), "relay agent options"),
        (lease.reserved || lease.bootp, "the flags reserved and dynamic-bootp"),
        (lease.on_expiry.is_some() || lease.on_release.is_some(), "`on` blocks"),
    ] {
        if is_lost {
            losses.add(format!("{what}: Kea's rows cannot store them"), address);
        }
    }
}

fn write6(out: &mut Vec<u8>, binding: &Binding, subnet: u32, now: i64, losses: &mut Losses) {
    let held = &binding.held;
    let address = IpAddr::V6(held.address);
    let Some(state) = state(held.state, true, address, losses) else { return };
    if binding.duid.is_empty() || binding.duid.len() > 128 || held.ends.is_absent() {
        losses.add("no DUID of 1 to 128 bytes, or no end: Kea has no row for that", address);
        return;
    }
    let (valid, expire) = lifetime(binding.cltt, held.ends, now);
    let (kind, length) = match binding.kind {
        IaKind::NonTemporary => (0, 128),
        IaKind::Temporary => (1, 128),
        IaKind::Prefix => (2, held.prefix_length),
    };
    let _ = write!(out, "{address},");
    hex::append(out, &binding.duid);
    let iaid = binding.iaid;
    let preferred = held.preferred.min(valid);
    let _ = write!(out, ",{valid},{expire},{subnet},{preferred},{kind},{iaid},{length},0,0,");
    out.extend_from_slice(&hostname(binding.hostname.as_ref(), address, losses));
    out.push(b',');
    let hardware = binding.hardware.as_ref();
    if let Some(hardware) = hardware {
        hex::append(out, &hardware.bytes);
    }
    let _ = write!(out, ",{state},,");
    if let Some(hardware) = hardware {
        let _ = write!(out, "{}", hardware.kind);
    }
    out.extend_from_slice(if hardware.is_some() { b",0\n" } else { b",\n" });
    if !held.set.is_empty() || !held.on.is_empty() {
        losses.add("variables and `on` blocks: Kea's rows cannot store them", address);
    }
}
