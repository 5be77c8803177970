//! The real file operations, in one folder.

use std::ffi::{OsStr, OsString};
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _, fchown};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use rustix::fs::{FlockOperation, OFlags, flock};
use rustix::io::Errno;

use crate::fs::{FileSystem, Handle, Kind, Mode, Status};

/// How long a writer waits for another one, in steps of [`STEP`].
const WAIT: Duration = Duration::from_secs(10);
const STEP: Duration = Duration::from_millis(20);
/// A chain of more symbolic links is a loop.
const LINKS: usize = 16;

/// A folder. Writers lock the folder itself: the lock needs no file of its own, stays while files are renamed, and
/// goes with its process, however that ends.
#[derive(Debug)]
pub struct RealFolder {
    path: PathBuf,
    folder: Option<File>,
    files: Vec<Option<File>>,
    wait: Duration,
}

/// Splits the path of a journal into its folder and its name in it. A symbolic link is resolved, also one that leads
/// nowhere, so that the link stays and its target is what is rewritten.
///
/// # Errors
/// A path without a name, or a loop of links.
pub fn locate(path: &Path) -> io::Result<(RealFolder, OsString)> {
    let mut path = path.to_owned();
    for _ in 0..LINKS {
        let name = path.file_name().filter(|_| !path.as_os_str().as_bytes().ends_with(b"/"));
        let Some(name) = name.map(OsStr::to_owned) else {
            return Err(io::Error::new(io::ErrorKind::IsADirectory, "is a folder"));
        };
        let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty());
        let parent = parent.unwrap_or(Path::new(".")).to_owned();
        match fs::read_link(&path) {
            Ok(target) => path = parent.join(target),
            Err(_) => return Ok((RealFolder::new(parent), name)),
        }
    }
    Err(io::Error::other("too many symbolic links"))
}

impl RealFolder {
    /// The folder at `path`.
    pub fn new(path: PathBuf) -> Self {
        Self { path, folder: None, files: Vec::new(), wait: WAIT }
    }

    /// The same, which waits no longer than so for another writer.
    #[must_use]
    pub fn with_patience(mut self, wait: Duration) -> Self {
        self.wait = wait;
        self
    }

    fn at(&self, name: &OsStr) -> PathBuf {
        self.path.join(name)
    }

    fn folder(&mut self) -> io::Result<&File> {
        if self.folder.is_none() {
            self.folder = Some(File::open(&self.path)?);
        }
        self.folder.as_ref().ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    fn file(&self, handle: Handle) -> io::Result<&File> {
        let file = self.files.get(handle.0).and_then(Option::as_ref);
        file.ok_or_else(|| io::Error::from(Errno::BADF))
    }
}

impl FileSystem for RealFolder {
    fn lock(&mut self) -> io::Result<bool> {
        let mut left = self.wait;
        let folder = self.folder()?;
        loop {
            match flock(folder, FlockOperation::NonBlockingLockExclusive) {
                Ok(()) => return Ok(true),
                Err(Errno::INTR) => {}
                Err(Errno::WOULDBLOCK) if left.is_zero() => return Ok(false),
                Err(Errno::WOULDBLOCK) => {
                    thread::sleep(STEP.min(left));
                    left = left.saturating_sub(STEP);
                }
                Err(error) => return Err(error.into()),
            }
        }
    }

    fn open(&mut self, name: &OsStr, mode: Mode) -> io::Result<Handle> {
        // O_NONBLOCK: somebody's FIFO must not stop us.
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

    fn read(&mut self, file: Handle) -> io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        self.file(file)?.read_to_end(&mut bytes)?;
        Ok(bytes)
    }

    fn append(&mut self, file: Handle, bytes: &[u8]) -> io::Result<usize> {
        loop {
            match self.file(file)?.write(bytes) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                other => return other,
            }
        }
    }

    fn truncate(&mut self, file: Handle, length: u64) -> io::Result<()> {
        self.file(file)?.set_len(length)
    }

    fn fsync(&mut self, file: Handle) -> io::Result<()> {
        self.file(file)?.sync_all()
    }

    fn dress(&mut self, new: Handle, old: Handle) -> io::Result<()> {
        let like = self.file(old)?.metadata()?;
        let new = self.file(new)?;
        // Only root may give files away; whoever else rewrites becomes the owner.
        let _ = fchown(new, Some(like.uid()), Some(like.gid()));
        new.set_permissions(like.permissions())
    }

    fn close(&mut self, file: Handle) {
        if let Some(file) = self.files.get_mut(file.0) {
            *file = None;
        }
    }

    fn link(&mut self, old: &OsStr, new: &OsStr) -> io::Result<()> {
        fs::hard_link(self.at(old), self.at(new))
    }

    fn rename(&mut self, old: &OsStr, new: &OsStr) -> io::Result<()> {
        fs::rename(self.at(old), self.at(new))
    }

    fn unlink(&mut self, name: &OsStr) -> io::Result<()> {
        fs::remove_file(self.at(name))
    }

    fn fsync_dir(&mut self) -> io::Result<()> {
        self.folder()?.sync_all()
    }

    fn list(&mut self, prefix: &OsStr) -> io::Result<Vec<OsString>> {
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

    fn status(&mut self, name: &OsStr) -> io::Result<Option<Status>> {
        match fs::symlink_metadata(self.at(name)) {
            Ok(data) => Ok(Some(Status {
                kind: if data.is_file() { Kind::File } else { Kind::Other },
                inode: data.ino(),
                length: data.len(),
                modified: (data.mtime(), data.mtime_nsec()),
            })),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }
}
