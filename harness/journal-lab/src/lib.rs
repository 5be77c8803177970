//! Tests programs that rewrite their lease database. The programs are interrupted at every system call.
//!
//! A [`Strategy`] is the way in which a program keeps leases in files: the calls that it makes at its start, for a change,
//! and for a rewrite of the database. Each strategy is emulated on a [`Disk`](disk_model::Disk), which separates the state
//! that programs see from the state on the medium.
//!
//! [`explore`] cuts the power or kills the program at every call, enumerates the states that this can leave
//! ([`disk_model::states_after_power_cut`]), starts the program again, and compares the leases that it finds with those that
//! it had acknowledged. [`DiskFaults`] lists the kinds of faults that [`run_case`] supports: besides these cuts, failing
//! calls and changes to the data on the medium.

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
