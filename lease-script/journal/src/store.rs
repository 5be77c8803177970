//! The open journal: appending records and rewriting the file.

use std::ffi::{OsStr, OsString};
use std::io;

use lease_formats::dhcpd::{
    BindingState, Family, Ia, Lease, Reading, write_ia, write_lease, write_non_lease,
};

use crate::error::{OperationError, Result, StoreError, reason};
use crate::file_system::{FileSystem, Handle, Kind, Mode, append_all, unlink_if_there};
use crate::recovery::{
    Action, Live, apply, is_garbage, keep_damaged, plan, remove_on_error, sibling,
};
use crate::text::{Rewrite, begin, end, find_rewrite, intact_length, salvage};

/// When a journal is rewritten.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Policy {
    /// A journal of at least this many bytes is rewritten when its size has doubled since the last rewrite; 0: never.
    pub size: u64,
    /// The journal is rewritten when the last rewrite is at least this many seconds old; 0: never. A rewrite in the future
    /// counts as too old.
    pub age: u64,
    /// The current time in seconds since 1970.
    pub now: i64,
}

/// Whether a rewrite keeps the old file as `~`.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Backup {
    Keep,
    None,
}

/// A journal open for writing. The lock on its directory is held as long as the [`FileSystem`] exists.
pub struct Journal<'a> {
    fs: &'a mut dyn FileSystem,
    name: OsString,
    file: Handle,
    text: Vec<u8>,
    /// The length of the file on disk; greater than that of `text` if the file ends in a torn record.
    length: u64,
    rewrite: Option<Rewrite>,
    reading: Reading,
    family: Option<Family>,
    messages: Vec<String>,
}

impl<'a> Journal<'a> {
    /// Takes the lock, recovers the live file if it is missing or unreadable, and reads it.
    ///
    /// # Errors
    /// The lock is held by another writer, the file is not a journal, or a file operation failed.
    pub fn open(
        fs: &'a mut dyn FileSystem,
        name: &OsStr,
        family: Option<Family>,
        now: i64,
    ) -> Result<Self> {
        let shown = name.to_string_lossy().into_owned();
        match fs.lock() {
            Ok(true) => {}
            Ok(false) => {
                let why = format!("{shown}: another writer holds the lock");
                return Err(StoreError::Failed(why));
            }
            Err(error) => {
                return Err(StoreError::new(format_args!("{shown}: cannot lock"), &error));
            }
        }
        let mut messages = Vec::new();
        recover(fs, name, now, &mut messages)?;
        let file = fs.open(name, Mode::Append).map_err(|e| StoreError::new(&shown, &e))?;
        let mut text = fs.read(file).map_err(|e| StoreError::new(&shown, &e))?;
        let length = text.len() as u64;
        text.truncate(intact_length(&text));
        let torn = length - text.len() as u64;
        if torn > 0 {
            messages.push(format!("{shown}: torn tail of {torn} bytes: removed by the next write"));
        }
        let reading = salvage(&text, family);
        let rewrite = find_rewrite(&text);
        let name = name.to_owned();
        Ok(Self { fs, name, file, text, length, rewrite, reading, family, messages })
    }

    /// The leases in the journal.
    pub fn reading(&self) -> &Reading {
        &self.reading
    }

    /// Closes the journal and returns the leases in it.
    pub fn into_reading(self) -> Reading {
        self.fs.close(self.file);
        self.reading
    }

    /// Returns the messages for the user since the last call.
    pub fn take_messages(&mut self) -> Vec<String> {
        std::mem::take(&mut self.messages)
    }

    fn shown(&self) -> String {
        self.name.to_string_lossy().into_owned()
    }

    fn error<T>(&self, what: &str, error: &OperationError) -> Result<T> {
        Err(StoreError::new(format_args!("{}: {what}", self.shown()), error))
    }

    /// Whether nothing was appended since the last rewrite: the rename may not be durable yet.
    fn is_fresh(&self) -> bool {
        self.rewrite.is_none_or(|rewrite| rewrite.length == self.text.len())
    }

    /// Makes the contents durable: an earlier writer may have been killed between its write and its fsync.
    ///
    /// # Errors
    /// Those of `fsync`.
    pub fn sync(&mut self) -> Result {
        if self.is_fresh()
            && let Err(error) = self.fs.fsync_dir()
        {
            return self.error("cannot sync its folder", &error);
        }
        match self.fs.fsync(self.file) {
            Ok(()) => Ok(()),
            Err(error) => self.error("cannot sync", &error),
        }
    }

