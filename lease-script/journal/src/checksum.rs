//! Checksums of the records of a journal. The checksum of a record is in a comment after it, which dhcpd ignores:
//!
//! ```text
//! lease 192.168.1.10 {
//!   …
//! }
//! # record 12, rewrite 3, 187 bytes, crc32 89abcdef
//! ```
//!
//! The checksum covers the bytes of the record and of the comment up to the checksum. Records are numbered from 1 in each
//! rewrite of the journal, and records that are appended later continue the numbering. This reveals a missing record, and a
//! record that the disk wrote to the wrong place. Records without a checksum, such as those of dhcpd, are accepted, except
//! where a numbered record is missing: there, they are rejected as its remains.

use std::collections::BTreeMap;
use std::ops::Range;

use crc::{CRC_32_ISO_HDLC, Crc};

use crate::text::lines_with;

const CRC: Crc<u32> = Crc::<u32>::new(&CRC_32_ISO_HDLC);

/// The start of a checksum comment.
pub(crate) const START: &[u8] = b"# record ";

/// The number of a record.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Number {
    /// The number of the rewrite of the journal.
    pub(crate) rewrite: u64,
    /// The number of the record within that rewrite.
    pub(crate) record: u64,
}

/// Appends the comment for the record that starts at `from`.
pub(crate) fn append_checksum(out: &mut Vec<u8>, from: usize, number: Number) {
    let Number { rewrite, record } = number;
    let bytes = out.len() - from;
    let line = format!("# record {record}, rewrite {rewrite}, {bytes} bytes, crc32 ");
    out.extend_from_slice(line.as_bytes());
    let sum = CRC.checksum(&out[from..]);
    out.extend_from_slice(format!("{sum:08x}\n").as_bytes());
}

/// A record with a checksum comment.
struct Block {
    /// The end of the previous block.
    after: usize,
    /// The start of the record.
    start: usize,
    /// The end of the comment.
    end: usize,
    number: Number,
    is_valid: bool,
}

/// Parses a comment. Returns the number of the record, its length, the checksum, and the length of the part of the comment
/// that the checksum covers.
fn parse(line: &[u8]) -> Option<(Number, usize, u32, usize)> {
    let text = std::str::from_utf8(line).ok()?;
    let (record, rest) = text.strip_prefix("# record ")?.split_once(", rewrite ")?;
    let (rewrite, rest) = rest.split_once(", ")?;
    let (bytes, sum) = rest.split_once(" bytes, crc32 ")?;
    let number = Number { rewrite: rewrite.parse().ok()?, record: record.parse().ok()? };
    let value = u32::from_str_radix(sum, 16).ok().filter(|_| sum.len() == 8)?;
    Some((number, bytes.parse().ok()?, value, line.len() - sum.len()))
}

fn blocks(text: &[u8]) -> Vec<Block> {
    let mut found: Vec<Block> = Vec::new();
    for at in lines_with(text, START) {
        let line = memchr::memchr(b'\n', &text[at..]).unwrap_or(text.len() - at);
        let Some((number, bytes, sum, covered)) = parse(&text[at..at + line]) else { continue };
        let after = found.last().map_or(0, |block| block.end);
        let start = at.checked_sub(bytes).filter(|start| *start >= after);
        let is_valid = start.is_some_and(|start| CRC.checksum(&text[start..at + covered]) == sum);
        let end = text.len().min(at + line + 1);
        found.push(Block { after, start: start.unwrap_or(after), end, number, is_valid });
    }
    found
}

/// Returns whether every checksum in `text` is correct and belongs to `rewrite`.
pub(crate) fn is_intact(text: &[u8], rewrite: u64) -> bool {
    blocks(text).iter().all(|block| block.is_valid && block.number.rewrite == rewrite)
}

/// The result of [`verify`].
pub(crate) struct Verified {
    /// The text in which everything that is rejected is turned into comments, or `None` if all of it is accepted.
    pub(crate) accepted: Option<Vec<u8>>,
    /// The first problem.
    pub(crate) problem: Option<String>,
    /// The number of the last record.
    pub(crate) last: Number,
    /// The highest number of a rewrite.
    pub(crate) rewrites: u64,
}

