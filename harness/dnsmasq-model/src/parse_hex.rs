//! Decodes hexadecimal text in place, like util.c `parse_hex`.

use super::rules::HexSyntax;

/// The result of [`parse_hex`].
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct ParsedHex {
    /// Number of bytes.
    pub len: usize,
    /// The type prefix (`06-`); 0 if there was none.
    pub kind: u16,
    /// One bit per byte, set if the text has `*` for this byte. The highest bit belongs to the first byte.
    pub mask: u32,
}

/// Whether the text may begin with an ARP type, such as `06-` (whether `mac_type` of `parse_hex` is not NULL).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TypePrefix {
    Allowed,
    Rejected,
}

/// Decodes `text` in place to at most `max` bytes. Groups are separated by colons, minus signs or spaces. The result is
/// at the beginning of `text`.
///
/// Returns `None` where dnsmasq returns -1: if a character is neither a hexadecimal digit nor `*`. A byte for which the
/// text has `*` keeps the value that was in the buffer.
pub(crate) fn parse_hex(text: &mut Vec<u8>, max: usize, prefix: TypePrefix) -> Option<ParsedHex> {
    let end = text.iter().position(|&b| b == 0).unwrap_or(text.len());
    let source = text[..end].to_vec();
    let mut prefix_allowed = prefix == TypePrefix::Allowed;
    let mut hex = ParsedHex { len: 0, kind: 0, mask: 0 };
    let mut start = 0;
    while hex.len < max {
        let stop = source[start..]
            .iter()
            .position(|b| matches!(b, b':' | b'-' | b' '))
            .map_or(source.len(), |n| start + n);
        let group = &source[start..stop];
        if group.iter().any(|b| *b != b'*' && !b.is_ascii_hexdigit()) {
            return None;
        }
        if !group.is_empty() {
            if stop < source.len() {
                text[stop] = 0;
            }
            if source.get(stop) == Some(&b'-') && hex.len == 0 && prefix_allowed {
                hex.kind = value(group) as u16;
                prefix_allowed = false;
            } else if group == b"*" {
                hex.mask = (hex.mask << 1) | 1;
                hex.len += 1;
            } else {
                for pair in group.chunks(2) {
                    if pair.contains(&b'*') {
                        return None;
                    }
                    put(text, hex.len, value(pair) as u8);
                    hex.mask <<= 1;
                    hex.len += 1;
                    if hex.len == max {
                        break;
                    }
                }
            }
        }
        if stop >= source.len() {
            break;
        }
        start = stop + 1;
    }
    Some(hex)
}

/// Decodes `text` like [`parse_hex`], but with the given syntax.
pub(crate) fn parse_stored_hex(
    text: &mut Vec<u8>,
    max: usize,
    prefix: TypePrefix,
    syntax: HexSyntax,
) -> Option<ParsedHex> {
    if syntax == HexSyntax::Pairs {
        return parse_hex(text, max, prefix);
    }
    let end = text.iter().position(|&b| b == 0).unwrap_or(text.len());
    let source = text[..end].to_vec();
    let mut prefix_allowed = prefix == TypePrefix::Allowed;
    let mut hex = ParsedHex { len: 0, kind: 0, mask: 0 };
    let mut rest = &source[..];
    while hex.len < max {
        let stop = rest.iter().position(|b| matches!(b, b':' | b'-')).unwrap_or(rest.len());
        let group = &rest[..stop];
        if syntax == HexSyntax::Group && !group.iter().all(|b| *b == b'*' || b.is_ascii_hexdigit())
        {
            return None;
        }
        if !group.is_empty() {
            if rest.get(stop) == Some(&b'-') && hex.len == 0 && prefix_allowed {
                hex.kind = strtol(group) as u16;
                prefix_allowed = false;
            } else {
                hex.mask <<= 1;
                if group == b"*" {
                    hex.mask |= 1;
                } else {
                    put(text, hex.len, strtol(group) as u8);
                }
                hex.len += 1;
            }
        }
        match rest.get(stop + 1..) {
            Some(tail) => rest = tail,
            None => break,
        }
    }
    Some(hex)
}

/// Parses the number at the beginning of the text, like C's `strtol` in base 16. Returns 0 if there is none.
fn strtol(text: &[u8]) -> i64 {
    let text = text.trim_ascii_start();
    let (negative, text) = match text.split_first() {
        Some((b'-', rest)) => (true, rest),
        Some((b'+', rest)) => (false, rest),
        _ => (false, text),
    };
    let text = match text {
        [b'0', b'x' | b'X', rest @ ..] if rest.first().is_some_and(u8::is_ascii_hexdigit) => rest,
        _ => text,
    };
    let digits = text.iter().map_while(|b| char::from(*b).to_digit(16));
    let value =
        digits.fold(0i64, |value, digit| value.saturating_mul(16).saturating_add(i64::from(digit)));
    if negative { value.wrapping_neg() } else { value }
}

fn put(text: &mut Vec<u8>, at: usize, byte: u8) {
    if at >= text.len() {
        text.resize(at + 1, 0);
    }
    text[at] = byte;
}

fn value(digits: &[u8]) -> u64 {
    digits
        .iter()
        .filter_map(|b| (*b as char).to_digit(16))
        .fold(0u64, |sum, d| (sum << 4 | u64::from(d)) & 0x7fff_ffff_ffff_ffff)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bytes(text: &str, prefix: TypePrefix) -> Option<(Vec<u8>, u16)> {
        let mut buffer = text.as_bytes().to_vec();
        parse_hex(&mut buffer, 16, prefix).map(|hex| (buffer[..hex.len].to_vec(), hex.kind))
    }

    #[test]
    fn separators_are_optional_and_a_type_prefix_is_removed() {
        assert_eq!(bytes("02:aa:0", TypePrefix::Allowed), Some((vec![2, 0xaa, 0], 0)));
        assert_eq!(bytes("06-02:aa", TypePrefix::Allowed), Some((vec![2, 0xaa], 6)));
        assert_eq!(bytes("18-", TypePrefix::Allowed), Some((vec![], 0x18)));
        assert_eq!(bytes("02aabb", TypePrefix::Allowed), Some((vec![2, 0xaa, 0xbb], 0)));
        assert_eq!(bytes("nothex", TypePrefix::Allowed), None);
        assert_eq!(bytes("zz", TypePrefix::Rejected), None);
    }

    #[test]
    fn decoding_stops_after_max_bytes() {
        let mut buffer = b"01:02:03".to_vec();
        assert_eq!(parse_hex(&mut buffer, 2, TypePrefix::Rejected).map(|h| h.len), Some(2));
    }
}
