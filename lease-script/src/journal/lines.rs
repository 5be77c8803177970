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
use lease_formats::dhcpd::{
    BindingState, Date, Hardware, Ia, IaAddress, IaKind, Lease, SetValue, keeps_hostname,
};
use lease_formats::exchange::dnsmasq_line::{
    hardware_text, iaid_text, lease_line, parse_hardware, parse_iaid, server_duid_line,
};
use lease_formats::hex;

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

type Variables = Vec<(String, SetValue)>;

fn variable<'a>(set: &'a Variables, name: &str) -> Option<&'a [u8]> {
    set.iter().find_map(|(held, value)| match value {
        SetValue::Data(bytes) if held.eq_ignore_ascii_case(name) => Some(bytes.as_slice()),
        _ => None,
    })
}

fn put(set: &mut Variables, name: &str, value: impl Into<Vec<u8>>) {
    set.push((name.to_owned(), SetValue::Data(value.into())));
}

fn put_time(set: &mut Variables, time: u64, is_length: bool) -> Date {
    if time == 0 {
        Date::NEVER
    } else if is_length {
        put(set, LENGTH, time.to_string());
        Date::ABSENT
    } else if let Some(date) =
        i64::try_from(time).ok().map(Date).filter(|date| !date.is_never() && date.fits_dhcpd())
    {
        date
    } else {
        put(set, EXPIRES, time.to_string());
        Date::NEVER
    }
}

fn time(set: &Variables, ends: Date) -> Result<(Vec<u8>, bool), NoLine> {
    if let Some(length) = variable(set, LENGTH) {
        Ok((length.to_vec(), true))
    } else if let Some(expires) = variable(set, EXPIRES) {
        Ok((expires.to_vec(), false))
    } else if ends.is_never() {
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

/// The declaration of a DHCPv4 lease.
pub(super) fn lease(address: Ipv4Addr, record: &Record<'_>, is_length: bool) -> Lease {
    let mut lease = Lease::new(address);
    lease.state = BindingState::Active;
    lease.next_state = Some(BindingState::Free);
    lease.rewind_state = Some(BindingState::Free);
    lease.ends = put_time(&mut lease.set, record.time, is_length);
    lease.tstp = lease.ends;
    if let Client::V4 { hardware: text, client_id } = record.client {
        let parsed = hardware(text);
        if text_of(&parsed) != text {
            put(&mut lease.set, HARDWARE, text);
        }
        lease.hardware = Some(parsed);
        if client_id != b"*" {
            lease.uid = unhex(client_id);
        }
    }
    if record.host != b"*" {
        if keeps_hostname(record.host) {
            lease.hostname = Some(record.host.to_vec());
        } else {
            put(&mut lease.set, HOST, record.host);
        }
    }
    lease
}

/// The declaration of a free address.
pub(super) fn free(address: Ipv4Addr) -> Lease {
    let mut lease = Lease::new(address);
    lease.next_state = Some(BindingState::Free);
    lease.rewind_state = Some(BindingState::Free);
    lease
}

fn host(found: Option<&[u8]>) -> &[u8] {
    // Journals of other programs may contain names that dnsmasq does not read as one word.
    let word = |name: &&[u8]| crate::record::is_host(name);
    found.filter(word).unwrap_or(b"*")
}

/// The line of a DHCPv4 lease; `None` if it is not active.
pub(super) fn of_lease(lease: &Lease) -> Option<Result<Line, NoLine>> {
    (lease.state == BindingState::Active).then(|| {
        let (time, is_length) = time(&lease.set, lease.ends)?;
        let none = Hardware::default();
        let hardware = variable(&lease.set, HARDWARE)
            .map_or_else(|| text_of(lease.hardware.as_ref().unwrap_or(&none)), <[u8]>::to_vec);
        let name = host(variable(&lease.set, HOST).or(lease.hostname.as_deref()));
        let id = if lease.uid.is_empty() { b"*".to_vec() } else { hex::encode(&lease.uid) };
        let address = lease.address.to_string();
        let text = lease_line(&time, &hardware, &address, name, &id);
        Ok(Line { text, is_length })
    })
}

/// The kind and identifier of the identity association of a DHCPv6 lease.
pub(super) fn association(record: &Record<'_>) -> Option<(IaKind, Vec<u8>)> {
    let Client::V6 { iaid, duid } = record.client else { return None };
    let (kind, number) = parse_iaid(iaid)?;
    // dhcpd stores the number in its own byte order; journals of this program are little-endian.
    Some((kind, [&number.to_le_bytes()[..], &unhex(duid)].concat()))
}

/// The address of a DHCPv6 lease.
pub(super) fn ia_address(address: Ipv6Addr, record: &Record<'_>, is_length: bool) -> IaAddress {
    let mut set = Vec::new();
    let ends = put_time(&mut set, record.time, is_length);
    if record.host != b"*" {
        put(&mut set, HOST, record.host);
    }
    // Lifetimes are known only for lengths and infinite leases.
    let life = match (record.time, is_length) {
        (0, _) => u32::MAX,
        (length, true) => u32::try_from(length).unwrap_or(u32::MAX),
        _ => 0,
    };
    let on = Vec::new();
    let state = BindingState::Active;
    IaAddress { address, prefix_length: 0, state, preferred: life, max: life, ends, set, on }
}

/// The line of a DHCPv6 lease; `None` if it is not active, and for prefixes, which dnsmasq does not lease.
pub(super) fn of_ia_address(ia: &Ia, held: &IaAddress) -> Option<Result<Line, NoLine>> {
    (held.state == BindingState::Active && ia.kind != IaKind::Prefix).then(|| {
        let (time, is_length) = time(&held.set, held.ends)?;
        let number = <[u8; 4]>::try_from(ia.iaid()).map_err(|_| "its identifier is too short")?;
        let iaid = iaid_text(ia.kind, u32::from_le_bytes(number)).unwrap_or_default();
        let name = host(variable(&held.set, HOST));
        let (address, duid) = (held.address.to_string(), hex::encode(ia.duid()));
        let text = lease_line(&time, iaid.as_bytes(), &address, name, &duid);
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
    use lease_formats::dhcpd::{Family, Options, View, read_bytes, write_ia, write_lease};
    use rstest::rstest;

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
        let mut file = Vec::new();
        write_lease(&mut file, &lease(address, &parsed, is_length)).expect(line);
        for view in [View::Salvage, View::Text] {
            let read = read_bytes(&file, &Options::new(view, 0));
            let back =
                of_lease(&read.leases().next().expect("one")).expect("active").expect("a line");
            assert_eq!(String::from_utf8_lossy(&back.text), line);
            assert_eq!(back.is_length, is_length && !line.starts_with("0 "));
        }
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
        let (kind, id) = association(&parsed).expect("an association");
        let addresses = vec![ia_address(address, &parsed, is_length)];
        let mut file = b"authoring-byte-order little-endian;\n".to_vec();
        write_ia(&mut file, &Ia { kind, id, cltt: Date::ABSENT, addresses }).expect(line);
        let mut options = Options::new(View::Salvage, 0);
        options.family = Some(Family::V6);
        let read = read_bytes(&file, &options);
        let ia = read.ias().next().expect("one");
        let back = of_ia_address(ia, &ia.addresses[0]).expect("active").expect("a line");
        assert_eq!(String::from_utf8_lossy(&back.text), line);
    }
}
