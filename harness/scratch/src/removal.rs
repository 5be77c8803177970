//! Removes a folder, whatever a script under test has done to it.

use std::fs::{self, Permissions};
use std::io::{self, ErrorKind};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

/// How often the removal is repeated while other threads or dying processes still write into the folder.
const ATTEMPTS: usize = 20;

/// Removes a folder with everything in it. Does not follow symbolic links.
///
/// # Errors
/// When something remains.
pub(crate) fn remove(folder: &Path) -> io::Result<()> {
    let mut result = fs::remove_dir_all(folder);
    for _ in 0..ATTEMPTS {
        match &result {
            Ok(()) => return Ok(()),
            Err(error) if error.kind() == ErrorKind::NotFound && !folder.exists() => return Ok(()),
            // A script may have taken away the permission to list or to change a folder.
            Err(_) => allow_removal(folder),
        }
        result = fs::remove_dir_all(folder);
    }
    result
}

fn allow_removal(folder: &Path) {
    _ = fs::set_permissions(folder, Permissions::from_mode(0o700));
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            allow_removal(&entry.path());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_without_permissions_is_removed() {
        let outer = tempfile::tempdir().expect("a folder");
        let folder = outer.path().join("scratch");
        let inner = folder.join("a/b");
        fs::create_dir_all(&inner).expect("folders");
        fs::write(inner.join("file"), "").expect("a file");
        for folder in [&inner, &folder.join("a"), &folder] {
            fs::set_permissions(folder, Permissions::from_mode(0o000)).expect("permissions");
        }
        remove(&folder).expect("removed");
        assert!(!folder.exists());
    }
}
