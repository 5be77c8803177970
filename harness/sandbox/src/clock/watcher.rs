//! Records how the programs of a call change the persistent files.

use std::ffi::OsStr;
use std::fs;
use std::io;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use rustix::process::{Pid, Signal, getpgid, kill_process_group};

use super::listener::{Answer, SystemCall};
use super::memory;
use crate::file_changes::{Entries, Entry, FileChange, RecordedChange, changes};
use crate::file_tree::MAX_BYTES;
use crate::octets::Octets;
use crate::plain_file::read_plain;

/// Maximum number of recorded changes of one call.
const MAX_CHANGES: usize = 10_000;

/// Maximum number of bytes that are read from the log of `nvram` commands.
const MAX_LOG: usize = 64 << 20;

/// Folders of the root that contain no state of the router.
const ELSEWHERE: [&[u8]; 3] = [b"/dev/", b"/proc/", b"/.leaselab/"];

/// Records the changes of one call.
#[derive(Debug)]
pub(super) struct Watcher {
    folder: PathBuf,
    /// The log of `nvram` commands, with one line for each.
    commands: PathBuf,
    seen: Entries,
    /// The file that the last watched system call truncates to length 0.
    emptied: Option<Octets>,
    found: Vec<RecordedChange>,
    /// Number of changes after which the programs are killed.
    stop: Option<usize>,
}

impl Watcher {
    pub(super) fn new(folder: PathBuf, commands: PathBuf, stop: Option<u32>) -> io::Result<Self> {
        let seen = read(&folder)?;
        let stop = stop.map(|stop| stop as usize);
        Ok(Self { folder, commands, seen, emptied: None, found: Vec::new(), stop })
    }

    /// Returns the changes since the beginning of the recording.
    pub(super) fn take(mut self) -> Vec<RecordedChange> {
        self.scan();
        self.found
    }

    /// Handles a watched system call that concerns files, before the kernel executes it. Kills the process group of its
    /// program if the maximum number of changes has been reached.
    pub(super) fn before(&mut self, call: &SystemCall) -> Answer {
        self.record(call);
        if self.stop.is_none_or(|stop| self.found.len() < stop) {
            return Answer::Continue;
        }
        if let Ok(group) = getpgid(Some(call.pid)) {
            _ = kill_process_group(group, Signal::KILL);
        }
        // With `Answer::Continue`, the killed program could still execute the system call.
        Answer::Error(libc::EINTR)
    }

    fn record(&mut self, call: &SystemCall) {
        let [first, second, third, ..] = call.arguments;
        let path = |address: u64| memory::read_string(call.pid, address);
        match call.number {
            libc::SYS_sync | libc::SYS_syncfs => self.sync(FileChange::SyncAll),
            libc::SYS_fsync | libc::SYS_fdatasync => {
                let link = format!("/proc/{}/fd/{first}", call.pid.as_raw_nonzero());
                if let Some(name) = fs::read_link(link).ok().and_then(|path| self.name(&path)) {
                    self.sync(FileChange::Sync(name));
                }
            }
            libc::SYS_openat => self.open(call.pid, &path(second), third),
            #[cfg(target_arch = "x86_64")]
            libc::SYS_open => self.open(call.pid, &path(first), second),
            _ => self.scan(),
        }
    }

    fn open(&mut self, pid: Pid, path: &[u8], flags: u64) {
        if ELSEWHERE.iter().any(|folder| path.starts_with(folder)) {
            return;
        }
        self.scan();
        if flags as i32 & libc::O_TRUNC != 0 {
            let absolute = Path::new(OsStr::from_bytes(path));
            let path = if absolute.is_absolute() {
                absolute.to_owned()
            } else {
                let folder = fs::read_link(format!("/proc/{}/cwd", pid.as_raw_nonzero()));
                folder.unwrap_or_default().join(absolute)
            };
            self.emptied = self.name(&path);
        }
    }

    fn sync(&mut self, change: FileChange) {
        self.scan();
        self.add(vec![change]);
    }

    /// Returns the name of a persistent file or folder, relative to the root.
    fn name(&self, path: &Path) -> Option<Octets> {
        let real = path.canonicalize().ok()?;
        let path = real.strip_prefix(&self.folder).or_else(|_| real.strip_prefix("/")).ok()?;
        let name = Octets(path.as_os_str().as_bytes().to_vec());
        self.folder.join(path).exists().then_some(name)
    }

    /// Records the changes since the last scan.
    fn scan(&mut self) {
        let Ok(now) = read(&self.folder) else { return };
        let changes = changes(&self.seen, &now, self.emptied.take().as_ref());
        self.seen = now;
        self.add(changes);
    }

    fn add(&mut self, changes: Vec<FileChange>) {
        if changes.is_empty() || self.found.len() > MAX_CHANGES {
            return;
        }
        let log = read_plain(&self.commands, MAX_LOG).unwrap_or_default();
        // Each command starts with a line that lists its arguments.
        let commands = log.split(|byte| *byte == b'\n').filter(|line| line.starts_with(b"["));
        let commands = commands.count() as u32;
        let record = |change| RecordedChange { commands, change };
        self.found.extend(changes.into_iter().map(record));
    }
}

/// Reads all entries below a folder.
fn read(folder: &Path) -> io::Result<Entries> {
    let mut entries = Entries::new();
    read_below(folder, &[], &mut entries)?;
    Ok(entries)
}

fn read_below(folder: &Path, prefix: &[u8], entries: &mut Entries) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let name = [prefix, entry.file_name().as_bytes()].concat();
        let kind = entry.file_type()?;
        let path = entry.path();
        if kind.is_dir() {
            entries.insert(Octets(name.clone()), Entry::Folder);
            read_below(&path, &[&name, &b"/"[..]].concat(), entries)?;
        } else if kind.is_file() || kind.is_symlink() {
            let link = kind.is_symlink();
            let data = if link {
                fs::read_link(&path)?.into_os_string().as_bytes().to_vec()
            } else {
                read_plain(&path, MAX_BYTES)?
            };
            let inode = fs::symlink_metadata(&path)?.ino();
            entries.insert(Octets(name), Entry::File { inode, data, link });
        }
    }
    Ok(())
}
