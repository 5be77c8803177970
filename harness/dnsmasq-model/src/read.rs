//! `read_leases` of lease.c, which reads tokens of limited width instead of lines.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

use super::call::StalePacket;
use super::clock::Build;
use super::config::ServerConfig;
use super::db::LeaseDb;
use super::hw_addr::{CHADDR_MAX, ETHER, HwAddr};
use super::ia_kind::IaKind;
use super::init::StartFailure;
use super::lease::{Flags, LeaseKind};
use super::names::c_string;
use super::parse_hex::{TypePrefix, parse_stored_hex};
use super::rules::{InitParser, StoredLeaseLimit};

/// The results of `read_leases` besides the leases.
#[derive(Debug)]
pub(crate) struct ReadResult {
    /// The server's DUID, if the text has a `duid` line.
    pub(crate) duid: Option<Vec<u8>>,
    /// The contents of the packet buffer.
    pub(crate) packet: StalePacket,
    /// The contents of the buffer with the last name, or with the command.
    pub(crate) name: Vec<u8>,
}

/// fscanf's `%Ns`: skips white space, then reads at most N other bytes.
pub(crate) struct Tokens<'a> {
    rest: &'a [u8],
}

impl<'a> Tokens<'a> {
    pub(crate) fn new(text: &'a [u8]) -> Self {
        Self { rest: text }
    }

    /// The text that was not read yet.
    pub(crate) fn rest(&self) -> &'a [u8] {
        self.rest
    }

    pub(crate) fn skip_blanks(&mut self) {
        self.rest = &self.rest[self.rest.iter().take_while(|b| is_blank(**b)).count()..];
    }

    pub(crate) fn next(&mut self, width: usize) -> Option<&'a [u8]> {
        let start = self.rest.iter().position(|b| !is_blank(*b))?;
        let rest = &self.rest[start..];
        let end = rest.iter().position(|b| is_blank(*b)).unwrap_or(rest.len()).min(width);
        let (token, rest) = rest.split_at(end);
        self.rest = rest;
        Some(token)
    }

    /// fscanf's `%lu`: skips white space, then reads a number. `None` if there is none.
    pub(crate) fn next_number(&mut self) -> Option<&'a [u8]> {
        let start = self.rest.iter().position(|b| !is_blank(*b))?;
        let rest = &self.rest[start..];
        let sign = usize::from(matches!(rest.first(), Some(b'-' | b'+')));
        let digits = rest[sign..].iter().take_while(|b| b.is_ascii_digit()).count();
        let (token, rest) = rest.split_at(sign + digits);
        self.rest = rest;
        (digits != 0).then_some(token)
    }
}

/// Whether C's `isspace` holds.
fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | 0x0b | 0x0c | b'\r')
}

const SIGABRT: u8 = 6;
const SIGSEGV: u8 = 11;

/// The tokens of one lease.
struct StoredLease<'a> {
    hardware: &'a [u8],
    addr: IpAddr,
    name: &'a [u8],
    id: &'a [u8],
    /// The first field as a number.
    time: i64,
}

