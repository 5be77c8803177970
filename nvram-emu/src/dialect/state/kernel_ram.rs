//! The table that a kernel driver keeps in RAM.

use std::borrow::Cow;
use std::collections::BTreeSet;

use super::driver::{Arena, Driver};
use crate::flsh::{Change, Entries, HEADER_LEN, Header, ScanMode, Table, Written};

/// The RAM of a kernel driver.
#[derive(Clone, Debug)]
pub struct KernelRam {
    /// The variables.
    pub table: Table,
    /// Bytes of the value arena in use (`nvram_offset`).
    pub arena_used: u32,
    /// Where DD-WRT's driver writes the next image (`nvram_off`); `None` stands for the end of the partition, and for
    /// all other drivers.
    pub image_at: Option<u32>,
    /// The names of the variables that Padavan's `settmp` has set, which are never committed.
    pub temporary: BTreeSet<Vec<u8>>,
}

/// The value arena is full; [`Driver::full_errno`] is the errno text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NoMemory;

impl KernelRam {
    pub(in crate::dialect) fn empty(driver: &Driver) -> Self {
        Self::of(Table::new(driver.rule, driver.insert), 0)
    }

    fn of(table: Table, arena_used: u32) -> Self {
        Self { table, arena_used, image_at: None, temporary: BTreeSet::new() }
    }

    /// The table without temporary variables.
    pub(in crate::dialect) fn permanent(&self) -> Cow<'_, Table> {
        let mut table = Cow::Borrowed(&self.table);
        for name in &self.temporary {
            table.to_mut().unset(name);
        }
        table
    }

    /// `nvram_rehash`: a new table from an image of `image.len()` bytes, whose last two bytes count as NUL.
    pub(in crate::dialect) fn load(driver: &Driver, image: &[u8]) -> Self {
        let space = image.len();
        let area = &image[HEADER_LEN..space.max(HEADER_LEN + 2) - 2];
        let mut ram = if driver.arena == Arena::Fresh {
            let (table, _) = Table::load(area, ScanMode::Terminated, driver.rule, driver.insert);
            let arena_used = table.value_bytes();
            Self::of(table, arena_used)
        } else {
            let mut ram = Self::empty(driver);
            for entry in Entries::new(area, ScanMode::Terminated) {
                ram.put(driver.arena, entry.name, entry.value);
            }
            ram
        };
        ram.add_sdram(driver, image);
        ram
    }

    /// The result of [`Self::load`] for an `image` into which `table` was just written, without parsing it
    /// where possible.
    pub(in crate::dialect) fn reload(
        driver: &Driver,
        table: &Table,
        written: Written,
        image: &[u8],
    ) -> Self {
        let Some(table) = written.reloaded(table, image) else { return Self::load(driver, image) };
        let arena_used = table.value_bytes();
        let mut ram = Self::of(table, arena_used);
        ram.add_sdram(driver, image);
        ram
    }

    /// The end of `nvram_rehash`.
    fn add_sdram(&mut self, driver: &Driver, image: &[u8]) {
        let Some(header) = Header::read(image).filter(|_| driver.sdram) else { return };
        Table::add_sdram(header, |name, value| {
            if self.table.get(name).is_none() {
                // The real driver does not report a full arena at load.
                let _ = self.try_set(driver.arena, name, value, image.len() as u64);
            }
        });
    }

    /// `_nvram_realloc` and `_nvram_set`: fails if an arena of `capacity` bytes has no room for the value.
    pub(in crate::dialect) fn try_set(
        &mut self,
        arena: Arena,
        name: &[u8],
        value: &[u8],
        capacity: u64,
    ) -> Result<(), NoMemory> {
        let end = u64::from(self.arena_used) + value.len() as u64 + 1;
        let is_full = match arena {
            Arena::Fresh | Arena::Reused => end > capacity,
            Arena::Double => end >= capacity && !self.fits_old_value(name, value),
        };
        if is_full {
            return Err(NoMemory);
        }
        self.put(arena, name, value);
        Ok(())
    }

    /// Whether `name` has a value of at least the same length, so that `value` can overwrite it.
    fn fits_old_value(&self, name: &[u8], value: &[u8]) -> bool {
        self.table.get(name).is_some_and(|old| old.len() >= value.len())
    }

    fn put(&mut self, arena: Arena, name: &[u8], value: &[u8]) {
        let in_place = arena != Arena::Fresh && self.fits_old_value(name, value);
        if self.table.set(name, value) != Change::Same && !in_place {
            self.arena_used = self.arena_used.saturating_add(value.len() as u32 + 1);
        }
    }
}
