//! What a tool works on: the flash, the RAM that a reboot empties, and the machine's configuration.

use std::borrow::Cow;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::kernel::{Driver, KernelRam};
use super::openwrt::{Handle, OpenError};
use crate::device::{Flash, OpError};
use crate::flsh::{ScanEnd, Table};

/// Variables as (name, value), in some tool's order.
pub type Variables = Vec<(Vec<u8>, Vec<u8>)>;

/// The `/proc/mtd` that an OpenWrt tool sees.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ProcMtd {
    /// One line for `mtd0`, named "nvram", of the flash's size.
    Assumed,
    /// This text.
    Text(Arc<[u8]>),
    /// The file cannot be read.
    Missing,
}

/// What a reboot empties.
#[derive(Clone, Debug)]
pub enum Ram {
    /// Nothing: just booted.
    Empty,
    /// OpenWrt: the staging file.
    File(Arc<Vec<u8>>),
    /// A kernel driver's table.
    Kernel(Arc<KernelRam>),
}

/// A router, as far as its `nvram` tool sees it.
#[derive(Clone, Debug)]
pub struct Board {
    /// The partition.
    pub flash: Flash,
    /// RAM contents.
    pub ram: Ram,
    /// NVRAM size where the driver has its own (`NVRAM_SPACE`), bytes; the space lies at the partition's end.
    pub space: u32,
    /// Stand-in for `/proc/mtd`.
    pub proc_mtd: ProcMtd,
    /// What was made of the flash when it was last read.
    pub(crate) loads: LoadCache,
}

impl Board {
    /// A router that has just booted; `space` as in [`Board::space`].
    pub fn new(flash: Flash, space: u32) -> Self {
        let loads = LoadCache::default();
        Self { flash, ram: Ram::Empty, space, proc_mtd: ProcMtd::Assumed, loads }
    }
}

/// The variables of an image, as a tool or a driver loaded them. Clones share them.
#[derive(Clone, Debug)]
pub enum Loaded {
    /// By OpenWrt's tool.
    File(Arc<Handle>),
    /// By a kernel driver.
    Kernel(Arc<KernelRam>),
}

impl Loaded {
    /// The variables.
    pub fn table(&self) -> &Table {
        match self {
            Self::File(handle) => &handle.table,
            Self::Kernel(ram) => &ram.table,
        }
    }

    /// The variables in the order of `show`.
    pub fn variables(&self) -> Variables {
        fn listed<'t>(pairs: impl Iterator<Item = (&'t [u8], &'t [u8])>) -> Variables {
            pairs.map(|(name, value)| (name.to_vec(), value.to_vec())).collect()
        }
        match self {
            Self::File(handle) => listed(handle.table.iter_reversed()),
            Self::Kernel(ram) => listed(ram.table.iter()),
        }
    }
}

/// What a tool made of some contents of the flash.
#[derive(Clone, Debug)]
pub struct FlashLoad {
    size: u32,
    made: Result<Loaded, OpenError>,
}

impl FlashLoad {
    /// What was loaded, if as a partition of this size.
    pub(super) fn of_size(self, size: u32) -> Option<Loaded> {
        self.made.ok().filter(|_| self.size == size)
    }
}

/// The last loads of the flash and of the staging file: a router that is forked a hundred times reads its image once.
#[derive(Debug, Default)]
pub(crate) struct LoadCache(Mutex<CachedLoads>);

#[derive(Clone, Debug, Default)]
struct CachedLoads {
    flash: Option<Load<u64, Loaded>>,
    /// The file is kept, so that no other can have its place.
    staging: Option<Load<Arc<Vec<u8>>, Arc<Handle>>>,
}

/// What was loaded (contents by their version, or a file), its size, and what came of it.
type Load<Of, Made> = (Of, u32, Result<Made, OpenError>);

impl LoadCache {
    /// The load of these contents and this size, made by `load` where there is none.
    pub(super) fn get(
        &self,
        (version, size): (u64, u32),
        load: impl FnOnce() -> Result<Loaded, OpenError>,
    ) -> Result<Loaded, OpenError> {
        let kept = &mut self.kept().flash;
        match kept {
            Some((of, for_size, loaded)) if (*of, *for_size) == (version, size) => loaded.clone(),
            _ => kept.insert((version, size, load())).2.clone(),
        }
    }

    /// The same of a staging file.
    pub(super) fn staging(
        &self,
        (file, size): (&Arc<Vec<u8>>, u32),
        load: impl FnOnce() -> Result<Handle, OpenError>,
    ) -> Result<Arc<Handle>, OpenError> {
        let kept = &mut self.kept().staging;
        match kept {
            Some((of, for_size, loaded)) if Arc::ptr_eq(of, file) && *for_size == size => {
                loaded.clone()
            }
            _ => kept.insert((Arc::clone(file), size, load().map(Arc::new))).2.clone(),
        }
    }
}

/// What is known without loading.
impl LoadCache {
    fn kept(&self) -> MutexGuard<'_, CachedLoads> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The last load of the flash, if it is one of these contents.
    pub(crate) fn flash_load(&self, version: u64) -> Option<FlashLoad> {
        let kept = self.kept();
        let (of, size, made) = kept.flash.as_ref()?;
        (*of == version).then(|| FlashLoad { size: *size, made: made.clone() })
    }

    /// The same for contents that are known to be equal.
    pub(crate) fn cache_flash_load(&self, version: u64, load: &FlashLoad) {
        self.kept().flash = Some((version, load.size, load.made.clone()));
    }

    /// A load of the flash that needs none.
    pub(super) fn put_flash(&self, (version, size): (u64, u32), loaded: Loaded) {
        self.kept().flash = Some((version, size, Ok(loaded)));
    }

