//! What people and machines get to see of a run.

mod files;
mod json;
mod junit;
mod keep;
mod terminal;

pub use files::{FileReport, Summary, by_file, next_file};
pub use json::write_json;
pub use junit::{JunitEnd, JunitTest, write_junit, write_junit_tests};
pub use keep::keep;
pub use terminal::{Progress, finding_text, print_claims};

use std::io::Write;
use std::path::{Path, PathBuf};

use crate::cli::Failure;

/// Whether report files can be written, asked before any work is done.
///
/// # Errors
/// The first path that cannot be written.
pub fn check_writable<'a>(paths: impl Iterator<Item = &'a PathBuf>) -> Result<(), Failure> {
    for path in paths {
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
        let folder = folder.unwrap_or(Path::new("."));
        tempfile::Builder::new()
            .tempfile_in(folder)
            .map_err(|error| Failure::Input(format!("{}: {error}", path.display())))?;
    }
    Ok(())
}

/// Writes a whole new file; whether it did: not where there is one already.
///
/// # Errors
/// With the path in it.
pub(crate) fn write_new(path: &Path, text: &[u8]) -> Result<bool, Failure> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    let write = || -> std::io::Result<bool> {
        let mut file = tempfile::NamedTempFile::new_in(folder.unwrap_or(Path::new(".")))?;
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
    write().map_err(|error| Failure::Input(format!("{}: {error}", path.display())))
}

/// Writes a whole file, or leaves what was there.
///
/// # Errors
/// With the path in it.
pub(crate) fn write_whole(path: &Path, text: &[u8]) -> Result<(), Failure> {
    backend::write_whole(path, text)
        .map_err(|error| Failure::Input(format!("{}: {error}", path.display())))
}
