//! The builds and versions of OpenWrt's tool.

use super::cli::OpenWrt;
use crate::dialect::info::{DialectInfo, FreeSpaceSource, Verification};
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
    firmware: "OpenWrt 17.01 to 25.12 on MIPS",
    verified: Some(Verification {
        against: "openwrt/openwrt cli.c 224a2b7e26, nvram.c d5e12ee69a, nvram.h 724f33b811, 32-bit x86; 115 scenarios on a block device",
        not_run: "64-bit builds, NAND, worn blocks",
    }),
    free_space: FreeSpaceSource::Info,
    driver_sets_size: false,
    tool: &MIPS_TOOL,
};

/// 17.01 to 25.12 on 32-bit ARM.
pub(in crate::dialect) static ARM: DialectInfo = DialectInfo {
    name: "openwrt-arm",
    firmware: "OpenWrt 17.01 to 25.12 on ARM",
    verified: Some(Verification {
        against: "the same files with unsigned char and addresses beyond 2 GiB",
        not_run: "64-bit builds, NAND, worn blocks",
    }),
    free_space: FreeSpaceSource::Info,
    driver_sets_size: false,
    tool: &ARM_TOOL,
};

/// Autumn 2026, on 32-bit MIPS.
pub(in crate::dialect) static HARDENED: DialectInfo = DialectInfo {
    name: "openwrt-hardened",
    firmware: "OpenWrt of autumn 2026 on MIPS, not in a release",
    verified: Some(Verification {
        against: "openwrt/openwrt cli.c 3a385b8de5, nvram.h 56995cf5b0, hauke/openwrt nvram.c 51fb19cb5d",
        not_run: "64-bit builds, NAND, worn blocks",
    }),
    free_space: FreeSpaceSource::Info,
    driver_sets_size: false,
    tool: &HARDENED_TOOL,
};
