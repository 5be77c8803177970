//! The journal as a store: append, rewrite.

use std::ffi::{OsStr, OsString};
use std::fmt;
use std::io;

use crate::fs::{FileSystem, Handle, Mode, append_all};
use crate::recover::{
    Live, VIEW, carry_out, examine, give_up_on_error, is_garbage, keep_damaged, unlink_if_there,
};
use crate::text::{Rewrite, begin, end, rewrite_of, whole_length};
use lease_formats::dhcpd::{
    BindingState, Family, Ia, Lease, Options, Reading, read_bytes, write_ia, write_lease,
    write_other,
};

/// When a journal is rewritten.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Policy {
    /// From this size on, but not before it has doubled since the last rewrite. Bytes; 0: never.
    pub size: u64,
    /// When the last rewrite is so long ago, or lies in the future. Seconds; 0: never.
    pub age: u64,
    /// The clock, in seconds since 1970.
    pub now: i64,
}

/// Why something was not done.
#[derive(Debug)]
pub enum Trouble {
    /// `killed`: the caller ends at once.
    Killed,
    /// What to tell.
    Failed(String),
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Killed => f.write_str("killed"),
            Self::Failed(why) => f.write_str(why),
        }
    }
}

/// The result of a step of the store.
pub type Done<T = ()> = Result<T, Trouble>;

fn failed(what: impl fmt::Display, error: &io::Error) -> Trouble {
    if error.kind() == io::ErrorKind::Interrupted {
        Trouble::Killed
    } else {
        Trouble::Failed(format!("{what}: {}", reason(error)))
    }
}

/// An error in a few words, without the number that the standard library adds.
fn reason(error: &io::Error) -> String {
    let text = error.to_string();
    text.split(" (os error").next().unwrap_or(&text).to_lowercase()
}

/// The name of a file beside the live one.
pub fn sibling(name: &OsStr, suffix: &str) -> OsString {
    let mut name = name.to_owned();
    name.push(suffix);
    name
}

/// How journals are read here.
pub(crate) fn careful_options(family: Option<Family>) -> Options {
    let mut options = Options::new(VIEW, 0);
    options.family = family;
    options
}

/// A journal that is open for writing; other writers are kept away as long as its file system is.
pub struct Journal<'a> {
    fs: &'a mut dyn FileSystem,
    name: OsString,
    file: Handle,
    text: Vec<u8>,
    /// How many bytes the file has on the disk: more than `text` where its end is torn.
    length: u64,
    rewrite: Option<Rewrite>,
    reading: Reading,
    family: Option<Family>,
    notes: Vec<String>,
}

impl<'a> Journal<'a> {
    /// Locks, recovers where that has to be, opens and reads.
    ///
    /// # Errors
    /// A lock held by another writer, a path that is no journal, whatever the file operations say.
    pub fn open(
        fs: &'a mut dyn FileSystem,
        name: &OsStr,
        family: Option<Family>,
        now: i64,
    ) -> Done<Self> {
        let shown = name.to_string_lossy().into_owned();
        match fs.lock() {
            Ok(true) => {}
            Ok(false) => {
                let why = format!("{shown}: another writer holds the lock");
                return Err(Trouble::Failed(why));
            }
            Err(error) => return Err(failed(format_args!("{shown}: cannot lock"), &error)),
        }
        let mut notes = Vec::new();
        recover(fs, name, now, &mut notes)?;
        let file = fs.open(name, Mode::Append).map_err(|e| failed(&shown, &e))?;
        let mut text = fs.read(file).map_err(|e| failed(&shown, &e))?;
        let length = text.len() as u64;
        text.truncate(whole_length(&text));
        let torn = length - text.len() as u64;
        if torn > 0 {
            notes.push(format!("{shown}: torn tail of {torn} bytes: cut off by the next write"));
        }
        let reading = read_bytes(&text, &careful_options(family));
        let rewrite = rewrite_of(&text);
        let name = name.to_owned();
        Ok(Self { fs, name, file, text, length, rewrite, reading, family, notes })
    }

    /// What the journal means.
    pub fn reading(&self) -> &Reading {
        &self.reading
    }

