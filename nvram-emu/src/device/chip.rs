//! Flash chips: operation times and endurance.

use std::time::Duration;

/// The family of a flash chip.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FlashKind {
    /// NOR flash, programmable byte by byte.
    Nor,
    /// NAND flash, whose pages must be erased before they are programmed.
    Nand,
}

/// A flash chip with typical times from data sheets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Chip {
    /// The name of the preset.
    pub name: &'static str,
    /// The family of the chip.
    pub kind: FlashKind,
    /// Size in bytes of one program operation.
    pub page: u32,
    /// Typical size of an erase block in bytes.
    pub erase_block: u32,
    /// Typical time of one block erase.
    pub erase_time: Duration,
    /// Typical time to program one page.
    pub page_time: Duration,
    /// Number of erase cycles for which a block is rated.
    pub endurance: u32,
    /// The data sheet, with the cited figures.
    pub source: &'static str,
}

impl Chip {
    /// Serial NOR of later bcm47xx and bcm53xx routers.
    pub const SPI_NOR: Self = Self {
        name: "spi-nor",
        kind: FlashKind::Nor,
        page: 256,
        erase_block: 65536,
        erase_time: Duration::from_millis(150),
        page_time: Duration::from_micros(700),
        endurance: 100_000,
        source: "W25Q64FW: over 100,000 cycles a sector; typical 64 KiB erase 150 ms and page program 0.7 ms",
    };
    /// Parallel NOR of the WRT54G class.
    pub const PARALLEL_NOR: Self = Self {
        name: "parallel-nor",
        kind: FlashKind::Nor,
        page: 1,
        erase_block: 65536,
        erase_time: Duration::from_millis(700),
        page_time: Duration::from_micros(7),
        endurance: 100_000,
        source: "MX29F016: 100,000 cycles a sector, 7 us a byte (MX29F080: 10,000); typical 64 KiB erase 0.7 s",
    };
    /// Single-level-cell NAND of bcm53xx routers.
    pub const SLC_NAND: Self = Self {
        name: "slc-nand",
        kind: FlashKind::Nand,
        page: 2048,
        erase_block: 131_072,
        erase_time: Duration::from_millis(2),
        page_time: Duration::from_micros(200),
        endurance: 100_000,
        source: "NAND128-A/256-A: page program 200 us, block erase 2 ms, 100,000 cycles with ECC",
    };
    /// All presets, in the order of the documentation.
    pub const ALL: [Self; 3] = [Self::SPI_NOR, Self::PARALLEL_NOR, Self::SLC_NAND];

    /// The preset with this name.
    pub fn by_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|chip| chip.name == name)
    }

    /// Time to program `len` bytes from `offset`. Partly programmed pages count as whole pages.
    pub fn program_time(&self, offset: u32, len: u32) -> Duration {
        if len == 0 {
            return Duration::ZERO;
        }
        let first = offset / self.page;
        let last = (offset + (len - 1)) / self.page;
        self.page_time * (last - first + 1)
    }
}
