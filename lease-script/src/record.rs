//! The stored text of a lease and of the DUID of the server.
//!
//! ```text
//! PREFIX 192.168.1.10 = 1700003600 02:aa:00:00:00:01 192.168.1.10 laptop 01:02:aa:00:00:00:01
//!                       TIME       HARDWARE          ADDRESS      HOST|* CLIENT-ID|*
//! PREFIX fd77::1f2e   = 1700003600 T5                fd77::1f2e   *      00:03:00:01:02:aa:00:00:00:01
//!                       TIME       [T]IAID           ADDRESS      HOST|* DUID
//! PREFIX duid         = duid 00:01:00:01:2c:e6:ad:80:02:00:00:00:00:01
//! ```
//!
//! The value is a line of dnsmasq's lease file (`lease_update_file()` in lease.c). dnsmasq reads that file as a sequence
//! of words (`read_leases()`): a missing or additional word shifts everything after it, and a hardware address that is not
//! hexadecimal crashes it. So every word is checked before it is printed.

use std::fmt;

use crate::address::Address;

/// The longest host name, in bytes (`%255s` in `read_leases()`).
const HOST: usize = 255;
/// The longest hardware address, in bytes (DHCP_CHADDR_MAX).
const HARDWARE: usize = 16;
/// The longest client-id or DUID of a lease, in bytes (`%764s` in `read_leases()`).
const CLIENT_ID: usize = 255;
/// The longest DUID of the server, in bytes: the word after `duid` is read by `%255s`.
const SERVER_DUID: usize = 85;

/// The client of a lease.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Client<'a> {
    /// DHCPv4: hardware address, and client-id if there is one.
    V4 {
        /// `aa:bb:…`, after `TT-` for hardware other than Ethernet.
        hardware: &'a [u8],
        /// The client-id, or `*`.
        client_id: &'a [u8],
    },
    /// DHCPv6: identity association and DUID.
    V6 {
        /// The IAID in decimal, after a `T` for temporary addresses.
        iaid: &'a [u8],
        /// The DUID of the client.
        duid: &'a [u8],
    },
}

/// A stored lease, borrowed from its text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Record<'a> {
    /// Expiry in seconds since 1970, or the length of the lease in seconds, as dnsmasq reported it; 0 for an infinite lease.
    pub time: u64,
    /// The address, which is also in the name of the variable.
    pub address: Address,
    /// The host name, or `*`.
    pub host: &'a [u8],
    /// The client.
    pub client: Client<'a>,
    line: &'a [u8],
}

/// A valid variable under the prefix.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stored<'a> {
    /// A lease.
    Lease(Record<'a>),
    /// The line `duid HEX`.
    ServerDuid(&'a [u8]),
}

/// Why a variable under the prefix is invalid.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RecordError {
    /// The name does not end in a canonical address.
    Name,
    /// The value contains a line break, tab or other control character.
    Control,
    /// The value is not five words separated by single blanks.
    WordCount,
    /// The time is not `0|[1-9][0-9]{0,9}`.
    Time,
    /// The address differs from the one in the name.
    Address,
    /// The hardware address is not `([0-9a-f]{2}-)?` and hexadecimal bytes.
    Hardware,
    /// The IAID is not `T?` and an unsigned 32-bit number.
    Iaid,
    /// The host name has more than 255 bytes.
    Host,
    /// The client-id is neither `*` nor hexadecimal bytes, or the DUID is not hexadecimal bytes.
    ClientId,
    /// The value is not `duid` and hexadecimal bytes.
    ServerDuid,
}

impl fmt::Display for RecordError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Name => "no address in its name",
            Self::Control => "control character in it",
            Self::WordCount => "not five words",
            Self::Time => "time is no number",
            Self::Address => "address is not that of its name",
            Self::Hardware => "hardware address is not hexadecimal",
            Self::Iaid => "IAID is no 32-bit number",
            Self::Host => "host name too long",
            Self::ClientId => "client-id is not hexadecimal",
            Self::ServerDuid => "not a DUID",
        })
    }
}

