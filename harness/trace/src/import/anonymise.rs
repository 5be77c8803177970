//! Replaces all data that identifies people and their devices with stable pseudonyms.
//!
//! | data | treatment |
//! |---|---|
//! | times, actions, interfaces, option numbers | kept |
//! | lengths of stored values, equality of values | preserved |
//! | hardware addresses (also in client identifiers and DUIDs), client identifiers, DUIDs, IAIDs | replaced |
//! | names, tags, classes, relay agent options, all unknown variables | replaced |
//! | IP addresses | replaced if requested ([`AddressPolicy`]) |
//!
//! Pseudonyms are computed with HMAC-SHA-256 and a secret key.

use std::net::{Ipv4Addr, Ipv6Addr};

use super::pseudonyms::Pseudonyms;
use super::record_log::{Log, LoggedCall};
use dnsmasq_model::{LeaseLine, duid_line, hex_text, parse_duid_line, parse_hex_text};

/// The variables that contain no identifying data.
const KEPT: [&str; 8] = [
    "DNSMASQ_LEASE_EXPIRES",
    "DNSMASQ_LEASE_LENGTH",
    "DNSMASQ_TIME_REMAINING",
    "DNSMASQ_DATA_MISSING",
    "DNSMASQ_LOG_DHCP",
    "DNSMASQ_INTERFACE",
    "DNSMASQ_REQUESTED_OPTIONS",
    "DNSMASQ_ANONYMISED",
];

/// Whether IP addresses are replaced with pseudonyms.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AddressPolicy {
    /// IP addresses are kept.
    Keep,
    /// IP addresses are replaced.
    Replace,
}

/// Replaces identifying values with pseudonyms.
pub struct Anonymiser {
    pseudonyms: Pseudonyms,
    addresses: AddressPolicy,
}

impl Anonymiser {
    /// Creates an anonymiser with a key. The key must be kept secret, because it allows linking pseudonyms to the
    /// original values.
    pub fn new(key: &[u8], addresses: AddressPolicy) -> Self {
        Self { pseudonyms: Pseudonyms::new(key), addresses }
    }

    /// Replaces all identifying values in a log.
    pub fn anonymise(&mut self, log: &mut Log) {
        for call in &mut log.calls {
            self.call(call);
        }
    }

    fn call(&mut self, call: &mut LoggedCall) {
        let is_v6 = call.env.contains_key("DNSMASQ_IAID")
            || call.argv.get(3).is_some_and(|word| word.contains(&b':'));
        let action = call.argv.get(1).cloned().unwrap_or_default();
        // The path of the script may contain a name.
        if let Some(path) = call.argv.first_mut() {
            *path = path.rsplit(|byte| *byte == b'/').next().unwrap_or_default().to_vec();
        }
        for (at, word) in call.argv.iter_mut().enumerate().skip(2) {
            *word = match (&action[..], at) {
                (b"add" | b"old" | b"del", 2) if is_v6 => self.duid(word),
                (b"add" | b"old" | b"del" | b"arp-add" | b"arp-del", 2) => self.hardware(word),
                (b"tftp", 2) => word.clone(),
                (_, 3) => self.address(word),
                _ => self.pseudonyms.words(word),
            };
        }
        for (name, value) in &mut call.env {
            *value = match name.as_str() {
                "DNSMASQ_MAC" => self.hardware(value),
                "DNSMASQ_CLIENT_ID" => self.client_id(value),
                "DNSMASQ_SERVER_DUID" => self.duid(value),
                "DNSMASQ_IAID" => self.iaid(value),
                "DNSMASQ_RELAY_ADDRESS" => self.address(value),
                name if KEPT.contains(&name) => value.clone(),
                _ => self.pseudonyms.words(value),
            };
        }
        let lines = call.out.split_inclusive(|byte| *byte == b'\n');
        let lines: Vec<Vec<u8>> = lines.map(<[u8]>::to_vec).collect();
        call.out = lines.iter().flat_map(|line| self.lease_line(line)).collect();
    }

    /// Anonymises a line of the output of `init`.
    fn lease_line(&mut self, line: &[u8]) -> Vec<u8> {
        let (line, end) = match line.split_last() {
            Some((b'\n', line)) => (line, &b"\n"[..]),
            _ => (line, &b""[..]),
        };
        let line = if let Some(duid) = parse_duid_line(line) {
            duid_line(&self.duid(duid))
        } else if let Some(lease) = LeaseLine::parse(line) {
            self.lease(lease)
        } else {
            self.pseudonyms.words(line)
        };
        [&line, end].concat()
    }

    fn lease(&mut self, lease: LeaseLine<'_>) -> Vec<u8> {
        let unless_none = |field: &[u8], other: Vec<u8>| {
            if field == LeaseLine::NONE { field.to_vec() } else { other }
        };
        let is_v6 = lease.address.contains(&b':');
        let id = if is_v6 { self.iaid(lease.id) } else { self.hardware(lease.id) };
        let hostname = unless_none(lease.hostname, self.pseudonyms.words(lease.hostname));
        let client_id =
            if is_v6 { self.duid(lease.client_id) } else { self.client_id(lease.client_id) };
        let client_id = unless_none(lease.client_id, client_id);
        let address = self.address(lease.address);
        LeaseLine {
            time: lease.time,
            id: &id,
            address: &address,
            hostname: &hostname,
            client_id: &client_id,
        }
        .to_bytes()
    }

