//! The stored text of a lease, and of the server's DUID.
//!
//! ```text
//! PREFIX 192.168.1.10 = 1700003600 02:aa:00:00:00:01 192.168.1.10 laptop 01:02:aa:00:00:00:01
//!                       TIME       HARDWARE          ADDRESS      HOST|* CLIENT-ID|*
//! PREFIX fd77::1f2e   = 1700003600 T5                fd77::1f2e   *      00:03:00:01:02:aa:00:00:00:01
//!                       TIME       [T]IAID           ADDRESS      HOST|* DUID
//! PREFIX duid         = duid 00:01:00:01:2c:e6:ad:80:02:00:00:00:00:01
//! ```
//!
//! The value is a line of dnsmasq's lease file (`lease_update_file()` in lease.c). dnsmasq reads that file as
//! words (`read_leases()`): a word more or less shifts everything behind it, and hardware that is not
//! hexadecimal ends it. So what is printed again is checked word by word.

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

/// Who holds a lease.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Client<'a> {
    /// DHCPv4: hardware address, and client-id if there is one.
    V4 {
        /// `aa:bb:..`, with `TT-` before it for hardware other than ethernet.
        hardware: &'a [u8],
        /// `*` for none.
        client_id: &'a [u8],
    },
    /// DHCPv6: identity association and DUID.
    V6 {
        /// Decimal, with a `T` before it for temporary addresses.
        iaid: &'a [u8],
        /// The client's.
        duid: &'a [u8],
    },
}

/// A lease as stored. The parts point into the stored text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Record<'a> {
    /// Expiry in seconds since 1970, or the length of the lease in seconds, as dnsmasq gave it; 0 is for ever.
    pub time: u64,
    /// The address, the same as in the name.
    pub address: Address,
    /// `*` for none.
    pub host: &'a [u8],
    /// Who holds it.
    pub client: Client<'a>,
    line: &'a [u8],
}

/// What may be stored under a name of ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stored<'a> {
    /// A lease.
    Lease(Record<'a>),
    /// The line `duid HEX`.
    ServerDuid(&'a [u8]),
}

/// Why something stored is no lease.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RecordError {
    /// The name does not end in a canonical address.
    Name,
    /// A line break, tab or the like.
    Control,
    /// Output are separated by single blanks, and there are five.
    Output,
    /// Not `0|[1-9][0-9]{0,9}`.
    Time,
    /// Another address than in the name.
    Address,
    /// Not `([0-9a-f]{2}-)?` and hexadecimal bytes.
    Hardware,
    /// Not `T?` and an unsigned 32-bit number.
    Iaid,
    /// More than 255 bytes.
    Host,
    /// Neither `*` nor hexadecimal bytes (DHCPv6: not hexadecimal bytes).
    ClientId,
    /// Not `duid` and hexadecimal bytes.
    ServerDuid,
}

impl fmt::Display for RecordError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Name => "no address in its name",
            Self::Control => "control character in it",
            Self::Output => "not five words",
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
    /// Reads the value stored under the name of `address`, which is `text`.
    ///
    /// # Errors
    /// The first thing that is wrong with it.
    pub fn parse(address: Address, text: &[u8], value: &'a [u8]) -> Result<Self, RecordError> {
        if value.iter().any(u8::is_ascii_control) {
            return Err(RecordError::Control);
        }
        let mut words = value.split(|c| *c == b' ').filter(|word| !word.is_empty());
        let five = [(); 5].map(|()| words.next().unwrap_or_default());
        let [first, second, third, host, last] = five;
        // Five words and the four blanks between them, and nothing else.
        if last.is_empty() || value.len() != five.iter().map(|word| word.len()).sum::<usize>() + 4 {
            return Err(RecordError::Output);
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

    /// The line for dnsmasq, without its end.
    pub fn line(&self) -> &'a [u8] {
        self.line
    }

    /// Orders leases by how long they last: the greater, the longer.
    pub(crate) fn rank(&self) -> u64 {
        if self.time == 0 { u64::MAX } else { self.time }
    }
}

impl<'a> Stored<'a> {
    /// Reads what is stored under a name that ends in `suffix` (what comes after the prefix).
    ///
    /// # Errors
    /// Why it is no lease and no DUID.
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

/// Is this `duid` and the hexadecimal bytes of a server's DUID?
pub fn is_duid_line(line: &[u8]) -> bool {
    line.strip_prefix(b"duid ").is_some_and(|duid| is_hex(duid, SERVER_DUID))
}

/// `0|[1-9][0-9]{0,9}`.
pub(crate) fn time(text: &[u8]) -> Option<u64> {
    let digits = !text.is_empty() && text.len() <= 10 && text.iter().all(u8::is_ascii_digit);
    (digits && (text == b"0" || text[0] != b'0'))
        .then(|| text.iter().fold(0, |sum, digit| sum * 10 + u64::from(digit - b'0')))
}

/// A client-id or DUID of a lease.
pub(crate) fn is_client_id(text: &[u8]) -> bool {
    is_hex(text, CLIENT_ID)
}

/// `([0-9a-f]{2}-)?` and at most 16 bytes, none only after a type.
pub(crate) fn is_hardware(text: &[u8]) -> bool {
    match text {
        [a, b, b'-', rest @ ..] if is_digit(*a) && is_digit(*b) => {
            rest.is_empty() || is_hex(rest, HARDWARE)
        }
        _ => is_hex(text, HARDWARE),
    }
}

/// `T?` and an unsigned 32-bit number.
pub(crate) fn is_iaid(text: &[u8]) -> bool {
    time(text.strip_prefix(b"T").unwrap_or(text)).is_some_and(|iaid| u32::try_from(iaid).is_ok())
}

/// No blanks, no control characters, 1 to 255 bytes.
pub(crate) fn is_host(text: &[u8]) -> bool {
    (1..=HOST).contains(&text.len()) && !text.iter().any(|c| *c == b' ' || c.is_ascii_control())
}

fn is_digit(c: u8) -> bool {
    matches!(c, b'0'..=b'9' | b'a'..=b'f')
}

/// Pairs of digits joined by colons.
fn is_hex(text: &[u8], max: usize) -> bool {
    text.len() % 3 == 2
        && text.len().div_ceil(3) <= max
        && text.iter().enumerate().all(|(i, c)| if i % 3 == 2 { *c == b':' } else { is_digit(*c) })
}
