//! Conversion between lines of dnsmasq and declarations of dhcpd, without loss.
//!
//! | dnsmasq | DHCPv4: `lease ADDRESS` | DHCPv6: `ia-na` or `ia-ta`, `iaaddr ADDRESS` |
//! |---|---|---|
//! | expiry | `ends` | `ends` |
//! | expiry from 2038 on | `ends never`, `set dnsmasq-expires = "N"` | the same |
//! | infinite | `ends never` | `ends never` |
//! | length (`HAVE_BROKEN_RTC`) | no `ends`, `set dnsmasq-length = "N"` | `ends epoch 0`, the same variable |
//! | hardware address | `hardware` | |
//! | host name | `client-hostname` where dhcpd keeps it, else `set dnsmasq-host` | `set dnsmasq-host` |
//! | client-id | `uid` | |
//! | IAID, DUID | | the identifier of the block |
//!
//! The end of a lease does not follow from its length, so no end is written: dhcpd treats such a lease as expired, and gives the
//! address to the same client again.

use std::net::{Ipv4Addr, Ipv6Addr};

use crate::address::Address;
use crate::record::{Client, Record};
use lease_formats::dhcpd::{Date, Hardware, IaKind, keeps_hostname, put_string};
use lease_formats::exchange::dnsmasq_line::{
    hardware_text, iaid_text, lease_line, parse_hardware, parse_iaid, server_duid_line,
};
use lease_formats::hex;
use lease_journal::{Block, Subject};

const LENGTH: &str = "dnsmasq-length";
const EXPIRES: &str = "dnsmasq-expires";
const HOST: &str = "dnsmasq-host";
const HARDWARE: &str = "dnsmasq-hardware";

/// A line for dnsmasq, and whether its time is a length.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Line {
    pub(super) text: Vec<u8>,
    pub(super) is_length: bool,
}

/// Why there is no line for a declaration.
pub(super) type NoLine = &'static str;

/// Appends a statement.
fn put(out: &mut Vec<u8>, indent: &str, name: &str, value: &[u8]) {
    out.extend_from_slice(&[indent.as_bytes(), name.as_bytes(), b" ", value, b";\n"].concat());
}

/// Appends a statement with a string.
fn put_text(out: &mut Vec<u8>, indent: &str, name: &str, value: &[u8]) {
    let mut text = Vec::new();
    put_string(&mut text, value);
    put(out, indent, name, &text);
}

/// Appends a variable.
fn set(out: &mut Vec<u8>, indent: &str, name: &str, value: &[u8]) {
    put_text(out, indent, &["set ", name, " ="].concat(), value);
}

/// The end of a lease, and the variable for a time that cannot be written as such.
fn split_time(time: u64, is_length: bool) -> (Date, Option<&'static str>) {
    let date = i64::try_from(time).ok().map(Date);
    match date.filter(|date| !date.is_never() && date.fits_dhcpd()) {
        _ if time == 0 => (Date::NEVER, None),
        _ if is_length => (Date::ABSENT, Some(LENGTH)),
        Some(date) => (date, None),
        None => (Date::NEVER, Some(EXPIRES)),
    }
}

fn time(block: Block<'_>) -> Result<(Vec<u8>, bool), NoLine> {
    if let Some(length) = block.variable(LENGTH) {
        return Ok((length, true));
    }
    if let Some(expires) = block.variable(EXPIRES) {
        return Ok((expires, false));
    }
    let ends = block.ends();
    if ends.is_never() {
        Ok((b"0".to_vec(), false))
    } else if ends.0 > 0 {
        Ok((ends.0.to_string().into_bytes(), false))
    } else {
        Err("it has no end")
    }
}

/// Decodes text that [`Record::parse`] accepted.
fn unhex(text: &[u8]) -> Vec<u8> {
    hex::decode(text).unwrap_or_default()
}

fn hardware(text: &[u8]) -> Hardware {
    parse_hardware(text).flatten().unwrap_or_default()
}

fn text_of(hardware: &Hardware) -> Vec<u8> {
    hardware_text(hardware.kind, &hardware.bytes)
}

