//! Recognizes the start of a declaration.

use std::net::Ipv4Addr;

use crate::dhcpd::lexer::is_space;
use crate::dhcpd::parser::atoi;

/// Returns whether a declaration appears to start at `at`: a lease with its brace anywhere, or another declaration at the
/// start of a line.
pub(super) fn is_header(w: &[u8], at: usize) -> bool {
    if !matches!(w[at] | 0x20, b'l' | b'i' | b's' | b'f' | b'a' | b'h' | b'g' | b'c') {
        return false;
    }
    let before = at.checked_sub(1).map(|before| w[before]);
    let rest = &w[at..];
    if lease_header(rest).is_some_and(|(_, _, open)| open) {
        return true;
    }
    if before.is_some_and(|c| c != b'\n') {
        return false;
    }
    let starts = |word: &[u8]| {
        rest.len() > word.len()
            && rest[..word.len()].eq_ignore_ascii_case(word)
            && is_space(rest[word.len()])
    };
    lease_header(rest).is_some()
        || [&b"ia-na"[..], b"ia-ta", b"ia-pd", b"server-duid", b"authoring-byte-order"]
            .into_iter()
            .any(starts)
        || [&b"failover peer"[..], b"host", b"group", b"class", b"subclass"].into_iter().any(starts)
}

/// Parses `lease ADDRESS {`. Returns the address, the length, and whether the brace is present.
pub(super) fn lease_header(w: &[u8]) -> Option<(Ipv4Addr, usize, bool)> {
    if w.len() < 6 || !w[..5].eq_ignore_ascii_case(b"lease") || !is_space(w[5]) {
        return None;
    }
    let blank = |at: usize| at + w[at..].iter().take(64).take_while(|c| is_space(**c)).count();
    let mut at = blank(5);
    let mut parts = [0u8; 4];
    for (number, part) in parts.iter_mut().enumerate() {
        if number > 0 {
            at = blank(at);
            if w.get(at) != Some(&b'.') {
                return None;
            }
            at = blank(at + 1);
        }
        let digits = w[at..].iter().take(8).take_while(|c| c.is_ascii_digit()).count();
        if digits == 0 {
            return None;
        }
        *part = atoi(&w[at..at + digits]) as u8;
        at += digits;
    }
    let brace = blank(at);
    let open = w.get(brace) == Some(&b'{');
    Some((Ipv4Addr::from(parts), if open { brace + 1 } else { at }, open))
}
