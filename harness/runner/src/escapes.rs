//! `\xNN` escapes in the texts of scenario files.

use dnsmasq_model::parse_hex_digits;

/// The bytes of a text in which `\xNN` stands for any byte but NUL and `\\` for a backslash.
///
/// # Errors
/// A backslash followed by anything else, or a NUL byte, which no argument, variable or value can contain.
pub(super) fn unescape(text: &str) -> Result<Vec<u8>, String> {
    let invalid = || format!("invalid escape in `{text}`: expected \\xNN or \\\\");
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&byte, after)) = rest.split_first() {
        if byte != b'\\' {
            bytes.push(byte);
            rest = after;
            continue;
        }
        rest = match after {
            [b'\\', after @ ..] => {
                bytes.push(b'\\');
                after
            }
            [b'x', high, low, after @ ..] => {
                bytes.extend(parse_hex_digits(&[*high, *low]).ok_or_else(invalid)?);
                after
            }
            _ => return Err(invalid()),
        };
    }
    if bytes.contains(&0) {
        return Err(format!(
            "{text:?} contains a NUL byte, which an argument of a process cannot contain"
        ));
    }
    Ok(bytes)
}

/// Bytes as printable text in backquotes, with `\xNN` for other bytes.
pub fn show(bytes: &[u8]) -> String {
    format!("`{}`", bytes.escape_ascii())
}

#[cfg(test)]
mod tests {
    use super::unescape;

    #[test]
    fn only_hexadecimal_escapes_and_double_backslashes_are_accepted() {
        assert_eq!(unescape(r"a\x0ab\\c"), Ok(b"a\nb\\c".to_vec()));
        assert!(unescape(r"\x00").is_err());
        assert!(unescape(r"\n").is_err());
        assert!(unescape("end\\").is_err());
    }
}
