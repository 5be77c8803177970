//! The parts of a line of dnsmasq's lease file.

use crate::dhcpd::{Hardware, IaKind};
use crate::hex;

/// Maximum length of a hardware address (dnsmasq's `DHCP_CHADDR_MAX`).
pub(super) const LONGEST_HARDWARE: usize = 16;

/// Returns a line without its line break: `TIME HARDWARE|IAID ADDRESS NAME CLIENT-ID|DUID`.
pub fn lease_line(time: &[u8], client: &[u8], address: &str, name: &[u8], id: &[u8]) -> Vec<u8> {
    [time, client, address.as_bytes(), name, id].join(&b' ')
}

/// Returns the line `duid HEX` without its line break.
pub fn server_duid_line(duid: &[u8]) -> Vec<u8> {
    [b"duid ", &hex::encode(duid)[..]].concat()
}

/// Returns the hardware address as `aa:bb:…`, or as `TT-aa:bb:…` with its type if it is not Ethernet or there are no bytes.
pub fn hardware_text(kind: u8, bytes: &[u8]) -> Vec<u8> {
    let mut text = Vec::new();
    if kind != 1 || bytes.is_empty() {
        text.extend_from_slice(format!("{kind:02x}-").as_bytes());
    }
    hex::append(&mut text, bytes);
    text
}

/// Parses the output of [`hardware_text`]. Returns `Some(None)` for type 0 without bytes, and `None` for invalid text.
pub fn parse_hardware(text: &[u8]) -> Option<Option<Hardware>> {
    let (kind, rest) = match memchr::memchr(b'-', text) {
        Some(2) => (hex::decode(&text[..2])?[0], &text[3..]),
        Some(_) => return None,
        None => (1, text),
    };
    let bytes = hex::decode(rest).filter(|bytes| bytes.len() <= LONGEST_HARDWARE)?;
    if kind == 0 && bytes.is_empty() {
        return Some(None);
    }
    Some(Some(Hardware { kind, bytes }))
}

/// Returns the IAID in decimal, after a `T` for temporary addresses. Returns `None` for prefixes, which dnsmasq does not
/// lease.
pub fn iaid_text(kind: IaKind, iaid: u32) -> Option<String> {
    match kind {
        IaKind::NonTemporary => Some(iaid.to_string()),
        IaKind::Temporary => Some(format!("T{iaid}")),
        IaKind::Prefix => None,
    }
}

/// Parses the output of [`iaid_text`].
pub fn parse_iaid(text: &[u8]) -> Option<(IaKind, u32)> {
    let (kind, number) = match text.strip_prefix(b"T") {
        Some(rest) => (IaKind::Temporary, rest),
        None => (IaKind::NonTemporary, text),
    };
    Some((kind, std::str::from_utf8(number).ok()?.parse().ok()?))
}
