//! Quoting for the shell in a guest.

use std::fmt::Write as _;

/// Quotes a word for a POSIX shell. Bytes that a terminal or `read` may change are passed through printf.
pub(super) fn shell_quote(word: &[u8]) -> String {
    if let Ok(text) = std::str::from_utf8(word)
        && text.bytes().all(|byte| (0x20..0x7f).contains(&byte))
        && let Ok(quoted) = shlex::try_quote(text)
    {
        return quoted.into_owned();
    }
    // A command substitution drops newlines at its end.
    let end = word.iter().rposition(|byte| *byte != b'\n').map_or(0, |last| last + 1);
    let mut octal = String::new();
    for byte in &word[..end] {
        _ = write!(octal, "\\{byte:03o}");
    }
    format!("\"$(printf '{octal}')\"'{}'", "\n".repeat(word.len() - end))
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case(b"")]
    #[case(b"plain")]
    #[case(b"it's $HOME `ls` \"x\" \\ *")]
    #[case(b"\xff\x01\t")]
    #[case(b"two\nlines\n\n")]
    #[case(b"\n")]
    #[case(b"100%\n%s")]
    fn a_shell_reads_the_same_bytes(#[case] word: &[u8]) {
        let script = format!("printf %s {}", shell_quote(word));
        let output = Command::new("sh").arg("-c").arg(script).output().expect("sh runs");
        assert_eq!(output.stdout, word);
    }
}
