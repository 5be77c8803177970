//! Files that reports are written to.

use std::io::Write;
use std::path::{Path, PathBuf};

use crate::error::CommandError;

/// Checks that report files can be written, before any work is done.
///
/// # Errors
/// The first path that cannot be written.
pub fn check_writable<'a>(paths: impl Iterator<Item = &'a PathBuf>) -> Result<(), CommandError> {
    for path in paths {
        if path.is_dir() {
            return Err(CommandError::file(path, "is a folder"));
        }
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
        let folder = folder.unwrap_or(Path::new("."));
        backend::new_temporary_file(folder).map_err(|error| CommandError::file(path, error))?;
    }
    Ok(())
}

/// Writes a new file, whole or not at all. Returns false where the file exists already.
///
/// # Errors
/// When the file cannot be written.
pub fn write_new(path: &Path, text: &[u8]) -> Result<bool, CommandError> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    let write = || -> std::io::Result<bool> {
        let mut file = backend::new_temporary_file(folder.unwrap_or(Path::new(".")))?;
        file.write_all(text)?;
        file.as_file().sync_all()?;
        let permissions = std::os::unix::fs::PermissionsExt::from_mode(0o644);
        file.as_file().set_permissions(permissions)?;
        match file.persist_noclobber(path) {
            Ok(_) => Ok(true),
            Err(error) if error.error.kind() == std::io::ErrorKind::AlreadyExists => Ok(false),
            Err(error) => Err(error.error),
        }
    };
    write().map_err(|error| CommandError::file(path, error))
}

/// Writes a file, whole or not at all: when it fails, what was there remains.
///
/// # Errors
/// When the file cannot be written.
pub fn write_atomically(path: &Path, text: &[u8]) -> Result<(), CommandError> {
    backend::write_atomically(path, text).map_err(|error| CommandError::file(path, error))
}
