//! Removes the scratch folders of processes that were killed.

use std::fs::{self, File};
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use rustix::fs::{CWD, FlockOperation, Mode, OFlags, flock, openat};
use rustix::process::geteuid;

use crate::folder::{OWNER, PREFIX};
use crate::{place, removal};

/// Removes the scratch folders of this user whose owner no longer exists. Returns their paths. Does not report folders that
/// cannot be removed, because they matter only to the administrator and the next process tries again.
pub fn remove_abandoned() -> Vec<PathBuf> {
    let mut places = place::candidates(std::env::var_os("TMPDIR"));
    places.push(std::env::temp_dir());
    places.sort();
    places.dedup();
    places.iter().flat_map(|place| remove_abandoned_in(place)).collect()
}

fn remove_abandoned_in(place: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(place).into_iter().flatten().flatten();
    entries
        .filter(|entry| entry.file_name().as_bytes().starts_with(PREFIX.as_bytes()))
        .map(|entry| entry.path())
        .filter(|folder| {
            // The lock prevents two processes from removing the same folder.
            lock_of_the_dead(folder).is_some_and(|_lock| removal::remove(folder).is_ok())
        })
        .collect()
}

/// Acquires the lock of a scratch folder. Returns `None` if the owner still holds it, or if the folder does not belong to
/// this user.
fn lock_of_the_dead(folder: &Path) -> Option<File> {
    let metadata = fs::symlink_metadata(folder).ok()?;
    if !metadata.is_dir() || metadata.uid() != geteuid().as_raw() {
        return None;
    }
    // These flags prevent the call from following a symbolic link and from blocking on a FIFO.
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let owner = openat(CWD, folder.join(OWNER), flags, Mode::empty()).ok()?;
    flock(&owner, FlockOperation::NonBlockingLockExclusive).ok()?;
    Some(owner.into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Folder;

    #[test]
    fn only_folders_without_an_owner_are_removed() {
        let place = tempfile::tempdir().expect("a folder");
        let used = Folder::new_in(place.path()).expect("a folder");
        let abandoned = place.path().join("leaselab-abandoned");
        fs::create_dir(&abandoned).expect("a folder");
        fs::write(abandoned.join(OWNER), "1\n").expect("a file");
        let foreign = place.path().join("leaselab-notes");
        fs::create_dir(&foreign).expect("a folder");
        let other = place.path().join("other");
        fs::create_dir(&other).expect("a folder");
        fs::write(other.join(OWNER), "1\n").expect("a file");
        std::os::unix::fs::symlink(&other, place.path().join("leaselab-link")).expect("a link");

        assert_eq!(remove_abandoned_in(place.path()), [abandoned]);
        assert!(used.path().exists() && foreign.exists() && other.join(OWNER).exists());
        let path = used.path().to_owned();
        drop(used);
        assert!(!path.exists());
    }
}
