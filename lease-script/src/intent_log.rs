//! The intent log: changes that are set in RAM and may not be committed to flash yet.
//!
//! If the script is killed between `set` and `commit` while the power stays on, RAM differs from flash and nothing else
//! records it. So each change is recorded in RAM before `set`, as `NAME=VALUE` or, for a removed variable, `NAME`, and
//! the log is emptied after `commit`. A later call that finds an entry, and sees that RAM contains the state it describes,
//! commits. After a reboot both the log and the state are gone; an entry whose state was replaced has no effect.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use lease_journal::OperationError;
use rustix::process::geteuid;

/// A log of changes that may not be committed yet. It does not survive a reboot.
pub trait IntentLog {
    /// The entries of calls that have ended.
    ///
    /// # Errors
    /// [`OperationError::Killed`], or an error whose text the script prints; it goes on as if the log were empty.
    fn read(&mut self) -> Result<Vec<Vec<u8>>, OperationError>;

    /// Adds entries; with `keep` false, removes the earlier ones.
    ///
    /// # Errors
    /// [`OperationError::Killed`], or an error whose text the script prints; it goes on without the entries.
    fn append(&mut self, entries: &[Vec<u8>], keep: bool) -> Result<(), OperationError>;

    /// Removes all entries.
    ///
    /// # Errors
    /// [`OperationError::Killed`], or an error whose text the script prints.
    fn clear(&mut self) -> Result<(), OperationError>;
}

/// An intent log in memory, for a script that runs in process. A reboot is modelled by a new log.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct MemoryIntentLog(Vec<Vec<u8>>);

impl IntentLog for MemoryIntentLog {
    fn read(&mut self) -> Result<Vec<Vec<u8>>, OperationError> {
        Ok(self.0.clone())
    }

    fn append(&mut self, entries: &[Vec<u8>], keep: bool) -> Result<(), OperationError> {
        if !keep {
            self.0.clear();
        }
        self.0.extend_from_slice(entries);
        Ok(())
    }

    fn clear(&mut self) -> Result<(), OperationError> {
        self.0.clear();
        Ok(())
    }
}

/// A file with lines `PID.START ENTRY`, shared with `lease_update.sh`. `START` is the start time of the process, since
/// its number can be given to another process. An empty file is the same as a missing one: the shell script cannot remove
/// a file.
///
/// Only a regular file that belongs to this user is read or written, and it is created with `O_EXCL`: in a directory
/// that others may write to, they can keep the script from using a log, but gain nothing else.
#[derive(Debug)]
pub struct FileIntentLog {
    path: PathBuf,
}

impl FileIntentLog {
    /// An intent log at `path`, in a file system that a reboot empties.
    pub fn new(path: PathBuf) -> Self {
        Self { path }
    }

    fn open(&self, options: &mut OpenOptions) -> io::Result<File> {
        // O_NONBLOCK: opening a FIFO must not block.
        let flags = rustix::fs::OFlags::NOFOLLOW | rustix::fs::OFlags::NONBLOCK;
        let file = options.custom_flags(flags.bits().cast_signed()).open(&self.path)?;
        let data = file.metadata()?;
        if data.is_file() && data.uid() == geteuid().as_raw() {
            Ok(file)
        } else {
            Err(io::Error::other("not a regular file of this user"))
        }
    }

    fn error(&self, before: &str, after: &str) -> OperationError {
        let path = self.path.display();
        io::Error::other(format!("no marker in RAM: {before}{path}{after}")).into()
    }
}

impl IntentLog for FileIntentLog {
    fn read(&mut self) -> Result<Vec<Vec<u8>>, OperationError> {
        let mut text = Vec::new();
        if let Ok(mut file) = self.open(OpenOptions::new().read(true)) {
            // After a read error, the entries read so far count.
            let _ = file.read_to_end(&mut text);
        }
        Ok(text.split_inclusive(|c| *c == b'\n').filter_map(entry_of_ended_call).collect())
    }

    fn append(&mut self, entries: &[Vec<u8>], keep: bool) -> Result<(), OperationError> {
        if is_absent(&self.path) {
            // If this fails, so does the next call of `open`.
            let _ = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&self.path);
        }
        let mut file = self
            .open(OpenOptions::new().append(true))
            .map_err(|_| self.error("", " is not a file of ours"))?;
        let mut text = Vec::new();
        let pid = std::process::id();
        let writer = format!("{pid}.{} ", start_time(pid).unwrap_or_default());
        for entry in entries {
            text.extend_from_slice(writer.as_bytes());
            text.extend_from_slice(entry);
            text.push(b'\n');
        }
        let truncated = if keep { Ok(()) } else { file.set_len(0) };
        truncated
            .and_then(|()| file.write_all(&text))
            .map_err(|_| self.error("cannot write to ", ""))
    }

    fn clear(&mut self) -> Result<(), OperationError> {
        if let Ok(file) = self.open(OpenOptions::new().write(true)) {
            // An entry that stays costs one commit at most.
            let _ = file.set_len(0);
        }
        Ok(())
    }
}

fn is_absent(path: &Path) -> bool {
    path.as_os_str().as_bytes().is_empty() || path.symlink_metadata().is_err()
}

/// The entry in a line; `None` if the process that wrote it is still running.
fn entry_of_ended_call(line: &[u8]) -> Option<Vec<u8>> {
    let line = line.strip_suffix(b"\n")?;
    let blank = line.iter().position(|c| *c == b' ')?;
    let (pid, start) = std::str::from_utf8(&line[..blank]).ok()?.split_once('.')?;
    let pid = pid.parse().ok().filter(|pid| *pid > 0)?;
    let is_running = start_time(pid).is_some_and(|now| now == start);
    (!is_running).then(|| line[blank + 1..].to_vec())
}

/// The start time of a process in clock ticks after boot; `None` if it has ended. (Linux, `fs/proc/array.c`,
/// `do_task_stat`: field 22; field 2 is a name in parentheses that can contain blanks.)
fn start_time(pid: u32) -> Option<String> {
    let stat = std::fs::read(format!("/proc/{pid}/stat")).ok()?;
    let name_end = stat.iter().rposition(|c| *c == b')')?;
    let fields = std::str::from_utf8(&stat[name_end + 1..]).ok()?;
    fields.split_ascii_whitespace().nth(19).map(str::to_owned)
}
