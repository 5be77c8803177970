//! [`FileSystem`] for a real directory.

use std::ffi::{OsStr, OsString};
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _, fchown};
use std::path::{Path, PathBuf};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use rustix::fs::{FlockOperation, OFlags, flock};
use rustix::io::{Errno, retry_on_intr};

use crate::error::OperationError;
use crate::file_system::{FileSystem, Handle, Kind, Mode, Status};

/// How long a writer waits for the lock.
const LOCK_TIMEOUT: Duration = Duration::from_secs(10);
/// Longer chains of symbolic links count as a loop.
const MAX_LINKS: usize = 16;

/// A directory. Writers lock the directory itself: the lock needs no lock file, is not affected by renames of the
/// files, and is released when its process ends for any reason.
#[derive(Debug)]
pub struct RealDirectory {
    path: PathBuf,
    directory: Option<File>,
    files: Vec<Option<File>>,
    lock_timeout: Duration,
}

/// Splits the path of a journal into its directory and its name there. Symbolic links are resolved, even those whose
/// target does not exist, so that a rewrite replaces the target and keeps the link.
///
/// # Errors
/// A path that names a directory, or a loop of symbolic links.
pub fn locate(path: &Path) -> io::Result<(RealDirectory, OsString)> {
    let mut path = path.to_owned();
    for _ in 0..MAX_LINKS {
        let name = path.file_name().filter(|_| !path.as_os_str().as_bytes().ends_with(b"/"));
        let Some(name) = name.map(OsStr::to_owned) else {
            return Err(io::Error::new(io::ErrorKind::IsADirectory, "is a folder"));
        };
        let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty());
        let parent = parent.unwrap_or(Path::new(".")).to_owned();
        match fs::read_link(&path) {
            Ok(target) => path = parent.join(target),
            Err(_) => return Ok((RealDirectory::new(parent), name)),
        }
    }
    Err(io::Error::other("too many symbolic links"))
}

impl RealDirectory {
    /// The directory at `path`. It is opened when it is first locked or synced.
    pub fn new(path: PathBuf) -> Self {
        Self { path, directory: None, files: Vec::new(), lock_timeout: LOCK_TIMEOUT }
    }

    fn at(&self, name: &OsStr) -> PathBuf {
        self.path.join(name)
    }

    fn directory(&mut self) -> io::Result<&File> {
        if self.directory.is_none() {
            self.directory = Some(File::open(&self.path)?);
        }
        self.directory.as_ref().ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    fn file(&self, handle: Handle) -> io::Result<&File> {
        let file = self.files.get(handle.0).and_then(Option::as_ref);
        file.ok_or_else(|| io::Error::from(Errno::BADF))
    }
}

/// Locks a directory that another process has locked; `None` after the timeout.
///
/// `flock` has no timeout, so a thread waits in it. If the thread gets the lock after the timeout, it closes the
/// directory, which releases the lock.
fn wait_for_lock(directory: File, timeout: Duration) -> io::Result<Option<File>> {
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        let result = retry_on_intr(|| flock(&directory, FlockOperation::LockExclusive));
        // Fails after the timeout.
        _ = sender.send(result.map(|()| directory));
    });
    match receiver.recv_timeout(timeout) {
        Ok(result) => Ok(Some(result?)),
        Err(_) => Ok(None),
    }
}

impl FileSystem for RealDirectory {
    fn lock(&mut self) -> Result<bool, OperationError> {
        match flock(self.directory()?, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => return Ok(true),
            Err(Errno::WOULDBLOCK | Errno::INTR) => {}
            Err(error) => return Err(io::Error::from(error).into()),
        }
        let locked = wait_for_lock(File::open(&self.path)?, self.lock_timeout)?;
        let is_locked = locked.is_some();
        self.directory = locked.or(self.directory.take());
        Ok(is_locked)
    }

