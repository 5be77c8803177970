//! The state file of OpenWrt's odhcpd (`dhcpv6_ia_write_statefile` of its dhcpv6-ia.c). For each lease, it has a line with
//! all data after `#`, and lines for the hosts file that repeat its addresses and names.
//!
//! ```text
//! # INTERFACE DUID IAID NAME TIME ASSIGNED LENGTH ADDRESS/LENGTH…
//! # INTERFACE MAC ipv4 NAME TIME ASSIGNED 32 ADDRESS/32
//! ```
//!
//! Since 2026 (`statefiles_write_state4` of its statefiles.c), the MAC has colons and no leading zeros, and bytes of a name
//! that are not allowed in host names are written as `\xHH`.

use std::io::{self, BufRead};
use std::net::{IpAddr, Ipv6Addr};

use super::database::{Binding, active, active6};
use super::further::Field;
use super::lines::{Effect, Line, Lines, Problem, Read};
use crate::dhcpd::{BindingState, Date, Hardware, IaKind};
use crate::hex;

/// The prefix of a name that another client has, or that is invalid.
const BROKEN: &[u8] = b"broken\\x20";

/// Reads a state file.
///
/// # Errors
/// If the source cannot be read, or exceeds the limits of this crate.
pub fn read(source: impl BufRead) -> io::Result<Read> {
    let mut read = Read::default();
    let mut lines = Lines::new(source);
    let mut line = Vec::new();
    loop {
        let (number, done) = match lines.next(&mut line)? {
            Line::End => break,
            Line::TooLong(number) => (number, Err("an overlong line")),
            Line::Text(number, _) => (number, parse(&line, &mut read)),
        };
        read.check_limit(number)?;
        if let Err(message) = done {
            let message = format!("{message}: left out");
            read.add(Problem { line: number, column: 1, message, effect: Effect::LeftOut });
        }
    }
    read.keep_last();
    Ok(read)
}

fn parse(line: &[u8], read: &mut Read) -> Result<(), &'static str> {
    let words: Vec<&[u8]> =
        line.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty()).collect();
    let [first, rest @ ..] = &words[..] else { return Ok(()) };
    if *first != b"#" {
        let is_host = address(first).is_some() && !rest.is_empty();
        return if is_host { Ok(()) } else { Err("neither a lease nor a line for the hosts file") };
    }
    let [interface, client, iaid, name, time, assigned, length, addresses @ ..] = rest else {
        return Err("fewer than eight words");
    };
    let ends = match number::<i64>(time) {
        None => return Err("not a time"),
        Some(-1) => Date::NEVER,
        Some(seconds) => Date(seconds),
    };
    // odhcpd writes 0 for a lease that has ended (`INFINITE_VALID`).
    let state = if ends.is_absent() { BindingState::Expired } else { BindingState::Active };
    let broken = name.strip_prefix(BROKEN);
    let name = Some(broken.unwrap_or(name)).filter(|name| **name != *b"-").map(unescape);
    let client = bytes(client).ok_or("not a DUID or hardware address")?;
    let length: u8 = number(length).ok_or("not a prefix length")?;
    let mut fields =
        vec![Field::new("odhcpd.interface", *interface), Field::new("odhcpd.assigned", *assigned)];
    if broken.is_some() {
        fields.push(Field::new("odhcpd.broken_hostname", "1"));
    }
    if addresses.is_empty() {
        return Err("a lease that has no address at present");
    }
    for word in addresses {
        let (text, prefix) = split(word).ok_or("not an address with its length")?;
        let database = &mut read.database;
        match text {
            IpAddr::V4(address) if *iaid == b"ipv4" => {
                let mut lease = active(address);
                (lease.state, lease.ends, lease.tstp) = (state, ends, ends);
                lease.hardware = Some(Hardware { kind: 1, bytes: client.clone() });
                lease.hostname.clone_from(&name);
                database.leases.push(lease);
            }
            IpAddr::V6(address) if *iaid != b"ipv4" => {
                let text = std::str::from_utf8(iaid).ok();
                let iaid = text.and_then(|text| u32::from_str_radix(text, 16).ok());
                let held = held(address, length, prefix);
                let kind = if length == 128 { IaKind::NonTemporary } else { IaKind::Prefix };
                let mut binding = Binding {
                    kind,
                    iaid: iaid.ok_or("not an IAID")?,
                    duid: client.clone(),
                    cltt: Date::ABSENT,
                    held,
                    hostname: name.clone(),
                    hardware: None,
                };
                (binding.held.state, binding.held.ends) = (state, ends);
                database.bindings.push(binding);
            }
            _ => return Err("an address of the other protocol"),
        }
        database.further.put(text, fields.clone());
    }
    Ok(())
}

fn held(address: Ipv6Addr, length: u8, prefix: u8) -> crate::dhcpd::IaAddress {
    let mut held = active6(address);
    held.prefix_length = if length == 128 { 0 } else { prefix };
    held
}

fn address(word: &[u8]) -> Option<IpAddr> {
    std::str::from_utf8(word).ok()?.parse().ok()
}

fn split(word: &[u8]) -> Option<(IpAddr, u8)> {
    let slash = memchr::memchr(b'/', word)?;
    let length = number::<u8>(&word[slash + 1..])?;
    let address = address(&word[..slash])?;
    let most = if address.is_ipv4() { 32 } else { 128 };
    (length <= most).then_some((address, length))
}

fn number<T: std::str::FromStr>(word: &[u8]) -> Option<T> {
    std::str::from_utf8(word).ok()?.parse().ok()
}

/// Decodes `\xHH` (`statefiles_escape_hostname`).
fn unescape(name: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(name.len());
    let mut rest = name;
    while let [byte, after @ ..] = rest {
        let code = rest.strip_prefix(b"\\x").and_then(|rest| rest.get(..2)).and_then(bytes);
        out.push(code.as_ref().map_or(*byte, |code| code[0]));
        rest = if code.is_some() { &rest[4..] } else { after };
    }
    out
}

/// Decodes two digits for each byte without separators, or one or two digits for each byte with colons.
fn bytes(word: &[u8]) -> Option<Vec<u8>> {
    if word.contains(&b':') {
        return hex::decode(word);
    }
    if word.is_empty() || word.len() % 2 == 1 || word.len() > 260 {
        return None;
    }
    let text = std::str::from_utf8(word).ok().filter(|text| text.is_ascii())?;
    let pair = |at: usize| u8::from_str_radix(&text[at..at + 2], 16).ok();
    (0..text.len()).step_by(2).map(pair).collect()
}
