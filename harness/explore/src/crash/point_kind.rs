//! The kinds of points at which faults are injected, and how often each was reached.

use std::fmt;

/// The kind of a point at which a fault is injected.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PointKind {
    /// Power is cut between two script calls.
    Between,
    /// Power is cut before an `nvram` command.
    BeforeCommand,
    /// Power is cut after an `nvram` command, before its caller continues.
    AfterCommand,
    /// The script is killed before an `nvram` command; power stays on.
    KillBefore,
    /// The script is killed after an `nvram` command; power stays on.
    KillAfter,
    /// Power is cut before a flash operation.
    BeforeOperation,
    /// Power is cut inside an erase.
    TornErase,
    /// Power is cut inside a program operation.
    TornProgram,
    /// Power is cut after a flash operation.
    AfterOperation,
    /// Power is cut after a change of a persistent file, some of the changes being lost.
    FileChange,
    /// The script is killed after a change of a persistent file; power stays on.
    KillAtFileChange,
    /// Any point during the recovery: `init` and the calls of the restart.
    Recovery,
    /// Any point during the first events after the recovery, or in the first call after a kill.
    FollowUp,
}

impl PointKind {
    /// All kinds, in the order of reports.
    pub const ALL: [Self; 13] = [
        Self::Between,
        Self::BeforeCommand,
        Self::AfterCommand,
        Self::KillBefore,
        Self::KillAfter,
        Self::BeforeOperation,
        Self::TornErase,
        Self::TornProgram,
        Self::AfterOperation,
        Self::FileChange,
        Self::KillAtFileChange,
        Self::Recovery,
        Self::FollowUp,
    ];

    /// Whether the kind is a position within a call. Every point has exactly one such kind; `Recovery` and `FollowUp`
    /// count some of the points a second time, by the phase of the run.
    pub(super) fn is_position_in_call(self) -> bool {
        !matches!(self, Self::Recovery | Self::FollowUp)
    }

    /// Whether an exploration of this depth reaches the kind with every script that stores leases in NVRAM.
    pub fn is_reachable(self, depth: u32) -> bool {
        !matches!(self, Self::FileChange | Self::KillAtFileChange)
            && (depth > 1 || self.is_position_in_call())
    }
}

impl fmt::Display for PointKind {
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
            Self::FileChange => "after change of a file",
            Self::KillAtFileChange => "kill after file change",
            Self::Recovery => "during recovery",
            Self::FollowUp => "first events after it",
        })
    }
}

/// How often a kind of point was reached.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PointCount {
    /// All points of the kind.
    pub points: u64,
    /// Points whose state was new.
    pub distinct: u64,
}

/// One value per kind.
#[derive(Clone, Debug, Default)]
pub(super) struct PerKind<T>([T; PointKind::ALL.len()]);

impl<T> PerKind<T> {
    pub(super) fn get_mut(&mut self, kind: PointKind) -> &mut T {
        &mut self.0[kind as usize]
    }
}
