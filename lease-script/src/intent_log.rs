//! The intent log: one writer at a time, and changes that are set in RAM and may not be committed to flash yet.
//!
//! If the script is killed between `set` and `commit` while the power stays on, RAM differs from flash and nothing else
//! records it. So each call that writes adds an entry in RAM before `set`, and empties the log after `commit`. A later call
//! that finds an entry of a call that has ended commits. The first entry of a running call is also the lock: later calls
//! wait for it.

use std::fs::{self, DirBuilder, File};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::path::{Path, PathBuf};

use lease_journal::OperationError;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{Mode, OFlags};
use rustix::process::{Pid, PidfdFlags, geteuid, pidfd_open};

/// A log with more bytes is not read: a call commits instead.
const MAX_BYTES: u64 = 9000;
/// How often a call looks at the log until it gives up; it waits at most one second in between.
const MAX_TRIES: u32 = 20;

/// The result of [`IntentLog::lock`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Lock {
    /// This call may write.
    Acquired {
        /// Whether a call has ended without emptying the log: what it has set may not be committed.
        uncommitted: bool,
        /// Whether this call has waited for another one.
        waited: bool,
    },
    /// The running process with this number has not ended in time.
    Busy(u32),
    /// The log cannot be used: something that does not belong to this user is in its place.
    Unusable,
}

/// A log of changes that may not be committed yet. It does not survive a reboot.
pub trait IntentLog {
    /// Whether there is an entry.
    ///
    /// # Errors
    /// [`OperationError::Killed`]; other errors count as an empty log.
    fn has_entries(&mut self) -> Result<bool, OperationError>;

    /// Whether the folder of the log exists: a call has written since the last boot. The shell script needs a process to
    /// make it.
    ///
    /// # Errors
    /// [`OperationError::Killed`]; other errors count as a missing folder.
    fn has_folder(&mut self) -> Result<bool, OperationError> {
        Ok(false)
    }

    /// Adds an entry, and waits until no earlier entry is that of a running call.
    ///
    /// # Errors
    /// [`OperationError::Killed`]; other errors count as [`Lock::Unusable`].
    fn lock(&mut self) -> Result<Lock, OperationError>;

    /// Waits for the calls that have an entry, for some seconds.
    ///
    /// # Errors
    /// [`OperationError::Killed`]; other errors are ignored.
    fn wait(&mut self) -> Result<(), OperationError>;

    /// Removes all entries.
    ///
    /// # Errors
    /// [`OperationError::Killed`]; other errors are ignored. An entry that stays costs one commit at most.
    fn clear(&mut self) -> Result<(), OperationError>;
}

/// An intent log in memory, for a script that runs in process, where no two calls run at the same time. A reboot is
/// modelled by a new log.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct MemoryIntentLog {
    has_entries: bool,
    has_folder: bool,
}

impl IntentLog for MemoryIntentLog {
    fn has_entries(&mut self) -> Result<bool, OperationError> {
        Ok(self.has_entries)
    }

    fn has_folder(&mut self) -> Result<bool, OperationError> {
        Ok(self.has_folder)
    }

    fn lock(&mut self) -> Result<Lock, OperationError> {
        self.has_folder = true;
        let uncommitted = std::mem::replace(&mut self.has_entries, true);
        Ok(Lock::Acquired { uncommitted, waited: false })
    }

    fn wait(&mut self) -> Result<(), OperationError> {
        Ok(())
    }

    fn clear(&mut self) -> Result<(), OperationError> {
        self.has_entries = false;
        Ok(())
    }
}

/// A file with lines `PID.START` in a folder of this user, shared with `lease_update.sh`. `START` is the start time
/// of the process, since its number can be given to another process. An empty file is the same as a missing one: the
/// shell script cannot remove a file.
///
/// Neither the folder nor the file may be a symbolic link, or belong to another user; the file may not have a second
/// name. So no other user can make the script write to another file.
#[derive(Debug)]
pub struct FileIntentLog {
    folder: PathBuf,
}

impl FileIntentLog {
    /// An intent log in `folder`, which is made by the first change, in a file system that a reboot empties.
    pub fn new(folder: PathBuf) -> Self {
        Self { folder }
    }

    fn open(&self) -> io::Result<File> {
        let flags = OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::RDONLY | OFlags::CLOEXEC;
        let folder = File::from(rustix::fs::open(&self.folder, flags, Mode::empty())?);
        let is_own = |file: &File| file.metadata().map(|data| data.uid() == geteuid().as_raw());
        // O_NONBLOCK: opening a FIFO must not block.
        let flags = OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CREATE | OFlags::APPEND;
        let flags = flags | OFlags::RDWR | OFlags::CLOEXEC;
        if !is_own(&folder)? {
            return Err(io::ErrorKind::PermissionDenied.into());
        }
        let file = rustix::fs::openat(&folder, "intents", flags, Mode::RUSR | Mode::WUSR)?;
        let file = File::from(file);
        let data = file.metadata()?;
        if data.is_file() && data.nlink() == 1 && is_own(&file)? {
            Ok(file)
        } else {
            Err(io::ErrorKind::PermissionDenied.into())
        }
    }

