//! Hexadecimal text in strict formats. [`parse_hex`](super::parse_hex) accepts what dnsmasq accepts.

const DIGITS: &[u8; 16] = b"0123456789abcdef";

/// Formats bytes as lower-case hexadecimal with colons between them, as in hardware addresses, client identifiers and
/// DUIDs.
#[must_use]
pub fn hex_text(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(bytes.len() * 3);
    for (i, byte) in bytes.iter().enumerate() {
        if i != 0 {
            out.push(':');
        }
        push_digits(&mut out, *byte);
    }
    out
}

/// Formats bytes as lower-case hexadecimal without separators.
#[must_use]
pub fn hex_digits(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        push_digits(&mut out, *byte);
    }
    out
}

/// Parses the output of [`hex_text`]. Digits may be upper case. Returns `None` unless each byte has exactly two digits.
#[must_use]
pub fn parse_hex_text(text: &[u8]) -> Option<Vec<u8>> {
    if text.is_empty() {
        return Some(Vec::new());
    }
    text.split(|byte| *byte == b':').map(byte_of).collect()
}

/// Parses the output of [`hex_digits`]. Digits may be upper case. Returns `None` unless each byte has exactly two
/// digits.
#[must_use]
pub fn parse_hex_digits(text: &[u8]) -> Option<Vec<u8>> {
    text.chunks(2).map(byte_of).collect()
}

fn push_digits(out: &mut String, byte: u8) {
    for half in [byte >> 4, byte & 15] {
        out.push(char::from(DIGITS[usize::from(half)]));
    }
}

fn byte_of(digits: &[u8]) -> Option<u8> {
    let [high, low] = digits else { return None };
    let value = |digit: u8| char::from(digit).to_digit(16);
    Some((value(*high)? << 4 | value(*low)?) as u8)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_and_digits_round_trip() {
        let bytes = [0, 0x0f, 0xa0, 0xff];
        assert_eq!(hex_text(&bytes), "00:0f:a0:ff");
        assert_eq!(hex_digits(&bytes), "000fa0ff");
        assert_eq!(parse_hex_text(b"00:0F:a0:ff").as_deref(), Some(&bytes[..]));
        assert_eq!(parse_hex_digits(b"000fA0ff").as_deref(), Some(&bytes[..]));
        assert_eq!(parse_hex_text(b""), Some(Vec::new()));
        assert_eq!(parse_hex_digits(b""), Some(Vec::new()));
    }

    #[test]
    fn a_byte_has_exactly_two_digits() {
        for text in ["0", "000", "0g", "+1", "00:", ":00", "00:0", "00 00"] {
            assert_eq!(parse_hex_text(text.as_bytes()), None, "{text}");
        }
        for text in ["0", "000", "0g", "+1", "00:00"] {
            assert_eq!(parse_hex_digits(text.as_bytes()), None, "{text}");
        }
    }
}
