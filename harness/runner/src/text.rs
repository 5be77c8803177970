//! Texts: `\xNN` in scenario files, and the number that a tool says of its free space.

use nvram_emu::Machine;
use nvram_emu::dialect::FreeSpaceSource;

/// Bytes of a text in which `\xNN` stands for any byte and `\\` for a backslash.
///
/// # Errors
/// A backslash with anything else behind it.
pub(super) fn unescape(text: &str) -> Result<Vec<u8>, String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&byte, after)) = rest.split_first() {
        if byte != b'\\' {
            bytes.push(byte);
            rest = after;
            continue;
        }
        let hex = |digits: &[u8]| u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok();
        rest = match after {
            [b'\\', after @ ..] => {
                bytes.push(b'\\');
                after
            }
            [b'x', high, low, after @ ..] if hex(&[*high, *low]).is_some_and(|byte| byte != 0) => {
                bytes.extend(hex(&[*high, *low]));
                after
            }
            _ => return Err(format!("`{text}`: after a backslash comes xNN (not 00) or \\")),
        };
    }
    Ok(bytes)
}

/// How many bytes are free by the tool's own count; `None` where it does not tell.
pub(super) fn free_bytes(machine: &Machine) -> Option<i64> {
    let mut fork = machine.clone();
    let mut output = |arguments: &[&[u8]]| {
        let outcome = fork.run(arguments);
        (
            String::from_utf8_lossy(&outcome.stdout).into_owned(),
            String::from_utf8_lossy(&outcome.stderr).into_owned(),
        )
    };
    let between = |text: &str, before: &str, after: &str| {
        let start = text.rfind(before)? + before.len();
        text[start..].split(after).next()?.trim().parse().ok()
    };
    match machine.dialect().info().free_space {
        FreeSpaceSource::Info => {
            between(&output(&[b"info"]).0, " bytes used / ", " bytes available")
        }
        FreeSpaceSource::ShowStderr => between(&output(&[b"show"]).1, " bytes (", " left)"),
        FreeSpaceSource::ShowStdout => {
            between(&output(&[b"show"]).0, " bytes used, ", " bytes free.")
        }
        FreeSpaceSource::NotReported => None,
    }
}

#[cfg(test)]
mod tests {
    use super::unescape;

    #[test]
    fn escapes() {
        assert_eq!(unescape(r"a\x0ab\\c"), Ok(b"a\nb\\c".to_vec()));
        assert!(unescape(r"\x00").is_err());
        assert!(unescape(r"\n").is_err());
        assert!(unescape("end\\").is_err());
    }
}
