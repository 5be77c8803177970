//! A flash partition with wear counters, an operation log and power cuts.

use std::borrow::Cow;
use std::fmt;
use std::sync::OnceLock;
use std::time::Duration;

use super::chip::{Chip, FlashKind};
use super::cow_pages::CowPages;
use super::op::{Cut, Op, OpError, OpKind, OpLog};

/// Sizes in bytes of a partition and of its erase blocks. The last block may be shorter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Geometry {
    /// Size of the partition.
    pub size: u32,
    /// Size of an erase block.
    pub erase_block: u32,
}

impl Geometry {
    /// The largest size of a partition and of an erase block in bytes.
    pub const MAX_SIZE: u32 = 64 << 20;

    /// Checks the sizes.
    ///
    /// # Errors
    /// When a size is 0 or exceeds 64 MiB.
    pub fn new(size: u32, erase_block: u32) -> Result<Self, GeometryError> {
        let is_valid = |size| (1..=Self::MAX_SIZE).contains(&size);
        if !is_valid(size) || !is_valid(erase_block) {
            return Err(GeometryError { size, erase_block });
        }
        Ok(Self { size, erase_block })
    }

    /// Number of erase blocks, including a shorter last one.
    pub fn blocks(self) -> u32 {
        self.size.div_ceil(self.erase_block)
    }

    /// Size of block number `block`.
    pub fn block_len(self, block: u32) -> u32 {
        self.erase_block.min(self.size - block * self.erase_block)
    }
}

/// A size is 0 or exceeds 64 MiB.
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
            "invalid flash geometry: {size} bytes in erase blocks of {erase_block} bytes; both must be from 1 byte to 64 MiB"
        )
    }
}

impl std::error::Error for GeometryError {}

/// A flash partition in memory. Clones share unchanged pages.
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
    /// The states before each operation, if they are recorded.
    history: Option<Vec<Self>>,
}

/// A version number that was never used before.
#[cfg(target_has_atomic = "64")]
fn new_version() -> u64 {
    use std::sync::atomic::{AtomicU64, Ordering};
    static NEXT: AtomicU64 = AtomicU64::new(0);
    NEXT.fetch_add(1, Ordering::Relaxed)
}

