//! A strict parser of the output of `init`.

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
