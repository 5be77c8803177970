//! The index of a journal. It contains the position of the latest record of each lease, so that a change does not have to
//! read the whole file.
//!
//! The index is a hash table in a file in RAM. It is only a cache: it is valid for one boot and for one state of the
//! journal, which its header identifies by inode, length and times. An index that is not valid is rebuilt from the journal.
//! A record that is found through the index is compared with its checksum and parsed like any other.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::{FileExt as _, MetadataExt as _, OpenOptionsExt as _};
use std::path::Path;

use rustix::fs::OFlags;

use crate::checksum::Number;
use crate::own_user::{OTHERS, own_user};
use crate::status::Status;
use crate::text::Rewrite;

/// The number of 64-bit words of the header.
const WORDS: usize = 18;
const HEADER: usize = WORDS * 8;
/// The version of the format.
const MAGIC: u64 = 0x4c45_4153_4549_5831;
/// The size of an entry in bytes. An entry contains the hash of its key, and a word with the offset of the record and, in
/// the lowest 16 bits, its length.
const ENTRY: usize = 16;
/// The number of entries that are read at once.
const RUN: usize = 16;
const BOOT_ID: &str = "/proc/sys/kernel/random/boot_id";

/// The hash of a subject, or of an address that an association holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Key(pub(crate) u64);

impl Key {
    /// Creates the key for some bytes of a kind (FNV-1a).
    pub(crate) fn new(kind: u8, bytes: &[u8]) -> Self {
        let fold = |hash: u64, byte: &u8| (hash ^ u64::from(*byte)).wrapping_mul(0x100_0000_01b3);
        let hash = bytes.iter().fold(fold(0xcbf2_9ce4_8422_2325, &kind), fold);
        // 0 marks an unused entry. The multiplication mixes only towards the highest bits.
        Self((hash ^ hash >> 32).max(1))
    }
}

/// The position of a record: its offset, and its length including the comment after it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Place(u64);

impl Place {
    /// Creates a position. Returns `None` if the record is too long for an index entry.
    pub(crate) fn new(offset: usize, length: usize) -> Option<Self> {
        let length = u16::try_from(length).ok()?;
        Some(Self((offset as u64) << 16 | u64::from(length)))
    }

    pub(crate) fn offset(self) -> u64 {
        self.0 >> 16
    }

    pub(crate) fn length(self) -> usize {
        (self.0 & 0xffff) as usize
    }
}

/// Facts about a journal that are known without reading it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Summary {
    pub(crate) rewrite: Option<Rewrite>,
    pub(crate) last: Number,
}

/// An open index file.
#[derive(Debug)]
pub struct Index {
    file: File,
    boot: u64,
    capacity: u64,
    used: u64,
}

impl Index {
    /// Opens or creates the file. Returns `None` if it cannot be trusted: it is a link, has several names, or is accessible
    /// to other users.
    pub(crate) fn open(path: &Path) -> Option<Self> {
        let boot = Key::new(0, &fs::read(BOOT_ID).ok()?).0;
        let flags = OFlags::NOFOLLOW | OFlags::NONBLOCK;
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .custom_flags(flags.bits().cast_signed())
            .open(path)
            .ok()?;
        let data = file.metadata().ok()?;
        let is_ours = data.is_file()
            && data.nlink() == 1
            && Some(data.uid()) == own_user()
            && data.mode() & OTHERS == 0;
        is_ours.then_some(Self { file, boot, capacity: 0, used: 0 })
    }

    /// Returns the summary in the index if the index is valid for a journal with this status.
    pub(crate) fn load(&mut self, journal: &Status) -> Option<Summary> {
        let mut bytes = [0; HEADER];
        self.file.read_exact_at(&mut bytes, 0).ok()?;
        let mut words = [0; WORDS];
        for (word, bytes) in words.iter_mut().zip(bytes.as_chunks().0) {
            *word = u64::from_le_bytes(*bytes);
        }
        let sum = Key::new(1, &bytes[..HEADER - 8]).0;
        if words[WORDS - 1] != sum || words[..8] != self.state(journal) {
            return None;
        }
        (self.capacity, self.used) = (words[8], words[9]);
        let length = HEADER as u64 + self.capacity.checked_mul(ENTRY as u64)?;
        if !self.capacity.is_power_of_two() || self.file.metadata().ok()?.len() != length {
            return None;
        }
        let rewrite = (words[10] == 1).then_some(Rewrite {
            generation: words[11],
            time: words[12].cast_signed(),
            length: usize::try_from(words[13]).ok()?,
        });
        Some(Summary { rewrite, last: Number { rewrite: words[14], record: words[15] } })
    }

