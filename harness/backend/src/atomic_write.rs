//! Atomic replacement of files: readers see either the old or the new contents.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

/// Replaces a file through a temporary file and `rename`. After an error, the file still has its old contents.
///
/// A path that is not a regular file, such as /dev/stdout, is opened and written in place.
///
/// # Errors
/// If the file or its folder cannot be written.
pub fn write_atomically(path: &Path, text: &[u8]) -> io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    if fs::symlink_metadata(path).is_ok_and(|data| !data.is_file()) {
        return File::options().write(true).open(path)?.write_all(text);
    }
    let mut file = new_temporary_file(folder.unwrap_or(Path::new(".")))?;
    file.write_all(text)?;
    file.as_file().sync_all()?;
    file.as_file().set_permissions(fs::Permissions::from_mode(0o644))?;
    file.persist(path).map_err(|error| error.error)?;
    Ok(())
}

/// Creates a temporary file in a folder. Unlike those of `tempfile`, the error does not name the temporary file, which
/// means nothing to the user.
///
/// # Errors
/// If the folder does not exist or cannot be written to.
pub fn new_temporary_file(folder: &Path) -> io::Result<tempfile::NamedTempFile> {
    if !fs::metadata(folder)?.is_dir() {
        return Err(io::ErrorKind::NotADirectory.into());
    }
    tempfile::NamedTempFile::new_in(folder).map_err(|error| error.kind().into())
}
