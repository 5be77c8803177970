//! A parser of the output of `init`.

use std::borrow::Cow;

use super::escapes::show;
use super::lease_line::{Family, subject};
use super::lines::Lines;
use super::severity::Severity;

/// A difference between the output of `init` and the grammar of its lines.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// A bug if dnsmasq misreads the output, advice if it reads the output as intended.
    pub severity: Severity,
    /// A description.
    pub text: String,
}

/// Reads the output of `init`: the lines, and how it differs from the grammar.
///
/// dnsmasq reads words that any white space separates (lease.c `read_leases`, fscanf), so a blank too many, a missing
/// newline at the end and the order of the families make no difference to it. Lines that it would misread are left out.
pub fn read(output: &[u8]) -> (Lines, Vec<Problem>) {
    let mut problems = Vec::new();
    let mut report = |severity, text| problems.push(Problem { severity, text });
    let text = output.strip_suffix(b"\n").unwrap_or(output);
    if text.len() == output.len() && !output.is_empty() {
        let text = format!("the last line does not end with a newline: {}", show(output));
        report(Severity::Advice, text);
    }
    let mut last = Family::V4;
    let mut lines = Vec::new();
    for line in text.split(|byte| *byte == b'\n').filter(|_| !output.is_empty()) {
        let Some(line) = read_line(line, &mut report) else { continue };
        let Some((family, subject)) = subject(&line) else { continue };
        if family < last {
            let text = format!("out of order (DHCPv4, duid, DHCPv6): {}", show(&line));
            report(Severity::Advice, text);
        }
        last = family;
        lines.push((subject.to_vec(), line.into_owned()));
    }
    loop {
        match Lines::collect(lines.iter().map(|(subject, line)| (&**subject, &**line))) {
            Ok(collected) => return (collected, problems),
            Err(twice) => {
                problems.push(Problem {
                    severity: Severity::Bug,
                    text: format!("a second line for {}", show(&twice)),
                });
                let last = lines.iter().rposition(|(subject, _)| *subject == twice);
                lines.remove(last.expect("a subject of two lines"));
            }
        }
    }
}

/// A line in the form of the grammar, or `None` if dnsmasq would misread it.
fn read_line<'l>(
    line: &'l [u8],
    report: &mut impl FnMut(Severity, String),
) -> Option<Cow<'l, [u8]>> {
    if subject(line).is_some() {
        return Some(Cow::Borrowed(line));
    }
    // The white space of fscanf.
    let blank = |byte: &u8| byte.is_ascii_whitespace() || *byte == 0x0b;
    let words: Vec<&[u8]> = line.split(blank).filter(|word| !word.is_empty()).collect();
    let normal = words.join(&b' ');
    if normal.is_empty() {
        report(Severity::Advice, "an empty line".to_owned());
        return None;
    }
    if subject(&normal).is_some() {
        let text = format!("white space that is not a single blank between words: {}", show(line));
        report(Severity::Advice, text);
        return Some(Cow::Owned(normal));
    }
    report(Severity::Bug, format!("not a lease line: {}", show(line)));
    None
}

/// Parses output of `init` that follows the grammar.
///
/// # Errors
/// The first difference from the grammar.
pub fn parse(output: &[u8]) -> Result<Lines, String> {
    let (lines, problems) = read(output);
    match problems.into_iter().next() {
        None => Ok(lines),
        Some(problem) => Err(problem.text),
    }
}

/// The valid records among variables: those whose value is a line about the address in their name.
pub(super) fn of_records<'a>(
    records: impl Iterator<Item = (&'a Vec<u8>, &'a Vec<u8>)>,
    prefix: &[u8],
) -> Lines {
    let valid = records.filter(|(name, value)| {
        let about = subject(value).map(|(_, about)| about);
        about.is_some() && about == name.strip_prefix(prefix)
    });
    let mut lines = Lines::new();
    valid.for_each(|(name, value)| lines.put(&name[prefix.len()..], Some(value)));
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_address_twice_is_an_error() {
        let output = b"0 02:aa 10.0.0.1 * *\n5 02:ab 10.0.0.1 * *\n";
        assert!(parse(output).is_err());
    }

    #[test]
    fn dnsmasq_reads_any_white_space_between_words() {
        let (lines, problems) = read(b"5 02:aa 10.0.0.1 * * \r\n\n\t6 02:ab  10.0.0.2 * *");
        assert_eq!(lines.get(b"10.0.0.1"), Some(&b"5 02:aa 10.0.0.1 * *"[..]));
        assert_eq!(lines.get(b"10.0.0.2"), Some(&b"6 02:ab 10.0.0.2 * *"[..]));
        assert_eq!(problems.len(), 4);
        assert!(problems.iter().all(|problem| problem.severity == Severity::Advice));
    }

    #[test]
    fn a_banner_is_a_bug() {
        let (lines, problems) = read(b"lease script 1.0\n5 02:aa 10.0.0.1 * *\n");
        assert_eq!(lines.len(), 1);
        let severities: Vec<Severity> = problems.iter().map(|problem| problem.severity).collect();
        assert_eq!(severities, [Severity::Bug]);
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
            if let Ok(lines) = parse(&output) {
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
