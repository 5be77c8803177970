//! A row of a memfile: whether Kea loads it, and the lease that it represents.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::columns::{Header, MAX_COLUMNS, Release, columns_of};
use super::number::{bytes, colons, formatted, signed, truth, unescape, unsigned};
use super::writer::{INFINITE, lifetime};
use crate::dhcpd::{BindingState, Date, Family, Hardware, IaKind, Lease};
use crate::exchange::database::{Binding, active, active6};
use crate::exchange::further::Field;

/// Maximum length of a hardware address (`HWAddr::MAX_HWADDR_LEN`).
const LONGEST_HARDWARE: usize = 20;

/// The state of a declined address (`Lease::STATE_DECLINED`).
const DECLINED: u64 = 1;

/// The values of a row.
pub(super) struct Row<'a> {
    pub(super) header: &'a Header,
    line: &'a [u8],
    /// The end of each value in the line.
    ends: [u32; MAX_COLUMNS],
    count: usize,
}

/// The address of a row that Kea loads, and what the row does to the earlier one.
#[derive(Debug, Clone, Copy)]
pub(super) struct Accepted {
    pub(super) address: IpAddr,
    /// Whether the row removes the lease, because its lifetime is 0.
    pub(super) removes: bool,
}

/// A lease, with the columns that it cannot store.
pub(super) enum Entry {
    Four(Box<Lease>, Vec<Field>),
    Six(Box<Binding>, Vec<Field>),
}

impl<'a> Row<'a> {
    /// Splits a line at its commas. There is no quoting.
    pub(super) fn split(line: &'a [u8], header: &'a Header) -> Result<Self, String> {
        let mut ends = [0; MAX_COLUMNS];
        let mut count = 0;
        let commas = line.iter().enumerate().filter(|(_, c)| **c == b',').map(|(at, _)| at);
        for end in commas.chain([line.len()]) {
            *ends.get_mut(count).ok_or_else(|| format!("more than {MAX_COLUMNS} values"))? =
                end as u32;
            count += 1;
        }
        Ok(Self { header, line, ends, count })
    }

