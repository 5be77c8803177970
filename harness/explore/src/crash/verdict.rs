//! The verdict on one state.

use std::fmt;

use scenario::Invariant;

/// Whether the leases and the other NVRAM variables survived a fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Every invariant holds.
    Kept,
    /// Data is lost because the store has only one copy: the script could not prevent it.
    Lost,
    /// The script or the tool could have prevented it, and the policy allows violations of this severity or group.
    Allowed,
    /// The script or the tool could have prevented it.
    Broken,
}

impl Verdict {
    /// The verdict on a boot that violates these invariants. `torn`: the flash was cut inside an operation.
    pub(super) fn of(violated: &[Invariant], torn: bool) -> Self {
        match violated {
            [] => Self::Kept,
            // Whatever the store holds, `init` must print valid lease lines.
            [..] if torn && !violated.contains(&Invariant::Parsability) => Self::Lost,
            [..] => Self::Broken,
        }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Kept => "kept",
            Self::Lost => "lost",
            Self::Allowed => "allowed",
            Self::Broken => "broken",
        })
    }
}
