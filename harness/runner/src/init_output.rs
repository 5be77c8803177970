//! The output of `init`, as dnsmasq reads it.

use std::collections::HashSet;
use std::ops::Range;

use super::escapes::show;
use super::lease_line::{DUID, Family, subject};
use super::lines::Lines;
use dnsmasq_model::{Release, StartFailure, read_lines};

/// Parses the output of `init`. What dnsmasq reads counts, malformed or not.
///
/// # Errors
/// A line that dnsmasq crashes on, a lease line that it does not read because of words before it, a lease that it reads
/// across lines, or a second one for a subject.
pub fn parse(output: &[u8]) -> Result<Lines, String> {
    parse_as(output, Release::NEWEST)
}

/// Parses the output of `init` as this release of dnsmasq reads it.
///
/// # Errors
/// See [`parse`].
pub fn parse_as(output: &[u8], release: Release) -> Result<Lines, String> {
    // Most outputs have nothing but well-formed lines, each of which dnsmasq reads.
    match parse_strictly(output) {
        Some(lines) => lines,
        None => parse_as_dnsmasq_does(output, release),
    }
}

/// The lines, if all of them are well-formed, in the usual order and terminated.
fn parse_strictly(output: &[u8]) -> Option<Result<Lines, String>> {
    let Some(text) = output.strip_suffix(b"\n") else {
        return output.is_empty().then(|| Ok(Lines::new()));
    };
    let mut last = Family::V4;
    let mut lines = Vec::new();
    for line in text.split(|byte| *byte == b'\n') {
        let (family, subject) = subject(line)?;
        if family < last {
            return None;
        }
        last = family;
        lines.push((subject, line));
    }
    Some(collect(lines.into_iter()))
}

fn collect<'a>(lines: impl Iterator<Item = (&'a [u8], &'a [u8])>) -> Result<Lines, String> {
    Lines::collect(lines).map_err(|subject| format!("a second line for {}", show(&subject)))
}

