//! The leases that dnsmasq reads from the output of `init`, and the place of each in the output (lease.c
//! `read_leases`).

use std::net::IpAddr;
use std::ops::Range;

use super::c_numbers::{atol, strtoul};
use super::hex::hex_text;
use super::hw_addr::{CHADDR_MAX, ETHER, HwAddr};
use super::ia_kind::IaKind;
use super::init::StartFailure;
use super::lease_line::{LeaseLine, duid_line};
use super::names::c_string;
use super::parse_hex::{TypePrefix, parse_stored_hex};
use super::release::Release;
use super::rules::{InitParser, Rules};
use super::tokens::Tokens;

/// A lease or the server's DUID that dnsmasq reads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReadLine {
    /// The line that dnsmasq itself would write for it.
    pub line: Vec<u8>,
    /// The byte range of its words in the output.
    pub span: Range<usize>,
}

/// Reads the output of `init` as a release of dnsmasq does: as words, not as lines.
///
/// # Errors
/// Returns an error if dnsmasq crashes.
pub fn read_lines(text: &[u8], release: Release) -> Result<Vec<ReadLine>, StartFailure> {
    let rules = Rules::of(release);
    let mut tokens = Tokens::new(text);
    let mut lines = Vec::new();
    loop {
        tokens.skip_whitespace();
        let start = text.len() - tokens.rest().len();
        let words = if rules.init_parser == InitParser::Scanf {
            scanned_words(&mut tokens)
        } else {
            match next_words(&mut tokens, &rules) {
                Words::Lease(words) => Some(words),
                Words::Duid(duid) => {
                    let span = start..text.len() - tokens.rest().len();
                    lines.push(ReadLine { line: duid_line(hex_text(&duid).as_bytes()), span });
                    continue;
                }
                Words::Skipped => continue,
                Words::End => None,
            }
        };
        let Some(words) = words else { break };
        let Some(line) = lease_line(&words, &rules)? else {
            // "ignoring invalid line in lease database, bad address"
            if rules.init_parser == InitParser::Tokens {
                continue;
            }
            break;
        };
        lines.push(ReadLine { line, span: start..text.len() - tokens.rest().len() });
    }
    Ok(lines)
}

/// The five words of a lease.
struct LeaseWords<'a> {
    time: &'a [u8],
    id: &'a [u8],
    addr: &'a [u8],
    name: &'a [u8],
    clid: &'a [u8],
}

enum Words<'a> {
    Lease(LeaseWords<'a>),
    Duid(Vec<u8>),
    Skipped,
    End,
}

/// Reads the words of a lease like the `scanf` call of releases without DHCPv6.
fn scanned_words<'a>(tokens: &mut Tokens<'a>) -> Option<LeaseWords<'a>> {
    let time = tokens.next_number()?;
    let (id, addr) = (tokens.next(255)?, tokens.next(16)?);
    Some(LeaseWords { time, id, addr, name: tokens.next(255)?, clid: tokens.next(764)? })
}

fn next_words<'a>(tokens: &mut Tokens<'a>, rules: &Rules) -> Words<'a> {
    let (Some(time), Some(id)) = (tokens.next(255), tokens.next(255)) else { return Words::End };
    if c_string(time) == b"duid" {
        let mut duid = id.to_vec();
        let parsed = parse_stored_hex(&mut duid, 130, TypePrefix::Rejected, rules.hex_syntax);
        let Some(hex) = parsed else { return Words::End };
        duid.truncate(hex.len);
        return Words::Duid(duid);
    }
    if rules.reads_leasequery_lines && matches!(c_string(time), b"vendorclass" | b"agent-info") {
        tokens.next(764);
        return Words::Skipped;
    }
    match (tokens.next(64), tokens.next(255), tokens.next(764)) {
        (Some(addr), Some(name), Some(clid)) => {
            Words::Lease(LeaseWords { time, id, addr, name, clid })
        }
        _ => Words::End,
    }
}

