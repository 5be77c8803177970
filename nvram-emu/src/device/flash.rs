//! One flash partition.

use std::borrow::Cow;
use std::fmt;
use std::sync::OnceLock;
use std::time::Duration;

use super::chip::{Chip, FlashKind};
use super::cow_pages::CowPages;
use super::op::{Cut, Op, OpError, OpKind, OpLog};

/// Size of a partition and of its erase blocks, bytes. The last block may be cut short by the partition's end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Geometry {
    /// The partition.
    pub size: u32,
    /// One erase block.
    pub erase_block: u32,
}

impl Geometry {
    /// # Errors
    /// When a number is 0, or the partition exceeds 1 GiB.
    pub fn new(size: u32, erase_block: u32) -> Result<Self, GeometryError> {
        if size == 0 || size > 1 << 30 || erase_block == 0 || erase_block > 1 << 30 {
            return Err(GeometryError { size, erase_block });
        }
        Ok(Self { size, erase_block })
    }

    /// Number of erase blocks.
    pub fn blocks(self) -> u32 {
        self.size.div_ceil(self.erase_block)
    }

    /// Bytes of block `block`.
    pub fn block_len(self, block: u32) -> u32 {
        self.erase_block.min(self.size - block * self.erase_block)
    }
}

/// A geometry that no device has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GeometryError {
    size: u32,
    erase_block: u32,
}

impl fmt::Display for GeometryError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { size, erase_block } = self;
        write!(
            f,
            "flash of {size} bytes in erase blocks of {erase_block}: both must be 1 byte to 1 GiB"
        )
    }
}

impl std::error::Error for GeometryError {}

/// A flash partition in memory. `Clone` shares the pages.
#[derive(Clone, Debug)]
pub struct Flash {
    geometry: Geometry,
    chip: Chip,
    pages: CowPages,
    erases: Vec<u32>,
    programmed: u64,
    busy: Duration,
    log: OpLog,
    cut: Option<Cut>,
    powered: bool,
    worn: Vec<u32>,
    version: u64,
    fingerprint: OnceLock<u128>,
    /// The contents before each operation, where somebody wants them.
    history: Option<Vec<Self>>,
}

/// A number that no contents have had before.
#[cfg(target_has_atomic = "64")]
fn new_version() -> u64 {
    use std::sync::atomic::{AtomicU64, Ordering};
    static NEXT: AtomicU64 = AtomicU64::new(0);
    NEXT.fetch_add(1, Ordering::Relaxed)
}

/// A number that no contents have had before. 32-bit MIPS has no atomic numbers of 64 bits.
#[cfg(not(target_has_atomic = "64"))]
fn new_version() -> u64 {
    use std::sync::{Mutex, PoisonError};
    static NEXT: Mutex<u64> = Mutex::new(0);
    let mut next = NEXT.lock().unwrap_or_else(PoisonError::into_inner);
    *next += 1;
    *next
}

impl Flash {
    /// A new, erased partition.
    pub fn erased(geometry: Geometry, chip: Chip) -> Self {
        Self::build(geometry, chip, CowPages::erased(geometry.size))
    }

    /// A partition that holds `bytes`; its size is theirs.
    ///
    /// # Errors
    /// When the geometry is impossible, such as for no bytes at all.
    pub fn from_bytes(bytes: &[u8], erase_block: u32, chip: Chip) -> Result<Self, GeometryError> {
        let geometry = Geometry::new(u32::try_from(bytes.len()).unwrap_or(u32::MAX), erase_block)?;
        Ok(Self::build(geometry, chip, CowPages::of(bytes)))
    }

    fn build(geometry: Geometry, chip: Chip, pages: CowPages) -> Self {
        Self {
            geometry,
            chip,
            pages,
            erases: vec![0; geometry.blocks() as usize],
            programmed: 0,
            busy: Duration::ZERO,
            log: Vec::new(),
            cut: None,
            powered: true,
            worn: Vec::new(),
            version: new_version(),
            fingerprint: OnceLock::new(),
            history: None,
        }
    }

