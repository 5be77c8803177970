//! The files that commands such as `save` and `restore` read and write.

use std::fmt::Debug;
use std::io;

/// A file that was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReadFile {
    /// The contents, up to the limit.
    pub bytes: Vec<u8>,
    /// `st_mode`.
    pub mode: u32,
}

/// The file system of a router.
pub trait Files: Debug + Send + Sync {
    /// Reads at most `limit` bytes of a file.
    ///
    /// # Errors
    /// When there is no such file, or it cannot be read.
    fn read(&self, path: &[u8], limit: usize) -> io::Result<ReadFile>;

    /// Creates or replaces a file.
    ///
    /// # Errors
    /// When the file cannot be written.
    fn write(&self, path: &[u8], bytes: &[u8], mode: u32) -> io::Result<()>;
}

/// A router without a file system, such as one in memory: no file exists, and none can be created.
#[derive(Clone, Copy, Debug)]
pub struct NoFiles;

impl Files for NoFiles {
    fn read(&self, _: &[u8], _: usize) -> io::Result<ReadFile> {
        Err(io::ErrorKind::NotFound.into())
    }

    fn write(&self, _: &[u8], _: &[u8], _: u32) -> io::Result<()> {
        Err(io::ErrorKind::ReadOnlyFilesystem.into())
    }
}