    /// Returns the words that identify the state of a journal.
    fn state(&self, journal: &Status) -> [u64; 8] {
        let Status { inode, length, modified, changed, .. } = *journal;
        let time = |(seconds, nanoseconds): (i64, i64)| {
            [seconds.cast_unsigned(), nanoseconds.cast_unsigned()]
        };
        let ([a, b], [c, d]) = (time(modified), time(changed));
        [MAGIC, self.boot, inode, length, a, b, c, d]
    }

    /// Makes the index valid for a journal with this status.
    pub(crate) fn store(&mut self, journal: &Status, summary: &Summary) -> io::Result<()> {
        let rewrite = summary.rewrite;
        let mut words = [0; WORDS];
        words[..8].copy_from_slice(&self.state(journal));
        words[8..16].copy_from_slice(&[
            self.capacity,
            self.used,
            u64::from(rewrite.is_some()),
            rewrite.map_or(0, |rewrite| rewrite.generation),
            rewrite.map_or(0, |rewrite| rewrite.time.cast_unsigned()),
            rewrite.map_or(0, |rewrite| rewrite.length as u64),
            summary.last.rewrite,
            summary.last.record,
        ]);
        let mut bytes: Vec<u8> = words[..WORDS - 1].iter().flat_map(|w| w.to_le_bytes()).collect();
        bytes.extend_from_slice(&Key::new(1, &bytes).0.to_le_bytes());
        self.file.write_all_at(&bytes, 0)
    }

    /// Replaces all entries. No two of them may have the same key. The index is not valid until [`Self::store`].
    pub(crate) fn rebuild(&mut self, places: &[(Key, Place)]) -> io::Result<()> {
        let capacity = (2 * places.len() + 64).next_power_of_two();
        let mut table = vec![[0u64; 2]; capacity];
        for (key, place) in places {
            let mut at = key.0 as usize & (capacity - 1);
            while table[at][0] != 0 {
                at = (at + 1) & (capacity - 1);
            }
            table[at] = [key.0, place.0];
        }
        let bytes: Vec<u8> = table.iter().flatten().flat_map(|word| word.to_le_bytes()).collect();
        (self.capacity, self.used) = (capacity as u64, places.len() as u64);
        self.file.set_len(0)?;
        self.file.write_all_at(&bytes, HEADER as u64)
    }

    /// Finds the entry of a key, or the unused entry that it would take. Returns the number of the entry, and the position
    /// of the record if there is one.
    fn find(&self, key: Key) -> io::Result<(u64, Option<Place>)> {
        let mask = self.capacity - 1;
        let mut at = key.0 & mask;
        let mut seen = 0;
        while seen < self.capacity {
            let run = (RUN as u64).min(self.capacity - at) as usize;
            let mut bytes = [0; RUN * ENTRY];
            let bytes = &mut bytes[..run * ENTRY];
            self.file.read_exact_at(bytes, HEADER as u64 + at * ENTRY as u64)?;
            for (number, entry) in (at..).zip(bytes.as_chunks::<8>().0.as_chunks::<2>().0) {
                let [hash, place] = entry.map(u64::from_le_bytes);
                if hash == key.0 {
                    return Ok((number, Some(Place(place))));
                }
                if hash == 0 {
                    return Ok((number, None));
                }
            }
            seen += run as u64;
            at = (at + run as u64) & mask;
        }
        Err(io::ErrorKind::StorageFull.into())
    }

    /// Returns the position of the latest record with this key.
    pub(crate) fn get(&self, key: Key) -> io::Result<Option<Place>> {
        Ok(self.find(key)?.1)
    }

    /// Adds or replaces the entry of a record.
    ///
    /// # Errors
    /// Returns the errors of `pread` and `pwrite`, or `StorageFull` if the index is full.
    pub(crate) fn put(&mut self, key: Key, place: Place) -> io::Result<()> {
        let (number, old) = self.find(key)?;
        if old.is_none() {
            if self.used + 1 > self.capacity / 4 * 3 {
                return Err(io::ErrorKind::StorageFull.into());
            }
            self.used += 1;
        }
        let mut entry = [0; ENTRY];
        entry[..8].copy_from_slice(&key.0.to_le_bytes());
        entry[8..].copy_from_slice(&place.0.to_le_bytes());
        self.file.write_all_at(&entry, HEADER as u64 + number * ENTRY as u64)
    }
}
