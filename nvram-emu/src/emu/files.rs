//! Reading and replacing whole files.

use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::{FileTypeExt, OpenOptionsExt, PermissionsExt};
use std::path::Path;

use super::error::EmuError;
use crate::device::Geometry;

/// Maximum size of a file in bytes: that of a partition.
const MAX_FILE: u64 = Geometry::MAX_SIZE as u64;

/// Maximum size of a device node in bytes. The partition `nvram` of a router is far smaller, and a node such as
/// /dev/zero has no end.
const MAX_NODE: u64 = 64 << 20;

/// Maximum size of a text file in bytes.
const MAX_TEXT: u64 = 16 << 20;

/// The contents of a file; `None` if there is no such file. Device nodes are read to their end.
pub(super) fn read(path: &Path) -> Result<Option<Vec<u8>>, EmuError> {
    let file = match File::open(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        opened => opened.map_err(EmuError::file("open", path))?,
    };
    let is_file = |file: &File| file.metadata().map(|metadata| metadata.is_file());
    let limit = is_file(&file).map(|is_file| if is_file { MAX_FILE } else { MAX_NODE });
    let bytes = limit.and_then(|limit| read_bounded(file, limit));
    bytes.map(Some).map_err(EmuError::file("read", path))
}

pub(super) fn read_to_string(path: &Path) -> Result<String, EmuError> {
    let text = File::open(path).and_then(|file| read_bounded(file, MAX_TEXT));
    let text = text.and_then(|text| {
        String::from_utf8(text).map_err(|error| io::Error::new(ErrorKind::InvalidData, error))
    });
    text.map_err(EmuError::file("read", path))
}

fn read_bounded(file: File, limit: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    file.take(limit + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > limit {
        return Err(io::Error::other(format!("larger than {} MiB", limit >> 20)));
    }
    Ok(bytes)
}

/// Replaces a file atomically, so that other processes see the old or the new contents. A device node is written
/// in place, in one write, and flushed. Protects against killed processes, not against a power loss of the host.
pub(super) fn replace(path: &Path, bytes: &[u8], mode: u32) -> Result<(), EmuError> {
    let old = fs::metadata(path).ok();
    if old
        .as_ref()
        .is_some_and(|old| old.file_type().is_block_device() || old.file_type().is_char_device())
    {
        return write_in_place(path, bytes).map_err(EmuError::file("write", path));
    }
    let mode = old.map_or(mode, |old| old.permissions().mode());
    write_and_rename(path, bytes, mode).map_err(EmuError::file("write", path))
}

fn write_in_place(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).open(path)?;
    file.seek(SeekFrom::Start(0))?;
    file.write_all(bytes)?;
    file.sync_all()
}

fn write_and_rename(path: &Path, bytes: &[u8], mode: u32) -> io::Result<()> {
    // A symbolic link stays a link; its target is replaced.
    let target = fs::canonicalize(path).unwrap_or_else(|_| path.to_path_buf());
    let mut name = target.file_name().unwrap_or_default().to_os_string();
    name.push(format!(".new.{}", std::process::id()));
    let temporary = target.with_file_name(name);
    let written = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(mode)
        .open(&temporary)
        .and_then(|mut file| file.write_all(bytes))
        .and_then(|()| fs::rename(&temporary, &target));
    if written.is_err() {
        // The write error is reported, not an error of the cleanup.
        let _ = fs::remove_file(&temporary);
    }
    written
}

/// Removes a file if it exists.
pub(super) fn remove(path: &Path) -> Result<(), EmuError> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => {
            Err(EmuError::file("remove", path)(error))
        }
        _ => Ok(()),
    }
}

/// Appends `text` in one write.
pub(super) fn append(path: &Path, text: &str) -> Result<(), EmuError> {
    let file = OpenOptions::new().append(true).create(true).open(path);
    file.and_then(|mut file| file.write_all(text.as_bytes()))
        .map_err(EmuError::file("append to", path))
}