/// A version number that was never used before. 32-bit MIPS has no 64-bit atomics.
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

    /// A partition with the size and contents of `bytes`.
    ///
    /// # Errors
    /// When the geometry is invalid, for example because `bytes` is empty.
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

    /// Sizes of the partition and of its erase blocks.
    pub fn geometry(&self) -> Geometry {
        self.geometry
    }

    /// The chip that determines operation times and page size.
    pub fn chip(&self) -> Chip {
        self.chip
    }

    /// Replaces bytes without an operation or wear, as an external programmer would. Bytes beyond the partition are
    /// ignored.
    pub fn overwrite(&mut self, at: u32, bytes: &[u8]) {
        let bytes = &bytes[..bytes.len().min(self.remaining(at))];
        self.change(!bytes.is_empty(), |pages| pages.put(at as usize, bytes));
    }

    /// [`Flash::overwrite`] with the bytes `from..to` of `other`, at the same offset.
    pub fn overwrite_from(&mut self, other: &Self, from: u32, to: u32) {
        let to = to.min(self.geometry.size).min(other.geometry.size);
        self.change(from < to, |pages| pages.copy(&other.pages, from as usize, to as usize));
    }

    /// Copies bytes to `into`. Bytes of `into` beyond the partition stay unchanged.
    pub fn read(&self, at: u32, into: &mut [u8]) {
        let len = into.len().min(self.remaining(at));
        self.pages.read(at as usize, &mut into[..len]);
    }

    /// Whether the partition contains `bytes` at `at`; `false` if the range exceeds the partition.
    pub fn holds(&self, at: u32, bytes: &[u8]) -> bool {
        bytes.len() <= self.remaining(at) && self.pages.holds(at as usize, bytes)
    }

    /// Bytes from `at` to the end of the partition.
    fn remaining(&self, at: u32) -> usize {
        self.geometry.size.saturating_sub(at) as usize
    }

    /// The contents of the partition.
    pub fn bytes(&self) -> Cow<'_, [u8]> {
        self.pages.bytes()
    }

    /// The contents of one erase block.
    ///
    /// # Panics
    /// If there is no such block.
    pub fn block(&self, block: u32) -> Vec<u8> {
        self.range(block * self.geometry.erase_block, self.geometry.block_len(block))
    }

    /// Up to `len` bytes from `at`, fewer at the end of the partition.
    pub fn range(&self, at: u32, len: u32) -> Vec<u8> {
        let end = u64::from(at) + u64::from(len);
        let (from, to) = (at.min(self.geometry.size), end.min(u64::from(self.geometry.size)));
        self.pages.range(from as usize, to as usize)
    }

    /// Erases one block.
    ///
    /// # Errors
    /// [`OpError::PowerLost`] at the armed cut and without power, [`OpError::Io`] on a worn block.
    ///
    /// # Panics
    /// If there is no such block.
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

    /// Programs bytes: bits that are 1 in both the flash and `bytes` stay 1, all others become 0.
    ///
    /// # Errors
    /// [`OpError::PowerLost`] at the armed cut and without power; otherwise [`OpError::Io`] if the range exceeds the
    /// partition or touches a NAND page that is not erased.
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

    /// Starts an operation; returns how many of its `len` bytes are processed before power is lost.
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

    /// Changes the contents and sets a new version, if `any` byte is affected.
    fn change(&mut self, any: bool, change: impl FnOnce(&mut CowPages)) {
        if any {
            self.version = new_version();
            self.fingerprint = OnceLock::new();
            change(&mut self.pages);
        }
    }

    /// The version of the contents. Every change sets a new version, and clones share it: flashes of the same
    /// version have equal contents, and flashes of different versions may have equal contents too.
    pub fn version(&self) -> u64 {
        self.version
    }

    /// A 128-bit fingerprint of the contents. After the first call, only pages that change are hashed again.
    pub fn fingerprint(&self) -> u128 {
        *self.fingerprint.get_or_init(|| self.pages.fingerprint())
    }

    fn is_erased(&self, from: u32, to: u32) -> bool {
        let page = self.chip.page;
        let (from, to) = (from / page * page, to.next_multiple_of(page).min(self.geometry.size));
        self.pages.is_erased(from as usize, to as usize)
    }

    /// Starts recording the state before each operation.
    pub fn keep_history(&mut self) {
        self.history = Some(Vec::new());
    }

    /// Ends the recording, and returns the states before each operation since [`Flash::keep_history`].
    pub fn take_history(&mut self) -> Vec<Self> {
        self.history.take().unwrap_or_default()
    }

    /// Arms a power cut in place of an earlier one; `None` disarms.
    pub fn arm(&mut self, cut: Option<Cut>) {
        self.cut = cut;
    }

    /// Whether there is power. After a cut there is none until [`Flash::power_on`].
    pub fn powered(&self) -> bool {
        self.powered
    }

    /// Restores power, and disarms a cut that has not occurred.
    pub fn power_on(&mut self) {
        self.powered = true;
        self.cut = None;
    }

    /// Marks a block as worn out: every erase of it fails and leaves its contents unchanged.
    pub fn wear_out(&mut self, block: u32) {
        self.worn.push(block);
    }

    /// Number of completed erases of each block.
    pub fn erases(&self) -> &[u32] {
        &self.erases
    }

    /// Number of bytes programmed, including torn operations.
    pub fn bytes_programmed(&self) -> u64 {
        self.programmed
    }

    /// Total time of the completed operations.
    pub fn busy(&self) -> Duration {
        self.busy
    }

    /// Sets the wear counters, for example to those of a device that was saved to files.
    pub fn set_wear(&mut self, erases: &[u32], bytes_programmed: u64) {
        for (count, stored) in self.erases.iter_mut().zip(erases) {
            *count = *stored;
        }
        self.programmed = bytes_programmed;
    }

    /// The operations since the last [`Flash::take_log`].
    pub fn log(&self) -> &[Op] {
        &self.log
    }

    /// Returns the log and clears it.
    pub fn take_log(&mut self) -> OpLog {
        std::mem::take(&mut self.log)
    }
}
