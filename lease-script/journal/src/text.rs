//! The text of a journal: the mark at the end of a rewrite, and torn records at the end of the text.

use crate::syntax::{Scan, begins_record, line_length, statement};

/// The start of the line that ends a rewrite. The text after that line was appended later.
const MARK: &[u8] = b"# end of rewrite ";

/// The rewrite with which a journal begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Rewrite {
    /// The number of the rewrite, one more than that of the previous rewrite.
    pub generation: u64,
    /// The time of the rewrite in seconds since 1970, by the clock of the machine.
    pub time: i64,
    /// The number of bytes up to the end of the mark.
    pub length: usize,
}

/// Ends the text of a rewrite. The mark contains the number of bytes before it, so that a missing byte is detected.
pub(crate) fn end(text: &mut Vec<u8>, generation: u64, time: i64) {
    let before = text.len();
    text.extend_from_slice(MARK);
    text.extend_from_slice(format!("{generation} at {time}, {before} bytes\n").as_bytes());
}

/// Finds the mark of the rewrite with which a file begins. Returns `None` if there is no mark or the text before it is
/// damaged.
pub fn find_rewrite(text: &[u8]) -> Option<Rewrite> {
    let at = lines_with(text, MARK).find(|at| *at > 0)?;
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

/// Returns the positions of the lines that start with `start`.
pub(crate) fn lines_with<'t>(text: &'t [u8], start: &'t [u8]) -> impl Iterator<Item = usize> + 't {
    let starts = memchr::memchr_iter(b'\n', text).map(|at| at + 1);
    std::iter::once(0).chain(starts).filter(move |at| text[*at..].starts_with(start))
}

/// Returns the number of bytes before a torn record at the end of a journal, or the length of the text if there is none.
///
/// Examines only the text from the last declaration on, because damage before it does not affect later records. Bytes that
/// are not text (unwritten flash, a byte order mark) do not affect a complete record directly after them either.
pub fn intact_length(text: &[u8]) -> usize {
    let mut end = last_record(text);
    let mut torn = None;
    loop {
        match statement(&text[end..]) {
            Scan::Complete { end: length, .. } => {
                torn = None;
                end += length;
            }
            Scan::Blank => return torn.unwrap_or(text.len()),
            Scan::Torn(blank) => {
                let torn = *torn.get_or_insert(end + blank);
                let next = (end + blank + 1..text.len()).find(|at| {
                    matches!(text[at - 1], 0..=8 | 14..=31 | 0x7f..) && begins_record(&text[*at..])
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
    let starts = |at: usize| begins_record(&text[at..]);
    memchr::memrchr_iter(b'\n', text).map(|at| at + 1).find(|at| starts(*at)).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    const COMPLETE: &str = "authoring-byte-order little-endian;\n\nlease 10.0.0.1 {\n  binding state active;\n  \
                         uid \"}\\\"\\\\{;\";\n  on expiry { set a = \"#\"; }\n}\n";

    #[test]
    fn a_truncated_last_record_is_excluded_and_earlier_records_are_kept() {
        let more = "lease 10.0.0.2 {\n  # }\n  set a = \"lease 1 {\";\n}\n";
        let text = [COMPLETE, more].concat();
        let first = COMPLETE.len();
        for cut in first..=text.len() {
            let found = intact_length(&text.as_bytes()[..cut]);
            // A record without its final line break is complete.
            let wanted = if cut >= text.len() - 1 { cut } else { first };
            assert_eq!(found, wanted, "cut at {cut}: {:?}", &text[..cut]);
        }
    }

    #[test]
    fn trailing_garbage_is_excluded() {
        for garbage in ["\0\0\0", "\0\0;\n}\n", "\u{fffd}", "# half a comment"] {
            let text = [COMPLETE, garbage].concat();
            assert_eq!(intact_length(text.as_bytes()), COMPLETE.len(), "{garbage:?}");
        }
        let mut erased = COMPLETE.as_bytes().to_vec();
        erased.extend([0xff; 700]);
        assert_eq!(intact_length(&erased), COMPLETE.len());
        let more = b"lease 10.0.0.2 {\n}\n";
        erased.extend(more);
        for cut in 0..more.len() - 1 {
            assert_eq!(
                intact_length(&erased[..COMPLETE.len() + 700 + cut]),
                COMPLETE.len(),
                "{cut}"
            );
        }
        assert_eq!(intact_length(&erased), erased.len());
        let marked = "\u{feff}lease 10.0.0.2 {\n}\n";
        assert_eq!(intact_length(marked.as_bytes()), marked.len());
    }

    #[test]
    fn other_declarations_and_comments_are_complete() {
        for more in
            ["server-duid \"a\";\n", "host x {\n  dynamic;\n  deleted;\n}\n", "# comment\n", "\n\n"]
        {
            let text = [COMPLETE, more].concat();
            assert_eq!(intact_length(text.as_bytes()), text.len(), "{more:?}");
        }
    }

    #[test]
    fn a_rewrite_with_a_missing_byte_is_not_recognized() {
        let mut text = COMPLETE.as_bytes().to_vec();
        end(&mut text, 7, 1_700_000_000);
        let length = text.len();
        text.extend_from_slice(b"lease 10.0.0.9 {\n");
        let found = find_rewrite(&text);
        assert_eq!(found, Some(Rewrite { generation: 7, time: 1_700_000_000, length }));
        for cut in 0..length {
            assert_eq!(find_rewrite(&text[..cut]), None, "{cut}");
        }
        text.remove(100);
        assert_eq!(find_rewrite(&text), None);
    }
}
