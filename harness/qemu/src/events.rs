//! The events that the guest's script hook and nvram wrapper record (`harness/qemu/guest/script-hook`).

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use nvram_emu::device::{Op, OpKind};

use dnsmasq_model::ScriptCall;

/// One event, with the number of the script call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Event {
    /// dnsmasq calls its script.
    Call(u64, ScriptCall),
    /// The script runs an nvram command.
    Command(u64, Vec<Vec<u8>>),
    /// The emulated nvram counted a flash operation.
    Operation(u64, Op),
    /// The call has reached its fault point.
    Fault(u64),
    /// The script has ended: exit code, standard output, standard error.
    End(u64, i32, Vec<u8>, Vec<u8>),
}

/// A line that is no event.
#[derive(Debug, thiserror::Error)]
#[error("the guest recorded {0:?}, which is not an event")]
pub(super) struct NoEvent(String);

/// Parses the complete lines of `bytes`. Returns the events, and the number of bytes that were parsed.
///
/// # Errors
/// When a line is not an event.
pub(super) fn parse_events(bytes: &[u8]) -> Result<(Vec<Event>, usize), NoEvent> {
    let complete = bytes.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
    let events: Result<Vec<Event>, NoEvent> = bytes[..complete]
        .split(|byte| *byte == b'\n')
        .filter(|line| !line.is_empty())
        .map(|line| {
            let text = String::from_utf8_lossy(line);
            parse_line(&text).ok_or_else(|| NoEvent(text.into_owned()))
        })
        .collect();
    Ok((events?, complete))
}

fn parse_line(line: &str) -> Option<Event> {
    // A list at the end of a line may contain blanks.
    let mut words = line.splitn(if line.starts_with("cmd ") { 3 } else { 6 }, ' ');
    let kind = words.next()?;
    let number = words.next()?.parse().ok()?;
    let base64 = |word: &str| BASE64_STANDARD.decode(word.strip_prefix('-')?).ok();
    match kind {
        "call" => {
            let environ = base64(words.next()?)?;
            let rest: Vec<&str> = words.collect();
            let argv = [vec![Vec::new()], list(&rest.join(" "))?].concat();
            Some(Event::Call(number, ScriptCall { argv, env: variables(&environ) }))
        }
        "cmd" => Some(Event::Command(number, list(words.next()?)?)),
        "op" => {
            let kind = match words.next()? {
                "E" => OpKind::Erase,
                "P" => OpKind::Program,
                _ => return None,
            };
            let offset = words.next()?.parse().ok()?;
            Some(Event::Operation(number, Op { kind, offset, len: words.next()?.parse().ok()? }))
        }
        "fault" => Some(Event::Fault(number)),
        "end" => {
            let code = words.next()?.parse().ok()?;
            Some(Event::End(number, code, base64(words.next()?)?, base64(words.next()?)?))
        }
        _ => None,
    }
}

/// Decodes a list (`harness/qemu/guest/encode-args`).
fn list(text: &str) -> Option<Vec<Vec<u8>>> {
    let (bytes, end) = match text.strip_prefix('=') {
        Some(plain) => (plain.as_bytes().to_vec(), 0o37),
        None => (BASE64_STANDARD.decode(text.strip_prefix('-')?).ok()?, 0),
    };
    let mut words: Vec<Vec<u8>> = bytes.split(|byte| *byte == end).map(<[u8]>::to_vec).collect();
    words.pop();
    Some(words)
}

/// The `DNSMASQ_*` variables of an environment.
fn variables(environ: &[u8]) -> BTreeMap<String, Vec<u8>> {
    environ
        .split(|byte| *byte == 0)
        .filter_map(|entry| {
            let at = entry.iter().position(|byte| *byte == b'=')?;
            let name = std::str::from_utf8(&entry[..at]).ok()?;
            name.starts_with("DNSMASQ_").then(|| (name.to_owned(), entry[at + 1..].to_vec()))
        })
        .collect()
}

/// Parses the log that `NVRAM_EMU_LOG` names. Lines that are not operations are skipped.
pub(super) fn parse_operations(log: &str) -> Vec<Op> {
    log.lines()
        .filter_map(|line| match parse_line(&format!("op 0 {line}")) {
            Some(Event::Operation(_, op)) => Some(op),
            _ => None,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    /// What a guest records is an event or an error, and a line is never read twice.
    #[test]
    fn fuzz_the_events_of_a_guest() {
        const PIECES: [&str; 10] =
            ["begin ", "command ", "end ", "fault ", "\n", " ", "-", "ENV=", "MTIz", "1"];
        fuzz_inputs::check!(1000, |bytes: &[u8]| {
            let text: Vec<u8> = bytes
                .iter()
                .flat_map(|byte| match PIECES.get(usize::from(*byte)) {
                    Some(piece) => piece.as_bytes().to_vec(),
                    None => vec![*byte],
                })
                .collect();
            if let Ok((_, parsed)) = parse_events(&text) {
                assert!(!text[parsed..].contains(&b'\n'));
            }
            parse_operations(&String::from_utf8_lossy(&text));
        });
    }

    #[test]
    fn a_call_has_its_arguments_and_the_dnsmasq_variables() {
        // PATH=/bin, DNSMASQ_A=b=c; `add` and an empty word.
        let line = b"call 3 -UEFUSD0vYmluAEROU01BU1FfQT1iPWMA -YWRkAAA=\nend 3 0 -aGk= -\nca";
        let (events, taken) = parse_events(line).expect("two events");
        let call = ScriptCall {
            argv: vec![Vec::new(), b"add".to_vec(), Vec::new()],
            env: BTreeMap::from([("DNSMASQ_A".to_owned(), b"b=c".to_vec())]),
        };
        let end = Event::End(3, 0, b"hi".to_vec(), Vec::new());
        assert_eq!(events, [Event::Call(3, call), end]);
        assert_eq!(taken, line.len() - 2);
    }

    #[rstest]
    #[case("cmd 1 =set\u{1f}a=1 02:aa * *\u{1f}", &["set", "a=1 02:aa * *"])]
    #[case("cmd 1 =\u{1f}", &[""])]
    #[case("cmd 1 =", &[])]
    #[case("cmd 1 -c2V0AMO2AA==", &["set", "ö"])]
    fn commands_are_decoded_from_both_encodings(#[case] line: &str, #[case] wanted: &[&str]) {
        let words = wanted.iter().map(|word| word.as_bytes().to_vec()).collect();
        let (events, _) = parse_events(format!("{line}\n").as_bytes()).expect("an event");
        assert_eq!(events, [Event::Command(1, words)]);
    }

    #[rstest]
    #[case("call x -")]
    #[case("call 1 YQ==")]
    #[case("op 1 Q 0 1")]
    #[case("end 1")]
    #[case("what 1")]
    fn other_lines_are_rejected(#[case] line: &str) {
        assert!(parse_events(format!("{line}\n").as_bytes()).is_err());
    }
}
