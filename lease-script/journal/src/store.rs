//! The open journal: looking up leases, appending records and rewriting the file.

use std::ffi::{OsStr, OsString};
use std::io;
use std::net::Ipv6Addr;

use crate::checksum::{Number, append_checksum};
use crate::contents::Contents;
use crate::declaration::{Declaration, Subject};
use crate::error::{OperationError, Result, StoreError, reason};
use crate::file_system::{FileSystem, Handle, Mode, append_all, unlink_if_there};
use crate::index::{Index, Key, Place, Summary};
use crate::lookup::{Lookup, look_up};
use crate::reading::Reading;
use crate::record::{Record, holder_key, key, places};
use crate::recovery::{
    Action, Live, apply, examine, keep_damaged, plan_for, read, remove_on_error, sibling,
};
use crate::rewrite::rewritten;
use crate::text::{Rewrite, intact_length};

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

/// What is known of the contents of a journal.
enum Known {
    /// All of it was read. Records that were appended since are in the text, but not in the reading.
    Contents(Box<Contents>),
    /// Nothing was read: leases are found through the index.
    Index,
}

/// A journal open for writing. Its lock is held as long as the [`FileSystem`] exists.
pub struct Journal<'a> {
    fs: &'a mut dyn FileSystem,
    name: OsString,
    now: i64,
    file: Handle,
    known: Known,
    index: Option<Index>,
    /// The length of the file without a torn record at its end.
    intact: u64,
    /// The length of the file.
    length: u64,
    rewrite: Option<Rewrite>,
    last: Number,
    messages: Vec<String>,
}

impl<'a> Journal<'a> {
    /// Takes the lock and opens the journal. If its index is valid, its contents are not read; otherwise the live file is
    /// recovered if it is missing or unreadable, and read.
    ///
    /// # Errors
    /// The lock is held by another writer, the file is not a journal, or a file operation failed.
    pub fn open(fs: &'a mut dyn FileSystem, name: &OsStr, now: i64) -> Result<Self> {
        let shown = name.to_string_lossy().into_owned();
        let failed = |error: OperationError| StoreError::new(&shown, &error);
        match fs.lock(name) {
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
        let mut index = fs.index(name);
        let status = fs.status(name).map_err(failed)?;
        let indexed = index.as_mut().zip(status).and_then(|(index, status)| {
            index.load(&status).map(|summary| (summary, status.length))
        });
        if let Some((Summary { rewrite, last }, length)) = indexed {
            let file = fs.open(name, Mode::Append).map_err(failed)?;
            let (name, known, intact) = (name.to_owned(), Known::Index, length);
            return Ok(Self {
                fs,
                name,
                now,
                file,
                known,
                index,
                intact,
                length,
                rewrite,
                last,
                messages,
            });
        }
        let contents = recover(fs, name, now, &mut messages)?;
        let file = fs.open(name, Mode::Append).map_err(failed)?;
        let torn = contents.torn();
        if torn > 0 {
            messages.push(format!("{shown}: torn tail of {torn} bytes: removed by the next write"));
        }
        let mut journal = Self {
            fs,
            name: name.to_owned(),
            now,
            file,
            intact: contents.intact as u64,
            length: contents.text.len() as u64,
            rewrite: contents.rewrite,
            last: contents.last,
            known: Known::Contents(Box::new(contents)),
            index,
            messages,
        };
        journal.build_index();
        Ok(journal)
    }

    /// Closes the journal and returns the leases in it.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn into_reading(mut self) -> Result<Reading> {
        self.load()?;
        self.fs.close(self.file);
        match self.known {
            Known::Contents(contents) => Ok(contents.reading),
            Known::Index => Err(StoreError::Failed(format!("{}: not read", self.shown()))),
        }
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

    /// The last declaration of a subject.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn declaration(&mut self, subject: &Subject) -> Result<Option<Declaration>> {
        self.find(key(subject), &|declaration| declaration.subject == *subject)
    }

