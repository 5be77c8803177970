//! The file operations that a journal is made of, one folder wide: the real ones, or a laboratory's.

use std::ffi::{OsStr, OsString};
use std::io;

/// An open file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Handle(pub usize);

/// How a file is opened. Symbolic links are never followed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Mode {
    /// To be read; it must be there.
    Read,
    /// To be read and appended to; it must be there.
    Append,
    /// To be appended to; it must not be there yet.
    CreateNew,
    /// To be appended to; emptied if it is there (`O_CREAT|O_TRUNC`).
    Truncate,
}

/// What a name stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A regular file.
    File,
    /// Anything else.
    Other,
}

/// What is known of a name without opening it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Status {
    /// What it is.
    pub kind: Kind,
    /// The file behind the name; two names with the same number are the same file.
    pub inode: u64,
    /// Bytes.
    pub length: u64,
    /// When its contents last changed: seconds and nanoseconds, or any clock that only goes forward.
    pub modified: (i64, i64),
}

/// The operations. Each may fail as the real one does; `killed` ends its caller at once.
pub trait FileSystem {
    /// Keeps other writers away until this value goes. False when another one is there and did not go in time.
    ///
    /// # Errors
    /// As `flock`.
    fn lock(&mut self) -> io::Result<bool>;

    /// Opens a file.
    ///
    /// # Errors
    /// As `open`.
    fn open(&mut self, name: &OsStr, mode: Mode) -> io::Result<Handle>;

    /// All bytes of an open file.
    ///
    /// # Errors
    /// As `read`.
    fn read(&mut self, file: Handle) -> io::Result<Vec<u8>>;

    /// Writes at the end of the file; like `write`, perhaps not all of it.
    ///
    /// # Errors
    /// As `write`.
    fn append(&mut self, file: Handle, bytes: &[u8]) -> io::Result<usize>;

    /// Cuts the file to a length.
    ///
    /// # Errors
    /// As `ftruncate`.
    fn truncate(&mut self, file: Handle, length: u64) -> io::Result<()>;

    /// Waits until the contents are on the medium.
    ///
    /// # Errors
    /// As `fsync`.
    fn fsync(&mut self, file: Handle) -> io::Result<()>;

    /// Gives `new` the owner and the permissions of `old`, as far as possible.
    ///
    /// # Errors
    /// As `fchmod`.
    fn dress(&mut self, new: Handle, old: Handle) -> io::Result<()>;

    /// Closes a file.
    fn close(&mut self, file: Handle);

    /// A second name for a file; the name must be free.
    ///
    /// # Errors
    /// As `link`.
    fn link(&mut self, old: &OsStr, new: &OsStr) -> io::Result<()>;

    /// Renames, over what has the new name.
    ///
    /// # Errors
    /// As `rename`.
    fn rename(&mut self, old: &OsStr, new: &OsStr) -> io::Result<()>;

    /// Takes a name away.
    ///
    /// # Errors
    /// As `unlink`.
    fn unlink(&mut self, name: &OsStr) -> io::Result<()>;

    /// Waits until all names are on the medium.
    ///
    /// # Errors
    /// As `fsync` of the folder.
    fn fsync_dir(&mut self) -> io::Result<()>;

    /// The names that begin with `prefix`, sorted.
    ///
    /// # Errors
    /// As `readdir`.
    fn list(&mut self, prefix: &OsStr) -> io::Result<Vec<OsString>>;

    /// What a name stands for; `None` when there is no such name.
    ///
    /// # Errors
    /// As `lstat`.
    fn status(&mut self, name: &OsStr) -> io::Result<Option<Status>>;
}

/// Writes all of `bytes`.
///
/// # Errors
/// Those of [`FileSystem::append`]; a write of nothing counts as a full disk.
pub fn append_all(fs: &mut dyn FileSystem, file: Handle, mut bytes: &[u8]) -> io::Result<()> {
    while !bytes.is_empty() {
        let written = fs.append(file, bytes)?;
        if written == 0 {
            return Err(io::ErrorKind::StorageFull.into());
        }
        bytes = &bytes[written.min(bytes.len())..];
    }
    Ok(())
}
