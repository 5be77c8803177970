//! A lock on the device, which the real OpenWrt tool does not have.

use std::fs::File;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use rustix::fs::{FlockOperation, flock};

/// Locks the flash file for a command that may write. Readers need no lock, since files are replaced atomically.
/// Dropping the file releases the lock.
///
/// # Errors
/// When the flash file cannot be opened or locked.
pub(super) fn lock(flash: &Path) -> io::Result<File> {
    loop {
        let file = File::open(flash)?;
        while let Err(error) = flock(&file, FlockOperation::LockExclusive) {
            if error != rustix::io::Errno::INTR {
                return Err(error.into());
            }
        }
        // The previous holder of the lock may have replaced the file, and this lock is on the old one.
        let (locked, now) = (file.metadata()?, std::fs::metadata(flash)?);
        if (locked.dev(), locked.ino()) == (now.dev(), now.ino()) {
            return Ok(file);
        }
    }
}