    fn value(&self, at: usize) -> &'a [u8] {
        let start = at.checked_sub(1).map_or(0, |before| self.ends[before] as usize + 1);
        &self.line[start..self.ends[at] as usize]
    }

    /// Returns the value of a column that Kea knows, or a default if the row has none.
    fn text(&self, at: usize) -> &'a [u8] {
        if at < self.count {
            return self.value(at);
        }
        match columns_of(self.header.family)[at] {
            "state" | "pool_id" => b"0",
            _ => b"",
        }
    }

    fn number(&self, at: usize, max: u64) -> Result<u64, String> {
        let name = columns_of(self.header.family)[at];
        unsigned(self.text(at), max).ok_or_else(|| format!("{name} is not a number"))
    }

    fn number32(&self, at: usize) -> Result<u32, String> {
        self.number(at, u64::from(u32::MAX)).map(|number| number as u32)
    }

    fn flag(&self, at: usize) -> Result<(), String> {
        let name = columns_of(self.header.family)[at];
        truth(self.text(at)).map(|_| ()).ok_or_else(|| format!("{name} is neither 0 nor 1"))
    }

    fn context(&self, at: usize) -> Result<(), String> {
        let text = self.text(at);
        if text.is_empty() || text == b"{ }" {
            return Ok(());
        }
        let parsed = serde_json::from_slice::<serde_json::Map<_, _>>(&unescape(text));
        parsed.map(|_| ()).map_err(|_| "user_context is not a JSON map".to_owned())
    }

    /// Checks whether the server loads the row (`CSVLeaseFile4::next`, `CSVLeaseFile6::next`).
    pub(super) fn check(&self, release: Release) -> Result<Accepted, String> {
        let least = self.header.least(release);
        if self.count < least {
            return Err(format!("{} fields instead of {least}", self.count));
        }
        let known = columns_of(self.header.family);
        let pool = known.len() - 1;
        if release == Release::V3_0 {
            self.number32(pool)?;
        }
        match self.header.family {
            Family::V4 => self.check4(release),
            Family::V6 => self.check6(release),
        }
    }

    fn check4(&self, release: Release) -> Result<Accepted, String> {
        let address: Ipv4Addr = address(self.text(0)).ok_or("not an IPv4 address")?;
        let id = self.text(2);
        let mut id_length = 0;
        if !id.is_empty() {
            formatted(id, |_| id_length += 1).map_err(|why| format!("client_id: {why}"))?;
            // Kea 2.2 checks a client identifier as a DUID.
            let longest = if release == Release::V2_2 { 128 } else { 255 };
            if !(2..=longest).contains(&id_length) {
                return Err(format!("a client_id of {id_length} bytes"));
            }
        }
        let mut length = 0;
        colons(self.text(1), |_| length += 1).map_err(|why| format!("hwaddr: {why}"))?;
        if length > LONGEST_HARDWARE {
            return Err(format!("a hwaddr of more than {LONGEST_HARDWARE} bytes"));
        }
        let state = self.number32(9)?;
        if length == 0 && id_length == 0 && u64::from(state) != DECLINED {
            return Err("neither hwaddr nor client_id, and the state is not declined".to_owned());
        }
        self.context(10)?;
        let valid = self.number32(3)?;
        self.number(4, u64::MAX)?;
        self.number32(5)?;
        self.flag(6)?;
        self.flag(7)?;
        Ok(Accepted { address: address.into(), removes: valid == 0 })
    }

    fn check6(&self, release: Release) -> Result<Accepted, String> {
        signed(self.text(6)).ok_or("lease_type is not a number")?;
        let length = signed(self.text(8)).ok_or("prefix_len is not a number")?;
        let address: Ipv6Addr = address(self.text(0)).ok_or("not an IPv6 address")?;
        let (mut bytes, mut is_zero) = (0, true);
        let count = |byte| {
            bytes += 1;
            is_zero &= byte == 0;
        };
        formatted(self.text(1), count).map_err(|why| format!("duid: {why}"))?;
        // `DUID::EMPTY` has one byte in 2.2 and three bytes later.
        let (shortest, longest) = if release == Release::V2_2 { (1, 128) } else { (3, 130) };
        if !(shortest..=longest).contains(&bytes) {
            return Err(format!("a duid of {bytes} bytes"));
        }
        self.number32(7)?;
        self.number32(5)?;
        let valid = self.number32(2)?;
        self.number32(4)?;
        self.number(3, u64::MAX)?;
        self.flag(9)?;
        self.flag(10)?;
        let state = self.number32(13)?;
        if is_zero && bytes == shortest && u64::from(state) != DECLINED {
            return Err("the empty duid, and the state is not declined".to_owned());
        }
        self.context(14)?;
        // Kea checks neither of these, but such a row represents no address.
        let kind = kind_of(self.text(6)).ok_or("an unknown lease_type")?;
        if kind == IaKind::Prefix && !(0..=128).contains(&length) {
            return Err(format!("a prefix_len of {length}"));
        }
        Ok(Accepted { address: address.into(), removes: valid == 0 })
    }

    /// Returns the lease of a row that [`Self::check`] accepted.
    pub(super) fn decode(&self) -> Option<Entry> {
        match self.header.family {
            Family::V4 => self.decode4(),
            Family::V6 => self.decode6(),
        }
    }

    /// Returns the values that the lease cannot store, of known and of other columns.
    fn fields(&self, is_held: impl Fn(&str, &[u8]) -> bool) -> Vec<Field> {
        let known = columns_of(self.header.family);
        let field = |at: usize| {
            let value = self.value(at);
            let is_held = known.get(at).is_some_and(|name| is_held(name, value));
            (!is_held).then(|| Field {
                name: format!("kea.{}", self.header.name(at)).into(),
                value: value.to_vec(),
            })
        };
        (0..self.count).filter_map(field).collect()
    }

    fn decode4(&self) -> Option<Entry> {
        let mut lease = active(address(self.text(0))?);
        let (valid, expire) = (self.number32(3).ok()?, self.number(4, u64::MAX).ok()?);
        let (state, is_exact) = state_of(self.number32(9).ok()?);
        let (cltt, ends) = times(valid, expire);
        lease.state = state;
        (lease.starts, lease.cltt, lease.ends, lease.tstp) = (cltt, cltt, ends, ends);
        let hardware = bytes(self.text(1), |text, put| colons(text, put));
        if !hardware.is_empty() {
            lease.hardware = Some(Hardware { kind: 1, bytes: hardware });
        }
        lease.uid = bytes(self.text(2), |text, put| formatted(text, put));
        lease.hostname = self.host_name(8);
        let is_written = is_written(cltt, ends, valid, expire);
        let fields = self.fields(|name, value| is_held(name, value, is_written, is_exact));
        Some(Entry::Four(Box::new(lease), fields))
    }

    fn decode6(&self) -> Option<Entry> {
        let kind = kind_of(self.text(6))?;
        let mut held = active6(address(self.text(0))?);
        let (valid, expire) = (self.number32(2).ok()?, self.number(3, u64::MAX).ok()?);
        let (state, is_exact) = state_of(self.number32(13).ok()?);
        let (cltt, ends) = times(valid, expire);
        let length = signed(self.text(8))?;
        if kind == IaKind::Prefix {
            held.prefix_length = u8::try_from(length).ok().filter(|length| *length <= 128)?;
        }
        (held.state, held.ends, held.max) = (state, ends, valid);
        held.preferred = self.number32(5).ok()?;
        let hwtype = unsigned(self.text(15), u64::from(u16::MAX));
        let is_hardware = (self.text(15).is_empty() || hwtype.is_some()) && {
            let mut length = 0;
            colons(self.text(12), |_| length += 1).is_ok()
                && (1..=LONGEST_HARDWARE).contains(&length)
        };
        let hardware = is_hardware.then(|| Hardware {
            kind: hwtype.and_then(|kind| u8::try_from(kind).ok()).unwrap_or(1),
            bytes: bytes(self.text(12), |text, put| colons(text, put)),
        });
        let duid = bytes(self.text(1), |text, put| formatted(text, put));
        let iaid = self.number32(7).ok()?;
        let hostname = self.host_name(11);
        let is_written = is_written(cltt, ends, valid, expire);
        let fields = self.fields(|name, value| match name {
            "prefix_len" => kind == IaKind::Prefix || length == 128,
            "hwaddr" => is_hardware || value.is_empty(),
            // The writer derives these from the hardware address.
            "hwtype" => match &hardware {
                Some(hardware) => value == hardware.kind.to_string().as_bytes(),
                None => value.is_empty(),
            },
            "hwaddr_source" => value == if hardware.is_some() { &b"0"[..] } else { b"" },
            _ => is_held(name, value, is_written, is_exact),
        });
        let binding = Binding { kind, iaid, duid, cltt, held, hostname, hardware };
        Some(Entry::Six(Box::new(binding), fields))
    }

    fn host_name(&self, at: usize) -> Option<Vec<u8>> {
        Some(unescape(self.text(at))).filter(|name| !name.is_empty())
    }
}