    /// Appends complete records and makes them durable.
    ///
    /// # Errors
    /// The records are not in the journal then; its earlier contents are unchanged.
    pub fn append(&mut self, records: &[u8]) -> Result {
        if self.is_fresh()
            && let Err(error) = self.fs.fsync_dir()
        {
            // Otherwise a power cut could undo the rename, and the records with it.
            return self.error("cannot sync its folder: not stored", &error);
        }
        if self.length > self.text.len() as u64 {
            if let Err(error) = self.fs.truncate(self.file, self.text.len() as u64) {
                return self.error("cannot remove its torn tail: not stored", &error);
            }
            self.length = self.text.len() as u64;
        }
        let mut bytes = Vec::with_capacity(records.len() + 1);
        if self.text.last().is_some_and(|last| *last != b'\n') {
            bytes.push(b'\n');
        }
        bytes.extend_from_slice(records);
        match self.write(&bytes) {
            Err(error) if is_full(&error) && !self.is_damaged() => self.append_on_full_disk(&bytes),
            Err(error) => self.error("not stored", &error),
            Ok(()) => {
                self.appended(&bytes);
                Ok(())
            }
        }
    }

    fn appended(&mut self, bytes: &[u8]) {
        self.text.extend_from_slice(bytes);
        self.length = self.text.len() as u64;
        self.reading = salvage(&self.text, self.family);
    }