    /// Size and erase block.
    pub fn geometry(&self) -> Geometry {
        self.geometry
    }

    /// The chip.
    pub fn chip(&self) -> Chip {
        self.chip
    }

    /// Replaces what the partition holds, as a programmer's clip would: no operation, no wear. Bytes beyond
    /// the partition are left out.
    pub fn overwrite(&mut self, at: u32, bytes: &[u8]) {
        let bytes = &bytes[..bytes.len().min(self.room(at))];
        self.change(!bytes.is_empty(), |pages| pages.put(at as usize, bytes));
    }

    /// The same with what `other`, a partition of the same size, holds from `from` to `to`.
    pub fn overwrite_from(&mut self, other: &Self, from: u32, to: u32) {
        let to = to.min(self.geometry.size).min(other.geometry.size);
        self.change(from < to, |pages| pages.copy(&other.pages, from as usize, to as usize));
    }

    /// Copies bytes out; those beyond the partition are left as they are in `into`.
    pub fn read(&self, at: u32, into: &mut [u8]) {
        let room = into.len().min(self.room(at));
        self.pages.read(at as usize, &mut into[..room]);
    }

    /// Whether these bytes lie at `at`; not where they leave the partition.
    pub fn holds(&self, at: u32, bytes: &[u8]) -> bool {
        bytes.len() <= self.room(at) && self.pages.holds(at as usize, bytes)
    }

    /// Bytes from `at` to the partition's end.
    fn room(&self, at: u32) -> usize {
        self.geometry.size.saturating_sub(at) as usize
    }

