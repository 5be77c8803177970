//! Recognizing the format of a lease database.

/// The format of a lease database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// The journal of ISC dhcpd.
    Dhcpd,
    /// The lease file of dnsmasq.
    Dnsmasq,
    /// The memfile of Kea: comma-separated values.
    KeaCsv,
    /// One JSON object with `leases` and `ias`.
    Json,
}

/// Detects the format by the first bytes of a file. Everything that is not recognized, even an empty file, counts as a
/// journal of dhcpd.
pub fn detect_format(head: &[u8]) -> Format {
    let text = head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(head).trim_ascii_start();
    let line = text.split(|byte| *byte == b'\n').next().unwrap_or_default().trim_ascii();
    if line.starts_with(b"address,") {
        return Format::KeaCsv;
    }
    if let Some(object) = text.strip_prefix(b"{")
        && matches!(object.trim_ascii_start().first(), Some(b'"' | b'}'))
    {
        return Format::Json;
    }
    let mut words = line.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty());
    let (first, second) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    let is_hex = |word: &[u8]| {
        !word.is_empty() && word.iter().all(|c| c.is_ascii_hexdigit() || matches!(c, b':' | b'-'))
    };
    let is_time = !first.is_empty() && first.iter().all(u8::is_ascii_digit);
    if (first == b"duid" && is_hex(second))
        || (is_time && words.next().is_some_and(is_address) && words.next().is_some())
    {
        return Format::Dnsmasq;
    }
    Format::Dhcpd
}

fn is_address(word: &[u8]) -> bool {
    std::str::from_utf8(word).is_ok_and(|word| word.parse::<std::net::IpAddr>().is_ok())
}