    fn text(&self) -> io::Result<Vec<u8>> {
        let mut text = Vec::new();
        self.open()?.take(MAX_BYTES + 1).read_to_end(&mut text)?;
        Ok(text)
    }

    /// Waits until this call is the first running one, or, if it does not write, until no call is running.
    fn acquire(&self, writes: bool) -> io::Result<Lock> {
        let mut uncommitted = false;
        let text = self.text()?;
        if text.len() as u64 > MAX_BYTES {
            self.open()?.set_len(0)?;
            uncommitted = true;
        }
        let this = Writer::of(std::process::id());
        let mut owner = None;
        for tries in 1..=MAX_TRIES {
            owner = None;
            for line in self.text()?.split_inclusive(|c| *c == b'\n') {
                let line = line.strip_suffix(b"\n").unwrap_or(line);
                if !is_written_by_a_call(line) {
                    return Ok(Lock::Unusable);
                }
                match Writer::running(line) {
                    Some(running) => owner = owner.or(Some(running)),
                    None => uncommitted = true,
                }
            }
            match (&owner, &this) {
                (_, None) => return Ok(Lock::Unusable),
                (None, _) if !writes => {
                    return Ok(Lock::Acquired { uncommitted, waited: tries > 1 });
                }
                (Some(owner), Some(this)) if this == owner => {
                    return Ok(Lock::Acquired { uncommitted, waited: tries > 2 });
                }
                (Some(owner), _) => owner.wait(),
                (None, Some(this)) => {
                    self.open()?.write_all(&[this.id.as_bytes(), b"\n"].concat())?;
                }
            }
        }
        Ok(owner.map_or(Lock::Unusable, |owner| Lock::Busy(owner.pid)))
    }
}

impl IntentLog for FileIntentLog {
    fn has_entries(&mut self) -> Result<bool, OperationError> {
        Ok(fs::metadata(self.folder.join("intents")).is_ok_and(|data| data.len() > 0))
    }

    fn has_folder(&mut self) -> Result<bool, OperationError> {
        Ok(self.folder.is_dir())
    }

    fn lock(&mut self) -> Result<Lock, OperationError> {
        if is_absent(&self.folder) {
            // If this fails, so does the next call of `open`.
            let _ = DirBuilder::new().mode(0o700).create(&self.folder);
        }
        Ok(self.acquire(true).unwrap_or(Lock::Unusable))
    }

    fn wait(&mut self) -> Result<(), OperationError> {
        let _ = self.acquire(false);
        Ok(())
    }

    fn clear(&mut self) -> Result<(), OperationError> {
        let _ = self.open().and_then(|file| file.set_len(0));
        Ok(())
    }
}

fn is_absent(path: &Path) -> bool {
    path.symlink_metadata().is_err()
}

/// Whether a line is that of a process.
fn is_written_by_a_call(line: &[u8]) -> bool {
    matches!(line, [b'1'..=b'9', ..]) && line.contains(&b'.')
}

/// A process that writes to the log.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Writer {
    pid: u32,
    /// `PID.START`.
    id: String,
}

impl Writer {
    /// A running process. (Linux, `fs/proc/array.c`, `do_task_stat`: the start time is field 22; field 2 is a name in
    /// parentheses that can contain blanks.)
    fn of(pid: u32) -> Option<Self> {
        let stat = fs::read(format!("/proc/{pid}/stat")).ok()?;
        let name_end = stat.iter().rposition(|c| *c == b')')?;
        let fields = std::str::from_utf8(&stat[name_end + 1..]).ok()?;
        let mut fields = fields.split_ascii_whitespace();
        // A zombie has ended.
        let _state = fields.next().filter(|state| *state != "Z")?;
        let start = fields.nth(18)?;
        Some(Self { pid, id: [&pid.to_string(), start].join(".") })
    }

    /// The process with this `PID.START`, if it is running.
    fn running(id: &[u8]) -> Option<Self> {
        let id = std::str::from_utf8(id).ok()?;
        Self::of(id.split('.').next()?.parse().ok()?).filter(|writer| writer.id == id)
    }

    /// Waits until the process ends, at most a second.
    fn wait(&self) {
        let second = Timespec { tv_sec: 1, tv_nsec: 0 };
        let pid = i32::try_from(self.pid).ok().and_then(Pid::from_raw);
        let process = pid.and_then(|pid| pidfd_open(pid, PidfdFlags::empty()).ok());
        // Without pidfd_open (before Linux 5.3), there is nothing to wait for but the time.
        let _ = match &process {
            Some(process) => poll(&mut [PollFd::new(process, PollFlags::IN)], Some(&second)),
            None => poll(&mut [], Some(&second)),
        };
    }
}