/// The statements of a DHCPv4 lease.
pub(super) fn lease(record: &Record<'_>, is_length: bool) -> Vec<u8> {
    let mut body = Vec::new();
    let (ends, time_variable) = split_time(record.time, is_length);
    if !ends.is_absent() {
        put_ends(&mut body, "  ", ends);
    }
    body.extend_from_slice(
        b"  binding state active;\n  next binding state free;\n  rewind binding state free;\n",
    );
    let mut other_hardware = None;
    let mut uid = None;
    if let Client::V4 { hardware: text, client_id } = record.client {
        let parsed = hardware(text);
        put(&mut body, "  ", "hardware", parsed.to_string().as_bytes());
        other_hardware = (text_of(&parsed) != text).then_some(text);
        uid = (client_id != b"*").then(|| unhex(client_id));
    }
    if let Some(uid) = uid {
        put_text(&mut body, "  ", "uid", &uid);
    }
    if let Some(name) = time_variable {
        set(&mut body, "  ", name, record.time.to_string().as_bytes());
    }
    if let Some(text) = other_hardware {
        set(&mut body, "  ", HARDWARE, text);
    }
    if record.host != b"*" {
        if keeps_hostname(record.host) {
            put_text(&mut body, "  ", "client-hostname", record.host);
        } else {
            set(&mut body, "  ", HOST, record.host);
        }
    }
    body
}

fn put_ends(body: &mut Vec<u8>, indent: &str, ends: Date) {
    let mut text = Vec::new();
    ends.write(&mut text);
    put(body, indent, "ends", &text);
}

/// The statements of a free address.
pub(super) fn free() -> Vec<u8> {
    b"  binding state free;\n".to_vec()
}

fn host(found: Option<&[u8]>) -> &[u8] {
    // Journals of other programs may contain names that dnsmasq does not read as one word.
    let word = |name: &&[u8]| crate::record::is_host(name);
    found.filter(word).unwrap_or(b"*")
}

/// The line of a DHCPv4 lease; `None` if it is not active.
pub(super) fn of_lease(address: Ipv4Addr, block: Block<'_>) -> Option<Result<Line, NoLine>> {
    block.is_active().then(|| {
        let (time, is_length) = time(block)?;
        let hardware = block
            .variable(HARDWARE)
            .unwrap_or_else(|| text_of(&block.hardware().unwrap_or_default()));
        let name = block.variable(HOST).or_else(|| block.hostname());
        let uid = block.uid().filter(|uid| !uid.is_empty());
        let id = uid.map_or_else(|| b"*".to_vec(), |uid| hex::encode(&uid));
        let text = lease_line(&time, &hardware, &address.to_string(), host(name.as_deref()), &id);
        Ok(Line { text, is_length })
    })
}

/// The identity association of a DHCPv6 lease.
pub(super) fn association(record: &Record<'_>) -> Option<Subject> {
    let Client::V6 { iaid, duid } = record.client else { return None };
    let (kind, number) = parse_iaid(iaid)?;
    // dhcpd stores the number in its own byte order; journals of this program are little-endian.
    Some(Subject::Association(kind, [&number.to_le_bytes()[..], &unhex(duid)].concat()))
}

/// The address of a DHCPv6 lease, as a statement of its association.
pub(super) fn ia_address(address: Ipv6Addr, record: &Record<'_>, is_length: bool) -> Vec<u8> {
    // Lifetimes are known only for lengths and infinite leases.
    let life = match (record.time, is_length) {
        (0, _) => u32::MAX,
        (length, true) => u32::try_from(length).unwrap_or(u32::MAX),
        _ => 0,
    };
    let (ends, time_variable) = split_time(record.time, is_length);
    let mut text = format!(
        "  iaaddr {address} {{\n    binding state active;\n    preferred-life {life};\n    max-life {life};\n"
    )
    .into_bytes();
    put_ends(&mut text, "    ", ends);
    if let Some(name) = time_variable {
        set(&mut text, "    ", name, record.time.to_string().as_bytes());
    }
    if record.host != b"*" {
        set(&mut text, "    ", HOST, record.host);
    }
    text.extend_from_slice(b"  }\n");
    text
}

/// The line of a DHCPv6 lease; `None` if it is not active, and for prefixes, which dnsmasq does not lease.
pub(super) fn of_ia_address(
    kind: IaKind,
    id: &[u8],
    address: Ipv6Addr,
    block: Block<'_>,
) -> Option<Result<Line, NoLine>> {
    (block.is_active() && kind != IaKind::Prefix).then(|| {
        let (time, is_length) = time(block)?;
        let (number, duid) = id.split_first_chunk().ok_or("its identifier is too short")?;
        let iaid = iaid_text(kind, u32::from_le_bytes(*number)).unwrap_or_default();
        let name = block.variable(HOST);
        let (address, duid) = (address.to_string(), hex::encode(duid));
        let text = lease_line(&time, iaid.as_bytes(), &address, host(name.as_deref()), &duid);
        Ok(Line { text, is_length })
    })
}

