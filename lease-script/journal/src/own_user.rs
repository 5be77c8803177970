//! The user of this process.

use std::fs;
use std::os::unix::fs::MetadataExt as _;

/// The permissions of everybody but the owner.
pub(crate) const OTHERS: u32 = 0o077;

/// The effective user, to whom the folder of the process in /proc belongs; `None` without /proc.
pub(crate) fn own_user() -> Option<u32> {
    Some(fs::metadata("/proc/self").ok()?.uid())
}
