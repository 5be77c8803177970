//! A crash-safe store of DHCP leases in a journal in the format of ISC dhcpd: one record is appended for each change.
//!
//! * A change is acknowledged after its record is written and `fsync` has returned. Before the first append after a
//!   rewrite, the directory is synced.
//! * To compact the journal, its current leases are written to `NAME.tmp` and synced. The old file is then linked to
//!   `NAME~`, the new file is renamed over `NAME`, and the directory is synced. `NAME` therefore always exists. A failed
//!   rewrite leaves the live file unchanged, and records are appended to it as before.
//! * A torn record at the end is removed before the next record is appended. A record that could not be written
//!   completely is removed again.
//! * A comment after each record contains its number and checksum, so that damage is detected even if the damaged text
//!   can be parsed. A damaged journal is kept as `NAME.damaged` and rewritten by the next change.
//! * The reader finds declarations and statements, and parses those that matter for a lease. A rewrite keeps all others as
//!   text.
//! * A change reads only the record that it replaces. An index in RAM locates that record.
//! * Writers lock `NAME.lock`.
//!
//! All file operations on the journal go through [`FileSystem`], so that a test can stop the store at any of them.

#![forbid(unsafe_code)]

mod block;
mod checksum;
mod contents;
mod declaration;
mod error;
mod file_system;
mod index;
mod lookup;
mod own_user;
mod reading;
mod real_directory;
mod record;
mod recovery;
mod rewrite;
mod status;
mod store;
mod syntax;
mod text;

pub use block::Block;
pub use declaration::{Declaration, Subject};
pub use error::{OperationError, Result, StoreError};
pub use file_system::{FileSystem, Handle, Mode, append_all};
pub use index::Index;
pub use reading::Reading;
pub use real_directory::{RealDirectory, locate};
pub use record::Record;
pub use recovery::{Action, Candidate, Live, Plan, apply, is_epoch, plan, sibling};
pub use status::{Kind, Status};
pub use store::{Journal, Policy, read_only};
pub use text::{Rewrite, find_rewrite, intact_length};
