//! Numbers and hexadecimal text as Kea reads them.

/// Returns the text up to a NUL, as in a C string.
pub(super) fn c_string(text: &[u8]) -> &[u8] {
    &text[..memchr::memchr(0, text).unwrap_or(text.len())]
}

/// Parses a number like `boost::lexical_cast` to an unsigned type of at most 64 bits. A sign is allowed, and a negative
/// number wraps.
pub(super) fn unsigned(text: &[u8], max: u64) -> Option<u64> {
    let text = c_string(text);
    let negative = text.first() == Some(&b'-');
    let digits = if negative || text.first() == Some(&b'+') { &text[1..] } else { text };
    if digits.is_empty() {
        return None;
    }
    let mut number = 0u64;
    for digit in digits {
        let digit = digit.wrapping_sub(b'0');
        if digit > 9 {
            return None;
        }
        number = number.checked_mul(10)?.checked_add(u64::from(digit))?;
    }
    (number <= max).then_some(if negative { number.wrapping_neg() & max } else { number })
}

/// Parses a number like `boost::lexical_cast` to an `int`.
pub(super) fn signed(text: &[u8]) -> Option<i32> {
    std::str::from_utf8(c_string(text)).ok()?.parse().ok()
}

/// Parses a truth value like `boost::lexical_cast` to a `bool`: 0 or 1, with leading zeros.
pub(super) fn truth(text: &[u8]) -> Option<bool> {
    match unsigned(text, u64::MAX)? {
        0 => Some(false),
        1 => Some(true),
        _ => None,
    }
}

/// Why hexadecimal text cannot be decoded.
pub(super) type HexError = &'static str;

fn digit(c: u8) -> Option<u8> {
    char::from(c).to_digit(16).map(|digit| digit as u8)
}

/// Decodes bytes of one or two digits with separators between them (`decodeSeparatedHexString`).
fn separated(text: &[u8], separator: u8, mut put: impl FnMut(u8)) -> Result<(), HexError> {
    let (mut byte, mut digits) = (0, 0);
    for &c in text {
        if c == separator {
            if digits == 0 {
                return Err("two consecutive separators");
            }
            put(byte);
            (byte, digits) = (0, 0);
            continue;
        }
        if digits == 2 {
            return Err("more than two digits between separators");
        }
        byte = byte << 4 | digit(c).ok_or("not a hexadecimal digit")?;
        digits += 1;
    }
    if digits > 0 {
        put(byte);
    }
    // Only empty text may end without a digit.
    if digits == 0 && !text.is_empty() { Err("two consecutive separators") } else { Ok(()) }
}

/// Decodes a hardware address (`decodeColonSeparatedHexString`).
pub(super) fn colons(text: &[u8], put: impl FnMut(u8)) -> Result<(), HexError> {
    separated(text, b':', put)
}

/// Decodes a client identifier or a DUID (`decodeFormattedHexString`): separated by colons or blanks, or without separators
/// and with an optional `0x`.
pub(super) fn formatted(text: &[u8], mut put: impl FnMut(u8)) -> Result<(), HexError> {
    if memchr::memchr(b':', text).is_some() {
        return separated(text, b':', put);
    }
    if memchr::memchr(b' ', text).is_some() {
        return separated(text, b' ', put);
    }
    let mut digits = text;
    if text.len() > 2 && text.starts_with(b"0x") {
        digits = &text[2..];
    }
    let invalid = "not a string of hexadecimal digits";
    if digits.len() % 2 == 1 {
        put(digit(digits[0]).ok_or(invalid)?);
        digits = &digits[1..];
    }
    for pair in digits.chunks_exact(2) {
        let byte = digit(pair[0]).zip(digit(pair[1])).map(|(high, low)| high << 4 | low);
        put(byte.ok_or(invalid)?);
    }
    Ok(())
}

/// Returns the decoded bytes of text that was already checked.
pub(super) fn bytes(
    text: &[u8],
    decode: impl FnOnce(&[u8], &mut dyn FnMut(u8)) -> Result<(), HexError>,
) -> Vec<u8> {
    let mut out = Vec::new();
    match decode(text, &mut |byte| out.push(byte)) {
        Ok(()) => out,
        Err(_) => Vec::new(),
    }
}

/// Decodes `&#xHH` (`CSVRow::unescapeCharacters`).
pub(super) fn unescape(field: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(field.len());
    let mut rest = field;
    while let Some(at) = memchr::memmem::find(rest, b"&#x") {
        out.extend_from_slice(&rest[..at]);
        let pair = rest.get(at + 3..at + 5);
        match pair.and_then(|pair| digit(pair[0]).zip(digit(pair[1]))) {
            Some((high, low)) => {
                out.push(high << 4 | low);
                rest = &rest[at + 5..];
            }
            None => {
                out.extend_from_slice(b"&#x");
                rest = &rest[at + 3..];
            }
        }
    }
    out.extend_from_slice(rest);
    out
}