/// Reads the output of `init` or a lease file into an empty database.
///
/// # Errors
/// If there are too many leases (exit or crash), or a hardware address is not hexadecimal (crash).
pub(crate) fn read_leases(
    db: &mut LeaseDb,
    build: Build,
    config: &ServerConfig,
    text: &[u8],
    now: i64,
) -> Result<ReadResult, StartFailure> {
    let rules = *db.rules();
    let mut read = ReadResult {
        duid: None,
        packet: StalePacket::Raw(Arc::from(&b""[..])),
        name: [&config.script[..], b" init"].concat(),
    };
    let mut tokens = Tokens { rest: text };
    if rules.init_parser == InitParser::Scanf {
        while let Some(time) = tokens.next_number()
            && let (Some(hardware), Some(addr), Some(name), Some(id)) =
                (tokens.next(255), tokens.next(16), tokens.next(255), tokens.next(764))
        {
            // `%lu` saturates at 2^64 - 1, which is -1 as time_t.
            let expires = strtoul(time) as i64;
            let addr = IpAddr::V4(inet_addr(c_string(addr)));
            let stored = StoredLease { hardware, addr, name, id, time: expires };
            add_lease(db, build, config, &mut read, &stored, now)?;
        }
        return Ok(read);
    }
    while let (Some(time), Some(hardware)) = (tokens.next(255), tokens.next(255)) {
        if c_string(time) == b"duid" {
            let mut hex = hardware.to_vec();
            let parsed = parse_stored_hex(&mut hex, 130, TypePrefix::Rejected, rules.hex_syntax);
            let Some(parsed) = parsed else { break };
            hex.truncate(parsed.len);
            read.duid = Some(hex);
            read.packet = StalePacket::Raw(Arc::from(&b""[..]));
            continue;
        }
        if rules.reads_leasequery_lines && matches!(c_string(time), b"vendorclass" | b"agent-info")
        {
            tokens.next(764);
            continue;
        }
        let (Some(addr), Some(name), Some(id)) =
            (tokens.next(64), tokens.next(255), tokens.next(764))
        else {
            break;
        };
        read.packet = StalePacket::Raw(Arc::from(c_string(id)));
        let text = String::from_utf8_lossy(c_string(addr)).into_owned();
        let addr = match text.parse::<IpAddr>() {
            Ok(IpAddr::V4(_)) if limit_ends_reading(db) => break,
            Ok(addr) => addr,
            // "ignoring invalid line in lease database, bad address"
            Err(_) if rules.init_parser == InitParser::Tokens => continue,
            Err(_) => break,
        };
        let stored = StoredLease { hardware, addr, name, id, time: atol(c_string(time)) };
        add_lease(db, build, config, &mut read, &stored, now)?;
    }
    Ok(read)
}

/// Whether `lease4_allocate` returns NULL and `lease_init` takes the address for an invalid one.
fn limit_ends_reading(db: &LeaseDb) -> bool {
    db.leases_left() == 0 && db.rules().stored_lease_limit == StoredLeaseLimit::EndsReading
}

/// Adds one lease to the database.
fn add_lease(
    db: &mut LeaseDb,
    build: Build,
    config: &ServerConfig,
    read: &mut ReadResult,
    stored: &StoredLease<'_>,
    now: i64,
) -> Result<(), StartFailure> {
    let rules = *db.rules();
    let (addr, expires) = (stored.addr, stored.time);
    let mut id = c_string(stored.id).to_vec();
    let mut hardware = c_string(stored.hardware).to_vec();
    let too_many = || match rules.stored_lease_limit {
        StoredLeaseLimit::Crashes => StartFailure::Crash { signal: SIGSEGV },
        StoredLeaseLimit::Exits | StoredLeaseLimit::EndsReading => {
            StartFailure::exit(&rules, 5, "too many stored leases".to_owned())
        }
    };
    let (slot, hw) = match addr {
        IpAddr::V4(_) => {
            let slot = db.allocate(addr, LeaseKind::V4);
            let parsed =
                parse_stored_hex(&mut hardware, CHADDR_MAX, TypePrefix::Allowed, rules.hex_syntax);
            let Some(hex) = parsed else {
                return Err(slot.map_or_else(too_many, |_| StartFailure::Crash { signal: SIGABRT }));
            };
            let kind = if hex.kind == 0 && hex.len != 0 { ETHER } else { hex.kind };
            (slot, HwAddr::new(kind, &hardware[..hex.len]))
        }
        IpAddr::V6(_) => {
            let (kind, iaid) = IaKind::split_iaid(&hardware);
            let slot = db.allocate(addr, LeaseKind::V6(kind));
            if let Some(slot) = slot {
                db.set_iaid(slot, strtoul(iaid) as u32);
            }
            (slot, HwAddr::new(0, &[]))
        }
    };
    let slot = slot.ok_or_else(too_many)?;
    let mut clid = None;
    let mut bad_id = false;
    if id != b"*" {
        match parse_stored_hex(&mut id, 255, TypePrefix::Rejected, rules.hex_syntax) {
            Some(hex) => clid = Some(Arc::from(&id[..hex.len])),
            // Length -1: the flag is set, then the allocation fails and the client identifier is dropped.
            None => bad_id = true,
        }
        read.packet = StalePacket::Raw(Arc::from(&id[..]));
    }
    db.set_hwaddr(slot, &hw, clid.as_ref());
    if bad_id {
        db.flag(slot, Flags::AUX_CHANGED);
    }
    let name = c_string(stored.name);
    read.name = name.to_vec();
    if name != b"*" {
        let mut name = name.to_vec();
        if rules.stored_star_is_blank {
            name.iter_mut().filter(|byte| **byte == b'*').for_each(|byte| *byte = b' ');
        }
        let domain = config.domain_of(addr).filter(|_| rules.domains_while_reading);
        db.set_hostname(slot, &name, false, domain);
    }
    match build {
        Build::NoRtc => {
            db.put_expires(slot, if expires == 0 { 0 } else { expires.wrapping_add(now) });
            db.get_mut(slot).length = expires as u32;
        }
        Build::Rtc => db.put_expires(slot, expires),
    }
    db.clear_read_flags(slot);
    Ok(())
}