    /// Anonymises a hardware address such as `02:aa:…`, or `06-02:aa:…` with an ARP hardware type.
    fn hardware(&self, text: &[u8]) -> Vec<u8> {
        let at = text.iter().position(|byte| *byte == b'-').map_or(0, |dash| dash + 1);
        match parse_hex_text(&text[at..]) {
            Some(address) => [&text[..at], &text_of(&self.pseudonyms.hardware(&address))].concat(),
            None => self.pseudonyms.words(text),
        }
    }

    /// Anonymises a client identifier (RFC 2132 section 9.14, RFC 4361 section 6.1).
    fn client_id(&self, text: &[u8]) -> Vec<u8> {
        let Some(id) = parse_hex_text(text) else { return self.pseudonyms.words(text) };
        let id = match &id[..] {
            [kind @ 1, address @ ..] if address.len() == 6 => {
                [&[*kind], &self.pseudonyms.hardware(address)[..]].concat()
            }
            [0xFF, iaid @ ..] if iaid.len() > 4 => {
                let (iaid, duid) = iaid.split_at(4);
                [&[0xFF], &self.pseudonyms.bytes("iaid", iaid, 4)[..], &self.duid_bytes(duid)]
                    .concat()
            }
            [kind, rest @ ..] => {
                [&[*kind], &self.pseudonyms.bytes("id", rest, rest.len())[..]].concat()
            }
            [] => Vec::new(),
        };
        text_of(&id)
    }

    fn duid(&self, text: &[u8]) -> Vec<u8> {
        match parse_hex_text(text) {
            Some(duid) => text_of(&self.duid_bytes(&duid)),
            None if text == b"*" => text.to_vec(),
            None => self.pseudonyms.words(text),
        }
    }

    /// Anonymises a DUID (RFC 8415 section 11). The type is kept, and a hardware address gets the same pseudonym as
    /// elsewhere.
    fn duid_bytes(&self, duid: &[u8]) -> Vec<u8> {
        match duid {
            [0, 1, a, b, time @ ..] if time.len() > 4 => {
                let (time, address) = time.split_at(4);
                let time = self.pseudonyms.bytes("duid time", time, 4);
                [&[0, 1, *a, *b], &time[..], &self.pseudonyms.hardware(address)].concat()
            }
            [0, 3, a, b, address @ ..] => {
                [&[0, 3, *a, *b], &self.pseudonyms.hardware(address)[..]].concat()
            }
            [0, kind, rest @ ..] => {
                [&[0, *kind], &self.pseudonyms.bytes("duid", rest, rest.len())[..]].concat()
            }
            other => self.pseudonyms.bytes("duid", other, other.len()),
        }
    }

    /// Anonymises an IAID. The number of digits is kept, because it affects the size of a stored record. `T` marks a
    /// temporary address.
    fn iaid(&self, text: &[u8]) -> Vec<u8> {
        let (mark, digits) = match text.strip_prefix(b"T") {
            Some(digits) => (&b"T"[..], digits),
            None => (&b""[..], text),
        };
        if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
            return self.pseudonyms.words(text);
        }
        let number = self.pseudonyms.number("iaid", digits, u64::from(u32::MAX));
        [mark, number.to_string().as_bytes()].concat()
    }

    /// Anonymises an IP address. The text keeps its length, and a private address stays in its private network.
    /// Different addresses stay different.
    fn address(&mut self, text: &[u8]) -> Vec<u8> {
        if self.addresses == AddressPolicy::Keep {
            return text.to_vec();
        }
        let parsed = std::str::from_utf8(text).unwrap_or_default();
        if let Ok(address) = parsed.parse::<Ipv4Addr>() {
            return self.v4(address).to_string().into_bytes();
        }
        if let Ok(address) = parsed.parse::<Ipv6Addr>() {
            return self.v6(address).to_string().into_bytes();
        }
        self.pseudonyms.words(text)
    }

    fn v4(&mut self, address: Ipv4Addr) -> Ipv4Addr {
        let mut octets = address.octets();
        let kept = match octets {
            [10 | 127 | 0, ..] => 1,
            [192, 168, ..] | [169, 254, ..] => 2,
            [172, second, ..] if second & 0xF0 == 16 => 2,
            _ => 0,
        };
        for (at, octet) in octets.iter_mut().enumerate().skip(kept) {
            let (low, high) = match *octet {
                0..=9 => (0, 9),
                10..=99 => (10, 99),
                _ => (100, 255),
            };
            let purpose = format!("octet {at}");
            *octet = self.pseudonyms.permuted(&purpose, low, high, u32::from(*octet)) as u8;
        }
        octets.into()
    }

    /// Replaces each group with one of the same number of digits. Groups of zero are kept, so that the text is
    /// shortened at the same place.
    fn v6(&mut self, address: Ipv6Addr) -> Ipv6Addr {
        let mut groups = address.segments();
        for (at, group) in groups.iter_mut().enumerate() {
            let purpose = format!("group {at}");
            // The first byte is kept, because it determines the kind of address.
            let (low, high) = match *group {
                0 => continue,
                first if at == 0 && first > 0xFF => (first & 0xFF00, first | 0xFF),
                1..=0xF => (1, 0xF),
                0x10..=0xFF => (0x10, 0xFF),
                0x100..=0xFFF => (0x100, 0xFFF),
                _ => (0x1000, 0xFFFF),
            };
            let number = self.pseudonyms.permuted(
                &purpose,
                u32::from(low),
                u32::from(high),
                u32::from(*group),
            );
            *group = number as u16;
        }
        groups.into()
    }
}

fn text_of(bytes: &[u8]) -> Vec<u8> {
    hex_text(bytes).into_bytes()
}
