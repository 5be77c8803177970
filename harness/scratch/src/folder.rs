//! A scratch folder.

use std::fs::{self, File, Permissions};
use std::io::{self, ErrorKind, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use rustix::fs::{FlockOperation, flock};

use crate::{interrupt, place, registry, removal};

/// The prefix of the names of scratch folders.
pub(crate) const PREFIX: &str = "leaselab-";

/// The file in a scratch folder that the owner keeps locked. The file contains the owner's process id, which is for
/// information only: the lock is released when the process ends, whereas a process id can be reused.
pub(crate) const OWNER: &str = "owner";

/// A scratch folder that only this user can enter. The folder is removed on drop, or when a signal ends the process.
#[derive(Debug)]
pub struct Folder {
    path: PathBuf,
    /// The open file holds the lock.
    _owner: File,
}

impl Folder {
    /// Creates a folder from which programs can be run: in memory if possible, otherwise in a folder for temporary files.
    ///
    /// # Errors
    /// Returns an error if no location is suitable, or if the limit on file sizes is too low. The message gives the reason
    /// for each location.
    pub fn new() -> io::Result<Self> {
        place::check_file_size_limit()?;
        let mut reasons = Vec::new();
        for place in place::candidates(std::env::var_os("TMPDIR")) {
            match place::check(&place).and_then(|()| Self::new_in(&place)) {
                Err(error) => reasons.push(format!("{}: {error}", place.display())),
                created => return created,
            }
        }
        let reasons = reasons.join("; ");
        Err(io::Error::other(format!("{reasons}; set TMPDIR to a folder that serves")))
    }

    /// Creates a folder in `place`.
    ///
    /// # Errors
    /// Returns an error if it cannot be created.
    pub fn new_in(place: &Path) -> io::Result<Self> {
        interrupt::handle_signals()?;
        let mut folders = registry::folders();
        loop {
            let folder = tempfile::Builder::new()
                .prefix(PREFIX)
                .permissions(Permissions::from_mode(0o700))
                .tempdir_in(place)?;
            match lock(folder.path()) {
                // Another process removes this folder as abandoned, because it was not locked yet. Try again.
                Err(error)
                    if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::NotFound) => {}
                Err(error) => return Err(error),
                Ok(owner) => {
                    let path = folder.keep();
                    folders.insert(path.clone());
                    return Ok(Self { path, _owner: owner });
                }
            }
        }
    }

    /// Creates a folder for large files in the default location for temporary files.
    ///
    /// # Errors
    /// Returns an error if it cannot be created.
    pub fn for_large_files() -> io::Result<Self> {
        Self::new_in(&std::env::temp_dir())
    }

    /// Returns the path of the folder.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // If the removal fails, a later process removes the folder as abandoned.
        _ = removal::remove(&self.path);
        registry::folders().remove(&self.path);
    }
}

fn lock(folder: &Path) -> io::Result<File> {
    let path = folder.join(OWNER);
    let mut file = File::create_new(&path)?;
    flock(&file, FlockOperation::NonBlockingLockExclusive)?;
    // The lock has no effect if another process removed the file before it was locked.
    fs::symlink_metadata(&path)?;
    writeln!(file, "{}", std::process::id())?;
    Ok(file)
}