    /// What the journal means; it is closed.
    pub fn into_reading(self) -> Reading {
        self.fs.close(self.file);
        self.reading
    }

    /// What there is to tell a person, once.
    pub fn take_notes(&mut self) -> Vec<String> {
        std::mem::take(&mut self.notes)
    }

    fn shown(&self) -> String {
        self.name.to_string_lossy().into_owned()
    }

    fn fault<T>(&self, what: &str, error: &io::Error) -> Done<T> {
        Err(failed(format_args!("{}: {what}", self.shown()), error))
    }

    /// True while nothing was appended since the file got its name: whether the name is on the medium, nobody knows.
    fn is_fresh(&self) -> bool {
        self.rewrite.is_none_or(|rewrite| rewrite.length == self.text.len())
    }

    /// Makes sure that what was read is on the medium: an earlier writer may have been killed before it was.
    ///
    /// # Errors
    /// Those of `fsync`.
    pub fn settle(&mut self) -> Done {
        if self.is_fresh()
            && let Err(error) = self.fs.fsync_dir()
        {
            return self.fault("cannot sync its folder", &error);
        }
        match self.fs.fsync(self.file) {
            Ok(()) => Ok(()),
            Err(error) => self.fault("cannot sync", &error),
        }
    }

    /// Appends whole records. When this returns, they are on the medium.
    ///
    /// # Errors
    /// Nothing of them is in the journal then, and what was in it still is.
    pub fn append(&mut self, records: &[u8]) -> Done {
        if self.is_fresh()
            && let Err(error) = self.fs.fsync_dir()
        {
            // Else the name could come back as that of the older file, after a power cut.
            return self.fault("cannot sync its folder: not stored", &error);
        }
        if self.length > self.text.len() as u64 {
            if let Err(error) = self.fs.truncate(self.file, self.text.len() as u64) {
                return self.fault("cannot cut off its torn tail: not stored", &error);
            }
            self.length = self.text.len() as u64;
        }
        let mut bytes = Vec::with_capacity(records.len() + 1);
        if self.text.last().is_some_and(|last| *last != b'\n') {
            bytes.push(b'\n');
        }
        bytes.extend_from_slice(records);
        match self.write(&bytes) {
            Err(error) if is_full(&error) && !self.is_damaged() => self.append_in_need(&bytes),
            Err(error) => self.fault("not stored", &error),
            Ok(()) => {
                self.appended(&bytes);
                Ok(())
            }
        }
    }

    fn appended(&mut self, bytes: &[u8]) {
        self.text.extend_from_slice(bytes);
        self.length = self.text.len() as u64;
        self.reading = read_bytes(&self.text, &careful_options(self.family));
    }

