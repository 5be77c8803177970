//! OpenWrt's tool (package/utils/nvram/src): no kernel part, a staging file in RAM, no lock of any kind.
//!
//! The steps of a write command are separate, so that two commands can be interleaved:
//!
//! | step | function |
//! |---|---|
//! | the partition's size | [`find_mtd`] |
//! | partition to staging file, where there is none | [`flash_to_staging`] |
//! | search, check, load | [`Handle::open`] |
//! | a word | [`Handle::set`], `handle.table.get` and `unset` |
//! | table into the shared mapping of the staging file | [`Handle::serialise`] |
//! | staging file to partition | [`staging_to_flash`] |
//! | unlink | [`remove_staging`] |
//!
//! [`OpenWrt::prepare`] is everything before the commit, [`OpenWrt::finish`] the commit.

mod cli;
mod handle;
mod steps;

pub use cli::{OpenWrt, Prepared};
pub use handle::{Handle, OpenError};
pub(crate) use steps::part_size;
pub use steps::{find_mtd, flash_to_staging, remove_staging, staging_to_flash};

use super::registry::{DialectInfo, FreeSpaceSource};
use crate::flsh::{ChainRule, Format};

/// What differs between builds and versions of the tool.
#[derive(Clone, Copy, Debug)]
pub struct Variant {
    /// Chain numbers.
    pub rule: ChainRule,
    /// Image writer.
    pub format: Format,
    /// Bounded parsing, staging length respected, partitions below 32 KiB refused (nvram.c 51fb19cb5d, hauke/openwrt).
    pub hardened: bool,
}

const MIPS: Variant =
    Variant { rule: ChainRule::OPENWRT_MIPS, format: Format::OPENWRT, hardened: false };

pub(super) static MIPS_TOOL: OpenWrt = OpenWrt(MIPS);
pub(super) static ARM_TOOL: OpenWrt =
    OpenWrt(Variant { rule: ChainRule::OPENWRT_ARM, format: Format::OPENWRT_ARM, hardened: false });
pub(super) static HARDENED_TOOL: OpenWrt = OpenWrt(Variant { hardened: true, ..MIPS });

/// 17.01 to 25.12 on MIPS.
pub(super) static STABLE: DialectInfo = DialectInfo {
    name: "openwrt",
    verified: true,
    free_space: FreeSpaceSource::Info,
    own_space: false,
    source: "openwrt/openwrt cli.c 224a2b7e26, nvram.c d5e12ee69a",
    tool: &MIPS_TOOL,
};

/// The same on 32-bit ARM.
pub(super) static ARM: DialectInfo = DialectInfo {
    name: "openwrt-arm",
    verified: true,
    free_space: FreeSpaceSource::Info,
    own_space: false,
    source: "openwrt/openwrt cli.c 224a2b7e26, nvram.c d5e12ee69a, unsigned char, addresses beyond 2 GiB",
    tool: &OpenWrt(Variant {
        rule: ChainRule::OPENWRT_ARM,
        format: Format::OPENWRT_ARM,
        hardened: false,
    }),
};

/// Autumn 2026.
pub(super) static HARDENED: DialectInfo = DialectInfo {
    name: "openwrt-hardened",
    verified: true,
    free_space: FreeSpaceSource::Info,
    own_space: false,
    source: "openwrt/openwrt cli.c 3a385b8de5, hauke/openwrt nvram.c 51fb19cb5d",
    tool: &HARDENED_TOOL,
};
