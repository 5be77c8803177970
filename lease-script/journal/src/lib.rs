//! The lease database as a journal in the form of ISC dhcpd's: one record appended for each change.
//!
//! * A change is acknowledged when its record is written and `fsync` has returned, and the folder was synced since
//!   the file got its name.
//! * Where the file has grown, what it means is written to `NAME.tmp`, synced, the old file linked to `NAME~`, the
//!   new one renamed over it, the folder synced. So `NAME` is there at every moment. A rewrite that fails leaves the
//!   live file as it is; appending goes on there.
//! * A torn record at the end is cut off before the next one is appended; a record that could not be written whole is
//!   taken back.
//! * Writers lock the folder.
//!
//! All file operations go through [`FileSystem`], so that a laboratory can break off any of them.

mod fs;
mod real;
mod recover;
mod store;
mod text;

pub use fs::{FileSystem, Handle, Kind, Mode, Status, append_all};
pub use real::{RealFolder, locate};
pub use recover::{Action, Candidate, Live, Plan, carry_out, examine};
pub use store::{Done, Journal, Policy, Trouble, read_only, sibling};
pub use text::{Rewrite, rewrite_of, whole_length};
