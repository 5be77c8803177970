//! Appending records.

use std::io;

use super::{Backup, Journal, Known};
use crate::checksum::{Number, append_checksum};
use crate::contents::Contents;
use crate::error::{OperationError, Result, StoreError};
use crate::file_system::append_all;
use crate::index::Place;
use crate::reading::Reading;
use crate::record::Record;
use crate::recovery::sibling;
use crate::text::intact_length;

impl Journal<'_> {
    /// Appends records and makes them durable. A damaged journal is rewritten instead, together with the records.
    ///
    /// # Errors
    /// If it fails, the records are not in the journal, and its earlier contents are unchanged.
    pub fn append(&mut self, records: &[Record]) -> Result {
        if let Some(problem) = self.problem() {
            return match self.replace_damaged(&problem, records) {
                // If there is no problem any more, the new file is in place, and only its name may not be durable.
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
            // Without this sync, a power cut could undo the rename and lose the records with it.
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

    /// Returns the bytes to append, which are the records with their checksums, and the offset and length of each record.
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

    /// Appends bytes and syncs. On an error, truncates the file to its earlier length.
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

    /// Appends on a full disk: removes `~` and retries, then rewrites the journal together with the new records.
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

    /// Removes `~` to free space. Returns whether it was removed.
    pub(super) fn remove_backup(&mut self) -> bool {
        let backup = sibling(&self.name, "~");
        let is_removed =
            matches!(self.fs.status(&backup), Ok(Some(_))) && self.fs.unlink(&backup).is_ok();
        if is_removed {
            self.messages.push(format!("{}: disk full: ~ removed", self.shown()));
        }
        is_removed
    }

    /// Appends to a damaged journal that cannot be rewritten, unless that would lose any of its leases.
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
}

fn is_full(error: &OperationError) -> bool {
    let OperationError::Io(error) = error else { return false };
    matches!(error.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded)
}