impl<'a> Record<'a> {
    /// Parses the value stored for `address`, whose text is `text`.
    ///
    /// # Errors
    /// The first violation of the format.
    pub fn parse(address: Address, text: &[u8], value: &'a [u8]) -> Result<Self, RecordError> {
        if value.iter().any(u8::is_ascii_control) {
            return Err(RecordError::Control);
        }
        let mut words = value.split(|c| *c == b' ').filter(|word| !word.is_empty());
        let five = [(); 5].map(|()| words.next().unwrap_or_default());
        let [first, second, third, host, last] = five;
        // Five words, the four blanks between them, and nothing else.
        if last.is_empty() || value.len() != five.iter().map(|word| word.len()).sum::<usize>() + 4 {
            return Err(RecordError::WordCount);
        }
        let time = time(first).ok_or(RecordError::Time)?;
        if third != text {
            return Err(RecordError::Address);
        }
        match address {
            Address::V4(_) if !is_hardware(second) => return Err(RecordError::Hardware),
            Address::V6(_) if !is_iaid(second) => return Err(RecordError::Iaid),
            _ => {}
        }
        if !is_host(host) {
            return Err(RecordError::Host);
        }
        let client = match address {
            Address::V4(_) => Client::V4 { hardware: second, client_id: last },
            Address::V6(_) => Client::V6 { iaid: second, duid: last },
        };
        if !(is_hex(last, CLIENT_ID) || last == b"*" && matches!(address, Address::V4(_))) {
            return Err(RecordError::ClientId);
        }
        Ok(Self { time, address, host, client, line: value })
    }

    /// The line for dnsmasq, without a line end.
    pub fn line(&self) -> &'a [u8] {
        self.line
    }

    /// A sort key that is greater for leases that expire later.
    pub(crate) fn rank(&self) -> u64 {
        if self.time == 0 { u64::MAX } else { self.time }
    }
}

impl<'a> Stored<'a> {
    /// Parses the value of a variable; `suffix` is its name without the prefix.
    ///
    /// # Errors
    /// Why the value is neither a lease nor a DUID.
    pub fn parse(suffix: &[u8], value: &'a [u8]) -> Result<Self, RecordError> {
        if suffix == b"duid" {
            return if is_duid_line(value) {
                Ok(Self::ServerDuid(value))
            } else {
                Err(RecordError::ServerDuid)
            };
        }
        let address = Address::parse(suffix).ok_or(RecordError::Name)?;
        Record::parse(address, suffix, value).map(Self::Lease)
    }
}

/// Whether a line is `duid` and the hexadecimal bytes of the DUID of a server.
pub fn is_duid_line(line: &[u8]) -> bool {
    line.strip_prefix(b"duid ").is_some_and(|duid| is_hex(duid, SERVER_DUID))
}

/// Parses `0|[1-9][0-9]{0,9}`.
pub(crate) fn time(text: &[u8]) -> Option<u64> {
    let digits = !text.is_empty() && text.len() <= 10 && text.iter().all(u8::is_ascii_digit);
    (digits && (text == b"0" || text[0] != b'0'))
        .then(|| text.iter().fold(0, |sum, digit| sum * 10 + u64::from(digit - b'0')))
}

/// Whether this is a valid client-id or DUID of a lease.
pub(crate) fn is_client_id(text: &[u8]) -> bool {
    is_hex(text, CLIENT_ID)
}

/// Whether this is `([0-9a-f]{2}-)?` and 1 to 16 bytes; after a type, the bytes may be missing.
pub(crate) fn is_hardware(text: &[u8]) -> bool {
    match text {
        [a, b, b'-', rest @ ..] if is_digit(*a) && is_digit(*b) => {
            rest.is_empty() || is_hex(rest, HARDWARE)
        }
        _ => is_hex(text, HARDWARE),
    }
}

/// Whether this is `T?` and an unsigned 32-bit number.
pub(crate) fn is_iaid(text: &[u8]) -> bool {
    time(text.strip_prefix(b"T").unwrap_or(text)).is_some_and(|iaid| u32::try_from(iaid).is_ok())
}

/// Whether this is 1 to 255 bytes without blanks and control characters.
pub(crate) fn is_host(text: &[u8]) -> bool {
    (1..=HOST).contains(&text.len()) && !text.iter().any(|c| *c == b' ' || c.is_ascii_control())
}

fn is_digit(c: u8) -> bool {
    matches!(c, b'0'..=b'9' | b'a'..=b'f')
}

/// Whether this is 1 to `max` bytes of two digits, separated by colons.
fn is_hex(text: &[u8], max: usize) -> bool {
    text.len() % 3 == 2
        && text.len().div_ceil(3) <= max
        && text.iter().enumerate().all(|(i, c)| if i % 3 == 2 { *c == b':' } else { is_digit(*c) })
}