    /// Writes and syncs, or takes back what it wrote.
    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        let written = append_all(self.fs, self.file, bytes).and_then(|()| self.fs.fsync(self.file));
        if let Err(error) = &written
            && error.kind() != io::ErrorKind::Interrupted
        {
            // If this fails, too, a torn tail stays, which the next writer cuts off.
            match self.fs.truncate(self.file, self.text.len() as u64) {
                Ok(()) => {
                    self.length = self.text.len() as u64;
                    let _ = self.fs.fsync(self.file);
                }
                Err(_) => self.length = self.text.len() as u64 + bytes.len() as u64,
            }
        }
        written
    }

    /// The disk is full: gives up `~`, then tries the journal without what is outdated in it.
    fn append_in_need(&mut self, bytes: &[u8]) -> Done {
        let backup = sibling(&self.name, "~");
        let full = |journal: &Self| {
            Err(Trouble::Failed(format!("{}: disk full: not stored", journal.shown())))
        };
        if matches!(self.fs.status(&backup), Ok(Some(_))) && self.fs.unlink(&backup).is_ok() {
            self.notes.push(format!("{}: disk full: ~ given up", self.shown()));
            match self.write(bytes) {
                Ok(()) => {
                    self.appended(bytes);
                    return Ok(());
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {
                    return Err(Trouble::Killed);
                }
                Err(_) => {}
            }
        }
        let mut wanted = self.text.clone();
        wanted.extend_from_slice(bytes);
        let reading = read_bytes(&wanted, &careful_options(self.family));
        match self.rewrite_as(&reading, 0, false) {
            Ok(()) => {
                // The record is in it, so its name has to be on the medium.
                self.settle()
            }
            Err(Trouble::Killed) => Err(Trouble::Killed),
            Err(Trouble::Failed(_)) => full(self),
        }
    }

    fn is_damaged(&self) -> bool {
        self.reading.diagnostics.total() > 0
    }

    /// Whether the journal has grown or aged so that it is to be rewritten, after `added` bytes came to it.
    ///
    /// A rewrite that failed is tried again whenever the journal has grown by another eighth.
    fn is_due(&self, policy: &Policy, added: usize) -> bool {
        let length = self.text.len() as u64;
        let base = self.rewrite.map_or(0, |rewrite| rewrite.length as u64);
        let limit = policy.size.max(2 * base);
        let step = |length: u64| length.checked_sub(limit).map(|over| over / (limit / 8).max(256));
        let grown = policy.size > 0 && step(length) > step(length.saturating_sub(added as u64));
        let age = self.rewrite.map(|rewrite| policy.now - rewrite.time);
        let aged = policy.age > 0
            && added > 0
            && age.is_some_and(|age| age < 0 || age as u64 >= policy.age);
        grown || aged
    }

    /// Rewrites the journal if it is time, after `added` bytes were appended. What fails is told in the notes: the
    /// live file stays as it is.
    ///
    /// # Errors
    /// Only [`Trouble::Killed`].
    pub fn tend(&mut self, policy: &Policy, added: usize) -> Done {
        if !self.is_due(policy, added) && !self.is_damaged() {
            return Ok(());
        }
        match self.compact(policy.now) {
            Err(Trouble::Failed(why)) => {
                self.notes.push(format!("{why}: appending goes on, tried again later"));
                Ok(())
            }
            other => other,
        }
    }

    /// Rewrites the journal now.
    ///
    /// # Errors
    /// The live file is as it was then. A lease that cannot be written so that it reads back is a reason.
    pub fn compact(&mut self, now: i64) -> Done {
        if self.is_damaged() {
            let what = self.reading.diagnostics.iter().next().map(ToString::to_string);
            let kept = sibling(&self.name, ".damaged");
            if let Err(error) = keep_damaged(self.fs, &self.name) {
                let why = format_args!("damaged, and {} cannot be made", kept.to_string_lossy());
                return Err(failed(format_args!("{}: {why}", self.shown()), &error));
            }
            let what = what.unwrap_or_default();
            self.notes.push(format!(
                "{}: {what}: kept as {}",
                self.shown(),
                kept.to_string_lossy()
            ));
        }
        let reading = read_bytes(&self.text, &careful_options(self.family));
        self.rewrite_as(&reading, now, true)
    }

    fn rewrite_as(&mut self, reading: &Reading, now: i64, backup: bool) -> Done {
        let generation = self.rewrite.map_or(0, |rewrite| rewrite.generation) + 1;
        let text = match content(reading, generation, now) {
            Ok(text) => text,
            Err(why) => {
                return Err(Trouble::Failed(format!("{}: not rewritten: {why}", self.shown())));
            }
        };
        let temporary = sibling(&self.name, ".tmp");
        let file = match self.write_temporary(&temporary, &text) {
            Ok(file) => file,
            Err(error) => return self.fault("not rewritten", &error),
        };
        if backup {
            let kept = self.keep_backup();
            if let Err(error) = give_up_on_error(self.fs, &temporary, kept) {
                self.fs.close(file);
                return self.fault("not rewritten", &error);
            }
        }
        let renamed = self.fs.rename(&temporary, &self.name);
        if let Err(error) = give_up_on_error(self.fs, &temporary, renamed) {
            self.fs.close(file);
            return self.fault("not rewritten", &error);
        }
        self.fs.close(self.file);
        self.file = file;
        self.text = text;
        self.length = self.text.len() as u64;
        self.rewrite = rewrite_of(&self.text);
        self.reading = read_bytes(&self.text, &careful_options(self.family));
        match self.fs.fsync_dir() {
            // Before anything is appended, it is tried again.
            Err(error) => self.fault("its folder cannot be synced", &error),
            Ok(()) => Ok(()),
        }
    }

    fn write_temporary(&mut self, temporary: &OsStr, text: &[u8]) -> io::Result<Handle> {
        unlink_if_there(self.fs, temporary)?;
        let file = self.fs.open(temporary, Mode::CreateNew)?;
        let written = self
            .fs
            .dress(file, self.file)
            .and_then(|()| append_all(self.fs, file, text))
            .and_then(|()| self.fs.fsync(file));
        if written.is_err() {
            self.fs.close(file);
        }
        give_up_on_error(self.fs, temporary, written)?;
        Ok(file)
    }

    /// The live file gets a second name, `~`; where the file system has no links, there is none.
    fn keep_backup(&mut self) -> io::Result<()> {
        let backup = sibling(&self.name, "~");
        unlink_if_there(self.fs, &backup)?;
        match self.fs.link(&self.name, &backup) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => Err(error),
            Err(error) => {
                self.notes.push(format!("{}: no ~ made: {}", self.shown(), reason(&error)));
                Ok(())
            }
            Ok(()) => Ok(()),
        }
    }
}

