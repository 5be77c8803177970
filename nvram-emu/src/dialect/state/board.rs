//! The parts of a router that its `nvram` tool uses.

use std::sync::Arc;

use super::files::{Files, NoFiles};
use super::load_cache::LoadCache;
use super::ram::Ram;
use crate::device::Flash;

/// The `/proc/mtd` that an OpenWrt tool reads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ProcMtd {
    /// One line for `mtd0`, named "nvram", with the size of the flash.
    Assumed,
    /// The contents of the file.
    Text(Arc<[u8]>),
    /// The file cannot be read.
    Missing,
}

/// Flash, RAM and configuration of a router.
#[derive(Clone, Debug)]
pub struct Board {
    /// The MTD partition that holds the NVRAM.
    pub flash: Flash,
    /// RAM contents, which a reboot clears.
    pub ram: Ram,
    /// Size in bytes of the NVRAM at the end of the partition, for drivers that set the size
    /// (`NVRAM_SPACE`).
    pub space: u32,
    /// Replacement for `/proc/mtd`.
    pub proc_mtd: ProcMtd,
    /// The files that commands read and write.
    pub files: Arc<dyn Files>,
    /// The most recent loads of flash and RAM.
    pub(crate) loads: LoadCache,
}

impl Board {
    /// A freshly booted router; `space` as in [`Board::space`].
    pub fn new(flash: Flash, space: u32) -> Self {
        let loads = LoadCache::default();
        let files = Arc::new(NoFiles);
        Self { flash, ram: Ram::Empty, space, proc_mtd: ProcMtd::Assumed, files, loads }
    }
}
