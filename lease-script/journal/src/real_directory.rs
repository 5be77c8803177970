//! [`FileSystem`] for a real directory.

use std::ffi::{OsStr, OsString};
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::{FileExt as _, MetadataExt as _, OpenOptionsExt as _, fchown};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{FlockOperation, OFlags, flock, inotify};
use rustix::io::Errno;

use crate::error::{OperationError, message};
use crate::file_system::{FileSystem, Handle, Mode};
use crate::index::{Index, Key};
use crate::own_user::{OTHERS, own_user};
use crate::recovery::sibling;
use crate::status::{Kind, Status};

/// How long a writer waits for the lock.
const LOCK_TIMEOUT: Duration = Duration::from_secs(10);
/// The pause before the next attempt to lock. It doubles up to `LAST_PAUSE`, until an event resets it.
const FIRST_PAUSE: Duration = Duration::from_millis(1);
const LAST_PAUSE: Duration = Duration::from_secs(1);
/// Maximum length of a file that is read: 512 MiB, two million records.
const MAX_LENGTH: u64 = 512 << 20;
/// Maximum length of a chain of symbolic links. Longer chains count as a loop.
const MAX_LINKS: usize = 16;

/// A directory. The lock of a journal is on a separate file, `NAME.lock`, which only its owner can open: anybody who can
/// open the directory or the journal could hold a lock on those. The lock is released when its process ends for any reason.
#[derive(Debug)]
pub struct RealDirectory {
    path: PathBuf,
    directory: Option<File>,
    /// The locks that are held, by the name of the journal.
    locks: Vec<(OsString, File)>,
    files: Vec<Option<File>>,
    lock_timeout: Duration,
    /// The directory in RAM that contains indexes.
    indexes: Option<PathBuf>,
}

/// Splits the path of a journal into its directory and its name in that directory. Resolves symbolic links, even those whose
/// target does not exist, so that a rewrite replaces the target and keeps the link.
///
/// # Errors
/// If the path names a directory, or there is a loop of symbolic links.
pub fn locate(path: &Path) -> io::Result<(RealDirectory, OsString)> {
    let mut path = path.to_owned();
    for _ in 0..MAX_LINKS {
        let name = path.file_name().filter(|_| !path.as_os_str().as_bytes().ends_with(b"/"));
        let Some(name) = name.map(OsStr::to_owned) else {
            return Err(message("is a folder"));
        };
        let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty());
        let parent = parent.unwrap_or(Path::new(".")).to_owned();
        match fs::read_link(&path) {
            Ok(target) => path = parent.join(target),
            Err(_) => return Ok((RealDirectory::new(parent), name)),
        }
    }
    Err(message("too many symbolic links"))
}

impl RealDirectory {
    /// Creates a value for the directory at `path`. The directory is opened when it is first locked or synced.
    pub fn new(path: PathBuf) -> Self {
        Self {
            path,
            directory: None,
            locks: Vec::new(),
            files: Vec::new(),
            lock_timeout: LOCK_TIMEOUT,
            indexes: None,
        }
    }

