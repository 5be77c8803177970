//! The file operations of the journal store in one directory, real or simulated.

use std::ffi::{OsStr, OsString};
use std::io;

use crate::error::OperationError;
use crate::index::Index;
use crate::status::Status;

/// The handle of an open file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Handle(pub usize);

/// How to open a file. Symbolic links are never followed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Mode {
    /// For reading. The file must exist.
    Read,
    /// For reading and appending. The file must exist.
    Append,
    /// For appending. The file must not exist (`O_CREAT|O_EXCL`).
    CreateNew,
    /// For appending. An existing file is truncated to length 0 (`O_CREAT|O_TRUNC`).
    Truncate,
}

/// File operations relative to one directory. After [`OperationError::Killed`], the caller must return immediately.
pub trait FileSystem {
    /// Locks the journal `name` against other writers until this value is dropped. Returns `Ok(false)` if another writer
    /// holds the lock and does not release it in time.
    ///
    /// # Errors
    /// Returns the errors of `open` and `flock`.
    fn lock(&mut self, name: &OsStr) -> Result<bool, OperationError>;

    /// Returns the index of the journal `name`, if one can be kept.
    fn index(&mut self, _name: &OsStr) -> Option<Index> {
        None
    }

    /// Opens a file.
    ///
    /// # Errors
    /// Returns the errors of `open`.
    fn open(&mut self, name: &OsStr, mode: Mode) -> Result<Handle, OperationError>;

    /// Reads an open file from the start to its end.
    ///
    /// # Errors
    /// Returns the errors of `read`.
    fn read(&mut self, file: Handle) -> Result<Vec<u8>, OperationError>;

    /// Reads `length` bytes of an open file at an offset, or fewer at the end of the file.
    ///
    /// # Errors
    /// Returns the errors of `pread`.
    fn read_at(
        &mut self,
        file: Handle,
        offset: u64,
        length: usize,
    ) -> Result<Vec<u8>, OperationError> {
        let bytes = self.read(file)?;
        let from = bytes.len().min(usize::try_from(offset).unwrap_or(usize::MAX));
        Ok(bytes[from..bytes.len().min(from.saturating_add(length))].to_vec())
    }

    /// Appends to a file and returns the number of bytes written, which may be less than `bytes.len()`.
    ///
    /// # Errors
    /// Returns the errors of `write`.
    fn append(&mut self, file: Handle, bytes: &[u8]) -> Result<usize, OperationError>;

    /// Truncates the file to `length` bytes.
    ///
    /// # Errors
    /// Returns the errors of `ftruncate`.
    fn truncate(&mut self, file: Handle, length: u64) -> Result<(), OperationError>;

    /// Makes the contents of a file durable.
    ///
    /// # Errors
    /// Returns the errors of `fsync`.
    fn fsync(&mut self, file: Handle) -> Result<(), OperationError>;

    /// Gives `new` the permissions of `old`, and its owner if the process has the right to do so.
    ///
    /// # Errors
    /// Returns the errors of `fchmod`.
    fn copy_metadata(&mut self, new: Handle, old: Handle) -> Result<(), OperationError>;

    /// Closes a file.
    fn close(&mut self, file: Handle);

    /// Adds a second name to a file.
    ///
    /// # Errors
    /// Returns the errors of `link`. The new name must not exist.
    fn link(&mut self, old: &OsStr, new: &OsStr) -> Result<(), OperationError>;

    /// Renames a file, replacing any file with the new name.
    ///
    /// # Errors
    /// Returns the errors of `rename`.
    fn rename(&mut self, old: &OsStr, new: &OsStr) -> Result<(), OperationError>;

    /// Removes a name.
    ///
    /// # Errors
    /// Returns the errors of `unlink`.
    fn unlink(&mut self, name: &OsStr) -> Result<(), OperationError>;

    /// Makes the names in the directory durable.
    ///
    /// # Errors
    /// Returns the errors of `fsync` on the directory.
    fn fsync_dir(&mut self) -> Result<(), OperationError>;

    /// Returns the names that begin with `prefix`, sorted.
    ///
    /// # Errors
    /// Returns the errors of `readdir`.
    fn list(&mut self, prefix: &OsStr) -> Result<Vec<OsString>, OperationError>;

    /// Returns the status of a name, or `None` if it does not exist.
    ///
    /// # Errors
    /// Returns the errors of `lstat`.
    fn status(&mut self, name: &OsStr) -> Result<Option<Status>, OperationError>;
}

/// Appends all of `bytes`.
///
/// # Errors
/// Returns the errors of [`FileSystem::append`]. A write of zero bytes counts as a full disk.
pub fn append_all(
    fs: &mut dyn FileSystem,
    file: Handle,
    mut bytes: &[u8],
) -> Result<(), OperationError> {
    while !bytes.is_empty() {
        let written = fs.append(file, bytes)?;
        if written == 0 {
            return Err(io::ErrorKind::StorageFull.into());
        }
        bytes = &bytes[written.min(bytes.len())..];
    }
    Ok(())
}

/// Removes a name if it exists.
pub(crate) fn unlink_if_there(fs: &mut dyn FileSystem, name: &OsStr) -> Result<(), OperationError> {
    match fs.unlink(name) {
        Err(OperationError::Io(error)) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        other => other,
    }
}
