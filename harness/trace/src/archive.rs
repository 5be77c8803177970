//! Reads `.xz` files and `.tar.xz` archives, with limits on their size.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use lzma_rust2::XzReader;

/// Maximum size of a file in bytes.
const MAX_FILE: u64 = 256 << 20;

/// Maximum size of the unpacked contents of a file in bytes. Without it, a small packed file could unpack to any size.
const MAX_UNPACKED: u64 = 256 << 20;

/// Maximum memory for unpacking, in KiB. `xz -9` uses a dictionary of 64 MiB.
const MAX_DICTIONARY_KIB: u32 = 128 << 10;

/// Maximum number of files in an archive.
const MAX_MEMBERS: usize = 100_000;

/// Reads a journal or an archive.
pub(super) fn read_file(path: &Path) -> io::Result<Vec<u8>> {
    read_bounded(path, MAX_FILE)
}

/// Reads a whole file of at most `limit` bytes. The read itself is bounded too, because the path can name an endless
/// file such as /dev/zero.
pub(super) fn read_bounded(path: &Path, limit: u64) -> io::Result<Vec<u8>> {
    let too_large = || io::Error::other(format!("larger than {} MiB", limit >> 20));
    let file = File::open(path)?;
    if file.metadata()?.len() > limit {
        return Err(too_large());
    }
    let mut bytes = Vec::new();
    file.take(limit + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > limit {
        return Err(too_large());
    }
    Ok(bytes)
}

/// Unpacks the contents of an `.xz` file.
pub(super) fn unpack_xz(packed: &[u8]) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    Unpacking::new(packed).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Returns the files in a `.tar.xz` archive, sorted by path.
pub(super) fn members(packed: &[u8]) -> io::Result<Vec<(PathBuf, Vec<u8>)>> {
    let mut members = Vec::new();
    for entry in tar::Archive::new(Unpacking::new(packed)).entries()? {
        let mut entry = entry?;
        if !entry.header().entry_type().is_file() {
            continue;
        }
        if members.len() == MAX_MEMBERS {
            return Err(io::Error::other(format!("more than {MAX_MEMBERS} files")));
        }
        let path = entry.path()?.into_owned();
        let mut bytes = Vec::new();
        entry.read_to_end(&mut bytes)?;
        members.push((path, bytes));
    }
    members.sort();
    Ok(members)
}

/// A reader of the unpacked contents of an `.xz` file, which fails after [`MAX_UNPACKED`] bytes.
struct Unpacking<'a> {
    reader: XzReader<&'a [u8]>,
    left: u64,
}

impl<'a> Unpacking<'a> {
    fn new(packed: &'a [u8]) -> Self {
        let reader = XzReader::new_mem_limit(packed, true, MAX_DICTIONARY_KIB);
        Self { reader, left: MAX_UNPACKED }
    }
}

impl Read for Unpacking<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self
            .reader
            .read(buffer)
            .map_err(|error| io::Error::new(error.kind(), format!("invalid .xz file: {error}")))?;
        self.left = self.left.checked_sub(count as u64).ok_or_else(|| {
            io::Error::other(format!("unpacks to more than {} MiB", MAX_UNPACKED >> 20))
        })?;
        Ok(count)
    }
}
