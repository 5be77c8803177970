//! Removes a folder even if a script under test has changed the permissions in it.

use std::fs::{self, Permissions};
use std::io::{self, ErrorKind};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

/// Maximum number of times that the removal is repeated while other threads or terminating processes still write into the
/// folder.
const ATTEMPTS: usize = 20;

/// Removes a folder and everything in it. Does not follow symbolic links.
///
/// # Errors
/// Returns an error if the folder or a part of its contents remains.
pub(crate) fn remove(folder: &Path) -> io::Result<()> {
    let mut result = fs::remove_dir_all(folder);
    for _ in 0..ATTEMPTS {
        match &result {
            Ok(()) => return Ok(()),
            Err(error) if error.kind() == ErrorKind::NotFound && !folder.exists() => return Ok(()),
            // A script may have removed the permission to list or modify a folder.
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
