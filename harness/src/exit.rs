//! The exit codes of `leaselab`.

use std::fmt::Write as _;
use std::process::ExitCode;

/// How `leaselab` ends.
///
/// The codes are part of the public interface: scripts test them. A command whose codes need more explanation has it in
/// its own `--help`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Exit {
    /// Everything that was checked holds, or the command only shows something.
    Passed = 0,
    /// A check failed.
    Failed = 1,
    /// Invalid arguments, an input that is invalid or cannot be read, or an output that cannot be written. A case that
    /// is invalid does not keep the other cases from being run: if one of them fails, the code is [`Exit::Failed`].
    Usage = 2,
    /// The machine lacks something that the command needs; the message names it.
    Environment = 3,
}

impl Exit {
    /// All exit codes with their meanings, as `--help` prints them.
    pub const TABLE: [(Self, &'static str); 4] = [
        (Self::Passed, "all checks passed"),
        (Self::Failed, "a check failed"),
        (
            Self::Usage,
            "invalid arguments, an invalid or unreadable input, or an output that cannot be written",
        ),
        (Self::Environment, "this machine lacks something that the command needs"),
    ];

    /// The number that the process returns.
    pub const fn code(self) -> u8 {
        self as u8
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}

/// The table of exit codes, for the end of `leaselab --help`.
pub fn help() -> String {
    let mut text = "Exit codes:".to_owned();
    for (exit, meaning) in Exit::TABLE {
        let _ = write!(text, "\n  {}  {meaning}", exit.code());
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_lists_every_code_once_and_in_order() {
        let codes: Vec<u8> = Exit::TABLE.iter().map(|(exit, _)| exit.code()).collect();
        assert_eq!(codes, [0, 1, 2, 3]);
    }
}
