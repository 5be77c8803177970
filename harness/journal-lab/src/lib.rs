//! Programs that rewrite their lease database, interrupted at every system call.
//!
//! A [`Strategy`] is the way in which a program keeps leases in files: what it does at its start, for a change, and for a
//! rewrite of the database. Each is emulated over a [`Disk`](disk_model::Disk), which separates what programs see from what
//! is on the medium. [`explore`] cuts the power or kills the program at every call, enumerates the states that can be left
//! ([`disk_model::states_after_power_cut`]), starts the program again, and compares the leases that it finds with those
//! that it had acknowledged. [`DiskFaults`] are the other faults of [`run_case`]: every call fails, or what is on the medium
//! changes.

#![forbid(unsafe_code)]

mod acknowledged;
mod case;
mod damage;
mod explore;
mod io_errors;
mod leases;
mod programs;
mod report;
mod run;

pub use case::{CaseResult, expected_losses, run_case};
pub use disk_model::WriteOrdering;
pub use explore::explore;
pub use report::{FaultKind, LossExample, Report};
pub use scenario::{DiskFaults, Loss, Strategy};
