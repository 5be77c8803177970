//! What dnsmasq makes of the output of `init`, with the place of each lease in it (lease.c `read_leases`).

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::ops::Range;

use super::hex::hex_text;
use super::hw_addr::{CHADDR_MAX, ETHER, HwAddr};
use super::ia_kind::IaKind;
use super::init::StartFailure;
use super::lease_line::{LeaseLine, duid_line};
use super::names::c_string;
use super::parse_hex::{TypePrefix, parse_hex};
use super::read::{Tokens, atol, strtoul};

/// A lease or the server's DUID that dnsmasq reads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReadLine {
    /// The line with which dnsmasq itself would write it.
    pub line: Vec<u8>,
    /// The place of its words.
    pub span: Range<usize>,
}

/// Reads the output of `init` as dnsmasq does: words instead of lines.
///
/// # Errors
/// If dnsmasq crashes.
pub fn read_lines(text: &[u8]) -> Result<Vec<ReadLine>, StartFailure> {
    let mut tokens = Tokens::new(text);
    let mut lines = Vec::new();
    loop {
        tokens.skip_blanks();
        let start = text.len() - tokens.rest().len();
        let (Some(time), Some(id)) = (tokens.next(255), tokens.next(255)) else { break };
        let mut push = |line, rest: &[u8]| {
            lines.push(ReadLine { line, span: start..text.len() - rest.len() });
        };
        let (time, mut id) = (c_string(time), c_string(id).to_vec());
        if time == b"duid" {
            let Some(hex) = parse_hex(&mut id, 130, TypePrefix::Rejected) else { break };
            push(duid_line(hex_text(&id[..hex.len]).as_bytes()), tokens.rest());
            continue;
        }
        let (Some(addr), Some(name), Some(clid)) =
            (tokens.next(64), tokens.next(255), tokens.next(764))
        else {
            break;
        };
        let addr = String::from_utf8_lossy(c_string(addr)).into_owned();
        let (addr, id) = if let Ok(addr) = addr.parse::<Ipv4Addr>() {
            let Some(hex) = parse_hex(&mut id, CHADDR_MAX, TypePrefix::Allowed) else {
                return Err(StartFailure::Crash { signal: 6 });
            };
            let kind = if hex.kind == 0 && hex.len != 0 { ETHER } else { hex.kind };
            (IpAddr::V4(addr), HwAddr::new(kind, &id[..hex.len]).text())
        } else if let Ok(addr) = addr.parse::<Ipv6Addr>() {
            let (kind, iaid) = IaKind::split_iaid(&id);
            (IpAddr::V6(addr), kind.iaid_text(strtoul(iaid) as u32))
        } else {
            // "ignoring invalid line in lease database, bad address"
            continue;
        };
        let mut clid = c_string(clid).to_vec();
        let clid = match parse_hex(&mut clid, 255, TypePrefix::Rejected) {
            Some(hex) if c_string(&clid) != b"*" => hex_text(&clid[..hex.len]),
            _ => String::new(),
        };
        let (time, addr) = (atol(time).to_string(), addr.to_string());
        let line = LeaseLine {
            time: time.as_bytes(),
            id: id.as_bytes(),
            address: addr.as_bytes(),
            hostname: c_string(name),
            client_id: LeaseLine::or_none(clid.as_bytes()),
        };
        push(line.to_bytes(), tokens.rest());
    }
    Ok(lines)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(text: &str) -> Vec<(String, String)> {
        let place = |span: Range<usize>| text[span].to_owned();
        let read = read_lines(text.as_bytes()).expect("dnsmasq survives");
        let text = |line: Vec<u8>| String::from_utf8(line).expect("text");
        read.into_iter().map(|read| (text(read.line), place(read.span))).collect()
    }

    #[test]
    fn blank_lines_blanks_and_a_missing_newline_do_not_matter() {
        let text = "\n  300 02:AA:00:00:00:01\t10.0.0.1 * *\r\n\n0 5 fd00::1 six 00:03";
        let read = lines(text);
        assert_eq!(read[0].0, "300 02:aa:00:00:00:01 10.0.0.1 * *");
        assert_eq!(read[1].0, "0 5 fd00::1 six 00:03");
        assert_eq!(read[1].1, "0 5 fd00::1 six 00:03");
    }

    #[test]
    fn a_word_too_many_shifts_what_follows() {
        let read = lines("hello\n300 02:aa 10.0.0.1 a *\n300 02:ab 10.0.0.2 b *\n");
        assert!(read.iter().all(|(line, _)| !line.contains(" 10.0.0.1 ")), "{read:?}");
    }

    #[test]
    fn a_line_of_five_words_without_an_address_is_skipped() {
        let read = lines("lease script version 3 ready\n300 02:aa 10.0.0.1 a *\n");
        assert_eq!(read.len(), 1);
    }

    #[test]
    fn a_hardware_address_that_is_not_hexadecimal_crashes_dnsmasq() {
        assert!(read_lines(b"300 nothex 10.0.0.1 a *\n").is_err());
    }
}
