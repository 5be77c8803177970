//! Power cuts and kills at every point of a scenario: what survives, what cannot, what should have.
//!
//! An undisturbed run is recorded moment by moment. From the moment before each script call the explorer
//! strikes at every point of it: beside each `nvram` command, before, inside and after each flash
//! operation. A router without power is booted and `init` read, and the judge holds the flash against
//! what the script had acknowledged. To depth 2 and beyond, the boot itself and the first events after it
//! are struck in their turn. A state met before (flash, RAM, marker, clocks, place in the scenario, what
//! must be stored) is not looked at again.
//!
//! | verdict | means |
//! |---|---|
//! | kept | every invariant holds |
//! | lost | the flash was caught inside a commit, and this store has no second copy |
//! | broken | the script or the tool could have kept it |

mod boot;
mod confirm;
mod explore;
mod kind;
mod part;
mod recover;
mod replay;
mod report;
mod strike;

pub use confirm::{Confirmed, confirm};
pub use explore::{Options, explore};
pub use kind::{Count, Kind};
pub use replay::{Replayed, replay};
pub use report::{Breach, Report, Window};

/// What became of the leases and their neighbours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Every invariant holds.
    Kept,
    /// Lost, as this store must.
    Lost,
    /// The script or the tool could have kept it.
    Broken,
}

impl std::fmt::Display for Verdict {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(match self {
            Self::Kept => "kept",
            Self::Lost => "lost",
            Self::Broken => "broken",
        })
    }
}
