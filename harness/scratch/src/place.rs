//! Where scratch folders lie.

use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};

use rustix::fs::{StatVfsMountFlags, statvfs};
use rustix::process::{Resource, getrlimit};

/// Space that a place must have: the files of a router, and a copy of a script.
const MIN_FREE: u64 = 4 << 20;

/// Checks the limit of file sizes, which holds in every place. The kernel kills a process that exceeds it.
///
/// # Errors
/// When a file cannot have [`MIN_FREE`] bytes.
pub(crate) fn check_file_size_limit() -> io::Result<()> {
    match getrlimit(Resource::Fsize).current {
        Some(limit) if limit < MIN_FREE => {
            let wanted = MIN_FREE >> 10;
            let message =
                format!("files are limited to {limit} bytes (ulimit -f); {wanted} KiB are needed");
            Err(io::Error::other(message))
        }
        _ => Ok(()),
    }
}

/// Whether so little space is left in a folder that programs which write there fail.
///
/// # Errors
/// When the folder cannot be examined.
pub fn is_full(folder: &Path) -> io::Result<bool> {
    let system = statvfs(folder)?;
    // A page for the data, and one for a name.
    Ok(system.f_bavail < 2 || (system.f_files > 0 && system.f_favail == 0))
}

/// The folders in which scratch folders may lie, the best one first: in memory where possible.
pub(crate) fn candidates(temporary: Option<OsString>) -> Vec<PathBuf> {
    let temporary = temporary.filter(|folder| !folder.is_empty()).map(PathBuf::from);
    let mut places: Vec<PathBuf> = ["/dev/shm", "/run/shm"].map(PathBuf::from).into();
    places.extend(temporary.filter(|folder| folder.is_absolute()));
    places.extend(["/var/tmp", "/tmp"].map(PathBuf::from));
    places
}

/// Why scratch folders cannot lie in `folder`.
///
/// # Errors
/// When programs cannot be run from there, as in /dev/shm of Docker's containers, or when the space is not enough.
pub(crate) fn check(folder: &Path) -> io::Result<()> {
    let system = statvfs(folder)?;
    if system.f_flag.contains(StatVfsMountFlags::NOEXEC) {
        return Err(io::Error::other("mounted with noexec"));
    }
    let free = system.f_bavail.saturating_mul(system.f_frsize);
    if free < MIN_FREE {
        let (free, wanted) = (free >> 10, MIN_FREE >> 10);
        return Err(io::Error::other(format!("only {free} KiB of {wanted} KiB are free")));
    }
    Ok(())
}