/// Returns whether the lease stores the value of a column: it has a field for the value, or the writer derives the same
/// value.
fn is_held(name: &str, value: &[u8], is_written: bool, is_exact: bool) -> bool {
    match name {
        "valid_lifetime" | "expire" => is_written,
        "state" => is_exact,
        "fqdn_fwd" | "fqdn_rev" => value == b"0",
        "user_context" => value.is_empty(),
        "subnet_id" | "pool_id" => false,
        _ => true,
    }
}

fn address<T: std::str::FromStr>(text: &[u8]) -> Option<T> {
    std::str::from_utf8(text).ok()?.parse().ok()
}

fn kind_of(text: &[u8]) -> Option<IaKind> {
    match signed(text)? {
        0 => Some(IaKind::NonTemporary),
        1 => Some(IaKind::Temporary),
        2 => Some(IaKind::Prefix),
        _ => None,
    }
}

/// Returns the state, and whether the writer writes the same number for it.
fn state_of(state: u32) -> (BindingState, bool) {
    match state {
        0 => (BindingState::Active, true),
        1 => (BindingState::Abandoned, true),
        // Expired-reclaimed: free, with its previous holder recorded.
        2 => (BindingState::Free, true),
        3 => (BindingState::Released, false),
        // Registered: in use by a client that chose the address itself. Kea does not check other numbers.
        _ => (BindingState::Active, false),
    }
}

/// Returns `cltt` and the end.
fn times(valid: u32, expire: u64) -> (Date, Date) {
    let expire = i64::try_from(expire).unwrap_or(i64::MAX - 1);
    let cltt = Date(expire.saturating_sub(i64::from(valid)).max(0));
    let ends = if valid == INFINITE { Date::NEVER } else { Date(expire) };
    (cltt, ends)
}

/// Returns whether the writer writes the same numbers for these times.
fn is_written(cltt: Date, ends: Date, valid: u32, expire: u64) -> bool {
    let (written_valid, written_expire) = lifetime(cltt, ends, 0);
    !cltt.is_absent() && written_valid == valid && u64::try_from(written_expire) == Ok(expire)
}