/// The line with the DUID of the server.
pub(super) fn of_server_duid(duid: &[u8]) -> Vec<u8> {
    server_duid_line(duid)
}

/// The DUID in such a line.
pub(super) fn server_duid(line: &[u8]) -> Vec<u8> {
    unhex(line.strip_prefix(b"duid ").unwrap_or_default())
}

/// Parses the line of a lease.
pub(super) fn record<'a>(address: Address, text: &[u8], line: &'a [u8]) -> Option<Record<'a>> {
    Record::parse(address, text, line).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use lease_formats::dhcpd::{Family, Options, Reading, View, read_bytes, write_ia, write_lease};
    use lease_journal::Record as JournalRecord;
    use rstest::rstest;

    fn text_of(subject: Subject, body: Vec<u8>) -> String {
        let record = JournalRecord::new(subject, body).expect("short");
        String::from_utf8(record.text().to_vec()).expect("ASCII")
    }

    /// dhcpd reads a record without a problem, and would write the same text.
    fn dhcpd_reads(text: &str, family: Family) -> Reading {
        let file = format!("authoring-byte-order little-endian;\n{text}");
        let mut options = Options::new(View::Text, 0);
        options.family = Some(family);
        let read = read_bytes(file.as_bytes(), &options);
        let far = |message: &str| message.contains("2038");
        let problem = read.diagnostics.iter().find(|one| !far(&one.message));
        assert_eq!(problem.map(ToString::to_string), None, "{text}");
        read
    }

    #[rstest]
    #[case("1700003600 02:aa:00:00:00:0a 192.168.1.10 laptop 01:02:aa:00:00:00:0a")]
    #[case("0 02:aa:00:00:00:0a 192.168.1.10 * *")]
    #[case("2147483646 20-02:aa 192.168.1.10 * ff")]
    #[case("2147483647 06- 192.168.1.10 * *")]
    #[case("9999999999 01- 192.168.1.10 with-\u{e9}t\u{e9} 00")]
    #[case("1 01-02:aa 192.168.1.10 quo\"te\\ 00")]
    #[case("2145916800 02:aa 192.168.1.10 {};# 00")]
    fn a_dhcpv4_line_is_read_back_unchanged(
        #[case] line: &str,
        #[values(false, true)] is_length: bool,
    ) {
        let address = Ipv4Addr::new(192, 168, 1, 10);
        let parsed = record(Address::V4(address), b"192.168.1.10", line.as_bytes()).expect(line);
        let body = lease(&parsed, is_length);
        let back = of_lease(address, Block::new(&body)).expect("active").expect("a line");
        assert_eq!(String::from_utf8_lossy(&back.text), line);
        assert_eq!(back.is_length, is_length && !line.starts_with("0 "));
        let text = text_of(Subject::Lease(address), body);
        let read = dhcpd_reads(&text, Family::V4);
        let mut written = Vec::new();
        write_lease(&mut written, &read.leases().next().expect("one")).expect("readable");
        assert_eq!(String::from_utf8_lossy(&written), text);
    }

    #[rstest]
    #[case("1700003600 1 fd77::1 laptop 00:01:02")]
    #[case("0 T4294967295 fd77::1 * 00:03:00:01:02:aa:00:00:00:01")]
    #[case("9999999999 0 fd77::1 n\"\\ ff:ff")]
    fn a_dhcpv6_line_is_read_back_unchanged(
        #[case] line: &str,
        #[values(false, true)] is_length: bool,
    ) {
        let address: Ipv6Addr = "fd77::1".parse().expect("an address");
        let parsed = record(Address::V6(address), b"fd77::1", line.as_bytes()).expect(line);
        let subject = association(&parsed).expect("an association");
        let Subject::Association(kind, id) = &subject else { panic!("{subject:?}") };
        let body = ia_address(address, &parsed, is_length);
        let (_, block) = Block::new(&body).addresses().next().expect("one");
        let back = of_ia_address(*kind, id, address, block).expect("active").expect("a line");
        assert_eq!(String::from_utf8_lossy(&back.text), line);
        let text = text_of(subject, body);
        let read = dhcpd_reads(&text, Family::V6);
        let mut written = Vec::new();
        write_ia(&mut written, read.ias().next().expect("one")).expect("readable");
        assert_eq!(String::from_utf8_lossy(&written), text);
    }
}
