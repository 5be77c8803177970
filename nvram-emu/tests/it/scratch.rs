//! Temporary folders for tests.

use std::path::Path;

use tempfile::TempDir;

/// A temporary folder in /dev/shm if there is one, else in the default place.
pub(crate) fn tmpfs() -> TempDir {
    let shm = Path::new("/dev/shm");
    if shm.is_dir() { tempfile::tempdir_in(shm) } else { tempfile::tempdir() }
        .expect("a scratch folder")
}
