//! Two processes that use one NVRAM at the same time, with and without a lock.
//!
//! The real OpenWrt tool has no lock. A step of a process is what the tool does between two points at which another
//! process can run: `stat`, `read`, `open`, a part of a rewrite of the shared mapping, `write`, `unlink`. [`explore`]
//! visits every interleaving of the two processes' steps. It visits equal states once and counts the interleavings
//! through them, so that the counts are exact, and reports each kind of loss with a schedule that switches between the
//! processes as rarely as possible. [`replay`] runs one schedule. [`stress`] runs real processes on real files at the same
//! time.

mod anomaly;
mod catalogue;
mod explore;
mod images;
mod locking;
mod outcome;
mod process;
mod program;
mod replay;
mod schedule;
mod state;
mod stepper;
pub mod stress;

pub use anomaly::Anomaly;
pub use catalogue::{Race, catalogue};
pub use explore::{OutcomeGroup, RaceReport, explore};
pub use locking::Locking;
pub use process::Process;
pub use replay::{Replayed, replay};
pub use schedule::{Schedule, ScheduleError};
