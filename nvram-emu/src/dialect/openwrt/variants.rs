//! The builds and versions of OpenWrt's tool.

use super::cli::OpenWrt;
use crate::dialect::info::{DialectInfo, FreeSpaceSource};
use crate::dialect::state::Variant;
use crate::flsh::{ChainRule, Format};

const MIPS_VARIANT: Variant =
    Variant { rule: ChainRule::OPENWRT_MIPS, format: Format::OPENWRT, hardened: false };

pub(in crate::dialect) static MIPS_TOOL: OpenWrt = OpenWrt(MIPS_VARIANT);
pub(in crate::dialect) static ARM_TOOL: OpenWrt =
    OpenWrt(Variant { rule: ChainRule::OPENWRT_ARM, format: Format::OPENWRT_ARM, hardened: false });
pub(in crate::dialect) static HARDENED_TOOL: OpenWrt =
    OpenWrt(Variant { hardened: true, ..MIPS_VARIANT });

/// 17.01 to 25.12 on 32-bit MIPS.
pub(in crate::dialect) static MIPS: DialectInfo = DialectInfo {
    name: "openwrt",
    verified: true,
    free_space: FreeSpaceSource::Info,
    driver_sets_size: false,
    source: "openwrt/openwrt cli.c 224a2b7e26, nvram.c d5e12ee69a",
    tool: &MIPS_TOOL,
};

/// 17.01 to 25.12 on 32-bit ARM.
pub(in crate::dialect) static ARM: DialectInfo = DialectInfo {
    name: "openwrt-arm",
    verified: true,
    free_space: FreeSpaceSource::Info,
    driver_sets_size: false,
    source: "openwrt/openwrt cli.c 224a2b7e26, nvram.c d5e12ee69a, unsigned char, addresses beyond 2 GiB",
    tool: &ARM_TOOL,
};

/// Autumn 2026, on 32-bit MIPS.
pub(in crate::dialect) static HARDENED: DialectInfo = DialectInfo {
    name: "openwrt-hardened",
    verified: true,
    free_space: FreeSpaceSource::Info,
    driver_sets_size: false,
    source: "openwrt/openwrt cli.c 3a385b8de5, hauke/openwrt nvram.c 51fb19cb5d",
    tool: &HARDENED_TOOL,
};
