//! A strict parser of what `init` prints. dnsmasq accepts more, but with another meaning than the script intended.
//!
//! The grammar is that of the contract in `lease-script/README.md`. It is implemented here a second time on purpose: the
//! judge shares no parser with the script under test.

use std::net::{Ipv4Addr, Ipv6Addr};
use std::sync::Arc;

/// The subject of a line: an address, or `duid`.
pub type Subject = Vec<u8>;

/// The subject of the server's DUID.
pub const DUID: &[u8] = b"duid";

/// The families of lines, in the order in which `init` prints them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Family {
    /// DHCPv4 leases.
    V4,
    /// The server's DUID.
    Duid,
    /// DHCPv6 leases.
    V6,
}

/// The lines that `init` printed, by their subject. Clones share them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Lines(Arc<Vec<Entry>>);

/// A line with its subject. Cheap to clone.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Entry {
    subject: Arc<[u8]>,
    line: Arc<[u8]>,
}

impl Lines {
    /// No lines.
    pub fn new() -> Self {
        Self::default()
    }

    /// Number of lines.
    #[expect(clippy::len_without_is_empty, reason = "not needed")]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    fn place(&self, subject: &[u8]) -> Result<usize, usize> {
        self.0.binary_search_by(|entry| (*entry.subject).cmp(subject))
    }

    /// The line about `subject`.
    pub fn get(&self, subject: &[u8]) -> Option<&[u8]> {
        self.place(subject).ok().map(|at| &*self.0[at].line)
    }

    /// Whether there is a line about `subject`.
    pub fn contains(&self, subject: &[u8]) -> bool {
        self.place(subject).is_ok()
    }

    /// Replaces or adds the line about `subject`; `None` removes it.
    pub fn put(&mut self, subject: &[u8], line: Option<&[u8]>) {
        let place = self.place(subject);
        match (place, line) {
            (Ok(at), Some(line)) => Arc::make_mut(&mut self.0)[at].line = line.into(),
            (Ok(at), None) => {
                Arc::make_mut(&mut self.0).remove(at);
            }
            (Err(at), Some(line)) => {
                let entry = Entry { subject: subject.into(), line: line.into() };
                Arc::make_mut(&mut self.0).insert(at, entry);
            }
            (Err(_), None) => {}
        }
    }

    /// Subjects and lines, in the order of the subjects.
    pub fn iter(&self) -> impl Iterator<Item = (&[u8], &[u8])> {
        self.0.iter().map(|entry| (&*entry.subject, &*entry.line))
    }

    /// The lines about other subjects.
    #[must_use]
    pub fn without(&self, subjects: &[&[u8]]) -> Self {
        let others = self.0.iter().filter(|entry| !subjects.contains(&&*entry.subject));
        Self(Arc::new(others.cloned().collect()))
    }

    /// Applies `line` to each line. It must not change the subject.
    #[must_use]
    pub fn map(&self, line: impl Fn(&[u8]) -> Vec<u8>) -> Self {
        let made = |entry: &Entry| Entry {
            subject: Arc::clone(&entry.subject),
            line: line(&entry.line).into(),
        };
        Self(Arc::new(self.0.iter().map(made).collect()))
    }
}

/// Parses the output of `init`.
///
/// # Errors
/// A line that is malformed, out of order or not terminated, or a second one for a subject.
pub fn read(output: &[u8]) -> Result<Lines, String> {
    let Some(text) = output.strip_suffix(b"\n") else {
        return match output {
            [] => Ok(Lines::new()),
            _ => Err(format!("the last line does not end with a newline: {}", show(output))),
        };
    };
    let mut last = Family::V4;
    let mut entries = Vec::new();
    for line in text.split(|byte| *byte == b'\n') {
        let (family, subject) =
            subject(line).ok_or_else(|| format!("not a lease line: {}", show(line)))?;
        if family < last {
            return Err(format!("out of order (DHCPv4, duid, DHCPv6): {}", show(line)));
        }
        last = family;
        entries.push(Entry { subject: subject.into(), line: line.into() });
    }
    entries.sort_by(|a, b| a.subject.cmp(&b.subject));
    match entries.windows(2).find(|pair| pair[0].subject == pair[1].subject) {
        Some(pair) => Err(format!("a second line for {}", show(&pair[1].subject))),
        None => Ok(Lines(Arc::new(entries))),
    }
}

/// The valid records among variables: those whose value is a line about the address in their name.
pub(super) fn of_records<'a>(
    records: impl Iterator<Item = (&'a Vec<u8>, &'a Vec<u8>)>,
    prefix: &[u8],
) -> Lines {
    let good = records.filter(|(name, value)| {
        let about = subject(value).map(|(_, about)| about);
        about.is_some() && about == name.strip_prefix(prefix)
    });
    let mut lines = Lines::new();
    good.for_each(|(name, value)| lines.put(&name[prefix.len()..], Some(value)));
    lines
}

/// The family of a well-formed line.
pub(super) fn family(line: &[u8]) -> Option<Family> {
    subject(line).map(|(family, _)| family)
}

