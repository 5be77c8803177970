//! Packed files: `.xz`, and archives `.tar.xz`.

use std::fs::File;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

/// Maximum size of a file in bytes, packed or unpacked.
const MAX_BYTES: u64 = 1 << 30;

/// Reads a whole file.
pub(super) fn read_file(path: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    File::open(path)?.take(MAX_BYTES + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > MAX_BYTES {
        return Err(io::Error::other("more than 1 GiB"));
    }
    Ok(bytes)
}

/// Unpacks the contents of an `.xz` file.
pub(super) fn unpack_xz(bytes: &[u8]) -> io::Result<Vec<u8>> {
    let mut unpacked = BoundedBuffer(Vec::new());
    lzma_rs::xz_decompress(&mut &bytes[..], &mut unpacked)
        .map_err(|error| io::Error::other(format!("invalid .xz file: {error:?}")))?;
    Ok(unpacked.0)
}

/// The files of a tar archive, sorted by path.
pub(super) fn members(archive: &[u8]) -> io::Result<Vec<(PathBuf, Vec<u8>)>> {
    let mut members = Vec::new();
    for entry in tar::Archive::new(archive).entries()? {
        let mut entry = entry?;
        if !entry.header().entry_type().is_file() {
            continue;
        }
        let path = entry.path()?.into_owned();
        let mut bytes = Vec::new();
        entry.read_to_end(&mut bytes)?;
        members.push((path, bytes));
    }
    members.sort();
    Ok(members)
}

/// A buffer of limited size.
struct BoundedBuffer(Vec<u8>);

impl Write for BoundedBuffer {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if (self.0.len() + bytes.len()) as u64 > MAX_BYTES {
            return Err(io::Error::other("more than 1 GiB"));
        }
        self.0.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