    /// Appends and syncs; on an error, truncates the file to its earlier length.
    fn write(&mut self, bytes: &[u8]) -> std::result::Result<(), OperationError> {
        let written = append_all(self.fs, self.file, bytes).and_then(|()| self.fs.fsync(self.file));
        if let Err(OperationError::Io(_)) = &written {
            // If this fails as well, the next writer removes the torn tail.
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

    /// Appends on a full disk: removes `~`, then rewrites the journal together with the new records.
    fn append_on_full_disk(&mut self, bytes: &[u8]) -> Result {
        let backup = sibling(&self.name, "~");
        let full = |journal: &Self| {
            Err(StoreError::Failed(format!("{}: disk full: not stored", journal.shown())))
        };
        if matches!(self.fs.status(&backup), Ok(Some(_))) && self.fs.unlink(&backup).is_ok() {
            self.messages.push(format!("{}: disk full: ~ removed", self.shown()));
            match self.write(bytes) {
                Ok(()) => {
                    self.appended(bytes);
                    return Ok(());
                }
                Err(OperationError::Killed) => return Err(StoreError::Killed),
                Err(OperationError::Io(_)) => {}
            }
        }
        let mut wanted = self.text.clone();
        wanted.extend_from_slice(bytes);
        let reading = salvage(&wanted, self.family);
        match self.rewrite_as(&reading, 0, Backup::None) {
            Ok(()) => {
                // The new records are in the new file, so its name has to be durable.
                self.sync()
            }
            Err(StoreError::Killed) => Err(StoreError::Killed),
            Err(StoreError::Failed(_)) => full(self),
        }
    }

    fn is_damaged(&self) -> bool {
        self.reading.diagnostics.total() > 0
    }

    /// Whether the policy requires a rewrite after `added` bytes were appended.
    ///
    /// A failed rewrite is retried when the journal has grown by another eighth of the limit.
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

    /// Rewrites the journal if the policy requires it after `added` bytes were appended, or if it is damaged. A failed
    /// rewrite leaves the live file unchanged and is reported by [`Self::take_messages`].
    ///
    /// # Errors
    /// Only [`StoreError::Killed`].
    pub fn maybe_compact(&mut self, policy: &Policy, added: usize) -> Result {
        if !self.is_due(policy, added) && !self.is_damaged() {
            return Ok(());
        }
        match self.compact(policy.now) {
            Err(StoreError::Failed(why)) => {
                self.messages
                    .push(format!("{why}: appending continues, the rewrite is retried later"));
                Ok(())
            }
            other => other,
        }
    }

    /// Rewrites the journal now.
    ///
    /// # Errors
    /// A file operation failed, or a lease cannot be written so that it is read back unchanged. The live file
    /// is unchanged then.
    pub fn compact(&mut self, now: i64) -> Result {
        if self.is_damaged() {
            let what = self.reading.diagnostics.iter().next().map(ToString::to_string);
            let kept = sibling(&self.name, ".damaged");
            if let Err(error) = keep_damaged(self.fs, &self.name) {
                let why = format_args!("damaged, and {} cannot be created", kept.to_string_lossy());
                return Err(StoreError::new(format_args!("{}: {why}", self.shown()), &error));
            }
            let what = what.unwrap_or_default();
            self.messages.push(format!(
                "{}: {what}: kept as {}",
                self.shown(),
                kept.to_string_lossy()
            ));
        }
        let reading = salvage(&self.text, self.family);
        self.rewrite_as(&reading, now, Backup::Keep)
    }

    fn rewrite_as(&mut self, reading: &Reading, now: i64, backup: Backup) -> Result {
        let generation = self.rewrite.map_or(0, |rewrite| rewrite.generation) + 1;
        let text = match content(reading, generation, now) {
            Ok(text) => text,
            Err(why) => {
                return Err(StoreError::Failed(format!("{}: not rewritten: {why}", self.shown())));
            }
        };
        let temporary = sibling(&self.name, ".tmp");
        let file = match self.write_temporary(&temporary, &text) {
            Ok(file) => file,
            Err(error) => return self.error("not rewritten", &error),
        };
        if backup == Backup::Keep {
            let kept = self.keep_backup();
            if let Err(error) = remove_on_error(self.fs, &temporary, kept) {
                self.fs.close(file);
                return self.error("not rewritten", &error);
            }
        }
        let renamed = self.fs.rename(&temporary, &self.name);
        if let Err(error) = remove_on_error(self.fs, &temporary, renamed) {
            self.fs.close(file);
            return self.error("not rewritten", &error);
        }
        self.fs.close(self.file);
        self.file = file;
        self.text = text;
        self.length = self.text.len() as u64;
        self.rewrite = find_rewrite(&self.text);
        self.reading = salvage(&self.text, self.family);
        match self.fs.fsync_dir() {
            // The next append tries again before it writes.
            Err(error) => self.error("cannot sync its folder", &error),
            Ok(()) => Ok(()),
        }
    }

    fn write_temporary(
        &mut self,
        temporary: &OsStr,
        text: &[u8],
    ) -> std::result::Result<Handle, OperationError> {
        unlink_if_there(self.fs, temporary)?;
        let file = self.fs.open(temporary, Mode::CreateNew)?;
        let written = self
            .fs
            .copy_metadata(file, self.file)
            .and_then(|()| append_all(self.fs, file, text))
            .and_then(|()| self.fs.fsync(file));
        if written.is_err() {
            self.fs.close(file);
        }
        remove_on_error(self.fs, temporary, written)?;
        Ok(file)
    }

    /// Links the live file to `~`. On a file system without hard links there is no backup.
    fn keep_backup(&mut self) -> std::result::Result<(), OperationError> {
        let backup = sibling(&self.name, "~");
        unlink_if_there(self.fs, &backup)?;
        match self.fs.link(&self.name, &backup) {
            Err(OperationError::Io(error)) => {
                self.messages.push(format!("{}: ~ not created: {}", self.shown(), reason(&error)));
                Ok(())
            }
            other => other,
        }
    }
}

fn recover(fs: &mut dyn FileSystem, name: &OsStr, now: i64, messages: &mut Vec<String>) -> Result {
    let shown = name.to_string_lossy();
    let plan = plan(fs, name).map_err(|e| StoreError::new(&shown, &e))?;
    if plan.live != Live::Valid {
        apply(fs, &plan, now).map_err(|e| match &plan.action {
            Action::Refuse(_) => StoreError::Failed(plan.to_string()),
            _ => StoreError::new(&plan, &e),
        })?;
        if plan.action != Action::Nothing {
            messages.push(plan.to_string());
        }
    }
    Ok(())
}

fn is_full(error: &OperationError) -> bool {
    let OperationError::Io(error) = error else { return false };
    matches!(error.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded)
}

/// The text of a new journal with the leases of an old one. As dhcpd does, it omits free leases without a previous holder.
fn content(reading: &Reading, generation: u64, now: i64) -> std::result::Result<Vec<u8>, String> {
    let mut text = begin(reading.server_duid.as_deref()).map_err(|e| e.to_string())?;
    for declaration in &reading.non_leases {
        write_non_lease(&mut text, declaration);
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

/// Reads a journal without writing anything; `None` if it is missing, empty or without readable declarations.
///
/// # Errors
/// The name is not that of a regular file, or a file operation failed.
pub fn read_only(
    fs: &mut dyn FileSystem,
    name: &OsStr,
    family: Option<Family>,
) -> Result<Option<Reading>> {
    let shown = name.to_string_lossy().into_owned();
    let status = fs.status(name).map_err(|e| StoreError::new(&shown, &e))?;
    if status.is_none_or(|status| status.length == 0 && status.kind == Kind::File) {
        return Ok(None);
    }
    if status.is_some_and(|status| status.kind != Kind::File) {
        return Err(StoreError::Failed(format!("{shown}: not a regular file")));
    }
    let file = fs.open(name, Mode::Read).map_err(|e| StoreError::new(&shown, &e))?;
    let text = fs.read(file);
    fs.close(file);
    let text = text.map_err(|e| StoreError::new(&shown, &e))?;
    let reading = salvage(&text[..intact_length(&text)], family);
    Ok((!is_garbage(&reading)).then_some(reading))
}
