//! Kernel drivers behind `/dev/nvram`, described as data.
//!
//! Modelled on nvram_linux.c (arch/mips/brcm-boards/bcm947xx) and shared/nvram/nvram.c of
//! shantanugoel/asus-rt-n66u-merlin ede220728e.

use crate::flsh::{ChainRule, Format, Insert};

/// What a boot requires of an image in flash.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BootCheck {
    /// The magic only (`_nvram_init` of DD-WRT and of Broadcom's driver of 2005).
    Magic,
    /// The magic only, but `_nvram_init` computes the CRC over `len - 20` bytes first, so that a smaller `len` crashes
    /// the kernel at every boot (Broadcom SDK 2012).
    MagicOrCrash,
    /// Like [`BootCheck::MagicOrCrash`], for the image in its place. Without the magic there, the image that the early
    /// search of the kernel found is loaded: the first multiple of 64 KiB with magic, length and CRC
    /// (`early_nvram_init` and `_nvram_read`, Broadcom on ARM).
    MagicOrSearch,
    /// The magic and 20 <= len <= space (`nvram_valid`, with the CRC test compiled out).
    MagicAndLen,
    /// Magic, length and CRC.
    Crc,
}

/// The RAM area into which values are copied (`nvram_buf`, `_nvram_realloc`). Names are stored elsewhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Arena {
    /// As large as the NVRAM; every new or changed value is allocated anew (up to 2012).
    Fresh,
    /// As large as the NVRAM; a value that is not longer than the old one overwrites it (later drivers).
    Reused,
    /// Twice the partition; old values are overwritten as with [`Arena::Reused`], and only a fresh allocation
    /// can fail (Padavan). Not modelled: the real driver also reuses the space of an earlier, longer value.
    Double,
}

/// The flash operations of a commit, and the position of the image.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CommitStrategy {
    /// Broadcom NOR of 2005 (`nvram_commit` of nvram_linux.c 1.12): erases blocks up to `len`, then programs the kept
    /// bytes and the image up to `len` at once, without an invalid-magic phase. The image lies at the end of the
    /// partition.
    Unguarded,
    /// Broadcom NOR (`nvram_commit`): zero the magic, erase, program with an all-ones magic, program the magic.
    /// The image lies at the end of the partition.
    GuardedMagic,
    /// Broadcom on ARM. NAND (`nvram_nflash_commit`, `nflash_mtd_write`): the image lies at the start of the
    /// partition; every block up to `len` is read, erased and programmed completely. NOR: as
    /// [`CommitStrategy::GuardedMagic`]. Flash counts as NAND by its chip, or when its erase block is 128 KiB
    /// or larger.
    GuardedOrNand,
    /// DD-WRT (`nvram_commit`): erases blocks up to `len`, then programs whole blocks at once, without an
    /// invalid-magic phase. At a boot the image lies at the first multiple of its size that has the magic, else at the
    /// end; else an older image of half the size lies at the end. Where blocks are larger than the image, the second
    /// commit after a boot moves the image to the start of the block (`nvram_off`).
    WholeBlocks,
    /// Padavan (`nvram_commit`, `ra_mtd_write_nm`): no operation if the flash equals the image up to the end of the
    /// space; otherwise the one erase block that holds it is erased and programmed completely.
    SkipEqual,
}

/// One driver.
#[derive(Clone, Copy, Debug)]
pub struct Driver {
    /// Hash chain of a name.
    pub rule: ChainRule,
    /// Position of a new name in its chain.
    pub insert: Insert,
    /// Image format of a commit.
    pub format: Format,
    /// Validity check at boot.
    pub boot_check: BootCheck,
    /// Flash operations of a commit.
    pub commit: CommitStrategy,
    /// Memory for values.
    pub arena: Arena,
    /// Whether a load adds missing `sdram_*` variables from the header.
    pub sdram: bool,
    /// The errno text with which `set` fails while the arena is full.
    pub full_errno: &'static str,
}

const ENOMEM: &str = "Cannot allocate memory";

/// Broadcom's driver of the RT-N66U, 2012, and of Tomato on MIPS (kernel 2.6).
pub const BROADCOM: Driver = Driver {
    rule: ChainRule::PLAIN,
    insert: Insert::Head,
    format: Format::BROADCOM,
    boot_check: BootCheck::MagicAndLen,
    commit: CommitStrategy::GuardedMagic,
    arena: Arena::Fresh,
    sdram: true,
    full_errno: ENOMEM,
};

/// Broadcom's driver of the SDK of 2012, as in Netgear's R7000.
pub const BROADCOM_STOCK: Driver =
    Driver { boot_check: BootCheck::MagicOrCrash, arena: Arena::Reused, ..BROADCOM };

/// Broadcom's driver for ARM (arch/arm/plat-brcm/nvram_linux.c, src-rt-6.x.4708).
pub const BROADCOM_ARM: Driver = Driver {
    rule: ChainRule::PLAIN_ARM,
    boot_check: BootCheck::MagicOrSearch,
    commit: CommitStrategy::GuardedOrNand,
    arena: Arena::Reused,
    ..BROADCOM
};

/// Broadcom's driver of 2006 (nvram_linux.c 1.19, kernel 2.4), also of Tomato's builds for the WRT54G.
pub const BROADCOM_2006: Driver =
    Driver { format: Format::BROADCOM_2_4, boot_check: BootCheck::Crc, ..BROADCOM };

/// Broadcom's driver of 2005 (nvram_linux.c 1.12, kernel 2.4) in Linksys' WRT54GL 4.30.11.
pub const BROADCOM_2005: Driver = Driver {
    format: Format::BROADCOM_2_4,
    boot_check: BootCheck::Magic,
    commit: CommitStrategy::Unguarded,
    ..BROADCOM
};

/// DD-WRT's own driver for platforms with an MTD partition "nvram": no `sdram_*`, other chains.
pub const DDWRT: Driver = Driver {
    rule: ChainRule::DDWRT,
    insert: Insert::Head,
    format: Format::DDWRT,
    boot_check: BootCheck::Magic,
    commit: CommitStrategy::WholeBlocks,
    arena: Arena::Reused,
    sdram: false,
    full_errno: ENOMEM,
};

/// Padavan: ASUS NVRAM driver 0.08 and its core (nvram.c with `_nvram_generate`).
pub const PADAVAN: Driver = Driver {
    rule: ChainRule::PLAIN,
    insert: Insert::Tail,
    format: Format::PADAVAN,
    boot_check: BootCheck::Crc,
    commit: CommitStrategy::SkipEqual,
    arena: Arena::Double,
    sdram: false,
    full_errno: "Operation not permitted",
};