fn recover(fs: &mut dyn FileSystem, name: &OsStr, now: i64, notes: &mut Vec<String>) -> Done {
    let shown = name.to_string_lossy();
    let plan = examine(fs, name).map_err(|e| failed(&shown, &e))?;
    if plan.live != Live::Sound {
        carry_out(fs, &plan, now).map_err(|e| match &plan.action {
            crate::Action::Refuse(_) => Trouble::Failed(plan.to_string()),
            _ => failed(&plan, &e),
        })?;
        if plan.action != crate::Action::Nothing {
            notes.push(plan.to_string());
        }
    }
    Ok(())
}

fn is_full(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded)
}

/// What a journal means, as the text of a new one. Leases that nobody holds and nobody held are left out, as dhcpd does.
fn content(reading: &Reading, generation: u64, now: i64) -> Result<Vec<u8>, String> {
    let mut text = begin(reading.server_duid.as_deref()).map_err(|e| e.to_string())?;
    for other in &reading.others {
        write_other(&mut text, other);
    }
    for lease in reading.leases().filter(is_worth_keeping) {
        write_lease(&mut text, &lease).map_err(|e| e.to_string())?;
    }
    for ia in reading.ia_table.iter() {
        let lives = |state| matches!(state, BindingState::Active | BindingState::Abandoned);
        let mut ia: Ia = ia.clone();
        ia.addresses.retain(|held| lives(held.state));
        if !ia.addresses.is_empty() {
            write_ia(&mut text, &ia).map_err(|e| e.to_string())?;
        }
    }
    end(&mut text, generation, now);
    Ok(text)
}

fn is_worth_keeping(lease: &Lease) -> bool {
    lease.state != BindingState::Free
        || lease.hardware.is_some()
        || !lease.uid.is_empty()
        || !lease.tsfp.is_absent()
}

/// Reads a journal without writing: `None` where there is none to read.
///
/// # Errors
/// A path that is no journal, whatever the file operations say.
pub fn read_only(
    fs: &mut dyn FileSystem,
    name: &OsStr,
    family: Option<Family>,
) -> Done<Option<Reading>> {
    let shown = name.to_string_lossy().into_owned();
    let status = fs.status(name).map_err(|e| failed(&shown, &e))?;
    if status.is_none_or(|status| status.length == 0 && status.kind == crate::Kind::File) {
        return Ok(None);
    }
    if status.is_some_and(|status| status.kind != crate::Kind::File) {
        return Err(Trouble::Failed(format!("{shown}: is no regular file")));
    }
    let file = fs.open(name, Mode::Read).map_err(|e| failed(&shown, &e))?;
    let text = fs.read(file);
    fs.close(file);
    let text = text.map_err(|e| failed(&shown, &e))?;
    let reading = read_bytes(&text[..whole_length(&text)], &careful_options(family));
    Ok((!is_garbage(&reading)).then_some(reading))
}
