//! The user of this process.

use std::fs;
use std::os::unix::fs::MetadataExt as _;

/// The effective user, to whom the folder of the process in /proc belongs; `None` without /proc.
pub(crate) fn own_user() -> Option<u32> {
    Some(fs::metadata("/proc/self").ok()?.uid())
}
