//! Lexical elements of well-formed declarations: white space, strings, hexadecimal lists, states, blocks.

use crate::dhcpd::lease::BindingState;
use crate::dhcpd::lexer::is_space;

/// The length of the longest string in dhcpd.
pub(super) const STRING: usize = 1499;

/// The maximum length of white space and `on` blocks, so that no buffer of dhcpd overflows.
pub(super) const RUN: usize = 1400;

/// Values of hexadecimal digits.
pub(super) const HEX: [u8; 256] = {
    let mut table = [0xff; 256];
    let mut digit = 0;
    while digit < 10 {
        table[b'0' as usize + digit] = digit as u8;
        digit += 1;
    }
    let mut letter = 0;
    while letter < 6 {
        table[b'a' as usize + letter] = 10 + letter as u8;
        table[b'A' as usize + letter] = 10 + letter as u8;
        letter += 1;
    }
    table
};

#[inline]
pub(super) fn digit(c: u8) -> Option<u8> {
    let value = c.wrapping_sub(b'0');
    (value <= 9).then_some(value)
}

pub(super) fn is_word(c: u8) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, b'-' | b'_')
}

/// Skips white space and comments from `at` on.
#[inline]
pub(super) fn blank(w: &[u8], mut at: usize) -> Option<usize> {
    // The most frequent case: a new line, indented by two.
    if w[at..].starts_with(b"\n  ") && !is_space(*w.get(at + 3)?) && w[at + 3] != b'#' {
        return Some(at + 3);
    }
    let mut run = 0;
    loop {
        let c = *w.get(at)?;
        if is_space(c) {
            run += 1;
            if run > RUN {
                return None;
            }
        } else if c == b'#' {
            let line = &w[at..];
            let end = memchr::memchr2(b'\n', 0xff, line)?;
            if line[end] != b'\n' {
                return None;
            }
            at += end;
            run = 0;
        } else {
            return Some(at);
        }
        at += 1;
    }
}

/// Reads a binding state and its semicolon.
#[inline]
pub(super) fn state(text: &[u8]) -> Option<(BindingState, usize)> {
    Some(match text.first()? {
        b'a' if text.starts_with(b"active;") => (BindingState::Active, 7),
        b'f' if text.starts_with(b"free;") => (BindingState::Free, 5),
        b'a' if text.starts_with(b"abandoned;") => (BindingState::Abandoned, 10),
        b'e' if text.starts_with(b"expired;") => (BindingState::Expired, 8),
        b'r' if text.starts_with(b"released;") => (BindingState::Released, 9),
        b'r' if text.starts_with(b"reset;") => (BindingState::Reset, 6),
        b'b' if text.starts_with(b"backup;") => (BindingState::Backup, 7),
        _ => return None,
    })
}

/// True for the bytes that stand for themselves in a string.
pub(super) const PLAIN: [bool; 256] = {
    let mut table = [false; 256];
    let mut c = b' ' as usize;
    while c < 0xff {
        table[c] = c != b'"' as usize && c != b'\\' as usize;
        c += 1;
    }
    table
};

/// Reads a string from its quote on and appends its value.
#[inline]
pub(super) fn string(text: &[u8], out: &mut Vec<u8>) -> Option<usize> {
    const PIECE: usize = 64;
    let before = out.len();
    let mut piece = [0u8; PIECE];
    let mut filled = 0;
    let mut at = 1;
    loop {
        let c = *text.get(at)?;
        let byte = if PLAIN[c as usize] {
            at += 1;
            c
        } else if c == b'"' {
            break;
        } else if c == b'\\' {
            let [first, second, third] = *text[at + 1..].first_chunk::<3>()?;
            if let b'0'..=b'3' = first {
                let (second, third) = (second.wrapping_sub(b'0'), third.wrapping_sub(b'0'));
                if second > 7 || third > 7 {
                    return None;
                }
                at += 4;
                (first - b'0') << 6 | second << 3 | third
            } else if matches!(first, b'"' | b'\\') {
                at += 2;
                first
            } else {
                return None;
            }
        } else {
            return None;
        };
        if filled == PIECE {
            out.extend_from_slice(&piece);
            filled = 0;
        }
        piece[filled] = byte;
        filled += 1;
    }
    out.extend_from_slice(&piece[..filled]);
    (out.len() - before <= STRING).then_some(at + 1)
}

/// Reads at most `most` hexadecimal bytes with colons between them.
#[inline]
pub(super) fn hex_list(text: &[u8], out: &mut Vec<u8>, most: usize) -> Option<usize> {
    let mut at = 0;
    for _ in 0..most {
        let high = HEX[*text.get(at)? as usize];
        if high > 15 {
            return None;
        }
        at += 1;
        let low = HEX[*text.get(at)? as usize];
        if low > 15 {
            out.push(high);
        } else {
            out.push(high << 4 | low);
            at += 1;
        }
        match *text.get(at)? {
            b':' => at += 1,
            b';' => return Some(at),
            _ => return None,
        }
    }
    None
}

/// Reads a string or a list of bytes.
#[inline]
pub(super) fn value(text: &[u8], out: &mut Vec<u8>, most: usize) -> Option<usize> {
    let before = out.len();
    if *text.first()? != b'"' {
        return hex_list(text, out, most);
    }
    let used = string(text, out)?;
    (out.len() - before < most).then_some(used)
}

/// The length of the text up to the closing brace of a block.
pub(super) fn block(text: &[u8]) -> Option<usize> {
    let text = &text[..text.len().min(RUN)];
    let mut ignored = Vec::new();
    let mut depth = 0;
    let mut at = 0;
    loop {
        match *text.get(at)? {
            b'{' => depth += 1,
            b'}' if depth == 0 => return Some(at),
            b'}' => depth -= 1,
            b'"' => {
                ignored.clear();
                at += string(&text[at..], &mut ignored)? - 1;
            }
            b'#' | 0 | 0x80.. => return None,
            _ => {}
        }
        at += 1;
    }
}