/// Compares the records with their checksums. `rewrite` is the number of the rewrite with which the journal begins, if
/// known.
pub(crate) fn verify(text: &[u8], rewrite: Option<u64>) -> Verified {
    let blocks = blocks(text);
    let rewrite = rewrite.unwrap_or_else(|| most_frequent(&blocks));
    let mut rejected: Vec<(Range<usize>, String)> = Vec::new();
    let mut newest: BTreeMap<&[u8], u64> = BTreeMap::new();
    let (mut previous, mut last, mut rewrites) = (0, 0, rewrite);
    for Block { after, start, end, number, is_valid } in blocks {
        let record = number.record;
        if !is_valid {
            rejected.push((after..end, format!("record {record} does not match its checksum")));
            continue;
        }
        rewrites = rewrites.max(number.rewrite);
        if number.rewrite != rewrite {
            let why = format!("record {record} belongs to rewrite {}", number.rewrite);
            rejected.push((after..end, why));
            continue;
        }
        if record != previous + 1 {
            let rest =
                if has_no_statement(&text[after..start]) { after..after } else { after..start };
            let why = format!("record {record} follows record {previous}: damaged in between");
            rejected.push((rest, why));
        }
        previous = record;
        last = last.max(record);
        let newest = newest.entry(subject(&text[start..end])).or_default();
        if record < *newest {
            rejected.push((start..end, format!("record {record} is older than record {newest}")));
        }
        *newest = record.max(*newest);
    }
    let last = Number { rewrite, record: last };
    let problem = rejected.first().map(|(_, why)| why.clone());
    let accepted = problem.is_some().then(|| {
        let mut accepted = text.to_vec();
        for (range, _) in rejected {
            let bytes = &mut accepted[range];
            bytes.iter_mut().filter(|c| **c != b'\n').for_each(|c| *c = b'#');
            // The line break itself may be damaged.
            bytes.last_mut().into_iter().for_each(|c| *c = b'\n');
        }
        accepted
    });
    Verified { accepted, problem, last, rewrites }
}

/// Returns the number of the rewrite to which most valid records belong.
fn most_frequent(blocks: &[Block]) -> u64 {
    let valid = blocks.iter().filter(|block| block.is_valid);
    let mut numbers: Vec<u64> = valid.map(|block| block.number.rewrite).collect();
    numbers.sort_unstable();
    let most = numbers.chunk_by(u64::eq).max_by_key(|same| same.len());
    most.map_or(0, |same| same[0])
}

fn lines(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    text.split(|c| *c == b'\n').filter(|line| !line.is_empty() && line[0] != b'#')
}

fn has_no_statement(text: &[u8]) -> bool {
    lines(text).next().is_none()
}

/// Returns the subject of a record: its first line or, if there can be only one such record, its first word.
fn subject(record: &[u8]) -> &[u8] {
    let line = lines(record).next().unwrap_or_default();
    if line.ends_with(b"{") { line } else { line.split(|c| *c == b' ').next().unwrap_or_default() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn journal(records: &[(u64, &str)]) -> Vec<u8> {
        let mut text = Vec::new();
        for (record, body) in records {
            let from = text.len();
            text.extend_from_slice(body.as_bytes());
            append_checksum(&mut text, from, Number { rewrite: 3, record: *record });
        }
        text
    }

    const A: &str = "lease 10.0.0.1 {\n  ends never;\n}\n";
    const B: &str = "lease 10.0.0.2 {\n  ends never;\n}\n";
    const C: &str = "lease 10.0.0.3 {\n  ends never;\n}\n";

    /// Returns the accepted leases, each as the last number of its address, and whether there is a problem.
    fn accepted(text: &[u8]) -> (String, bool) {
        let verified = verify(text, None);
        let shown = verified.accepted.as_deref().unwrap_or(text);
        let shown = String::from_utf8_lossy(shown).into_owned();
        let lines = shown.lines().filter_map(|line| line.strip_prefix("lease 10.0.0."));
        (lines.map(|line| &line[..1]).collect(), verified.problem.is_some())
    }

    #[test]
    fn any_changed_byte_is_detected_and_loses_one_record() {
        let text = journal(&[(1, A), (2, B), (3, C)]);
        assert_eq!(accepted(&text), ("123".into(), false));
        let end = text.len() - 1;
        for at in 0..end {
            let mut changed = text.clone();
            changed[at] ^= 4;
            let (found, detected) = accepted(&changed);
            let last = at > text.len() * 2 / 3 && found == "123";
            assert!(detected && found.len() == 2 || last, "{at}: {found}");
        }
    }

    #[test]
    fn a_missing_record_is_detected() {
        assert_eq!(accepted(&journal(&[(1, A), (3, C)])), ("13".into(), true));
        assert_eq!(accepted(&journal(&[(2, B), (3, C)])), ("23".into(), true));
    }

    #[test]
    fn of_misplaced_records_the_newest_of_each_lease_is_accepted() {
        let text = journal(&[(1, A), (2, B), (3, A), (1, A), (4, C)]);
        assert_eq!(accepted(&text), ("1213".into(), true));
        let text = [journal(&[(1, A), (2, B)]), journal(&[(1, A)])].concat();
        assert_eq!(accepted(&text), ("121".into(), true));
    }

    #[test]
    fn records_without_a_checksum_are_accepted_where_none_is_missing() {
        let foreign = [journal(&[(1, A)]), C.as_bytes().to_vec(), journal(&[(2, B)])].concat();
        assert_eq!(accepted(&foreign), ("132".into(), false));
        let rest = [journal(&[(1, A)]), C.as_bytes().to_vec(), journal(&[(3, B)])].concat();
        assert_eq!(accepted(&rest), ("12".into(), true));
        assert_eq!(accepted(A.as_bytes()), ("1".into(), false));
    }

    #[test]
    fn a_record_of_another_rewrite_is_rejected() {
        let mut text = journal(&[(1, A), (2, B)]);
        let from = text.len();
        text.extend_from_slice(C.as_bytes());
        append_checksum(&mut text, from, Number { rewrite: 2, record: 3 });
        assert_eq!(accepted(&text), ("12".into(), true));
    }
}