    /// Keeps the indexes of journals in a directory, which must be in RAM.
    #[must_use]
    pub fn with_indexes(mut self, directory: PathBuf) -> Self {
        self.indexes = Some(directory);
        self
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

/// Opens the lock file at `path`. Creates it if necessary, with the owner of the directory.
fn open_lock(path: &Path, directory: &File) -> io::Result<File> {
    let open = |create: bool| {
        let flags = OFlags::NOFOLLOW | OFlags::NONBLOCK;
        let mut options = OpenOptions::new();
        options.read(true).write(create).create_new(create).mode(0o600);
        options.custom_flags(flags.bits().cast_signed()).open(path)
    };
    let owner = directory.metadata()?;
    let file = match open(false) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => match open(true) {
            Ok(file) => {
                if own_user() == Some(0) {
                    fchown(&file, Some(owner.uid()), Some(owner.gid()))?;
                }
                file
            }
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => open(false)?,
            Err(error) => return Err(error),
        },
        opened => opened?,
    };
    let data = file.metadata()?;
    let is_owned = [Some(0), own_user(), Some(owner.uid())].contains(&Some(data.uid()));
    if data.is_file() && data.nlink() == 1 && data.mode() & OTHERS == 0 && is_owned {
        return Ok(file);
    }
    let path = path.display();
    Err(message(&format!("{path} is not a lock file of this program: remove it")))
}

/// Waits for a lock that another process holds. Returns false after the timeout.
///
/// `flock` has no timeout. A process that ends closes the file, which inotify reports just before the lock is released
/// (Linux, `fs/file_table.c`, `__fput`). The attempts after such an event therefore follow each other closely.
fn wait_for_lock(file: &File, path: &Path, timeout: Duration) -> io::Result<bool> {
    let flags = inotify::CreateFlags::NONBLOCK | inotify::CreateFlags::CLOEXEC;
    let watch = inotify::init(flags)?;
    inotify::add_watch(&watch, path, inotify::WatchFlags::CLOSE)?;
    let end = Instant::now() + timeout;
    let mut pause = FIRST_PAUSE;
    loop {
        match flock(file, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => return Ok(true),
            Err(Errno::WOULDBLOCK | Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
        let left = end.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Ok(false);
        }
        let wait = Timespec::try_from(pause.min(left)).map_err(|_| io::ErrorKind::InvalidInput)?;
        poll(&mut [PollFd::new(&watch, PollFlags::IN)], Some(&wait)).or_else(ignore_interrupt)?;
        pause = match rustix::io::read(&watch, &mut [0; 1024]) {
            Ok(_) => FIRST_PAUSE,
            Err(_) => (pause * 2).min(LAST_PAUSE),
        };
    }
}

fn ignore_interrupt(error: Errno) -> io::Result<usize> {
    if error == Errno::INTR { Ok(0) } else { Err(error.into()) }
}

impl FileSystem for RealDirectory {
    fn lock(&mut self, name: &OsStr) -> Result<bool, OperationError> {
        if self.locks.iter().any(|(held, _)| held == name) {
            return Ok(true);
        }
        let path = self.at(&sibling(name, ".lock"));
        let file = open_lock(&path, self.directory()?)?;
        let is_locked = match flock(&file, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => true,
            Err(Errno::WOULDBLOCK | Errno::INTR) => wait_for_lock(&file, &path, self.lock_timeout)?,
            Err(error) => return Err(io::Error::from(error).into()),
        };
        if is_locked {
            self.locks.push((name.to_owned(), file));
        }
        Ok(is_locked)
    }

    fn index(&mut self, name: &OsStr) -> Option<Index> {
        let data = self.directory().ok()?.metadata().ok()?;
        let path = [data.dev().to_le_bytes(), data.ino().to_le_bytes()].concat();
        let Key(hash) = Key::new(0, &[&path, name.as_bytes()].concat());
        Index::open(&self.indexes.as_ref()?.join(format!(".lease-index-{hash:016x}")))
    }

    fn open(&mut self, name: &OsStr, mode: Mode) -> Result<Handle, OperationError> {
        // With `O_NONBLOCK`, opening a FIFO does not block.
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
        let mut file = self.file(file)?;
        if file.metadata()?.len() > MAX_LENGTH {
            return Err(io::Error::from(io::ErrorKind::FileTooLarge).into());
        }
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes)?;
        Ok(bytes)
    }

    fn read_at(
        &mut self,
        file: Handle,
        offset: u64,
        length: usize,
    ) -> Result<Vec<u8>, OperationError> {
        let mut bytes = vec![0; length];
        let mut read = 0;
        while read < length {
            match self.file(file)?.read_at(&mut bytes[read..], offset + read as u64) {
                Ok(0) => break,
                Ok(count) => read += count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error.into()),
            }
        }
        bytes.truncate(read);
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
        // Only root may change the owner. Otherwise the process that rewrites the journal becomes the owner.
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
                changed: (data.ctime(), data.ctime_nsec()),
            })),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error.into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::ffi::OsStr;
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;
    use crate::store::Journal;

    fn open(directory: &mut RealDirectory) -> Result<(), String> {
        Journal::open(directory, OsStr::new("dhcpd.leases"), 0)
            .map(|_| ())
            .map_err(|error| error.to_string())
    }

    #[test]
    fn a_lock_held_by_another_writer_is_reported() {
        let path = tempfile::tempdir().expect("a directory");
        let new = || RealDirectory::new(path.path().to_owned());
        let mut held = new();
        assert_eq!(open(&mut held), Ok(()));
        let mut directory = new();
        directory.lock_timeout = Duration::from_nanos(1);
        let message = "dhcpd.leases: another writer holds the lock";
        assert_eq!(open(&mut directory), Err(message.to_owned()));
        drop(held);
        assert_eq!(open(&mut new()), Ok(()));
    }

    #[test]
    fn a_lock_on_the_directory_or_the_journal_does_not_block_writers() {
        let path = tempfile::tempdir().expect("a directory");
        let new = || RealDirectory::new(path.path().to_owned());
        assert_eq!(open(&mut new()), Ok(()));
        let held = ["", "dhcpd.leases"].map(|name| File::open(path.path().join(name)).expect(name));
        for held in &held {
            flock(held, FlockOperation::LockShared).expect("free");
        }
        let mut directory = new();
        directory.lock_timeout = Duration::from_nanos(1);
        assert_eq!(open(&mut directory), Ok(()));
        let mode = fs::metadata(path.path().join("dhcpd.leases.lock")).expect("a lock").mode();
        assert_eq!(mode & 0o777, 0o600);
    }

    #[test]
    fn a_foreign_lock_file_is_rejected() {
        let path = tempfile::tempdir().expect("a directory");
        let lock = path.path().join("dhcpd.leases.lock");
        let victim = path.path().join("victim");
        fs::write(&victim, "as it was").expect("space");
        let refused = || {
            let error = open(&mut RealDirectory::new(path.path().to_owned())).expect_err("refused");
            assert!(error.contains("cannot lock"), "{error}");
            fs::remove_file(&lock).expect("there");
        };
        std::os::unix::fs::symlink(&victim, &lock).expect("a link");
        refused();
        fs::hard_link(&victim, &lock).expect("a link");
        refused();
        fs::write(&lock, "").expect("space");
        fs::set_permissions(&lock, fs::Permissions::from_mode(0o644)).expect("ours");
        refused();
        assert_eq!(fs::read(&victim).expect("there"), b"as it was");
    }
}
