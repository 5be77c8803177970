//! Lease databases that rewrite themselves: each way of doing it, cut at each system call.
//!
//! A [`Strategy`] is a program that keeps leases in files: what it does at its start, for one change, and for a rewrite.
//! Six are emulated over a [`Disk`] that keeps apart what programs see and what is on the medium. [`explore`] cuts the
//! power, or the process, at every call, enumerates what can be left (`survivors.rs`), starts the program again and
//! holds what it finds against what it had acknowledged.

mod case;
mod explore;
mod programs;
mod report;

use std::collections::BTreeMap;
use std::net::Ipv4Addr;

pub use disk_model::{Cut, Disk, Files, Step};
pub use scenario::{Loss, Strategy};

pub use case::{Explored, declared, run_case};
pub use explore::explore;
pub use programs::{Found, Program};
pub use report::{Breach, CutKind, Report};

/// Active leases and their ends.
pub type Leases = BTreeMap<Ipv4Addr, u64>;
