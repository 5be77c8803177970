//! Rewriting the journal: a new file replaces the live one.

use std::ffi::OsStr;

use super::{Backup, Journal, Known, Policy};
use crate::contents::Contents;
use crate::error::{OperationError, Result, StoreError, reason};
use crate::file_system::{Handle, Mode, append_all, unlink_if_there};
use crate::record::Record;
use crate::recovery::{keep_damaged, remove_on_error, sibling};
use crate::rewrite::rewritten;

impl Journal<'_> {
    /// Returns whether the policy requires a rewrite after `added` bytes were appended.
    ///
    /// A failed rewrite is retried when the journal has grown by another eighth of the limit.
    fn is_due(&self, policy: &Policy, added: u64) -> bool {
        let base = self.rewrite.map_or(0, |rewrite| rewrite.length as u64);
        let limit = policy.size.max(2 * base);
        let step = |length: u64| length.checked_sub(limit).map(|over| over / (limit / 8).max(256));
        let grown = policy.size > 0 && step(self.intact) > step(self.intact.saturating_sub(added));
        let age = self.rewrite.map(|rewrite| policy.now - rewrite.time);
        let aged = policy.age > 0
            && added > 0
            && age.is_some_and(|age| age < 0 || age as u64 >= policy.age);
        grown || aged
    }

    /// Appends records, then rewrites the journal if the policy requires it. A failed rewrite leaves the live file
    /// unchanged and is reported by [`Self::take_messages`].
    ///
    /// # Errors
    /// Returns the errors of [`Self::append`].
    pub fn append_and_compact(&mut self, records: &[Record], policy: &Policy) -> Result {
        let before = self.intact;
        self.append(records)?;
        if self.problem().is_some() || !self.is_due(policy, self.intact.saturating_sub(before)) {
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
    /// If a file operation fails. The live file is then unchanged.
    pub fn compact(&mut self, now: i64) -> Result {
        self.now = now;
        self.reread()?;
        match self.problem() {
            Some(problem) => self.replace_damaged(&problem, &[]),
            None => self.replace(now, &[], Backup::Keep),
        }
    }

    /// Parses the contents again, including all records that were appended.
    fn reread(&mut self) -> Result {
        self.load()?;
        if let Known::Contents(contents) = &mut self.known {
            let text = std::mem::take(&mut contents.text);
            **contents = Contents::parse(text);
        }
        Ok(())
    }

    /// Rewrites a damaged journal and keeps a copy of it. Leaves `~` unchanged, because it may contain what is lost.
    pub(super) fn replace_damaged(&mut self, problem: &str, records: &[Record]) -> Result {
        let kept = match keep_damaged(self.fs, &self.name) {
            Ok(kept) => kept,
            Err(error) => return self.error("damaged, and no copy of it can be kept", &error),
        };
        let said = self.messages.len();
        let mut done = self.replace(self.now, records, Backup::None);
        let is_failed = matches!(done, Err(StoreError::Failed(_))) && self.problem().is_some();
        if is_failed && self.remove_backup() {
            done = self.replace(self.now, records, Backup::None);
        }
        let kept = kept.to_string_lossy();
        self.messages.insert(said, format!("{}: {problem}: kept as {kept}", self.shown()));
        done
    }

    /// Rewrites the journal together with new records.
    pub(super) fn replace(&mut self, now: i64, records: &[Record], backup: Backup) -> Result {
        if self.problem().is_none() {
            self.reread()?;
        }
        let Known::Contents(contents) = &self.known else { return Ok(()) };
        let number = contents.rewrites.max(contents.last.rewrite) + 1;
        let new = Contents::parse(rewritten(&contents.reading, number, now, records));
        if let Some(why) = &new.problem {
            let why =
                format!("{}: not rewritten: the new file would be unreadable: {why}", self.shown());
            return Err(StoreError::Failed(why));
        }
        self.put_in_place(new, backup)
    }

    /// Replaces the live file.
    fn put_in_place(&mut self, new: Contents, backup: Backup) -> Result {
        let temporary = sibling(&self.name, ".tmp");
        let file = match self.write_temporary(&temporary, &new.text) {
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
        self.take(new);
        self.index = self.fs.index(&self.name);
        self.build_index();
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

    /// Links the live file to `~`. There is no backup on a file system without hard links.
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
