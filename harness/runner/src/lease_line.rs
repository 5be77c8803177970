//! The grammar of the lines that `init` prints. dnsmasq accepts more, but with another meaning than the script intended.
//!
//! The grammar is that of the contract in `lease-script/README.md`. It is implemented here a second time on purpose: the
//! judge shares no parser with the script under test.

use std::net::{Ipv4Addr, Ipv6Addr};

/// The subject of the line with the server's DUID.
pub const DUID: &[u8] = b"duid";

/// The families of lines, in the order in which `init` prints them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Family {
    /// DHCPv4 leases.
    V4,
    /// The server's DUID.
    Duid,
    /// DHCPv6 leases.
    V6,
}

/// The family of a well-formed line.
pub(super) fn family(line: &[u8]) -> Option<Family> {
    subject(line).map(|(family, _)| family)
}

/// The family and the subject of a well-formed line.
pub(super) fn subject(line: &[u8]) -> Option<(Family, &[u8])> {
    let mut words: [&[u8]; 6] = [&[]; 6];
    let mut count = 0;
    for word in line.split(|byte| *byte == b' ') {
        *words.get_mut(count)? = word;
        count += 1;
    }
    match words[..count] {
        [b"duid", duid] => is_hex(duid).then_some((Family::Duid, DUID)),
        [time, second, address, name, id] => {
            let text = std::str::from_utf8(address).ok()?;
            let v4 = text.parse::<Ipv4Addr>().is_ok();
            let v6 = !v4 && text.parse::<Ipv6Addr>().is_ok_and(|parsed| parsed.to_string() == text);
            let named = name == b"*"
                || (1..=255).contains(&name.len()) && !name.iter().any(u8::is_ascii_control);
            let known = is_time(time)
                && named
                && (v4 && is_hardware(second) || v6 && is_iaid(second))
                && (is_hex(id) || v4 && id == b"*");
            known.then_some((if v4 { Family::V4 } else { Family::V6 }, address))
        }
        _ => None,
    }
}

fn is_time(word: &[u8]) -> bool {
    word == b"0"
        || (1..=10).contains(&word.len()) && word[0] != b'0' && word.iter().all(u8::is_ascii_digit)
}

fn is_iaid(word: &[u8]) -> bool {
    let number = word.strip_prefix(b"T").unwrap_or(word);
    is_time(number) && std::str::from_utf8(number).is_ok_and(|text| text.parse::<u32>().is_ok())
}

fn is_hardware(word: &[u8]) -> bool {
    let lower_hex = |byte: &u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(byte);
    let (typed, bytes) = match word {
        [a, b, b'-', rest @ ..] if lower_hex(a) && lower_hex(b) => (true, rest),
        _ => (false, word),
    };
    (typed && bytes.is_empty()) || is_hex(bytes) && bytes.len() < 16 * 3
}

fn is_hex(word: &[u8]) -> bool {
    !word.is_empty()
        && word.split(|byte| *byte == b':').all(|pair| {
            pair.len() == 2 && pair.iter().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(b))
        })
}

/// A line's time and the rest of it.
pub fn split_time(line: &[u8]) -> Option<(u64, &[u8])> {
    let blank = line.iter().position(|byte| *byte == b' ')?;
    let time = std::str::from_utf8(&line[..blank]).ok()?.parse().ok()?;
    Some((time, &line[blank..]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case(b"1700000000 02:aa:00:00:00:01 192.168.1.57 phone 01:02:aa:00:00:00:01")]
    #[case(b"0 06-02:aa 192.168.1.57 * *")]
    #[case(b"0 20- 192.168.1.57 * ff")]
    #[case(b"86400 T4294967295 fd00::57 * 00:03:00:01")]
    fn lines_that_dnsmasq_reads(#[case] line: &[u8]) {
        assert!(subject(line).is_some());
    }

    #[rstest]
    #[case::word_too_many(b"0 02:aa 192.168.1.57 a b *")]
    #[case::no_number(b"soon 02:aa 192.168.1.57 * *")]
    #[case::leading_zero(b"01 02:aa 192.168.1.57 * *")]
    #[case::not_hex(b"0 nothex 192.168.1.57 * *")]
    #[case::no_hardware(b"0  192.168.1.57 * *")]
    #[case::no_address(b"0 02:aa 192.168.1.257 * *")]
    #[case::not_canonical(b"0 1 fd00:0::57 * 00:03")]
    #[case::v6_without_duid(b"0 1 fd00::57 * *")]
    #[case::iaid_too_large(b"0 4294967296 fd00::57 * 00:03")]
    fn lines_that_it_would_misread(#[case] line: &[u8]) {
        assert_eq!(subject(line), None);
    }
}
