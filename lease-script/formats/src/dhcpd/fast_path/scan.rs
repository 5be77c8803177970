//! Lexical elements of well-formed leases: white space, dates, strings, hexadecimal lists, states.

use crate::dhcpd::date_range::seconds;
use crate::dhcpd::lease::{BindingState, Date};
use crate::dhcpd::lexer::is_space;

/// Maximum length of a string in dhcpd.
const LONGEST_STRING: usize = 1499;

/// Maximum length of white space or of an `on` block that is read here, so that no buffer of dhcpd overflows.
const LONGEST_BLANK: usize = 1400;

fn digit(c: u8) -> Option<i32> {
    c.is_ascii_digit().then(|| i32::from(c - b'0'))
}

fn hex_digit(c: u8) -> Option<u8> {
    char::from(c).to_digit(16).map(|digit| digit as u8)
}

pub(super) fn is_word(c: u8) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, b'-' | b'_')
}

/// Skips white space from `at` on. Returns the position after it.
pub(super) fn blank(w: &[u8], at: usize) -> Option<usize> {
    let length = w[at..].iter().take(LONGEST_BLANK).position(|c| !is_space(*c))?;
    Some(at + length)
}

/// Reads a number of at most three digits, up to 255. Returns the number and its length.
pub(super) fn octet(text: &[u8]) -> Option<(u8, usize)> {
    let length = text.iter().take(4).position(|c| !c.is_ascii_digit())?;
    let number = number(&text[..length]).filter(|_| length > 0)?;
    Some((u8::try_from(number).ok()?, length))
}

fn number(text: &[u8]) -> Option<i32> {
    text.iter().try_fold(0, |sum, &c| Some(sum * 10 + digit(c)?))
}

/// Reads `never` or `WEEKDAY YEAR/MONTH/DAY HOUR:MINUTE:SECOND` before 2038. Returns the date and its length.
pub(super) fn date(text: &[u8]) -> Option<(i64, usize)> {
    if text.starts_with(b"never;") {
        return Some((Date::NEVER.0, 5));
    }
    let text = text.first_chunk::<21>()?;
    let separators = [text[1], text[6], text[9], text[12], text[15], text[18]];
    if separators != *b" // ::" {
        return None;
    }
    digit(text[0])?;
    let part = |from: usize, to: usize| number(&text[from..to]);
    let (year, month, day) = (part(2, 6)?, part(7, 9)?, part(10, 12)?);
    if !(1..=12).contains(&month) || !(1901..2038).contains(&year) {
        return None;
    }
    let clock = [part(13, 15)?, part(16, 18)?, part(19, 21)?];
    Some((i64::from(seconds(year, month, day, clock, 0)), text.len()))
}

/// Reads a binding state. Returns the state and its length.
pub(super) fn state(text: &[u8]) -> Option<(BindingState, usize)> {
    use BindingState::{Abandoned, Active, Backup, Expired, Free, Released, Reset};
    let word = text.split(|c| *c == b';').next()?;
    let known = [Active, Free, Abandoned, Expired, Released, Reset, Backup];
    let state = known.into_iter().find(|state| state.name().as_bytes() == word)?;
    Some((state, word.len()))
}

/// Reads a string with its quotes and appends its value. Returns the length of the text.
pub(super) fn string(text: &[u8], out: &mut Vec<u8>) -> Option<usize> {
    let before = out.len();
    let mut rest = text.strip_prefix(b"\"")?;
    loop {
        let plain =
            rest.iter().position(|c| !matches!(c, b' '..=0xfe) || matches!(c, b'"' | b'\\'))?;
        out.extend_from_slice(&rest[..plain]);
        rest = &rest[plain..];
        match *rest {
            [b'"', ..] => break,
            [b'\\', quoted @ (b'"' | b'\\'), ..] => {
                out.push(quoted);
                rest = &rest[2..];
            }
            [b'\\', a @ b'0'..=b'3', b @ b'0'..=b'7', c @ b'0'..=b'7', ..] => {
                out.push((a - b'0') << 6 | (b - b'0') << 3 | (c - b'0'));
                rest = &rest[4..];
            }
            _ => return None,
        }
    }
    (out.len() - before <= LONGEST_STRING).then_some(text.len() - rest.len() + 1)
}

/// Reads at most `most` hexadecimal bytes with colons between them. Returns the length of the text.
pub(super) fn hex_list(text: &[u8], out: &mut Vec<u8>, most: usize) -> Option<usize> {
    let mut at = 0;
    for _ in 0..most {
        let high = hex_digit(*text.get(at)?)?;
        let low = hex_digit(*text.get(at + 1)?);
        out.push(low.map_or(high, |low| high << 4 | low));
        at += if low.is_some() { 2 } else { 1 };
        match *text.get(at)? {
            b':' => at += 1,
            b';' => return Some(at),
            _ => return None,
        }
    }
    None
}

/// Reads a string or a list of fewer than `most` bytes. Returns the length of the text.
pub(super) fn value(text: &[u8], out: &mut Vec<u8>, most: usize) -> Option<usize> {
    let before = out.len();
    if *text.first()? != b'"' {
        return hex_list(text, out, most);
    }
    let used = string(text, out)?;
    (out.len() - before < most).then_some(used)
}

/// Returns the length of the text up to the closing brace of a block.
pub(super) fn block(text: &[u8]) -> Option<usize> {
    let text = &text[..text.len().min(LONGEST_BLANK)];
    let mut depth = 0;
    let mut at = 0;
    loop {
        match *text.get(at)? {
            b'{' => depth += 1,
            b'}' if depth == 0 => return Some(at),
            b'}' => depth -= 1,
            b'"' => at += string(&text[at..], &mut Vec::new())? - 1,
            b'#' | 0 | 0x80.. => return None,
            _ => {}
        }
        at += 1;
    }
}
