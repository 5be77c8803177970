//! The kinds of points, and how often each was reached.

use std::fmt;

/// A kind of point.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// Between two calls of the script.
    Between,
    /// Before an `nvram` command.
    BeforeCommand,
    /// After an `nvram` command, its caller has not gone on.
    AfterCommand,
    /// The script's processes killed before a command, power stays.
    KillBefore,
    /// The same after a command.
    KillAfter,
    /// Before a flash operation.
    BeforeOperation,
    /// Inside an erase.
    TornErase,
    /// Inside a program operation.
    TornProgram,
    /// After a flash operation.
    AfterOperation,
    /// During the recovery: `init` and the calls of the restart.
    Recovery,
    /// During the first events after the recovery, or the first call after a kill.
    Afterwards,
}

impl Kind {
    /// All kinds.
    pub const ALL: [Self; 11] = [
        Self::Between,
        Self::BeforeCommand,
        Self::AfterCommand,
        Self::KillBefore,
        Self::KillAfter,
        Self::BeforeOperation,
        Self::TornErase,
        Self::TornProgram,
        Self::AfterOperation,
        Self::Recovery,
        Self::Afterwards,
    ];

    /// Whether it says where in a call a point lies; the others say when.
    pub(super) fn is_place(self) -> bool {
        !matches!(self, Self::Recovery | Self::Afterwards)
    }

    /// Whether an exploration of so many cuts in a row can reach it.
    pub fn within(self, depth: u32) -> bool {
        depth > 1 || !matches!(self, Self::Recovery | Self::Afterwards)
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Between => "between calls",
            Self::BeforeCommand => "before nvram command",
            Self::AfterCommand => "after nvram command",
            Self::KillBefore => "kill before command",
            Self::KillAfter => "kill after command",
            Self::BeforeOperation => "before flash operation",
            Self::TornErase => "inside an erase",
            Self::TornProgram => "inside a program",
            Self::AfterOperation => "after flash operation",
            Self::Recovery => "during recovery",
            Self::Afterwards => "first events after it",
        })
    }
}

/// How often a kind of point was met.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Count {
    /// Points.
    pub points: u64,
    /// States that were not known before.
    pub distinct: u64,
}

/// A number for each kind.
#[derive(Clone, Debug, Default)]
pub(super) struct Kinds<T>([T; Kind::ALL.len()]);

impl<T> Kinds<T> {
    pub(super) fn of(&mut self, kind: Kind) -> &mut T {
        &mut self.0[kind as usize]
    }
}
