//! The text of a journal as a whole: its head, the mark at the end of a rewrite, and a torn tail.

use lease_formats::dhcpd::{Unwritable, write_head};

/// What a rewrite ends with. Whatever stands behind it was appended.
const MARK: &[u8] = b"# end of rewrite ";

/// A rewrite's number: each is one more than the one before.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Rewrite {
    /// Its number.
    pub generation: u64,
    /// When it was made, in seconds since 1970, as far as its clock knew.
    pub time: i64,
    /// Bytes up to the end of the mark.
    pub length: usize,
}

/// The head of a rewrite.
pub(crate) fn begin(server_duid: Option<&[u8]>) -> Result<Vec<u8>, Unwritable> {
    let mut text = Vec::new();
    write_head(&mut text, server_duid)?;
    Ok(text)
}

/// Ends a rewrite. The number of bytes before it shows that none is missing.
pub(crate) fn end(text: &mut Vec<u8>, generation: u64, time: i64) {
    let before = text.len();
    text.extend_from_slice(MARK);
    text.extend_from_slice(format!("{generation} at {time}, {before} bytes\n").as_bytes());
}

/// The mark of the rewrite with which a file begins, when it is there and what stands before it is whole.
pub fn rewrite_of(text: &[u8]) -> Option<Rewrite> {
    let at = memchr::memmem::find_iter(text, MARK).find(|at| *at > 0 && text[at - 1] == b'\n')?;
    let rest = &text[at + MARK.len()..];
    let line = &rest[..memchr::memchr(b'\n', rest)?];
    let line = std::str::from_utf8(line).ok()?.strip_suffix(" bytes")?;
    let (generation, line) = line.split_once(" at ")?;
    let (time, bytes) = line.split_once(", ")?;
    let whole = bytes.parse() == Ok(at) && !text[..at].iter().any(|c| matches!(c, 0 | 0xff));
    whole.then_some(())?;
    Some(Rewrite {
        generation: generation.parse().ok()?,
        time: time.parse().ok()?,
        length: at + MARK.len() + line_length(rest),
    })
}

fn line_length(rest: &[u8]) -> usize {
    memchr::memchr(b'\n', rest).map_or(rest.len(), |at| at + 1)
}

/// The words that declarations begin with, at the start of a line.
const WORDS: [&[u8]; 4] = [b"lease ", b"ia-na ", b"ia-ta ", b"ia-pd "];

/// How many bytes of a journal are whole: what follows is a record that was cut short, or bytes that never were one.
///
/// Only the end is looked at, from the last line on that begins a lease: damage further up must not cost what stands
/// behind it. Nor must bytes that are no text (flash that was never written, a byte order mark) cost a whole record right
/// behind them.
pub fn whole_length(text: &[u8]) -> usize {
    let mut end = last_record(text);
    let mut torn = None;
    loop {
        match statement(&text[end..]) {
            Scan::Whole(length) => {
                torn = None;
                end += length;
            }
            Scan::Nothing => return torn.unwrap_or(text.len()),
            Scan::Torn(blank) => {
                let torn = *torn.get_or_insert(end + blank);
                let next = (end + blank + 1..text.len()).find(|at| {
                    matches!(text[at - 1], 0..=8 | 14..=31 | 0x7f..)
                        && WORDS.iter().any(|word| text[*at..].starts_with(word))
                });
                match next {
                    Some(next) => end = next,
                    None => return torn,
                }
            }
        }
    }
}

fn last_record(text: &[u8]) -> usize {
    let starts = |at: usize| WORDS.iter().any(|word| text[at..].starts_with(word));
    memchr::memrchr_iter(b'\n', text).map(|at| at + 1).find(|at| starts(*at)).unwrap_or(0)
}

enum Scan {
    /// A statement of so many bytes, the line's end included.
    Whole(usize),
    /// Only white space and comments.
    Nothing,
    /// A statement that does not end, behind so many bytes of white space and comments.
    Torn(usize),
}

