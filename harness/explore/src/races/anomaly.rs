//! The incorrect results that a race can have.

use std::fmt;

use super::Process;

/// An incorrect result of a race.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Anomaly {
    /// What a process wrote is not stored.
    LostWrite {
        /// The process.
        by: Process,
        /// Whether its exit code reports a failure.
        reported: bool,
    },
    /// `init` did not print exactly the leases that were stored throughout.
    WrongInit {
        /// Whether its exit code reports a failure.
        reported: bool,
    },
    /// Variables that neither process wrote are lost or changed.
    LostSettings,
    /// The store has variables that neither process set.
    StrayVariables,
    /// The store can no longer be read.
    Unreadable,
}

impl Anomaly {
    /// Whether no exit code reports it.
    pub(crate) fn is_silent(self) -> bool {
        !matches!(self, Self::LostWrite { reported: true, .. } | Self::WrongInit { reported: true })
    }
}

impl fmt::Display for Anomaly {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::LostWrite { by, reported: false } => write!(f, "{by}'s change lost, exit 0"),
            Self::LostWrite { by, reported: true } => {
                write!(f, "{by}'s change lost, nonzero exit code")
            }
            Self::WrongInit { reported: false } => {
                f.write_str("init prints too few leases, exit 0")
            }
            Self::WrongInit { reported: true } => f.write_str("init fails"),
            Self::LostSettings => f.write_str("older settings lost"),
            Self::StrayVariables => f.write_str("stray variables"),
            Self::Unreadable => f.write_str("store unreadable"),
        }
    }
}