    fn open(&mut self, name: &OsStr, mode: Mode) -> Result<Handle, OperationError> {
        // O_NONBLOCK: opening a FIFO must not block.
        let flags = OFlags::NOFOLLOW | OFlags::NONBLOCK;
        let mut options = OpenOptions::new();
        options.custom_flags(flags.bits().cast_signed()).mode(0o644);
        match mode {
            Mode::Read => options.read(true),
            Mode::Append => options.read(true).append(true),
            Mode::CreateNew => options.append(true).create_new(true),
            Mode::Truncate => options.write(true).create(true).truncate(true),
        };
        let file = options.open(self.at(name))?;
        self.files.push(Some(file));
        Ok(Handle(self.files.len() - 1))
    }

    fn read(&mut self, file: Handle) -> Result<Vec<u8>, OperationError> {
        let mut bytes = Vec::new();
        self.file(file)?.read_to_end(&mut bytes)?;
        Ok(bytes)
    }

    fn append(&mut self, file: Handle, bytes: &[u8]) -> Result<usize, OperationError> {
        loop {
            match self.file(file)?.write(bytes) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                other => return Ok(other?),
            }
        }
    }

    fn truncate(&mut self, file: Handle, length: u64) -> Result<(), OperationError> {
        Ok(self.file(file)?.set_len(length)?)
    }

    fn fsync(&mut self, file: Handle) -> Result<(), OperationError> {
        Ok(self.file(file)?.sync_all()?)
    }

    fn copy_metadata(&mut self, new: Handle, old: Handle) -> Result<(), OperationError> {
        let old = self.file(old)?.metadata()?;
        let new = self.file(new)?;
        // Only root may change the owner; otherwise the process that rewrites becomes the owner.
        let _ = fchown(new, Some(old.uid()), Some(old.gid()));
        Ok(new.set_permissions(old.permissions())?)
    }

    fn close(&mut self, file: Handle) {
        if let Some(file) = self.files.get_mut(file.0) {
            *file = None;
        }
    }

    fn link(&mut self, old: &OsStr, new: &OsStr) -> Result<(), OperationError> {
        Ok(fs::hard_link(self.at(old), self.at(new))?)
    }

    fn rename(&mut self, old: &OsStr, new: &OsStr) -> Result<(), OperationError> {
        Ok(fs::rename(self.at(old), self.at(new))?)
    }

    fn unlink(&mut self, name: &OsStr) -> Result<(), OperationError> {
        Ok(fs::remove_file(self.at(name))?)
    }

    fn fsync_dir(&mut self) -> Result<(), OperationError> {
        Ok(self.directory()?.sync_all()?)
    }

    fn list(&mut self, prefix: &OsStr) -> Result<Vec<OsString>, OperationError> {
        let mut names = Vec::new();
        for entry in fs::read_dir(&self.path)? {
            let name = entry?.file_name();
            if name.as_bytes().starts_with(prefix.as_bytes()) {
                names.push(name);
            }
        }
        names.sort();
        Ok(names)
    }

    fn status(&mut self, name: &OsStr) -> Result<Option<Status>, OperationError> {
        match fs::symlink_metadata(self.at(name)) {
            Ok(data) => Ok(Some(Status {
                kind: if data.is_file() { Kind::File } else { Kind::Other },
                inode: data.ino(),
                length: data.len(),
                modified: (data.mtime(), data.mtime_nsec()),
            })),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error.into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::ffi::OsStr;

    use super::*;
    use crate::store::Journal;

    #[test]
    fn a_lock_held_by_another_writer_is_reported() {
        let path = tempfile::tempdir().expect("a directory");
        let held = File::open(path.path()).expect("the directory");
        flock(&held, FlockOperation::LockExclusive).expect("free");
        let mut directory = RealDirectory::new(path.path().to_owned());
        directory.lock_timeout = Duration::from_nanos(1);
        let name = OsStr::new("dhcpd.leases");
        let error = Journal::open(&mut directory, name, None, 0).err().expect("the lock is held");
        assert_eq!(error.to_string(), "dhcpd.leases: another writer holds the lock");
        drop(held);
        assert!(Journal::open(&mut directory, name, None, 0).is_ok());
    }
}
