//! Hexadecimal text.

use std::fmt;

/// Decodes bytes of one or two digits with colons between them. Empty text decodes to no bytes. Returns `None` for any other
/// text.
pub fn decode(text: &[u8]) -> Option<Vec<u8>> {
    let digit = |c: u8| char::from(c).to_digit(16).map(|digit| digit as u8);
    let mut bytes = Vec::with_capacity(text.len().div_ceil(3));
    let mut rest = text;
    while let [high, more @ ..] = rest {
        let mut byte = digit(*high)?;
        rest = more;
        if let [low, more @ ..] = rest
            && *low != b':'
        {
            byte = byte << 4 | digit(*low)?;
            rest = more;
        }
        bytes.push(byte);
        match rest {
            [] => break,
            // A colon must be followed by another byte.
            [b':', more @ ..] if !more.is_empty() => rest = more,
            _ => return None,
        }
    }
    Some(bytes)
}

/// Appends bytes as two lowercase digits each, with colons between them.
pub fn append(out: &mut Vec<u8>, bytes: &[u8]) {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    for (at, byte) in bytes.iter().enumerate() {
        if at > 0 {
            out.push(b':');
        }
        out.push(DIGITS[usize::from(byte >> 4)]);
        out.push(DIGITS[usize::from(byte & 15)]);
    }
}

/// Returns the text that [`append`] appends.
pub fn encode(bytes: &[u8]) -> Vec<u8> {
    let mut text = Vec::with_capacity(3 * bytes.len());
    append(&mut text, bytes);
    text
}

/// Displays bytes as two lowercase digits each, without separators.
#[derive(Debug, Clone, Copy)]
pub struct Plain<'a>(pub &'a [u8]);

impl fmt::Display for Plain<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}
