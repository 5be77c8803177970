//! Detects the format of a lease database.

use std::fmt;

/// The format of a lease database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// The journal of ISC dhcpd, including OpenBSD's dialect.
    Dhcpd,
    /// The lease file of dnsmasq.
    Dnsmasq,
    /// The memfile of Kea: comma-separated values.
    KeaCsv,
    /// One JSON object with `leases` and `ias`.
    Json,
    /// The state file of OpenWrt's odhcpd.
    Odhcpd,
    /// The leases of bootpd of macOS.
    Bootpd,
    /// The status file of a virtual network of libvirt.
    Libvirt,
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Dhcpd => "dhcpd.leases",
            Self::Dnsmasq => "dnsmasq's lease file",
            Self::KeaCsv => "Kea's memfile",
            Self::Json => "JSON",
            Self::Odhcpd => "odhcpd's state file",
            Self::Bootpd => "the leases of bootpd",
            Self::Libvirt => "libvirt's status file",
        })
    }
}

/// The result of [`detect_format`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Detected {
    /// A format that can be read.
    Known(Format),
    /// Any other format, with its name if it is known.
    Unknown(Option<&'static str>),
}

/// Detects the format of a file from its first bytes. An empty file counts as a journal of dhcpd.
pub fn detect_format(head: &[u8]) -> Detected {
    let text = head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(head);
    let text = text.trim_ascii_start();
    if text.is_empty() {
        return Detected::Known(Format::Dhcpd);
    }
    let line = text.split(|byte| *byte == b'\n').next().unwrap_or_default().trim_ascii();
    let is_kea = |column: &[u8]| line.starts_with(b"address,") && has(line, column);
    if is_kea(b"address,hwaddr") || is_kea(b"address,duid") || is_kea(b"valid_lifetime") {
        return Detected::Known(Format::KeaCsv);
    }
    if let Some(object) = text.strip_prefix(b"{") {
        let known = braces(object.trim_ascii_start());
        if known != Detected::Unknown(None) {
            return known;
        }
    }
    if let Some(list) = text.strip_prefix(b"[") {
        let list = list.trim_ascii_start();
        let is_empty = list.first() == Some(&b']') && list[1..].trim_ascii().is_empty();
        // The keys that `virLeaseNew` writes, in its order.
        let first = list.strip_prefix(b"{").unwrap_or_default().trim_ascii_start();
        let keys = [&b"\"iaid\""[..], b"\"ip-address\"", b"\"mac-address\"", b"\"expiry-time\""];
        let begins = keys.iter().any(|key| first.starts_with(key));
        if is_empty || (begins && has(list, b"\"ip-address\"")) {
            return Detected::Known(Format::Libvirt);
        }
        return Detected::Unknown(None);
    }
    if has(line, b"This is private data. Do not parse") {
        return Detected::Unknown(Some("a lease of systemd-networkd, whose format is private"));
    }
    if lines(text).any(is_odhcpd) {
        return Detected::Known(Format::Odhcpd);
    }
    if lines(text).any(is_dnsmasq) {
        return Detected::Known(Format::Dnsmasq);
    }
    dhcpd(text)
}

fn has(text: &[u8], word: &[u8]) -> bool {
    memchr::memmem::find(text, word).is_some()
}

fn lines(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    text.split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii)
}

/// Detects the format of text after an opening brace: a JSON object, or a lease of bootpd.
fn braces(text: &[u8]) -> Detected {
    let is_bootpd = [&b"name="[..], b"ip_address=", b"hw_address=", b"identifier=", b"lease="]
        .iter()
        .any(|key| text.starts_with(key));
    if is_bootpd {
        return Detected::Known(Format::Bootpd);
    }
    let is_ours = [&b"\"leases\""[..], b"\"ias\"", b"\"verdict\"", b"\"server_duid\""]
        .iter()
        .any(|key| text.starts_with(key));
    if is_ours {
        return Detected::Known(Format::Json);
    }
    Detected::Unknown(None)
}

fn words(line: &[u8]) -> impl Iterator<Item = &[u8]> {
    line.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty())
}