/// glibc's `inet_addr`: 1 to 4 numbers in any base; 255.255.255.255 for anything else.
fn inet_addr(text: &[u8]) -> Ipv4Addr {
    let parse = || -> Option<u32> {
        let text = std::str::from_utf8(text).ok()?;
        let parts: Vec<&str> = text.split('.').collect();
        let (last, first) = parts.split_last().filter(|_| parts.len() <= 4)?;
        let number = |part: &str| match part.as_bytes() {
            [b'0', b'x' | b'X', rest @ ..] if !rest.is_empty() => {
                u32::from_str_radix(&part[2..], 16).ok()
            }
            [b'0', _, ..] => u32::from_str_radix(part, 8).ok(),
            [b'0'..=b'9', ..] => part.parse().ok(),
            _ => None,
        };
        let mut addr = 0u32;
        for (at, part) in first.iter().enumerate() {
            addr |= number(part).filter(|n| *n <= 255)? << (24 - 8 * at);
        }
        let rest = number(last)?;
        let limit = u64::from(u32::MAX) >> (8 * first.len());
        (u64::from(rest) <= limit).then_some(addr | rest)
    };
    Ipv4Addr::from_bits(parse().unwrap_or(u32::MAX))
}

/// glibc's `atol`: saturates, and is 0 if there is no number.
pub(crate) fn atol(text: &[u8]) -> i64 {
    let (negative, digits) = signed(text);
    let mut value: i64 = 0;
    for digit in digits {
        let digit = i64::from(digit - b'0');
        let next = value
            .checked_mul(10)
            .and_then(|v| if negative { v.checked_sub(digit) } else { v.checked_add(digit) });
        match next {
            Some(next) => value = next,
            None => return if negative { i64::MIN } else { i64::MAX },
        }
    }
    value
}

/// glibc's `strtoul` in base 10.
pub(crate) fn strtoul(text: &[u8]) -> u64 {
    let (negative, digits) = signed(text);
    let mut value: u64 = 0;
    for digit in digits {
        match value.checked_mul(10).and_then(|v| v.checked_add(u64::from(digit - b'0'))) {
            Some(next) => value = next,
            None => return u64::MAX,
        }
    }
    if negative { value.wrapping_neg() } else { value }
}

fn signed(text: &[u8]) -> (bool, impl Iterator<Item = u8>) {
    let (negative, rest) = match text.split_first() {
        Some((b'-', rest)) => (true, rest),
        Some((b'+', rest)) => (false, rest),
        _ => (false, text),
    };
    (negative, rest.iter().copied().take_while(u8::is_ascii_digit))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_parsed_as_by_the_c_library() {
        assert_eq!(atol(b"notanumber"), 0);
        assert_eq!(atol(b"0x10"), 0);
        assert_eq!(atol(b"12.9"), 12);
        assert_eq!(atol(b"+300"), 300);
        assert_eq!(atol(b"-5"), -5);
        assert_eq!(atol(b"99999999999999999999"), i64::MAX);
        assert_eq!(strtoul(b"00:03"), 0);
        assert_eq!(strtoul(b"-1"), u64::MAX);
    }

    #[test]
    fn tokens_longer_than_their_field_are_split() {
        let mut tokens = Tokens { rest: b"abcdef g" };
        assert_eq!(tokens.next(4), Some(&b"abcd"[..]));
        assert_eq!(tokens.next(4), Some(&b"ef"[..]));
        assert_eq!(tokens.next(4), Some(&b"g"[..]));
        assert_eq!(tokens.next(4), None);
    }
}
