//! The syntax of dhcpd.leases: comments, words, and statements, which end in a semicolon or a block.

use lease_formats::hex;

/// The result of [`statement`].
pub(crate) enum Scan {
    /// The start and end of a complete statement, including the line break directly after it.
    Complete { start: usize, end: usize },
    /// The text contains only white space and comments.
    Blank,
    /// The start of an incomplete statement: the text ends in it, a declaration begins in it, or it contains bytes that are
    /// not text.
    Torn(usize),
}

/// Finds the first statement of a text. It ends at a semicolon or a closing brace outside of strings and comments.
pub(crate) fn statement(text: &[u8]) -> Scan {
    let mut at = 0;
    let mut begun = None;
    let mut depth = 0u32;
    while let Some(&byte) = text.get(at) {
        match byte {
            b'#' => match memchr::memchr(b'\n', &text[at..]) {
                Some(length) if is_text(&text[at..at + length]) => at += length,
                _ => return Scan::Torn(begun.unwrap_or(at)),
            },
            b' ' | b'\t'..=b'\r' => {}
            b'"' => {
                begun.get_or_insert(at);
                let Some(length) = string_length(&text[at..]) else { break };
                at += length;
                continue;
            }
            b'{' => {
                begun.get_or_insert(at);
                depth += 1;
            }
            b'}' if depth > 1 => depth -= 1,
            // This brace would close the block around the statement.
            b'}' if depth == 0 && begun.is_some() => break,
            b'}' | b';' if depth == u32::from(byte == b'}') && begun.is_some() => {
                let line = text.get(at + 1) == Some(&b'\n');
                let end = at + 1 + usize::from(line);
                return Scan::Complete { start: begun.unwrap_or_default(), end };
            }
            b'!'..=b'~' => {
                let start = *begun.get_or_insert(at);
                if start < at && begins_declaration(text, at) {
                    return Scan::Torn(start);
                }
            }
            _ => return Scan::Torn(begun.unwrap_or(at)),
        }
        at += 1;
    }
    begun.map_or(Scan::Blank, Scan::Torn)
}

fn is_text(bytes: &[u8]) -> bool {
    !bytes.iter().any(|byte| matches!(byte, 0 | 0xff))
}

/// Returns the length of a string including its quotes. A string does not continue on the next line.
fn string_length(text: &[u8]) -> Option<usize> {
    let mut at = 1;
    loop {
        match text.get(at)? {
            b'\\' => at += 2,
            b'"' => return Some(at + 1),
            0 | 0xff | b'\n' => return None,
            _ => at += 1,
        }
    }
}

/// The keywords of leases and identity associations.
const RECORDS: [&[u8]; 4] = [b"lease ", b"ia-na ", b"ia-ta ", b"ia-pd "];

/// The keywords of other declarations.
const OTHERS: [&[u8]; 7] = [
    b"server-duid ",
    b"authoring-byte-order ",
    b"host ",
    b"group ",
    b"class ",
    b"subclass ",
    b"failover ",
];

/// Returns whether a text starts with the keyword of a lease or an identity association.
pub(crate) fn begins_record(text: &[u8]) -> bool {
    RECORDS.iter().any(|word| text.starts_with(word))
}

/// Returns whether a declaration seems to begin at `at`: at the start of a line, after bytes that are not text, or with the
/// address and the brace of a lease.
fn begins_declaration(text: &[u8], at: usize) -> bool {
    let mut rest = &text[at..];
    if at == 0 || matches!(text[at - 1], b'\n' | 0..=8 | 14..=31 | 0x7f..) {
        return begins_record(rest) || OTHERS.iter().any(|word| rest.starts_with(word));
    }
    rest.starts_with(b"lease ")
        && word(&mut rest) == b"lease"
        && word(&mut rest).iter().all(|c| matches!(c, b'.' | b'0'..=b'9'))
        && word(&mut rest) == b"{"
}

/// Returns the position of the next declaration, or the length of the text if there is none.
pub(crate) fn next_declaration(text: &[u8], from: usize) -> usize {
    (from..text.len()).find(|at| begins_declaration(text, *at)).unwrap_or(text.len())
}

/// Returns the length of the first line, including its line break.
pub(crate) fn line_length(rest: &[u8]) -> usize {
    memchr::memchr(b'\n', rest).map_or(rest.len(), |at| at + 1)
}

/// Removes the next word from the start of a text without comments, and returns it: a string with its quotes, one of `{};=`,
/// or text up to white space or one of these. The word is empty at the end of the text.
pub(crate) fn word<'t>(text: &mut &'t [u8]) -> &'t [u8] {
    let rest = text.trim_ascii_start();
    let is_end = |c: &u8| c.is_ascii_whitespace() || b"{};=\"".contains(c);
    let length = match rest.first() {
        None => 0,
        Some(b'"') => string_length(rest).unwrap_or(rest.len()),
        Some(_) => rest.iter().position(is_end).unwrap_or(rest.len()).max(1),
    };
    let (word, rest) = rest.split_at(length.min(rest.len()));
    *text = rest;
    word
}

/// Returns a text without its comments.
pub(crate) fn without_comments(text: &[u8]) -> Vec<u8> {
    let mut plain = Vec::with_capacity(text.len());
    let mut at = 0;
    while let Some(byte) = text.get(at) {
        let length = match byte {
            b'#' => {
                at += line_length(&text[at..]);
                continue;
            }
            b'"' => string_length(&text[at..]).unwrap_or(1),
            _ => 1,
        };
        plain.extend_from_slice(&text[at..at + length]);
        at += length;
    }
    plain
}

/// Decodes a word that is a string or hexadecimal bytes. Returns `None` if it is neither.
pub(crate) fn bytes(word: &[u8]) -> Option<Vec<u8>> {
    let Some(string) = word.strip_prefix(b"\"") else {
        return hex::decode(word).filter(|bytes| !bytes.is_empty());
    };
    let mut rest = string.strip_suffix(b"\"")?;
    let mut bytes = Vec::with_capacity(rest.len());
    while let [first, more @ ..] = rest {
        rest = more;
        let [escaped, more @ ..] = rest else {
            bytes.push(*first);
            break;
        };
        if *first != b'\\' {
            bytes.push(*first);
            continue;
        }
        rest = more;
        bytes.push(match escaped {
            b't' => b'\t',
            b'r' => b'\r',
            b'n' => b'\n',
            b'b' => 8,
            b'0'..=b'3' => {
                let octal = more.iter().take(2).take_while(|c| matches!(c, b'0'..=b'7'));
                rest = &more[octal.clone().count()..];
                octal.fold(escaped - b'0', |sum, digit| sum << 3 | (digit - b'0'))
            }
            other => *other,
        });
    }
    Some(bytes)
}

/// Parses a decimal number.
pub(crate) fn number(word: &[u8]) -> Option<i64> {
    std::str::from_utf8(word).ok()?.parse().ok()
}

/// Returns whether a statement ends here.
pub(crate) fn is_end(mut rest: &[u8]) -> bool {
    word(&mut rest) == b";" && rest.trim_ascii().is_empty()
}
