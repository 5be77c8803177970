//! Open files, whose contents stay the same while they are read.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read as _, Seek as _, SeekFrom};
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use crate::error::CommandError;
use crate::shown::Shown as _;

/// Bytes from which the format is detected.
pub(super) const HEAD: usize = 64 * 1024;

pub(super) fn unreadable(path: &Path, error: &io::Error) -> CommandError {
    CommandError::Usage(format!("cannot read {}: {error}", path.shown()))
}

/// A file, with its length and modification time when it was opened.
pub(super) struct OpenFile {
    pub(super) path: PathBuf,
    pub(super) file: File,
    pub(super) length: u64,
    modified: Option<SystemTime>,
}

impl OpenFile {
    pub(super) fn new(path: &Path) -> Result<Self, CommandError> {
        let fail = |error: &io::Error| unreadable(path, error);
        let file = File::open(path).map_err(|error| fail(&error))?;
        let metadata = file.metadata().map_err(|error| fail(&error))?;
        let (length, modified) = (metadata.len(), metadata.modified().ok());
        Ok(Self { path: path.to_owned(), file, length, modified })
    }

    /// The beginning of the file, from which its format is detected.
    pub(super) fn head(&self) -> Result<Vec<u8>, CommandError> {
        let mut head = vec![0; HEAD];
        let length =
            self.file.read_at(&mut head, 0).map_err(|error| unreadable(&self.path, &error))?;
        head.truncate(length);
        Ok(head)
    }

    /// The bytes that the file had when it was opened.
    pub(super) fn reader(&self) -> Result<impl BufRead + '_, CommandError> {
        const BUFFER: usize = 256 * 1024;
        let mut file = &self.file;
        file.seek(SeekFrom::Start(0)).map_err(|error| unreadable(&self.path, &error))?;
        Ok(BufReader::with_capacity(BUFFER, file.take(self.length)))
    }

    /// Checks that the file was not overwritten while it was read. A journal may have grown.
    pub(super) fn check_unchanged(&self, is_journal: bool) -> Result<(), CommandError> {
        let now = self.file.metadata().map_err(|error| unreadable(&self.path, &error))?;
        let grown = is_journal && now.len() > self.length;
        if now.len() < self.length || (now.modified().ok() != self.modified && !grown) {
            let path = self.path.shown();
            return Err(CommandError::Usage(format!(
                "{path} was overwritten while it was read: try again, or read a copy"
            )));
        }
        Ok(())
    }
}
