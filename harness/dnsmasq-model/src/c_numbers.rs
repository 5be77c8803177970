//! Parsers for numbers and addresses that behave like those of glibc.

use std::net::Ipv4Addr;

/// Parses an address like glibc's `inet_addr`: 1 to 4 numbers, each decimal, octal or hexadecimal. Returns
/// 255.255.255.255 for anything else.
pub(crate) fn inet_addr(text: &[u8]) -> Ipv4Addr {
    let parse = || -> Option<u32> {
        let text = std::str::from_utf8(text).ok()?;
        let parts: Vec<&str> = text.split('.').collect();
        let (last, first) = parts.split_last().filter(|_| parts.len() <= 4)?;
        let number = |part: &str| match part.as_bytes() {
            [b'0', b'x' | b'X', rest @ ..] if !rest.is_empty() => {
                u32::from_str_radix(&part[2..], 16).ok()
            }
            [b'0', _, ..] => u32::from_str_radix(part, 8).ok(),
            [b'0'..=b'9', ..] => part.parse().ok(),
            _ => None,
        };
        let mut addr = 0u32;
        for (at, part) in first.iter().enumerate() {
            addr |= number(part).filter(|n| *n <= 255)? << (24 - 8 * at);
        }
        let rest = number(last)?;
        let limit = u64::from(u32::MAX) >> (8 * first.len());
        (u64::from(rest) <= limit).then_some(addr | rest)
    };
    Ipv4Addr::from_bits(parse().unwrap_or(u32::MAX))
}

/// Parses a number like glibc's `atol`. The result saturates, and is 0 if there is no number.
pub(crate) fn atol(text: &[u8]) -> i64 {
    let (negative, digits) = signed(text);
    let mut value: i64 = 0;
    for digit in digits {
        let digit = i64::from(digit - b'0');
        let next = value
            .checked_mul(10)
            .and_then(|v| if negative { v.checked_sub(digit) } else { v.checked_add(digit) });
        match next {
            Some(next) => value = next,
            None => return if negative { i64::MIN } else { i64::MAX },
        }
    }
    value
}

/// Parses a number like glibc's `strtoul` in base 10.
pub(crate) fn strtoul(text: &[u8]) -> u64 {
    let (negative, digits) = signed(text);
    let mut value: u64 = 0;
    for digit in digits {
        match value.checked_mul(10).and_then(|v| v.checked_add(u64::from(digit - b'0'))) {
            Some(next) => value = next,
            None => return u64::MAX,
        }
    }
    if negative { value.wrapping_neg() } else { value }
}

fn signed(text: &[u8]) -> (bool, impl Iterator<Item = u8>) {
    let (negative, rest) = match text.split_first() {
        Some((b'-', rest)) => (true, rest),
        Some((b'+', rest)) => (false, rest),
        _ => (false, text),
    };
    (negative, rest.iter().copied().take_while(u8::is_ascii_digit))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_parsed_as_by_the_c_library() {
        assert_eq!(atol(b"notanumber"), 0);
        assert_eq!(atol(b"0x10"), 0);
        assert_eq!(atol(b"12.9"), 12);
        assert_eq!(atol(b"+300"), 300);
        assert_eq!(atol(b"-5"), -5);
        assert_eq!(atol(b"99999999999999999999"), i64::MAX);
        assert_eq!(strtoul(b"00:03"), 0);
        assert_eq!(strtoul(b"-1"), u64::MAX);
    }
}
