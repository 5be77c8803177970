//! The marker: what is on its way from RAM to flash.
//!
//! Between `set` and `commit` a script can be killed while the power stays: RAM then differs from flash, and
//! nothing else would ever tell. So each change, `NAME=VALUE` or `NAME` for a variable taken away, is noted in
//! RAM before `set`, and the note is taken away after `commit`. A later call that finds a note, and sees that
//! RAM holds that state, owes a commit. After a reboot note and state are both gone; a note that outlived its
//! state owes nothing.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use rustix::process::{Pid, geteuid, test_kill_process};

/// The notes of this and earlier calls.
pub trait Marker {
    /// The notes of calls that are over.
    ///
    /// # Errors
    /// Only [`crate::killed`].
    fn read(&mut self) -> io::Result<Vec<Vec<u8>>>;

    /// Adds notes; with `keep` false the earlier ones go.
    ///
    /// # Errors
    /// [`crate::killed`], or the line to complain with: the script goes on without.
    fn note(&mut self, notes: &[Vec<u8>], keep: bool) -> io::Result<()>;

    /// Takes all notes away.
    ///
    /// # Errors
    /// Only [`crate::killed`].
    fn clear(&mut self) -> io::Result<()>;
}

/// A marker in memory, for a script that runs in process. Make a new one at a reboot.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct MemoryMarker(Vec<Vec<u8>>);

impl Marker for MemoryMarker {
    fn read(&mut self) -> io::Result<Vec<Vec<u8>>> {
        Ok(self.0.clone())
    }

    fn note(&mut self, notes: &[Vec<u8>], keep: bool) -> io::Result<()> {
        if !keep {
            self.0.clear();
        }
        self.0.extend_from_slice(notes);
        Ok(())
    }

    fn clear(&mut self) -> io::Result<()> {
        self.0.clear();
        Ok(())
    }
}

/// A file with lines `PID NOTE`, the same as that of `lease_update.sh`. Empty is as good as absent: the shell
/// script has no way to remove a file.
///
/// Only a regular file of our own is read or written to, and it is made so that it was not there before:
/// in a directory that others may write to, they can deny us the marker, but gain nothing by it.
#[derive(Debug)]
pub struct FileMarker {
    path: PathBuf,
}

impl FileMarker {
    /// A marker at `path`, in a file system that a reboot empties.
    pub fn new(path: PathBuf) -> Self {
        Self { path }
    }

    fn open(&self, options: &mut OpenOptions) -> io::Result<File> {
        // O_NONBLOCK: somebody's FIFO must not stop us.
        let flags = rustix::fs::OFlags::NOFOLLOW | rustix::fs::OFlags::NONBLOCK;
        let file = options.custom_flags(flags.bits().cast_signed()).open(&self.path)?;
        let data = file.metadata()?;
        if data.is_file() && data.uid() == geteuid().as_raw() {
            Ok(file)
        } else {
            Err(io::Error::other("not ours"))
        }
    }

    fn complaint(&self, before: &str, after: &str) -> io::Error {
        io::Error::other(format!("no marker in RAM: {before}{}{after}", self.path.display()))
    }
}

impl Marker for FileMarker {
    fn read(&mut self) -> io::Result<Vec<Vec<u8>>> {
        let mut text = Vec::new();
        if let Ok(mut file) = self.open(OpenOptions::new().read(true)) {
            // What could be read is better than nothing.
            let _ = file.read_to_end(&mut text);
        }
        Ok(text.split_inclusive(|c| *c == b'\n').filter_map(note_of_the_dead).collect())
    }

    fn note(&mut self, notes: &[Vec<u8>], keep: bool) -> io::Result<()> {
        if is_absent(&self.path) {
            // If this fails, so does the next.
            let _ = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&self.path);
        }
        let mut file = self
            .open(OpenOptions::new().append(true))
            .map_err(|_| self.complaint("", " is not a file of ours"))?;
        let mut text = Vec::new();
        for note in notes {
            text.extend_from_slice(format!("{} ", std::process::id()).as_bytes());
            text.extend_from_slice(note);
            text.push(b'\n');
        }
        let written = if keep { Ok(()) } else { file.set_len(0) };
        written
            .and_then(|()| file.write_all(&text))
            .map_err(|_| self.complaint("cannot write to ", ""))
    }

    fn clear(&mut self) -> io::Result<()> {
        if let Ok(file) = self.open(OpenOptions::new().write(true)) {
            // A note too many costs one commit at most.
            let _ = file.set_len(0);
        }
        Ok(())
    }
}

fn is_absent(path: &Path) -> bool {
    path.as_os_str().as_bytes().is_empty() || path.symlink_metadata().is_err()
}

/// The note in a line, unless its writer is still at work.
fn note_of_the_dead(line: &[u8]) -> Option<Vec<u8>> {
    let line = line.strip_suffix(b"\n")?;
    let blank = line.iter().position(|c| *c == b' ')?;
    let pid = std::str::from_utf8(&line[..blank]).ok()?.parse().ok().filter(|pid| *pid > 0)?;
    let alive = Pid::from_raw(pid).is_some_and(|pid| test_kill_process(pid).is_ok());
    (!alive).then(|| line[blank + 1..].to_vec())
}
