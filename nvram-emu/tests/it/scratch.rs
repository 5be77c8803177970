//! Scratch folders in memory.

use std::path::Path;

use tempfile::TempDir;

/// A folder on a tmpfs where there is one.
pub(crate) fn tmpfs() -> TempDir {
    let shm = Path::new("/dev/shm");
    if shm.is_dir() { tempfile::tempdir_in(shm) } else { tempfile::tempdir() }
        .expect("a scratch folder")
}
