//! Two processes at one NVRAM, under the real lack of any lock of OpenWrt's tool.
//!
//! Every interleaving of two processes is looked at, step by step: what the real tool does between two points
//! where another process can come in (`stat`, `read`, `open`, parts of a rewrite of the shared mapping, `write`,
//! `unlink`). States that are the same are looked at once, and the interleavings through them counted, so that
//! the counts are exact. [`explore`] says what is lost in how many of them, with the schedule that needs the
//! fewest changes between the processes; [`replay`] runs one schedule. [`trials`] does the same by chance, with
//! real processes on real files.

mod catalogue;
mod command;
mod explore;
mod images;
mod judge;
mod process;
mod replay;
mod schedule;
mod state;
pub mod trials;

pub use catalogue::{Race, catalogue};
pub use explore::{Found, Group, explore};
pub use judge::Effect;
pub use replay::{Replayed, replay};
pub use schedule::{Schedule, ScheduleError, Who};

/// Whether commands exclude each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lock {
    /// The real OpenWrt tool.
    None,
    /// The fake's own lock: a command is one step.
    Held,
}