/// Returns the line that dnsmasq itself would write for a lease, or `None` if the address is invalid.
fn lease_line(words: &LeaseWords<'_>, rules: &Rules) -> Result<Option<Vec<u8>>, StartFailure> {
    let mut id = c_string(words.id).to_vec();
    let (addr, id) = match String::from_utf8_lossy(c_string(words.addr)).parse() {
        Err(_) => return Ok(None),
        Ok(IpAddr::V4(addr)) => {
            let parsed =
                parse_stored_hex(&mut id, CHADDR_MAX, TypePrefix::Allowed, rules.hex_syntax);
            let Some(hex) = parsed else { return Err(StartFailure::ABORT) };
            let kind = if hex.kind == 0 && hex.len != 0 { ETHER } else { hex.kind };
            (addr.to_string(), HwAddr::new(kind, &id[..hex.len]).text())
        }
        Ok(IpAddr::V6(addr)) => {
            let (kind, iaid) = IaKind::split_iaid(&id);
            (addr.to_string(), kind.iaid_text(strtoul(iaid) as u32))
        }
    };
    let mut clid = c_string(words.clid).to_vec();
    let clid = if clid == b"*" {
        String::new()
    } else {
        let parsed = parse_stored_hex(&mut clid, 255, TypePrefix::Rejected, rules.hex_syntax);
        parsed.map(|hex| hex_text(&clid[..hex.len])).unwrap_or_default()
    };
    let time = match rules.init_parser {
        // `%lu` saturates at 2^64 - 1, which is -1 as time_t.
        InitParser::Scanf => strtoul(words.time) as i64,
        _ => atol(c_string(words.time)),
    };
    let time = time.to_string();
    let line = LeaseLine {
        time: time.as_bytes(),
        id: id.as_bytes(),
        address: addr.as_bytes(),
        hostname: c_string(words.name),
        client_id: LeaseLine::or_none(clid.as_bytes()),
    };
    Ok(Some(line.to_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(text: &str) -> Vec<(String, String)> {
        let place = |span: Range<usize>| text[span].to_owned();
        let read = read_lines(text.as_bytes(), Release::NEWEST).expect("dnsmasq survives");
        let text = |line: Vec<u8>| String::from_utf8(line).expect("text");
        read.into_iter().map(|read| (text(read.line), place(read.span))).collect()
    }

    #[test]
    fn empty_lines_whitespace_and_a_missing_newline_are_ignored() {
        let text = "\n  300 02:AA:00:00:00:01\t10.0.0.1 * *\r\n\n0 5 fd00::1 six 00:03";
        let read = lines(text);
        assert_eq!(read[0].0, "300 02:aa:00:00:00:01 10.0.0.1 * *");
        assert_eq!(read[1].0, "0 5 fd00::1 six 00:03");
        assert_eq!(read[1].1, "0 5 fd00::1 six 00:03");
    }

    #[test]
    fn an_extra_word_shifts_the_fields_that_follow() {
        let read = lines("hello\n300 02:aa 10.0.0.1 a *\n300 02:ab 10.0.0.2 b *\n");
        assert!(read.iter().all(|(line, _)| !line.contains(" 10.0.0.1 ")), "{read:?}");
    }

    #[test]
    fn a_line_of_five_words_without_an_address_is_skipped() {
        let text = "lease script version 3 ready\n300 02:aa 10.0.0.1 a *\n";
        assert_eq!(lines(text).len(), 1);
        for release in ["2.55", "2.80"] {
            let release: Release = release.parse().expect("a release");
            assert_eq!(read_lines(text.as_bytes(), release), Ok(Vec::new()), "reading ends");
        }
    }

    #[test]
    fn scanf_and_atol_saturate_at_different_times() {
        let text = b"99999999999999999999 02:aa:00:00:00:01 10.0.0.1 * *\n";
        for (release, time) in [("2.55", "-1"), ("2.80", "9223372036854775807")] {
            let read = read_lines(text, release.parse().expect("a release")).expect("it survives");
            assert!(read[0].line.starts_with(time.as_bytes()), "{release}: {read:?}");
        }
    }

    #[test]
    fn a_hardware_address_that_is_not_hexadecimal_crashes_dnsmasq() {
        let text = b"300 nothex 10.0.0.1 a *\n";
        assert!(read_lines(text, Release::NEWEST).is_err());
        let old: Release = "2.55".parse().expect("a release");
        assert_eq!(read_lines(text, old).expect("it survives").len(), 1);
    }
}
