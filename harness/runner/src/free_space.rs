//! The free space that the `nvram` tool reports.

use nvram_emu::Machine;
use nvram_emu::dialect::FreeSpaceSource;

/// Free bytes as the `nvram` tool counts them; `None` where it prints no such number.
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
        FreeSpaceSource::ShowStdoutSize => between(&output(&[b"show"]).0, " bytes (", " left)"),
        FreeSpaceSource::NotReported => None,
    }
}