fn parse_as_dnsmasq_does(output: &[u8], release: Release) -> Result<Lines, String> {
    let read = read_lines(output, release).map_err(|failure| match failure {
        StartFailure::Crash { signal } => format!(
            "signal {signal} kills dnsmasq: a hardware address is not hexadecimal in {}",
            show(output)
        ),
        StartFailure::Exit { message, .. } => message,
    })?;
    if let Some(torn) = read.iter().find(|read| output[read.span.clone()].contains(&b'\n')) {
        return Err(format!(
            "dnsmasq reads the lease {} across lines: {}",
            show(&torn.line),
            show(&output[torn.span.clone()])
        ));
    }
    let spans: HashSet<Range<usize>> = read.iter().map(|read| read.span.clone()).collect();
    let mut start = 0;
    for line in output.split(|byte| *byte == b'\n') {
        let span = start..start + line.len();
        start = span.end + 1;
        // Releases up to 2.51 pass a blank after the time, so a line can have two of them.
        let words: Vec<&[u8]> =
            line.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty()).collect();
        let is_lease = subject(&words.join(&b' '))
            .is_some_and(|(family, _)| family == Family::V4 || release.has_dhcpv6());
        let first = span.start + (line.len() - line.trim_ascii_start().len());
        let words = first..first + line.trim_ascii().len();
        if is_lease && !spans.contains(&words) {
            return Err(format!(
                "dnsmasq does not read the line {}, because a line before it has too few or too many words",
                show(line)
            ));
        }
    }
    for read in &read {
        let words = &output[read.span.clone()];
        let time = words.split(u8::is_ascii_whitespace).next().unwrap_or_default();
        let digits = time.strip_prefix(b"+").unwrap_or(time);
        if time != DUID && !digits.iter().all(u8::is_ascii_digit) {
            return Err(format!(
                "dnsmasq reads {} as the lease {}, whose time is not the intended one",
                show(words),
                show(&read.line)
            ));
        }
    }
    if let Some(other) = read.iter().find(|read| subject(&read.line).is_none()) {
        return Err(format!(
            "dnsmasq reads {} as the lease {}, which no client has",
            show(&output[other.span.clone()]),
            show(&other.line)
        ));
    }
    collect(read.iter().filter_map(|read| Some((subject(&read.line)?.1, &read.line[..]))))
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
    use rstest::rstest;

    use super::*;

    #[test]
    fn a_banner_is_a_breach_with_the_oldest_release_too() {
        let output =
            b"lease_update: restoring leases\n5  02:aa 10.0.0.1 * *\n5  02:ab 10.0.0.2 * *\n";
        assert!(parse_as(output, Release::OLDEST).is_err());
    }

    #[test]
    fn the_same_address_twice_is_an_error() {
        let output = b"0 02:aa 10.0.0.1 * *\n5 02:ab 10.0.0.1 * *\n";
        assert!(parse(output).is_err());
    }

    #[rstest]
    #[case::blank_line(b"\n0 02:aa 10.0.0.1 * *\n\n0 02:ab 10.0.0.2 * *\n")]
    #[case::no_newline(b"0 02:aa 10.0.0.1 * *\n0 02:ab 10.0.0.2 * *")]
    #[case::blanks(b" 0  02:aa\t10.0.0.1 * * \r\n0 02:AB 10.0.0.2 * *\n")]
    #[case::skipped(b"five words without an address\n0 02:aa 10.0.0.1 * *\n0 02:ab 10.0.0.2 * *\n")]
    #[case::trailing_word(b"0 02:aa 10.0.0.1 * *\n0 02:ab 10.0.0.2 * *\ndone\n")]
    fn an_output_that_dnsmasq_reads_is_fine(#[case] output: &[u8]) {
        let lines = parse(output).expect("dnsmasq reads it");
        let lines: Vec<&[u8]> = lines.iter().map(|(_, line)| line).collect();
        assert_eq!(lines, [&b"0 02:aa 10.0.0.1 * *"[..], b"0 02:ab 10.0.0.2 * *"]);
    }

    #[rstest]
    #[case::banner(b"starting\n0 02:aa 10.0.0.1 * *\n0 02:ab 10.0.0.2 * *\n")]
    #[case::banner_and_two_blanks(
        b"it is starting\n5  02:aa 10.0.0.1 * *\n5  02:ab 10.0.0.2 * *\n"
    )]
    #[case::word_too_many(b"0 02:aa 10.0.0.1 my phone *\n0 02:ab 10.0.0.2 * *\n")]
    #[case::word_missing(b"0 02:aa 10.0.0.1 *\n0 02:ab 10.0.0.2 * *\n")]
    #[case::crash(b"0 none 10.0.0.1 * *\n")]
    #[case::bad_duid(b"duid none\n0 02:aa 10.0.0.1 * *\n")]
    fn an_output_that_dnsmasq_misreads_is_a_breach(#[case] output: &[u8]) {
        assert!(parse(output).is_err());
    }

    /// Any bytes: either a reason, or each lease line once, under its subject.
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
        fuzz_inputs::check!(1000, |bytes: &[u8]| {
            let piece = |byte: &u8| match PIECES.get(usize::from(*byte) % 16) {
                Some(piece) => piece.to_vec(),
                None => vec![*byte],
            };
            let output: Vec<u8> = bytes.iter().flat_map(piece).collect();
            if let Ok(lines) = parse(&output) {
                let printed = output.split(|byte| *byte == b'\n');
                for line in printed.filter(|line| subject(line).is_some()) {
                    assert!(lines.iter().any(|(_, kept)| kept == line), "{}", show(line));
                }
            }
        });
    }

    /// In quadratic time, these outputs take minutes.
    #[rstest]
    #[case::a_word_without_an_end(vec![b'a'; 4 << 20], Ok(0))]
    #[case::many_lines(b"1000 02:aa 10.0.0.1 h *\n ".repeat(150_000), Err("a second line for `10.0.0.1`"))]
    fn a_long_output_is_read_in_linear_time(
        #[case] output: Vec<u8>,
        #[case] lines: Result<usize, &str>,
    ) {
        for release in [Release::OLDEST, Release::NEWEST] {
            let read = parse_as(&output, release).map(|lines| lines.len());
            assert_eq!(read, lines.map_err(str::to_owned));
        }
    }
}
