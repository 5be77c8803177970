//! The scratch folder of a run.

use std::fs;
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use tempfile::TempDir;

/// Creates a folder in memory if possible.
pub(super) fn scratch_folder() -> io::Result<TempDir> {
    let builder = || {
        let mut builder = tempfile::Builder::new();
        builder.prefix("leaselab-").permissions(fs::Permissions::from_mode(0o700));
        builder
    };
    let candidates = ["/dev/shm", "/run/shm", "/var/tmp"];
    let mut last = io::Error::from(io::ErrorKind::NotFound);
    for candidate in candidates {
        match builder().tempdir_in(candidate) {
            Ok(folder) => return Ok(folder),
            Err(error) => last = error,
        }
    }
    Err(last)
}

/// Removes a file; one that does not exist is no error.
pub(super) fn remove_if_exists(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}