/// The family and the subject of a well-formed line.
fn subject(line: &[u8]) -> Option<(Family, &[u8])> {
    let mut words: [&[u8]; 6] = [&[]; 6];
    let mut count = 0;
    for word in line.split(|byte| *byte == b' ') {
        *words.get_mut(count)? = word;
        count += 1;
    }
    match words[..count] {
        [b"duid", duid] => is_hex(duid).then_some((Family::Duid, DUID)),
        [time, second, address, name, id] => {
            let text = std::str::from_utf8(address).ok()?;
            let v4 = text.parse::<Ipv4Addr>().is_ok();
            let v6 = !v4 && text.parse::<Ipv6Addr>().is_ok_and(|parsed| parsed.to_string() == text);
            let named = name == b"*"
                || (1..=255).contains(&name.len()) && !name.iter().any(u8::is_ascii_control);
            let known = is_time(time)
                && named
                && (v4 && is_hardware(second) || v6 && is_iaid(second))
                && (is_hex(id) || v4 && id == b"*");
            known.then_some((if v4 { Family::V4 } else { Family::V6 }, address))
        }
        _ => None,
    }
}

fn is_time(word: &[u8]) -> bool {
    word == b"0"
        || (1..=10).contains(&word.len()) && word[0] != b'0' && word.iter().all(u8::is_ascii_digit)
}

fn is_iaid(word: &[u8]) -> bool {
    let number = word.strip_prefix(b"T").unwrap_or(word);
    is_time(number) && std::str::from_utf8(number).is_ok_and(|text| text.parse::<u32>().is_ok())
}

fn is_hardware(word: &[u8]) -> bool {
    let lower_hex = |byte: &u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(byte);
    let (typed, bytes) = match word {
        [a, b, b'-', rest @ ..] if lower_hex(a) && lower_hex(b) => (true, rest),
        _ => (false, word),
    };
    (typed && bytes.is_empty()) || is_hex(bytes) && bytes.len() < 16 * 3
}

fn is_hex(word: &[u8]) -> bool {
    !word.is_empty()
        && word.split(|byte| *byte == b':').all(|pair| {
            pair.len() == 2 && pair.iter().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(b))
        })
}

/// A line's time and the rest of it.
pub fn split_time(line: &[u8]) -> Option<(u64, &[u8])> {
    let blank = line.iter().position(|byte| *byte == b' ')?;
    let time = std::str::from_utf8(&line[..blank]).ok()?.parse().ok()?;
    Some((time, &line[blank..]))
}

/// Bytes as printable text.
pub fn show(bytes: &[u8]) -> String {
    format!("`{}`", bytes.escape_ascii())
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case(b"1700000000 02:aa:00:00:00:01 192.168.1.57 phone 01:02:aa:00:00:00:01")]
    #[case(b"0 06-02:aa 192.168.1.57 * *")]
    #[case(b"0 20- 192.168.1.57 * ff")]
    #[case(b"86400 T4294967295 fd00::57 * 00:03:00:01")]
    fn lines_that_dnsmasq_reads(#[case] line: &[u8]) {
        assert!(subject(line).is_some());
    }

    #[rstest]
    #[case::word_too_many(b"0 02:aa 192.168.1.57 a b *")]
    #[case::no_number(b"soon 02:aa 192.168.1.57 * *")]
    #[case::leading_zero(b"01 02:aa 192.168.1.57 * *")]
    #[case::not_hex(b"0 nothex 192.168.1.57 * *")]
    #[case::no_hardware(b"0  192.168.1.57 * *")]
    #[case::no_address(b"0 02:aa 192.168.1.257 * *")]
    #[case::not_canonical(b"0 1 fd00:0::57 * 00:03")]
    #[case::v6_without_duid(b"0 1 fd00::57 * *")]
    #[case::iaid_too_large(b"0 4294967296 fd00::57 * 00:03")]
    fn lines_that_it_would_misread(#[case] line: &[u8]) {
        assert_eq!(subject(line), None);
    }

    #[test]
    fn the_same_address_twice_is_an_error() {
        let output = b"0 02:aa 10.0.0.1 * *\n5 02:ab 10.0.0.1 * *\n";
        assert!(read(output).is_err());
    }

    /// Any bytes: either a reason, or each line once, under its subject.
    #[test]
    fn fuzz_the_grammar_of_init() {
        const PIECES: [&[u8]; 14] = [
            b"1700000000",
            b" ",
            b"02:aa:00:00:00:01",
            b"192.168.1.57",
            b"192.168.1.58",
            b"phone",
            b"*",
            b"\n",
            b"duid ",
            b"T5",
            b"fd00::57",
            b"00:03:00:01",
            b"06-02:aa",
            b"0 02:aa 10.0.0.1 * *\n",
        ];
        bolero::check!().with_iterations(1000).for_each(|bytes: &[u8]| {
            let piece = |byte: &u8| match PIECES.get(usize::from(*byte) % 16) {
                Some(piece) => piece.to_vec(),
                None => vec![*byte],
            };
            let output: Vec<u8> = bytes.iter().flat_map(piece).collect();
            if let Ok(lines) = read(&output) {
                let mut printed: Vec<&[u8]> =
                    output.split_inclusive(|byte| *byte == b'\n').collect();
                printed.sort_unstable();
                let mut kept: Vec<Vec<u8>> =
                    lines.iter().map(|(_, line)| [line, &b"\n"[..]].concat()).collect();
                kept.sort_unstable();
                assert_eq!(printed, kept);
            }
        });
    }
}
