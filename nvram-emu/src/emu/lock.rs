//! A lock on the device, which the real OpenWrt tool does not have.

use std::fs::{self, File};
use std::io::{self, ErrorKind};
use std::os::unix::fs::FileTypeExt;
use std::path::{Path, PathBuf};

use rustix::fs::{FlockOperation, flock};

use super::error::EmuError;

/// Locks the device for a command that may write. Dropping the file releases the lock. Readers need no lock, since
/// files are replaced atomically. Returns `None` if the folder of the flash file does not exist: there is no device
/// then, and the tool reports that.
///
/// The lock is on the folder of the flash file. The flash file itself is replaced in the middle of a commit, so a lock
/// on it would no longer exclude the next command.
///
/// # Errors
/// When the folder cannot be opened or locked.
pub(super) fn lock(flash: &Path) -> Result<Option<File>, EmuError> {
    let path = lockable(flash);
    match acquire(&path) {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        result => result.map(Some).map_err(EmuError::file("lock", &path)),
    }
}

/// What is never replaced and belongs to the device alone: a device node, or the folder of a flash file.
fn lockable(flash: &Path) -> PathBuf {
    let mut target = flash.to_owned();
    match fs::symlink_metadata(flash).map(|flash| flash.file_type()) {
        Ok(kind) if kind.is_block_device() || kind.is_char_device() => return target,
        Ok(kind) if kind.is_symlink() => {
            // All links to a flash file lead to the same lock.
            if let Ok(real) = fs::canonicalize(flash) {
                return lockable(&real);
            }
        }
        _ => {}
    }
    if !target.pop() || target.as_os_str().is_empty() {
        target.push(".");
    }
    target
}

fn acquire(path: &Path) -> io::Result<File> {
    let file = File::open(path)?;
    loop {
        match flock(&file, FlockOperation::LockExclusive) {
            Ok(()) => return Ok(file),
            Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::emu::files::replace;

    /// Whether another command would get the lock now.
    fn is_free(flash: &Path) -> bool {
        let file = File::open(lockable(flash)).expect("an object to lock");
        flock(&file, FlockOperation::NonBlockingLockExclusive).is_ok()
    }

    #[test]
    fn the_lock_holds_after_the_flash_file_was_replaced() {
        let folder = tempfile::tempdir().expect("a folder");
        let (flash, link) = (folder.path().join("flash.bin"), folder.path().join("link"));
        fs::write(&flash, [0xFF]).expect("a file");
        fs::create_dir(folder.path().join("links")).expect("a folder");
        let far_link = folder.path().join("links/flash.bin");
        std::os::unix::fs::symlink("flash.bin", &link).expect("a link");
        std::os::unix::fs::symlink("../link", &far_link).expect("a link");
        for name in [&flash, &link, &far_link] {
            let held = lock(name).expect("a lock").expect("a folder");
            assert!(!is_free(&flash));
            replace(&flash, &[0], 0o644).expect("a new file");
            for other in [&flash, &link, &far_link] {
                assert!(!is_free(other), "{} beside {}", other.display(), name.display());
            }
            drop(held);
            assert!(is_free(&flash));
        }
    }

    #[test]
    fn a_lock_that_cannot_be_had_is_an_error() {
        let folder = tempfile::tempdir().expect("a folder");
        assert!(lock(&folder.path().join("missing/flash.bin")).expect("no error").is_none());
        std::os::unix::fs::symlink("loop", folder.path().join("loop")).expect("a link");
        let error = lock(&folder.path().join("loop/flash.bin")).expect_err("a link to itself");
        assert!(error.to_string().starts_with("cannot lock "), "{error}");
    }
}
