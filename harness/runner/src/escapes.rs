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

/// How many bytes of a text are shown: more than any line of a lease has.
const MAX_SHOWN: usize = 4000;

/// Bytes as printable text in backquotes, with `\xNN` for other bytes. A long text is cut off.
pub fn show(bytes: &[u8]) -> String {
    let (first, more) = cut_off(bytes, MAX_SHOWN);
    format!("`{}`{more}", first.escape_ascii())
}

/// The first `max` bytes, and a text that says how many follow; empty if none do.
pub(super) fn cut_off(bytes: &[u8], max: usize) -> (&[u8], String) {
    match bytes.split_at_checked(max) {
        Some((first, rest)) if !rest.is_empty() => {
            (first, format!(" … and {} more bytes", rest.len()))
        }
        _ => (bytes, String::new()),
    }
}

#[cfg(test)]
mod tests {
    use super::{show, unescape};

    #[test]
    fn only_hexadecimal_escapes_and_double_backslashes_are_accepted() {
        assert_eq!(unescape(r"a\x0ab\\c"), Ok(b"a\nb\\c".to_vec()));
        assert!(unescape(r"\x00").is_err());
        assert!(unescape(r"\n").is_err());
        assert!(unescape("end\\").is_err());
    }
    #[test]
    fn a_long_text_is_cut_off() {
        assert_eq!(show(b"a\n"), r"`a\n`");
        assert_eq!(show(&[b'a'; 4002]), format!("`{}` … and 2 more bytes", "a".repeat(4000)));
    }
}
