//! The commands of the tools that take several in one call.

/// How an argument is compared with the name of a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Match {
    /// `strncmp`: the argument starts with the name.
    Prefix,
    /// `strcmp`.
    Exact,
}

/// The effect of a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Action {
    Get,
    Set,
    /// Sets a variable that is never committed (Padavan).
    SetTemporary,
    Unset,
    Commit,
    /// Prints the variables on stdout, and the size line.
    Show,
    /// Prints all variables on stdout, temporary ones too (Padavan).
    ShowAll,
    /// Prints the variables on stdout.
    Dump,
    /// Removes all variables from RAM.
    Clear,
    /// Unsets the variables that a reset does not keep, and commits (DD-WRT).
    Reset,
    /// Writes the variables to a file in the format `HDR2`.
    Save,
    /// Sets the variables of a file `HDR1` or `HDR2` (FreshTomato on ARM, which restores all names).
    Restore,
    /// Writes the variables of a file `HDR1` or `HDR2` to a text file (FreshTomato on ARM).
    Convert,
    /// Writes the variables to a file in DD-WRT's format.
    Backup,
    /// Replaces the variables by those of a file in DD-WRT's format, and commits.
    RestoreBackup,
    /// A command with a file, for which the real tool needs names that are compiled into it.
    NeedsNames,
    /// A command of the real tool without an effect on the modelled state.
    NoEffect,
    /// A command of the real tool that is not modelled: one line on stderr, exit code 1.
    Unsupported,
}

impl Action {
    /// Whether the command reports or saves, see `AfterReport`.
    pub(super) fn reports(self) -> bool {
        matches!(self, Self::Commit | Self::Show | Self::ShowAll | Self::Save)
    }
}

/// One row of a tool's chain of comparisons; the first match wins.
pub(super) type Command = (&'static str, Match, Action);

pub(super) const GET: Command = prefix("get", Action::Get);
pub(super) const SET: Command = prefix("set", Action::Set);
pub(super) const UNSET: Command = prefix("unset", Action::Unset);
/// `strncmp(word, "commit", 5)`.
pub(super) const COMMIT: Command = prefix("commi", Action::Commit);
pub(super) const SHOW: Command = prefix("show", Action::Show);

pub(super) const fn exact(name: &'static str, action: Action) -> Command {
    (name, Match::Exact, action)
}

pub(super) const fn prefix(name: &'static str, action: Action) -> Command {
    (name, Match::Prefix, action)
}
