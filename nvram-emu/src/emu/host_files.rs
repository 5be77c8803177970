//! The files of the machine, for commands such as `save` and `restore`.

use std::ffi::OsStr;
use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::Path;

use crate::dialect::{Files, ReadFile};

/// The file system of the process.
#[derive(Clone, Copy, Debug)]
pub(super) struct HostFiles;

impl Files for HostFiles {
    fn read(&self, path: &[u8], limit: usize) -> io::Result<ReadFile> {
        let file = File::open(Path::new(OsStr::from_bytes(path)))?;
        let mode = file.metadata()?.mode();
        let mut bytes = Vec::new();
        file.take(limit as u64).read_to_end(&mut bytes)?;
        Ok(ReadFile { bytes, mode })
    }

    fn write(&self, path: &[u8], bytes: &[u8], mode: u32) -> io::Result<()> {
        let mut options = OpenOptions::new();
        options.write(true).create(true).truncate(true).mode(mode);
        options.open(Path::new(OsStr::from_bytes(path)))?.write_all(bytes)
    }
}
