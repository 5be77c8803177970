//! Locations of scratch folders.

use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};

use rustix::fs::{StatVfsMountFlags, statvfs};
use rustix::process::{Resource, getrlimit};

/// Free space in bytes that a location must have. It holds the files of a router and a copy of a script.
const MIN_FREE: u64 = 4 << 20;

/// Checks the limit on file sizes, which applies to every location. The kernel kills a process that exceeds it.
///
/// # Errors
/// Returns an error if the limit is less than [`MIN_FREE`].
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

/// Returns whether a folder has so little free space that programs that write to it fail.
///
/// # Errors
/// Returns an error if `statvfs` fails.
pub fn is_full(folder: &Path) -> io::Result<bool> {
    let system = statvfs(folder)?;
    // A new file needs one page for its data and one for its name.
    Ok(system.f_bavail < 2 || (system.f_files > 0 && system.f_favail == 0))
}

/// Returns the folders in which scratch folders can be created, in order of preference. Folders in memory come first.
pub(crate) fn candidates(temporary: Option<OsString>) -> Vec<PathBuf> {
    let temporary = temporary.filter(|folder| !folder.is_empty()).map(PathBuf::from);
    let mut places: Vec<PathBuf> = ["/dev/shm", "/run/shm"].map(PathBuf::from).into();
    places.extend(temporary.filter(|folder| folder.is_absolute()));
    places.extend(["/var/tmp", "/tmp"].map(PathBuf::from));
    places
}

/// Checks whether scratch folders can be created in `folder`.
///
/// # Errors
/// Returns an error if programs cannot be run from the folder, as in /dev/shm in Docker containers, or if there is not
/// enough free space.
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
