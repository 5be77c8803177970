//! The open journal, and lookups of leases. Submodules append records and rewrite the file.

mod append;
mod replace;

use std::ffi::{OsStr, OsString};
use std::net::Ipv6Addr;

use crate::checksum::Number;
use crate::contents::Contents;
use crate::declaration::{Declaration, Subject};
use crate::error::{OperationError, Result, StoreError};
use crate::file_system::{FileSystem, Handle, Mode};
use crate::index::{Index, Key, Summary};
use crate::lookup::{Lookup, look_up};
use crate::reading::Reading;
use crate::record::{holder_key, key, places};
use crate::recovery::{Action, Live, apply, examine, plan_for, read};
use crate::text::Rewrite;

/// When to rewrite a journal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Policy {
    /// A journal of at least this many bytes is rewritten when its size has doubled since the last rewrite. 0 means never.
    pub size: u64,
    /// The journal is rewritten when the last rewrite is at least this many seconds old, or lies in the future. 0 means
    /// never.
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

/// How much of a journal was read.
enum Known {
    /// All of it. Records that were appended later are in the text, but not in the reading.
    Contents(Box<Contents>),
    /// None of it. Leases are found through the index.
    Index,
}

/// A journal that is open for writing. It is locked as long as the [`FileSystem`] exists.
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
    /// Locks and opens the journal. If its index is valid, its contents are not read. Otherwise, the live file is recovered
    /// if it is missing or unreadable, and then read.
    ///
    /// # Errors
    /// If another writer holds the lock, the file is not a journal, or a file operation fails.
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
    /// If the file cannot be read.
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

    /// Returns the last declaration of a subject.
    ///
    /// # Errors
    /// If the file cannot be read.
    pub fn declaration(&mut self, subject: &Subject) -> Result<Option<Declaration>> {
        self.find(key(subject), &|declaration| declaration.subject == *subject)
    }

    /// Returns the association that holds an address.
    ///
    /// # Errors
    /// If the file cannot be read.
    pub fn holder(&mut self, address: Ipv6Addr) -> Result<Option<Declaration>> {
        let holds = |declaration: &Declaration| declaration.holds(address);
        let Some(then) = self.find(holder_key(address), &holds)? else { return Ok(None) };
        Ok(self.declaration(&then.subject)?.filter(holds))
    }

    /// Finds the last declaration that `is_wanted` accepts. Looks it up in the index first. If there is no index, the
    /// indexed record cannot be used, or `is_wanted` rejects it, searches the contents of the journal.
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

    /// Reads the file unless it was already read.
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

    /// Replaces what is known about the file by its new contents.
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

    /// Marks the index as valid for the current file. After an error, the next call reads the file.
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

    /// Returns whether nothing was appended since the last rewrite. The rename may then not be durable yet.
    fn is_fresh(&self) -> bool {
        self.rewrite.is_none_or(|rewrite| rewrite.length as u64 == self.intact)
    }

    /// Makes the contents durable, because an earlier writer may have been killed between its write and its fsync.
    ///
    /// # Errors
    /// Returns the errors of `fsync`.
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
}

/// Reads the live file, and recovers it first if necessary.
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

/// Reads a journal without writing anything. Returns its leases and the messages for the user, or `None` if the journal has
/// to be recovered.
///
/// # Errors
/// If the name is not that of a regular file, or a file operation fails.
pub fn read_only(fs: &mut dyn FileSystem, name: &OsStr) -> Result<Option<(Reading, Vec<String>)>> {
    let shown = name.to_string_lossy();
    let (live, contents) = examine(fs, name).map_err(|error| StoreError::new(&shown, &error))?;
    let Some(contents) = contents.filter(|_| live == Live::Valid) else { return Ok(None) };
    let torn = contents.torn();
    let message = match contents.problem {
        Some(problem) => Some(format!("{shown}: damaged: {problem}: damaged parts are skipped")),
        None => (torn > 0).then(|| format!("{shown}: torn tail of {torn} bytes: skipped")),
    };
    Ok(Some((contents.reading, message.into_iter().collect())))
}
