//! Sources of bytes that several readers can read from any offset.

use std::fs::File;
use std::io::{self, Read};
use std::os::unix::fs::FileExt as _;

/// A source that several readers can read at the same time.
pub(crate) trait Source: Sync {
    type Reader<'a>: Read + Send
    where
        Self: 'a;

    /// Opens a reader of the bytes from `offset` up to `end`.
    fn open(&self, offset: u64, end: u64) -> Self::Reader<'_>;

    /// Returns the number of bytes when reading began.
    fn len(&self) -> u64;
}

impl Source for [u8] {
    type Reader<'a> = &'a [u8];

    fn open(&self, offset: u64, end: u64) -> &[u8] {
        let end = end.min(self.len() as u64) as usize;
        &self[(offset as usize).min(end)..end]
    }

    fn len(&self) -> u64 {
        <[u8]>::len(self) as u64
    }
}

/// The first bytes of a regular file. Bytes that are appended later are not read, and a file that is truncated ends early.
pub(crate) struct FileSource<'f> {
    pub(crate) file: &'f File,
    pub(crate) length: u64,
}

/// A part of a file.
pub(crate) struct Section<'a> {
    file: &'a File,
    offset: u64,
    end: u64,
}

impl Read for Section<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let left = usize::try_from(self.end - self.offset).unwrap_or(usize::MAX);
        let wanted = buffer.len().min(left);
        let count = self.file.read_at(&mut buffer[..wanted], self.offset)?;
        self.offset += count as u64;
        Ok(count)
    }
}

impl Source for FileSource<'_> {
    type Reader<'a>
        = Section<'a>
    where
        Self: 'a;

    fn open(&self, offset: u64, end: u64) -> Section<'_> {
        let end = end.min(self.length);
        Section { file: self.file, offset: offset.min(end), end }
    }

    fn len(&self) -> u64 {
        self.length
    }
}