    /// The association that holds an address.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn holder(&mut self, address: Ipv6Addr) -> Result<Option<Declaration>> {
        let holds = |declaration: &Declaration| declaration.holds(address);
        let Some(then) = self.find(holder_key(address), &holds)? else { return Ok(None) };
        Ok(self.declaration(&then.subject)?.filter(holds))
    }

    /// Finds the last declaration that is wanted: in the record that the index names or, without an index and if that is not
    /// wanted, in the contents of the journal.
    fn find(
        &mut self,
        key: Key,
        is_wanted: &dyn Fn(&Declaration) -> bool,
    ) -> Result<Option<Declaration>> {
        if let (Known::Index, Some(index)) = (&self.known, &self.index) {
            match look_up(self.fs, self.file, index, key, self.last.rewrite) {
                Ok(Lookup::Absent) => return Ok(None),
                Ok(Lookup::Found(declaration)) if is_wanted(&declaration) => {
                    return Ok(Some(declaration));
                }
                Ok(Lookup::Found(_) | Lookup::Unusable) => {}
                Err(error) => return self.error("cannot be read", &error),
            }
        }
        let Some(contents) = self.load()? else { return Ok(None) };
        let mut declarations = contents.reading.declarations.iter().rev();
        Ok(declarations.find(|declaration| is_wanted(declaration)).cloned())
    }

    /// Reads the file if that was not done yet.
    fn load(&mut self) -> Result<Option<&Contents>> {
        if let Known::Index = self.known {
            let contents = match read(self.fs, &self.name) {
                Ok(contents) => contents,
                Err(error) => return self.error("cannot be read", &error),
            };
            if contents.is_garbage {
                let why = format!("{} contains no readable declaration", self.shown());
                return Err(StoreError::Failed(why));
            }
            self.take(contents);
            self.build_index();
        }
        match &self.known {
            Known::Contents(contents) => Ok(Some(contents)),
            Known::Index => Ok(None),
        }
    }

    /// The file has these contents.
    fn take(&mut self, contents: Contents) {
        (self.intact, self.length) = (contents.intact as u64, contents.text.len() as u64);
        (self.rewrite, self.last) = (contents.rewrite, contents.last);
        self.known = Known::Contents(Box::new(contents));
    }

    fn build_index(&mut self) {
        let Some(mut index) = self.index.take() else { return };
        let Known::Contents(contents) = &self.known else { return };
        if contents.problem.is_some() || contents.torn() > 0 || !contents.text.ends_with(b"\n") {
            return;
        }
        let places = places(&contents.text, &contents.reading);
        if places.is_some_and(|places| index.rebuild(&places).is_ok()) {
            self.index = Some(index);
            self.store_index();
        }
    }

    /// Makes the index valid for the file as it is. After an error, the next call reads the file.
    fn store_index(&mut self) {
        let Some(mut index) = self.index.take() else { return };
        let summary = Summary { rewrite: self.rewrite, last: self.last };
        if let Ok(Some(status)) = self.fs.status(&self.name)
            && status.length == self.intact
            && index.store(&status, &summary).is_ok()
        {
            self.index = Some(index);
        }
    }

    /// Whether nothing was appended since the last rewrite: the rename may not be durable yet.
    fn is_fresh(&self) -> bool {
        self.rewrite.is_none_or(|rewrite| rewrite.length as u64 == self.intact)
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

    fn problem(&self) -> Option<String> {
        match &self.known {
            Known::Contents(contents) => contents.problem.clone(),
            Known::Index => None,
        }
    }

    fn is_big_endian(&self) -> bool {
        match &self.known {
            Known::Contents(contents) => contents.reading.is_big_endian == Some(true),
            Known::Index => false,
        }
    }

    /// Appends records and makes them durable. A damaged journal is rewritten instead, together with the records.
    ///
    /// # Errors
    /// The records are not in the journal then; its earlier contents are unchanged.
    pub fn append(&mut self, records: &[Record]) -> Result {
        if let Some(problem) = self.problem() {
            return match self.replace_damaged(&problem, records) {
                // Unless the new file is in place, but not its name on the medium.
                Err(StoreError::Failed(why)) if self.problem().is_some() => {
                    self.append_to_damaged(records, &why)
                }
                other => other,
            };
        }
        if self.is_big_endian() {
            // Records of this program are little-endian.
            self.replace(self.now, records, Backup::Keep)?;
            return self.sync();
        }
        if self.is_fresh()
            && let Err(error) = self.fs.fsync_dir()
        {
            // Otherwise a power cut could undo the rename, and the records with it.
            return self.error("cannot sync its folder: not stored", &error);
        }
        if self.length > self.intact {
            if let Err(error) = self.fs.truncate(self.file, self.intact) {
                return self.error("cannot remove its torn tail: not stored", &error);
            }
            self.length = self.intact;
        }
        let (bytes, places) = self.numbered(records);
        match self.write(&bytes) {
            Err(error) if is_full(&error) => self.append_on_full_disk(records, &bytes, &places),
            Err(error) => self.error("not stored", &error),
            Ok(()) => {
                self.appended(&bytes, records, &places);
                Ok(())
            }
        }
    }

    /// The bytes to append: the records with their checksums. Also returns the offset and the length of each record.
    fn numbered(&self, records: &[Record]) -> (Vec<u8>, Vec<(usize, usize)>) {
        let mut bytes = Vec::new();
        if let Known::Contents(contents) = &self.known
            && contents.text[..self.intact as usize].last().is_some_and(|last| *last != b'\n')
        {
            bytes.push(b'\n');
        }
        let mut places = Vec::new();
        for (record, number) in records.iter().zip(self.last.record + 1..) {
            let from = bytes.len();
            bytes.extend_from_slice(&record.text);
            append_checksum(&mut bytes, from, Number { record: number, ..self.last });
            places.push((self.intact as usize + from, bytes.len() - from));
        }
        (bytes, places)
    }

    fn appended(&mut self, bytes: &[u8], records: &[Record], places: &[(usize, usize)]) {
        if let Known::Contents(contents) = &mut self.known {
            contents.text.truncate(self.intact as usize);
            contents.text.extend_from_slice(bytes);
        }
        self.intact += bytes.len() as u64;
        self.length = self.intact;
        self.last.record += records.len() as u64;
        let Some(index) = &mut self.index else { return };
        let mut entries = records.iter().zip(places).flat_map(|(record, (offset, length))| {
            record.keys.iter().map(|key| (*key, Place::new(*offset, *length)))
        });
        let entered =
            entries.all(|(key, place)| place.is_some_and(|place| index.put(key, place).is_ok()));
        if entered {
            self.store_index();
        } else {
            self.index = None;
        }
    }

    /// Appends and syncs; on an error, truncates the file to its earlier length.
    fn write(&mut self, bytes: &[u8]) -> std::result::Result<(), OperationError> {
        let written = append_all(self.fs, self.file, bytes).and_then(|()| self.fs.fsync(self.file));
        if let Err(OperationError::Io(_)) = &written {
            // If this fails as well, the next writer removes the torn tail.
            match self.fs.truncate(self.file, self.intact) {
                Ok(()) => {
                    self.length = self.intact;
                    let _ = self.fs.fsync(self.file);
                }
                Err(_) => self.length = self.intact + bytes.len() as u64,
            }
        }
        written
    }

    /// Appends on a full disk: removes `~`, then rewrites the journal together with the new records.
    fn append_on_full_disk(
        &mut self,
        records: &[Record],
        bytes: &[u8],
        places: &[(usize, usize)],
    ) -> Result {
        if self.remove_backup() {
            match self.write(bytes) {
                Ok(()) => {
                    self.appended(bytes, records, places);
                    return Ok(());
                }
                Err(OperationError::Killed) => return Err(StoreError::Killed),
                Err(OperationError::Io(_)) => {}
            }
        }
        match self.replace(0, records, Backup::None) {
            // The new records are in the new file, so its name has to be durable.
            Ok(()) => self.sync(),
            Err(StoreError::Killed) => Err(StoreError::Killed),
            Err(StoreError::Failed(_)) => {
                Err(StoreError::Failed(format!("{}: disk full: not stored", self.shown())))
            }
        }
    }

    /// Removes `~` to make room.
    fn remove_backup(&mut self) -> bool {
        let backup = sibling(&self.name, "~");
        let is_removed =
            matches!(self.fs.status(&backup), Ok(Some(_))) && self.fs.unlink(&backup).is_ok();
        if is_removed {
            self.messages.push(format!("{}: disk full: ~ removed", self.shown()));
        }
        is_removed
    }

    /// Appends to a damaged journal that cannot be rewritten, if that costs none of its leases.
    fn append_to_damaged(&mut self, records: &[Record], why: &str) -> Result {
        let Known::Contents(contents) = &self.known else { return Ok(()) };
        let (bytes, _) = self.numbered(records);
        let (old, all) = (&contents.reading, &contents.text);
        let later = Reading::parse(&bytes);
        let fits = |cut: &usize| {
            let text = [&all[..*cut], b"\n", &bytes].concat();
            let new = Contents::parse(text);
            new.has_leases_of(old, &later) && new.has_leases_of(&later, &Reading::default())
        };
        let cut = [intact_length(all), all.len()].into_iter().find(fits);
        let Some(cut) = cut else {
            return Err(StoreError::Failed(format!(
                "{}: damaged: {why}: not stored",
                self.shown()
            )));
        };
        if cut < all.len() {
            if let Err(error) = self.fs.truncate(self.file, cut as u64) {
                return self.error("cannot remove its torn tail: not stored", &error);
            }
            self.length = cut as u64;
        }
        self.intact = cut as u64;
        if let Err(error) = self.write(&[b"\n", &bytes[..]].concat()) {
            return self.error("damaged: not stored", &error);
        }
        self.messages.push(format!("{why}: appending continues, the rewrite is retried later"));
        Ok(())
    }

    /// Whether the policy requires a rewrite after `added` bytes were appended.
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
    /// Those of [`Self::append`].
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
    /// A file operation failed. The live file is unchanged then.
    pub fn compact(&mut self, now: i64) -> Result {
        self.now = now;
        self.reread()?;
        match self.problem() {
            Some(problem) => self.replace_damaged(&problem, &[]),
            None => self.replace(now, &[], Backup::Keep),
        }
    }

    /// Reads the contents again with all records that were appended.
    fn reread(&mut self) -> Result {
        self.load()?;
        if let Known::Contents(contents) = &mut self.known {
            let text = std::mem::take(&mut contents.text);
            **contents = Contents::parse(text);
        }
        Ok(())
    }

    /// Rewrites a damaged journal, which is kept; `~`, which may have what is lost, stays as it is.
    fn replace_damaged(&mut self, problem: &str, records: &[Record]) -> Result {
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
    fn replace(&mut self, now: i64, records: &[Record], backup: Backup) -> Result {
        if self.problem().is_none() {
            self.reread()?;
        }
        let Known::Contents(contents) = &self.known else { return Ok(()) };
        let number = contents.rewrites.max(contents.last.rewrite) + 1;
        let new = Contents::parse(rewritten(&contents.reading, number, now, records));
        if let Some(why) = &new.problem {
            let why = format!("{}: not rewritten: it would not be read back: {why}", self.shown());
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

/// Reads the live file, after it was recovered if necessary.
fn recover(
    fs: &mut dyn FileSystem,
    name: &OsStr,
    now: i64,
    messages: &mut Vec<String>,
) -> Result<Contents> {
    let shown = name.to_string_lossy();
    let failed = |error: OperationError| StoreError::new(&shown, &error);
    let (live, contents) = examine(fs, name).map_err(failed)?;
    if let (Live::Valid, Some(contents)) = (live, contents) {
        return Ok(contents);
    }
    let plan = plan_for(fs, name, live).map_err(failed)?;
    apply(fs, &plan, now).map_err(|error| match &plan.action {
        Action::Refuse(_) => StoreError::Failed(plan.to_string()),
        _ => StoreError::new(&plan, &error),
    })?;
    messages.push(plan.to_string());
    read(fs, name).map_err(failed)
}

fn is_full(error: &OperationError) -> bool {
    let OperationError::Io(error) = error else { return false };
    matches!(error.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded)
}

/// Reads a journal without writing anything. Returns its leases and the messages for the user; `None` if it has to be
/// recovered.
///
/// # Errors
/// The name is not that of a regular file, or a file operation failed.
pub fn read_only(fs: &mut dyn FileSystem, name: &OsStr) -> Result<Option<(Reading, Vec<String>)>> {
    let shown = name.to_string_lossy();
    let (live, contents) = examine(fs, name).map_err(|error| StoreError::new(&shown, &error))?;
    let Some(contents) = contents.filter(|_| live == Live::Valid) else { return Ok(None) };
    let torn = contents.torn();
    let message = match contents.problem {
        Some(problem) => Some(format!("{shown}: damaged: {problem}: what is damaged is left out")),
        None => (torn > 0).then(|| format!("{shown}: torn tail of {torn} bytes: left out")),
    };
    Ok(Some((contents.reading, message.into_iter().collect())))
}
