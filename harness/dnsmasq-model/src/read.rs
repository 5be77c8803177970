//! `read_leases` of lease.c, which reads tokens of limited width instead of lines.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::Arc;

use super::call::StalePacket;
use super::clock::Build;
use super::db::LeaseDb;
use super::hw_addr::{CHADDR_MAX, ETHER, HwAddr};
use super::ia_kind::IaKind;
use super::init::StartFailure;
use super::lease::{Flags, LeaseKind};
use super::names::c_string;
use super::parse_hex::{TypePrefix, parse_hex};

/// The results of `read_leases` besides the leases.
#[derive(Debug)]
pub(crate) struct ReadResult {
    /// The server's DUID, if the text has a `duid` line.
    pub(crate) duid: Option<Vec<u8>>,
    /// The contents of the packet buffer.
    pub(crate) packet: StalePacket,
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
        let is_blank = |b: &u8| b.is_ascii_whitespace() || *b == 0x0b;
        self.rest = &self.rest[self.rest.iter().take_while(|b| is_blank(b)).count()..];
    }

    pub(crate) fn next(&mut self, width: usize) -> Option<&'a [u8]> {
        let blank = |b: &u8| matches!(b, b' ' | b'\t' | b'\n' | 0x0b | 0x0c | b'\r');
        let start = self.rest.iter().position(|b| !blank(b))?;
        let rest = &self.rest[start..];
        let end = rest.iter().position(blank).unwrap_or(rest.len()).min(width);
        let (token, rest) = rest.split_at(end);
        self.rest = rest;
        Some(token)
    }
}

/// Reads the output of `init` or a lease file into an empty database.
///
/// # Errors
/// If there are too many leases (exit code 5), or a hardware address is not hexadecimal (crash).
pub(crate) fn read_leases(
    db: &mut LeaseDb,
    build: Build,
    text: &[u8],
    now: i64,
) -> Result<ReadResult, StartFailure> {
    let mut tokens = Tokens { rest: text };
    let mut read = ReadResult { duid: None, packet: StalePacket::Raw(Arc::from(&b""[..])) };
    while let (Some(time), Some(hardware)) = (tokens.next(255), tokens.next(255)) {
        if c_string(time) == b"duid" {
            let mut hex = hardware.to_vec();
            let Some(parsed) = parse_hex(&mut hex, 130, TypePrefix::Rejected) else { break };
            hex.truncate(parsed.len);
            read.duid = Some(hex);
            read.packet = StalePacket::Raw(Arc::from(&b""[..]));
            continue;
        }
        let (Some(addr), Some(name), Some(id)) =
            (tokens.next(64), tokens.next(255), tokens.next(764))
        else {
            break;
        };
        let mut id = c_string(id).to_vec();
        read.packet = StalePacket::Raw(Arc::from(&id[..]));
        let addr = String::from_utf8_lossy(c_string(addr)).into_owned();
        let mut hardware = c_string(hardware).to_vec();
        let too_many =
            || StartFailure::Exit { code: 5, message: "too many stored leases".to_owned() };
        let (slot, hw) = if let Ok(addr) = addr.parse::<Ipv4Addr>() {
            let slot = db.allocate(IpAddr::V4(addr), LeaseKind::V4);
            let Some(hex) = parse_hex(&mut hardware, CHADDR_MAX, TypePrefix::Allowed) else {
                return Err(slot.map_or_else(too_many, |_| StartFailure::Crash { signal: 6 }));
            };
            let kind = if hex.kind == 0 && hex.len != 0 { ETHER } else { hex.kind };
            (slot, HwAddr::new(kind, &hardware[..hex.len]))
        } else if let Ok(addr) = addr.parse::<Ipv6Addr>() {
            let (kind, iaid) = IaKind::split_iaid(&hardware);
            let slot = db.allocate(IpAddr::V6(addr), LeaseKind::V6(kind));
            if let Some(slot) = slot {
                db.set_iaid(slot, strtoul(iaid) as u32);
            }
            (slot, HwAddr::new(0, &[]))
        } else {
            // "ignoring invalid line in lease database, bad address"
            continue;
        };
        let slot = slot.ok_or_else(too_many)?;
        let mut clid = None;
        let mut bad_id = false;
        if id != b"*" {
            match parse_hex(&mut id, 255, TypePrefix::Rejected) {
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
        if c_string(name) != b"*" {
            db.set_hostname(slot, c_string(name), false, None);
        }
        let number = atol(c_string(time));
        match build {
            Build::NoRtc => {
                db.put_expires(slot, if number == 0 { 0 } else { number.wrapping_add(now) });
                db.get_mut(slot).length = number as u32;
            }
            Build::Rtc => db.put_expires(slot, number),
        }
        db.clear_read_flags(slot);
    }
    Ok(read)
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