/// Looks for the end of one statement: a semicolon or a closing brace outside of strings and comments.
fn statement(text: &[u8]) -> Scan {
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
                let Some(length) = string(&text[at..]) else { break };
                at += length;
                continue;
            }
            b'{' => {
                begun.get_or_insert(at);
                depth += 1;
            }
            b'}' if depth > 1 => depth -= 1,
            b'}' | b';' if depth <= u32::from(byte == b'}') && begun.is_some() => {
                let line = text.get(at + 1) == Some(&b'\n');
                return Scan::Whole(at + 1 + usize::from(line));
            }
            b'!'..=b'~' => {
                begun.get_or_insert(at);
            }
            _ => return Scan::Torn(begun.unwrap_or(at)),
        }
        at += 1;
    }
    begun.map_or(Scan::Nothing, Scan::Torn)
}

fn is_text(bytes: &[u8]) -> bool {
    !bytes.iter().any(|byte| matches!(byte, 0 | 0xff))
}

/// The length of a string with its quotes.
fn string(text: &[u8]) -> Option<usize> {
    let mut at = 1;
    loop {
        match text.get(at)? {
            b'\\' => at += 2,
            b'"' => return Some(at + 1),
            0 | 0xff => return None,
            _ => at += 1,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WHOLE: &str = "authoring-byte-order little-endian;\n\nlease 10.0.0.1 {\n  binding state active;\n  \
                         uid \"}\\\"\\\\{;\";\n  on expiry { set a = \"#\"; }\n}\n";

    #[test]
    fn every_cut_of_the_last_record_leaves_what_stands_before_it() {
        let more = "lease 10.0.0.2 {\n  # }\n  set a = \"lease 1 {\";\n}\n";
        let text = [WHOLE, more].concat();
        let first = WHOLE.len();
        for cut in first..=text.len() {
            let found = whole_length(&text.as_bytes()[..cut]);
            // Without its line end, the record is whole all the same.
            let wanted = if cut >= text.len() - 1 { cut } else { first };
            assert_eq!(found, wanted, "cut at {cut}: {:?}", &text[..cut]);
        }
    }

    #[test]
    fn bytes_that_never_were_a_record_are_no_part_of_it() {
        for waste in ["\0\0\0", "\0\0;\n}\n", "\u{fffd}", "# half a comment"] {
            let text = [WHOLE, waste].concat();
            assert_eq!(whole_length(text.as_bytes()), WHOLE.len(), "{waste:?}");
        }
        let mut erased = WHOLE.as_bytes().to_vec();
        erased.extend([0xff; 700]);
        assert_eq!(whole_length(&erased), WHOLE.len());
        let more = b"lease 10.0.0.2 {\n}\n";
        erased.extend(more);
        for cut in 0..more.len() - 1 {
            assert_eq!(whole_length(&erased[..WHOLE.len() + 700 + cut]), WHOLE.len(), "{cut}");
        }
        assert_eq!(whole_length(&erased), erased.len());
        let marked = "\u{feff}lease 10.0.0.2 {\n}\n";
        assert_eq!(whole_length(marked.as_bytes()), marked.len());
    }

    #[test]
    fn what_others_append_is_whole() {
        for more in
            ["server-duid \"a\";\n", "host x {\n  dynamic;\n  deleted;\n}\n", "# comment\n", "\n\n"]
        {
            let text = [WHOLE, more].concat();
            assert_eq!(whole_length(text.as_bytes()), text.len(), "{more:?}");
        }
    }

    #[test]
    fn a_rewrite_with_a_byte_less_is_none() {
        let mut text = begin(None).expect("no DUID");
        text.extend_from_slice(WHOLE.as_bytes());
        end(&mut text, 7, 1_700_000_000);
        let length = text.len();
        text.extend_from_slice(b"lease 10.0.0.9 {\n");
        let found = rewrite_of(&text);
        assert_eq!(found, Some(Rewrite { generation: 7, time: 1_700_000_000, length }));
        for cut in 0..length {
            assert_eq!(rewrite_of(&text[..cut]), None, "{cut}");
        }
        text.remove(100);
        assert_eq!(rewrite_of(&text), None);
    }
}
