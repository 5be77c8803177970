//! What the guest's hook and nvram wrapper wrote down (`harness/qemu/guest/hook`).

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use nvram_emu::device::{Op, OpKind};

use dnsmasq_model::ScriptCall;

/// One line of the events.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Event {
    /// dnsmasq calls its script.
    Call(u64, ScriptCall),
    /// The script runs an nvram command.
    Command(u64, Vec<Vec<u8>>),
    /// The fake nvram counted a flash operation.
    Operation(u64, Op),
    /// A strike has come to its point.
    Strike(u64),
    /// The script has ended: exit code, output, complaints.
    End(u64, i32, Vec<u8>, Vec<u8>),
}

/// Reads whole lines; returns the events and how many bytes they took.
///
/// # Errors
/// A line that is none.
pub(super) fn read(bytes: &[u8]) -> Result<(Vec<Event>, usize), String> {
    let whole = bytes.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
    let events: Result<Vec<Event>, String> = bytes[..whole]
        .split(|byte| *byte == b'\n')
        .filter(|line| !line.is_empty())
        .map(|line| {
            let text = String::from_utf8_lossy(line);
            parse(&text).ok_or_else(|| format!("the guest wrote down what is no event: {text:?}"))
        })
        .collect();
    Ok((events?, whole))
}

fn parse(line: &str) -> Option<Event> {
    // A list at the end of a line may hold blanks.
    let mut words = line.splitn(if line.starts_with("cmd ") { 3 } else { 6 }, ' ');
    let kind = words.next()?;
    let number = words.next()?.parse().ok()?;
    let octets = |word: &str| BASE64_STANDARD.decode(word.strip_prefix('-')?).ok();
    match kind {
        "call" => {
            let environ = octets(words.next()?)?;
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
        "strike" => Some(Event::Strike(number)),
        "end" => {
            let code = words.next()?.parse().ok()?;
            Some(Event::End(number, code, octets(words.next()?)?, octets(words.next()?)?))
        }
        _ => None,
    }
}

/// A list of words: plain ones with a unit separator behind each, others in base64 with a NUL behind each.
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

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[test]
    fn a_call_brings_its_arguments_and_dnsmasqs_variables() {
        // PATH=/bin, DNSMASQ_A=b=c; `add` and an empty word.
        let line = b"call 3 -UEFUSD0vYmluAEROU01BU1FfQT1iPWMA -YWRkAAA=\nend 3 0 -aGk= -\nca";
        let (events, taken) = read(line).expect("two events");
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
    fn words_of_a_command(#[case] line: &str, #[case] wanted: &[&str]) {
        let words = wanted.iter().map(|word| word.as_bytes().to_vec()).collect();
        let (events, _) = read(format!("{line}\n").as_bytes()).expect("an event");
        assert_eq!(events, [Event::Command(1, words)]);
    }

    #[rstest]
    #[case("call x -")]
    #[case("call 1 YQ==")]
    #[case("op 1 Q 0 1")]
    #[case("end 1")]
    #[case("what 1")]
    fn nonsense_is_refused(#[case] line: &str) {
        assert!(read(format!("{line}\n").as_bytes()).is_err());
    }
}
