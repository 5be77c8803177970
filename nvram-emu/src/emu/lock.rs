//! The lock that the real OpenWrt tool does not have.

use std::fs::File;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use rustix::fs::{FlockOperation, flock};

/// Locks the device by its flash file, for writing; readers need none, since files are replaced as a whole.
/// The lock lasts as long as the file is open.
///
/// # Errors
/// As opening the file does.
pub(super) fn lock(flash: &Path) -> io::Result<File> {
    loop {
        let file = File::open(flash)?;
        while let Err(error) = flock(&file, FlockOperation::LockExclusive) {
            if error != rustix::io::Errno::INTR {
                return Err(error.into());
            }
        }
        // Who held the lock may have replaced the file: then this lock is on the old one.
        let (locked, now) = (file.metadata()?, std::fs::metadata(flash)?);
        if (locked.dev(), locked.ino()) == (now.dev(), now.ino()) {
            return Ok(file);
        }
    }
}
