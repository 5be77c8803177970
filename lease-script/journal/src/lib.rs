//! A crash-safe store of DHCP leases in a journal in the format of ISC dhcpd: one record is appended for each change.
//!
//! * A change is acknowledged after its record is written and `fsync` has returned. Before the first append after a
//!   rewrite, the directory is synced.
//! * To compact the journal, its current leases are written to `NAME.tmp` and synced, the old file is linked to
//!   `NAME~`, the new one is renamed over it, and the directory is synced. So `NAME` always exists. A failed
//!   rewrite leaves the live file unchanged, and records are appended to it as before.
//! * A torn record at the end is removed before the next record is appended. A record that could not be written
//!   completely is removed again.
//! * Writers lock the directory.
//!
//! All file operations go through [`FileSystem`], so that a test can stop the store at any of them.

#![forbid(unsafe_code)]

mod error;
mod file_system;
mod real_directory;
mod recovery;
mod store;
mod text;

pub use error::{OperationError, Result, StoreError};
pub use file_system::{FileSystem, Handle, Kind, Mode, Status, append_all};
pub use real_directory::{RealDirectory, locate};
pub use recovery::{Action, Candidate, Live, Plan, apply, is_epoch, plan, sibling};
pub use store::{Journal, Policy, read_only};
pub use text::{Rewrite, find_rewrite, intact_length};
