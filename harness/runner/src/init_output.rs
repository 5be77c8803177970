//! A strict parser of the output of `init`.

use std::net::IpAddr;

use super::escapes::show;
use super::lease_line::{Family, subject};
use super::lines::Lines;

/// Parses the output of `init`.
///
/// # Errors
/// A line that is malformed, out of order or not terminated, or a second one for a subject.
pub fn parse(output: &[u8]) -> Result<Lines, String> {
    let Some(text) = output.strip_suffix(b"\n") else {
        return match output {
            [] => Ok(Lines::new()),
            _ => Err(format!("the last line does not end with a newline: {}", show(output))),
        };
    };
    let mut last = Family::V4;
    let mut lines = Vec::new();
    for line in text.split(|byte| *byte == b'\n') {
        let (family, subject) =
            subject(line).ok_or_else(|| format!("not a lease line: {}", show(line)))?;
        if family < last {
            return Err(format!("out of order (DHCPv4, duid, DHCPv6): {}", show(line)));
        }
        last = family;
        lines.push((subject, line));
    }
    Lines::collect(lines.into_iter())
        .map_err(|subject| format!("a second line for {}", show(&subject)))
}

/// Reads the output of `init` as dnsmasq does, whatever its layout: words instead of lines, the families in any order,
/// hexadecimal digits in either case. What remains are the lines that dnsmasq would write itself.
///
/// dnsmasq skips five words whose third is no address, and words at the end that are too few: they are returned as well.
///
/// # Errors
/// Words that dnsmasq reads otherwise than they are meant, or a second lease of an address.
pub fn read_as_dnsmasq(output: &[u8]) -> Result<(Lines, Vec<String>), String> {
    // lease.c `read_leases`: fscanf skips white space.
    let mut words = output.split(|byte| matches!(byte, b' ' | b'\t' | b'\n' | 0x0b | 0x0c | b'\r'));
    let mut next = || words.find(|word| !word.is_empty());
    let (mut found, mut skipped) = (Vec::new(), Vec::new());
    while let Some(first) = next() {
        let mut record = vec![first];
        let length = if first == b"duid" { 2 } else { 5 };
        record.extend(std::iter::from_fn(&mut next).take(length - 1));
        let line = canonical(&record);
        match subject(&line) {
            Some((family, about)) => found.push((family, about.to_vec(), line)),
            // Words of a lease among them: the words before have shifted it.
            None if first == b"duid" || record.iter().any(|word| address(word).is_some()) => {
                return Err(format!("not a lease: {}", show(&record.join(&b' '))));
            }
            None => skipped.push(show(&record.join(&b' '))),
        }
    }
    found.sort_by_key(|(family, ..)| *family);
    let lines = found.iter().map(|(_, about, line)| (about.as_slice(), line.as_slice()));
    let lines =
        Lines::collect(lines).map_err(|subject| format!("a second line for {}", show(&subject)))?;
    Ok((lines, skipped))
}

fn address(word: &[u8]) -> Option<IpAddr> {
    std::str::from_utf8(word).ok()?.parse().ok()
}

/// The words as dnsmasq would write them, if they are meant as a lease.
fn canonical(record: &[&[u8]]) -> Vec<u8> {
    let mut words: Vec<Vec<u8>> = record.iter().map(|word| word.to_vec()).collect();
    if let [time, second, third, _, id] = words.as_mut_slice() {
        if let Some(address) = address(third) {
            *third = address.to_string().into_bytes();
        }
        if time.iter().all(u8::is_ascii_digit) {
            let zeros = time.iter().take_while(|digit| **digit == b'0').count();
            time.drain(..zeros.min(time.len() - 1));
        }
        if !second.starts_with(b"T") {
            second.make_ascii_lowercase();
        }
        id.make_ascii_lowercase();
    } else if let [_, duid] = words.as_mut_slice() {
        duid.make_ascii_lowercase();
    }
    words.join(&b' ')
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
    fn dnsmasq_reads_words_in_any_layout() {
        let expected = parse(b"5 02:aa 10.0.0.1 * *\nduid 00:01\n7 1 fd00::1 * 00:02\n");
        for output in [
            &b"\r\n  7 1 FD00:0::1 * 00:02\n\n005\t02:AA\t10.0.0.1 *\n* duid 00:01"[..],
            b"duid 00:01\n5 02:aa 10.0.0.1 * *\n7 1 fd00::1 * 00:02\n",
        ] {
            assert_eq!(read_as_dnsmasq(output).map(|(lines, _)| lines), expected);
        }
    }

    #[test]
    fn five_words_without_an_address_are_skipped_and_other_numbers_shift_what_follows() {
        let read = |text: &str| read_as_dnsmasq(text.as_bytes());
        let (lines, skipped) =
            read("restoring the leases right now\n5 02:aa 10.0.0.1 * *\n").expect("leases");
        assert_eq!(lines.iter().count(), 1);
        assert_eq!(skipped, ["`restoring the leases right now`"]);
        assert!(read("restoring the leases\n5 02:aa 10.0.0.1 * *\n").is_err());
        assert!(read("5 02:aa 10.0.0.1 * *\n5 02:ab 10.0.0.1 * *\n").is_err());
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
