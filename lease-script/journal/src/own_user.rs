//! The user of this process.

use std::fs;
use std::os::unix::fs::MetadataExt as _;

/// The permission bits of everybody except the owner.
pub(crate) const OTHERS: u32 = 0o077;

/// Returns the effective user, who owns the folder of the process in `/proc`, or `None` without `/proc`.
pub(crate) fn own_user() -> Option<u32> {
    Some(fs::metadata("/proc/self").ok()?.uid())
}