/// Returns whether this is a line `# INTERFACE DUID|MAC IAID|ipv4 NAME TIME ASSIGNED LENGTH ADDRESS/LENGTH…`.
fn is_odhcpd(line: &[u8]) -> bool {
    let Some(rest) = line.strip_prefix(b"# ") else { return false };
    let words: Vec<&[u8]> = words(rest).take(8).collect();
    let is_hex = |word: &[u8]| word.iter().all(u8::is_ascii_hexdigit);
    let is_client = |word: &[u8]| word.iter().all(|c| c.is_ascii_hexdigit() || *c == b':');
    let is_time = |word: &[u8]| {
        let digits = word.strip_prefix(b"-").unwrap_or(word);
        !digits.is_empty() && digits.iter().all(u8::is_ascii_digit)
    };
    matches!(&words[..], [_, client, iaid, _, time, assigned, length, ..]
        if is_client(client) && (is_hex(iaid) || *iaid == b"ipv4") && is_time(time)
            && is_hex(assigned) && is_time(length))
}

/// Returns whether this is a line `TIME HARDWARE|IAID ADDRESS NAME …` or `duid HEX`.
fn is_dnsmasq(line: &[u8]) -> bool {
    let mut words = words(line);
    let (first, second) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    let is_hex = |word: &[u8]| {
        !word.is_empty() && word.iter().all(|c| c.is_ascii_hexdigit() || matches!(c, b':' | b'-'))
    };
    let is_time = !first.is_empty() && first.iter().all(u8::is_ascii_digit);
    (first == b"duid" && is_hex(second))
        || (is_time && words.next().is_some_and(is_address) && words.next().is_some())
}

fn is_address(word: &[u8]) -> bool {
    std::str::from_utf8(word).is_ok_and(|word| word.parse::<std::net::IpAddr>().is_ok())
}

/// Detects a declaration of dhcpd.leases at the start of a line or after other text on the line.
fn dhcpd(text: &[u8]) -> Detected {
    const STRONG: [&[u8]; 9] = [
        b"ia-na",
        b"ia-ta",
        b"ia-pd",
        b"ia_na",
        b"ia_ta",
        b"ia_pd",
        b"server-duid",
        b"authoring-byte-order",
        b"failover peer",
    ];
    const WEAK: [&[u8]; 4] = [b"host ", b"group ", b"class ", b"subclass "];
    let lower = text.to_ascii_lowercase();
    let begins = |line: &[u8], word: &[u8]| {
        line.strip_prefix(word).is_some_and(|rest| {
            rest.first().is_none_or(|c| c.is_ascii_whitespace() || matches!(c, b'"' | b'{'))
        })
    };
    // The address may be split by white space, and other declarations may precede the lease on its line.
    let is_lease = memchr::memmem::find_iter(&lower, b"lease").any(|at| {
        let before = at.checked_sub(1).map(|before| lower[before]);
        let rest = &lower[at + 5..];
        let blank = rest.iter().take_while(|c| c.is_ascii_whitespace()).count();
        let is_word =
            before.is_none_or(|c| !c.is_ascii_alphanumeric() && !matches!(c, b'-' | b'.'));
        let address = rest[blank..].trim_ascii_start();
        let digits = address.iter().take_while(|c| c.is_ascii_digit()).count();
        let after = address[digits..].trim_ascii_start();
        is_word && blank > 0 && digits > 0 && (after.is_empty() || after[0] == b'.')
    });
    let is_strong = |line: &[u8]| STRONG.iter().any(|word| begins(line, word));
    if is_lease || lines(&lower).any(is_strong) {
        return Detected::Known(Format::Dhcpd);
    }
    let mut statements = lines(&lower).filter(|line| !line.is_empty() && !line.starts_with(b"#"));
    match statements.next() {
        None if has(&lower, b"dhcpd") || has(&lower, b"lease") => Detected::Known(Format::Dhcpd),
        Some(line) if WEAK.iter().any(|word| line.starts_with(word)) => {
            Detected::Known(Format::Dhcpd)
        }
        Some(line) if line.starts_with(b"lease {") => {
            Detected::Unknown(Some("the leases of dhclient, a client"))
        }
        _ => Detected::Unknown(None),
    }
}
