//! Reads files of limited size.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::Path;

/// Reads a whole file. The size is limited, because a name can lead to a file without an end, such as /dev/zero.
///
/// # Errors
/// When the file cannot be read, or has more than `limit` bytes.
pub fn read_bounded(path: &Path, limit: u64) -> io::Result<Vec<u8>> {
    let too_large = || io::Error::other(format!("larger than {limit} bytes"));
    let file = File::open(path)?;
    if file.metadata()?.len() > limit {
        return Err(too_large());
    }
    let mut bytes = Vec::new();
    file.take(limit.saturating_add(1)).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > limit {
        return Err(too_large());
    }
    Ok(bytes)
}