    /// The same of a staging file.
    pub(super) fn put_staging(&self, (file, size): (&Arc<Vec<u8>>, u32), handle: Arc<Handle>) {
        self.kept().staging = Some((Arc::clone(file), size, Ok(handle)));
    }

    /// The staging file is about to change.
    pub(super) fn forget_staging(&self) {
        self.kept().staging = None;
    }

    /// The load of a staging file, where there was one.
    pub(super) fn known_staging(&self, (file, size): (&Arc<Vec<u8>>, u32)) -> Option<Arc<Handle>> {
        match &self.kept().staging {
            Some((of, for_size, Ok(handle))) if Arc::ptr_eq(of, file) && *for_size == size => {
                Some(Arc::clone(handle))
            }
            _ => None,
        }
    }
}

impl Clone for LoadCache {
    fn clone(&self) -> Self {
        Self(Mutex::new(self.kept().clone()))
    }
}

/// What a tool prints.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OutputBuffers {
    /// Standard output.
    pub stdout: Vec<u8>,
    /// Standard error.
    pub stderr: Vec<u8>,
}

impl OutputBuffers {
    /// Appends one line to stdout.
    pub fn line(&mut self, parts: &[&[u8]]) {
        put_line(&mut self.stdout, parts);
    }

    /// Appends a variable's text `name=value`, a line end in place of its NUL, to stdout.
    pub fn text(&mut self, text: &[u8]) {
        self.stdout.extend_from_slice(text);
        if let Some(end) = self.stdout.last_mut() {
            *end = b'\n';
        }
    }

    /// Appends one line to stderr.
    pub fn err_line(&mut self, parts: &[&[u8]]) {
        put_line(&mut self.stderr, parts);
    }

    /// Appends `/dev/nvram: MESSAGE` to stderr, as `perror` does.
    pub fn perror(&mut self, message: &str) {
        self.err_line(&[b"/dev/nvram: ", message.as_bytes()]);
    }
}

fn put_line(to: &mut Vec<u8>, parts: &[&[u8]]) {
    for part in parts {
        to.extend_from_slice(part);
    }
    to.push(b'\n');
}

/// Why a command did not end by itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Halt {
    /// The armed power cut hit.
    PowerLost,
    /// The real tool would read or write outside its mapping here, or crash: one line of explanation.
    Fault(&'static str),
}

/// For tools that pass on a device error as an errno of their own, power loss still ends everything.
impl Halt {
    /// `Err` when power is lost, else whether the operation worked.
    ///
    /// # Errors
    /// [`Halt::PowerLost`].
    pub fn check(result: Result<(), OpError>) -> Result<bool, Self> {
        match result {
            Ok(()) => Ok(true),
            Err(OpError::Io) => Ok(false),
            Err(OpError::PowerLost) => Err(Self::PowerLost),
        }
    }
}

/// Head of the staging file of a kernel driver's RAM: magic, then the arena's fill as u32 little endian.
pub(crate) const KERNEL_MAGIC: &[u8; 8] = b"NVKRAM1\0";

impl Ram {
    /// As the contract's `staging` file; `None` when RAM is empty.
    ///
    /// OpenWrt: the staging file itself. A kernel driver: the magic, the arena's fill, and the variables as
    /// `name=value NUL` from the head of chain 0 to the tail of chain 256.
    pub fn to_bytes(&self) -> Option<Cow<'_, [u8]>> {
        match self {
            Self::Empty => None,
            Self::File(bytes) => Some(Cow::Borrowed(bytes)),
            Self::Kernel(ram) => {
                let mut bytes = KERNEL_MAGIC.to_vec();
                bytes.extend_from_slice(&ram.arena.to_le_bytes());
                for (name, value) in ram.table.iter() {
                    for part in [name, b"=", value, b"\0"] {
                        bytes.extend_from_slice(part);
                    }
                }
                Some(Cow::Owned(bytes))
            }
        }
    }

    /// Whether this is `other`, shared.
    pub(crate) fn shares_state(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Empty, Self::Empty) => true,
            (Self::File(a), Self::File(b)) => Arc::ptr_eq(a, b),
            (Self::Kernel(a), Self::Kernel(b)) => Arc::ptr_eq(a, b),
            _ => false,
        }
    }

    /// What `text` makes of the bytes of RAM, part by part, such as a fingerprint; `None` when RAM is empty.
    pub fn fold<T>(&self, start: T, mut text: impl FnMut(T, &[u8]) -> T) -> Option<T> {
        match self {
            Self::Empty => None,
            Self::File(bytes) => Some(text(start, bytes)),
            Self::Kernel(ram) => {
                let head = text(start, &ram.arena.to_le_bytes());
                Some(ram.table.iter().fold(head, |sum, (name, value)| {
                    let sum = text(sum, name);
                    text(sum, value)
                }))
            }
        }
    }

    /// What [`Ram::to_bytes`] wrote; `driver` as the dialect has it.
    ///
    /// # Errors
    /// When a kernel driver's bytes are not such a file.
    pub fn from_bytes(bytes: Vec<u8>, driver: Option<&Driver>) -> Result<Self, InvalidRamFile> {
        let Some(driver) = driver else {
            return Ok(Self::File(Arc::new(bytes)));
        };
        let rest = bytes.strip_prefix(KERNEL_MAGIC).ok_or(InvalidRamFile)?;
        let (arena, area) = rest.split_first_chunk().ok_or(InvalidRamFile)?;
        let (table, end) = Table::restore(area, driver.rule, driver.insert);
        if end != ScanEnd::Regular {
            return Err(InvalidRamFile);
        }
        Ok(Self::Kernel(Arc::new(KernelRam { table, arena: u32::from_le_bytes(*arena) })))
    }
}

/// A staging file that is none of the dialect's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InvalidRamFile;
