//! Power cuts and kills at every point of a scenario.
//!
//! An undisturbed run is recorded with a snapshot before each script call. From each snapshot the explorer injects a
//! fault at every point of the call: before and after each `nvram` command, and before, inside and after each flash
//! operation. It then boots a router from the resulting flash, reads `init`, and compares both with what the script has
//! acknowledged. From depth 2 on, it also injects faults into that boot and into the first events after it. A state that
//! was seen before (flash, RAM, intent log, clocks, position in the scenario, expectations) is not judged again.
//!
//! | verdict | meaning |
//! |---|---|
//! | kept | every invariant holds |
//! | lost | power was cut inside a commit, and this store has no second copy |
//! | broken | the script or the tool could have prevented it |

mod boot_result;
mod call_position;
mod confirm;
mod explore;
mod explorer;
mod fault_injection;
mod file_cuts;
mod judgement;
mod options;
mod point_kind;
mod recovery;
mod replay;
mod replay_error;
mod report;
mod search_task;
mod verdict;
mod violation;
mod window;

pub use confirm::{Confirmed, confirm};
pub use explore::explore;
pub use options::Options;
pub use point_kind::{PointCount, PointKind};
pub use replay::{Replayed, replay};
pub use replay_error::ReplayError;
pub use report::Report;
pub use verdict::Verdict;
pub use violation::Violation;
pub use window::VulnerabilityWindow;
