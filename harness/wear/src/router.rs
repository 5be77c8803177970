//! The router whose flash wears.

use std::path::Path;

use nvram_emu::device::{Chip, FlashKind};
use nvram_emu::{Dialect, Machine};

use runner::setup::{self, Refusal};
use scenario::{Bytes, Router, unspanned};

/// The dialect, the flash and the NVRAM of a router.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RouterSpec {
    /// The dialect of its `nvram` tool.
    pub dialect: Dialect,
    /// Its flash chip.
    pub chip: Chip,
    /// Size of the NVRAM, in bytes.
    pub space: u32,
    /// Bytes of other programs' variables.
    pub neighbours: u32,
}

/// Usual size of OpenWrt's NVRAM partition on routers with NAND, in bytes. OpenWrt's tool uses all of it.
const NAND_PARTITION: u32 = 0x18_0000;

impl RouterSpec {
    /// Creates a router with an NVRAM of 64 KiB, 20,000 bytes of which are variables of other programs.
    pub fn new(dialect: Dialect, chip: Chip) -> Self {
        Self { dialect, chip, space: 0x1_0000, neighbours: 20_000 }
    }

    /// Returns the size of the partition: the NVRAM rounded up to whole erase blocks, or, with OpenWrt's tool on NAND,
    /// its usual partition unless the NVRAM is larger than 64 KiB.
    fn partition(&self) -> u32 {
        let driver_sets_size = self.dialect.info().driver_sets_size;
        match self.chip.kind {
            FlashKind::Nand if !driver_sets_size && self.space <= 0x1_0000 => NAND_PARTITION,
            _ => self.space.next_multiple_of(self.chip.erase_block),
        }
    }

    /// Creates the machine with its factory settings.
    ///
    /// # Errors
    /// Returns an error if the sizes contradict each other.
    pub fn machine(&self) -> Result<Machine, Refusal> {
        let router = Router {
            dialect: unspanned(self.dialect.name().to_owned()),
            chip: unspanned(self.chip.name.to_owned()),
            space: Bytes(u64::from(self.space)),
            partition: Some(Bytes(u64::from(self.partition()))),
            erase: Bytes(u64::from(self.chip.erase_block)),
            neighbours: Bytes(u64::from(self.neighbours)),
            ..Router::default()
        };
        setup::machine(&router, Path::new("."))
    }
}
