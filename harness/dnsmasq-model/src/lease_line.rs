//! The line of one lease in dnsmasq's lease file, in the output of `init` and in the NVRAM records of lease scripts.

/// One line of a lease database in dnsmasq's format: `TIME ID ADDRESS HOSTNAME CLIENT-ID`, separated by spaces.
///
/// Written by lease.c `lease_update_file`. The fields are not checked, since a lease script may have stored any text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LeaseLine<'a> {
    /// End of the lease, or its length in a build without RTC; 0 for an infinite lease.
    pub time: &'a [u8],
    /// DHCPv4: the hardware address. DHCPv6: the IAID, with the prefix `T` for a temporary address.
    pub id: &'a [u8],
    /// The address.
    pub address: &'a [u8],
    /// The host name, or [`LeaseLine::NONE`].
    pub hostname: &'a [u8],
    /// DHCPv4: the client identifier, or [`LeaseLine::NONE`]. DHCPv6: the client's DUID.
    pub client_id: &'a [u8],
}

impl<'a> LeaseLine<'a> {
    /// The text in place of a missing host name or client identifier.
    pub const NONE: &'static [u8] = b"*";

    /// Returns the value, or [`LeaseLine::NONE`] if it is empty.
    #[must_use]
    pub fn or_none(value: &[u8]) -> &[u8] {
        if value.is_empty() { Self::NONE } else { value }
    }

    /// Splits a line, given without its line break, into fields. Returns `None` unless there are exactly five.
    #[must_use]
    pub fn parse(line: &'a [u8]) -> Option<LeaseLine<'a>> {
        let mut fields = line.split(|byte| *byte == b' ');
        let mut next = || fields.next();
        let line = LeaseLine {
            time: next()?,
            id: next()?,
            address: next()?,
            hostname: next()?,
            client_id: next()?,
        };
        fields.next().is_none().then_some(line)
    }

    /// Returns the line without a line break.
    #[must_use]
    pub fn to_bytes(self) -> Vec<u8> {
        [self.time, self.id, self.address, self.hostname, self.client_id].join(&b' ')
    }
}

/// Returns the server's DUID from the line `duid HEX` of a lease database, which precedes the DHCPv6 leases.
#[must_use]
pub fn parse_duid_line(line: &[u8]) -> Option<&[u8]> {
    line.strip_prefix(b"duid ").filter(|duid| !duid.contains(&b' '))
}

/// Returns the line `duid HEX` for a DUID in hexadecimal text, without a line break.
#[must_use]
pub fn duid_line(duid: &[u8]) -> Vec<u8> {
    [b"duid ", duid].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_round_trip_and_need_exactly_five_fields() {
        let text = b"1700003600 02:aa:00:00:00:01 192.168.1.2 * 01:02";
        let line = LeaseLine::parse(text).expect("five fields");
        assert_eq!((line.address, line.hostname), (&b"192.168.1.2"[..], LeaseLine::NONE));
        assert_eq!(line.to_bytes(), text);
        assert_eq!(LeaseLine::parse(b"0 1 2 3"), None);
        assert_eq!(LeaseLine::parse(b"0 1 2 3 4 5"), None);
        assert_eq!(parse_duid_line(&duid_line(b"00:03")), Some(&b"00:03"[..]));
        assert_eq!(parse_duid_line(b"duid a b"), None);
    }
}