    /// All bytes.
    pub fn bytes(&self) -> Cow<'_, [u8]> {
        self.pages.bytes()
    }

    /// One erase block's bytes.
    ///
    /// # Panics
    /// When there is no such block.
    pub fn block(&self, block: u32) -> Vec<u8> {
        self.part(block * self.geometry.erase_block, self.geometry.block_len(block))
    }

    /// `len` bytes from `at` on; as many as there are.
    pub fn part(&self, at: u32, len: u32) -> Vec<u8> {
        let end = u64::from(at) + u64::from(len);
        let (from, to) = (at.min(self.geometry.size), end.min(u64::from(self.geometry.size)));
        self.pages.part(from as usize, to as usize)
    }

    /// Erases one block.
    ///
    /// # Errors
    /// [`OpError::PowerLost`] at and after the armed cut; [`OpError::Io`] on a worn block.
    ///
    /// # Panics
    /// When there is no such block.
    pub fn erase(&mut self, block: u32) -> Result<(), OpError> {
        let len = self.geometry.block_len(block);
        let done = self.begin(len)?;
        let offset = block * self.geometry.erase_block;
        self.log.push(Op { kind: OpKind::Erase, offset, len: done });
        let worn = self.worn.contains(&block);
        if !worn {
            self.change(done > 0, |pages| pages.erase(offset as usize, (offset + done) as usize));
        }
        if done < len || !self.powered {
            return Err(OpError::PowerLost);
        }
        self.erases[block as usize] = self.erases[block as usize].saturating_add(1);
        self.busy += self.chip.erase_time;
        if worn { Err(OpError::Io) } else { Ok(()) }
    }

    /// Programs bytes: bits that are 1 in both stay 1, all others become 0.
    ///
    /// # Errors
    /// [`OpError::PowerLost`] at and after the armed cut; [`OpError::Io`] when the bytes leave the partition,
    /// or touch a NAND page that is not erased.
    pub fn program(&mut self, offset: u32, bytes: &[u8]) -> Result<(), OpError> {
        if !self.powered {
            return Err(OpError::PowerLost);
        }
        let len = u32::try_from(bytes.len()).map_err(|_| OpError::Io)?;
        let end =
            offset.checked_add(len).filter(|end| *end <= self.geometry.size).ok_or(OpError::Io)?;
        if self.chip.kind == FlashKind::Nand && !self.is_erased(offset, end) {
            return Err(OpError::Io);
        }
        let done = self.begin(len)?;
        self.log.push(Op { kind: OpKind::Program, offset, len: done });
        self.change(done > 0, |pages| pages.program(offset as usize, &bytes[..done as usize]));
        self.programmed += u64::from(done);
        if done < len || !self.powered {
            return Err(OpError::PowerLost);
        }
        self.busy += self.chip.program_time(offset, len);
        Ok(())
    }

    /// How many of `len` bytes the next operation may do.
    fn begin(&mut self, len: u32) -> Result<u32, OpError> {
        if !self.powered {
            return Err(OpError::PowerLost);
        }
        if let Some(mut history) = self.history.take() {
            history.push(self.clone());
            self.history = Some(history);
        }
        match &mut self.cut {
            Some(Cut { op: 0, byte }) => {
                let done = len.min(*byte);
                self.cut = None;
                self.powered = false;
                Ok(done)
            }
            Some(cut) => {
                cut.op -= 1;
                Ok(len)
            }
            None => Ok(len),
        }
    }

    /// Changes cells, if there is anything to change.
    fn change(&mut self, any: bool, change: impl FnOnce(&mut CowPages)) {
        if any {
            self.version = new_version();
            self.fingerprint = OnceLock::new();
            change(&mut self.pages);
        }
    }

    /// A number for these contents: clones share it, every change takes a new one. Flashes with the same version
    /// hold the same bytes; others may too.
    pub fn version(&self) -> u64 {
        self.version
    }

    /// A fingerprint of the bytes, 128 bits. The first call costs a pass over them; from then on each change
    /// costs the bytes that it touches.
    pub fn fingerprint(&self) -> u128 {
        *self.fingerprint.get_or_init(|| self.pages.fingerprint())
    }

    fn is_erased(&self, from: u32, to: u32) -> bool {
        let page = self.chip.page;
        let (from, to) = (from / page * page, to.next_multiple_of(page).min(self.geometry.size));
        self.pages.is_erased(from as usize, to as usize)
    }

    /// From now on the contents before each operation are kept.
    pub fn keep_history(&mut self) {
        self.history = Some(Vec::new());
    }

    /// The contents before each operation since [`Flash::keep_history`]; no more are kept.
    pub fn take_history(&mut self) -> Vec<Self> {
        self.history.take().unwrap_or_default()
    }

    /// Power will fail in the operation named; an earlier arming is replaced. `None` disarms.
    pub fn arm(&mut self, cut: Option<Cut>) {
        self.cut = cut;
    }

    /// Whether there is power; gone after a cut until [`Flash::power_on`].
    pub fn powered(&self) -> bool {
        self.powered
    }

    /// Power is back; a cut that did not happen is disarmed.
    pub fn power_on(&mut self) {
        self.powered = true;
        self.cut = None;
    }

    /// Marks a block as worn out: it keeps its bytes and every erase of it fails.
    pub fn wear_out(&mut self, block: u32) {
        self.worn.push(block);
    }

    /// Completed erases of each block.
    pub fn erases(&self) -> &[u32] {
        &self.erases
    }

    /// Bytes programmed, torn operations included.
    pub fn bytes_programmed(&self) -> u64 {
        self.programmed
    }

    /// Time that completed operations took on this chip.
    pub fn busy(&self) -> Duration {
        self.busy
    }

    /// Restores wear counters, such as those of a stored device.
    pub fn set_wear(&mut self, erases: &[u32], bytes_programmed: u64) {
        for (count, stored) in self.erases.iter_mut().zip(erases) {
            *count = *stored;
        }
        self.programmed = bytes_programmed;
    }

    /// Operations since the log was last taken.
    pub fn log(&self) -> &[Op] {
        &self.log
    }

    /// Takes the log, leaving it empty.
    pub fn take_log(&mut self) -> OpLog {
        std::mem::take(&mut self.log)
    }
}
