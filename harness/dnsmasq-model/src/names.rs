//! The handling of host names: util.c `legal_hostname`, `check_name`, `hostname_isequal`; dhcp-common.c `strip_hostname`.

use super::rules::NameSyntax;

/// `MAXLABEL` of dns-protocol.h.
const LABEL_MAX: usize = 63;
/// `MAXDNAME` of dns-protocol.h.
const NAME_MAX: usize = 1025;

/// Returns the text up to its first NUL, like a C string.
#[must_use]
pub fn c_string(text: &[u8]) -> &[u8] {
    let end = text.iter().position(|&b| b == 0).unwrap_or(text.len());
    &text[..end]
}

/// Returns the name without a trailing dot if the newest dnsmasq accepts it (`legal_hostname`), or `None` otherwise.
///
/// The first label may contain letters, digits, `-` and `_`, but must not begin with `-` or `_`. The other labels may
/// contain all ASCII characters except control characters. No label may be longer than 63 bytes.
#[must_use]
pub fn legal_hostname(name: &[u8]) -> Option<&[u8]> {
    legal_name(name, NameSyntax::LetterFirst)
}

/// Returns the name without a trailing dot if a dnsmasq with this syntax accepts it (`canonicalise` until 2.50, then
/// `legal_hostname`).
pub(crate) fn legal_name(name: &[u8], syntax: NameSyntax) -> Option<&[u8]> {
    let name = c_string(name);
    if name.is_empty() || name.len() > NAME_MAX {
        return None;
    }
    let shorter = name.strip_suffix(b".");
    if shorter.is_some_and(<[u8]>::is_empty) && syntax != NameSyntax::LetterFirst {
        return None;
    }
    let name = shorter.unwrap_or(name);
    let legal_byte = |byte: u8| match syntax {
        NameSyntax::Slash => is_legal_char(byte),
        NameSyntax::SlashAndSpace | NameSyntax::SlashAndInnerSpace => {
            is_legal_char(byte) || byte == b' '
        }
        NameSyntax::Strict | NameSyntax::LetterFirst => byte.is_ascii() && !byte.is_ascii_control(),
    };
    let mut label = 0;
    for &byte in name {
        if byte == b'.' {
            label = 0;
        } else {
            label += 1;
            if label > LABEL_MAX || !legal_byte(byte) {
                return None;
            }
        }
    }
    let has_visible = name.iter().any(|byte| !matches!(byte, b' ' | b'.'))
        || (shorter.is_some() && syntax == NameSyntax::LetterFirst);
    match syntax {
        NameSyntax::Slash | NameSyntax::SlashAndSpace => return Some(name),
        _ if !has_visible => return None,
        NameSyntax::SlashAndInnerSpace => return Some(name),
        NameSyntax::Strict | NameSyntax::LetterFirst => {}
    }
    for (i, &byte) in name.iter().enumerate() {
        match byte {
            b'.' => break,
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' => {}
            b'-' | b'_' if i != 0 || syntax == NameSyntax::Strict => {}
            _ => return None,
        }
    }
    Some(name)
}

/// Returns whether a name may contain this byte (util.c `legal_char`, without the space that 2.36 allows).
fn is_legal_char(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'/')
}

/// Returns the first label, and the text after the first dot unless it is empty (`strip_hostname`).
#[must_use]
pub fn strip_hostname(name: &[u8]) -> (&[u8], Option<&[u8]>) {
    match name.iter().position(|&b| b == b'.') {
        None => (name, None),
        Some(dot) => (&name[..dot], Some(&name[dot + 1..]).filter(|d| !d.is_empty())),
    }
}

/// Returns whether the names are equal except for the case of ASCII letters (`hostname_isequal`).
#[must_use]
pub(crate) fn same_name(a: &[u8], b: &[u8]) -> bool {
    a.eq_ignore_ascii_case(b)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case(b"bravo", Some(&b"bravo"[..]))]
    #[case(b"a.", Some(&b"a"[..]))]
    #[case(b"nul\0x", Some(&b"nul"[..]))]
    #[case(b"under_score", Some(&b"under_score"[..]))]
    #[case(b"123", Some(&b"123"[..]))]
    #[case(b"ok.second label!", Some(&b"ok.second label!"[..]))]
    #[case(b"", None)]
    #[case(b"*", None)]
    #[case(b"-dash", None)]
    #[case(b"_x", None)]
    #[case(b"bad name", None)]
    #[case(b"caf\xc3\xa9", None)]
    fn only_legal_host_names_are_accepted(#[case] name: &[u8], #[case] expected: Option<&[u8]>) {
        assert_eq!(legal_hostname(name), expected);
    }

    #[test]
    fn a_label_has_at_most_63_bytes() {
        assert!(legal_hostname(&[b'x'; 63]).is_some());
        assert!(legal_hostname(&[b'y'; 64]).is_none());
    }

    #[test]
    fn a_name_that_starts_with_a_dot_has_an_empty_first_label() {
        // legal_hostname stops at the first dot; strip_hostname then finds an empty label.
        let legal = legal_hostname(b".dot").expect("legal up to the dot");
        assert_eq!(strip_hostname(legal), (&b""[..], Some(&b"dot"[..])));
    }
}
