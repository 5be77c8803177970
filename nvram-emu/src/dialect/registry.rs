//! The names of the dialects, and what is known of each.

use std::fmt;
use std::str::FromStr;

use super::{Tool, broadcom, openwrt, vendor};

/// One dialect of the `nvram` tool.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Dialect {
    /// OpenWrt's tool, 32-bit MIPS build, 17.01 to 25.12.
    OpenWrt,
    /// The same on 32-bit ARM.
    OpenWrtArm,
    /// OpenWrt's tool as hardened in autumn 2026, on MIPS.
    OpenWrtHardened,
    /// Broadcom's kernel driver with the user tool of the RT-N66U, 2012.
    Broadcom,
    /// Broadcom's own tool of 2012.
    BroadcomStock,
    /// DD-WRT.
    DdWrt,
    /// Tomato and FreshTomato on MIPS.
    Tomato,
    /// FreshTomato on ARM.
    FreshTomatoArm,
    /// Asuswrt-Merlin on ARM.
    Merlin,
    /// Padavan's firmware for Ralink and MediaTek routers.
    Padavan,
    /// The tool of 2006 that the first lease script was written for.
    Seed2006,
}

/// Where a script reads how much room is left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FreeSpaceSource {
    /// `info` on stdout, last line: `N bytes used / N bytes available`.
    Info,
    /// `show` on stderr: `size: N bytes (N left)`.
    ShowStderr,
    /// `show` on stdout, last line: `N entries, N bytes used, N bytes free.`
    ShowStdout,
    /// Nowhere.
    NotReported,
}

impl FreeSpaceSource {
    /// For tables in documentation and help.
    pub const fn describe(self) -> &'static str {
        match self {
            Self::Info => "`info`: `N bytes used / N bytes available`",
            Self::ShowStderr => "`show`, on stderr: `size: N bytes (N left)`",
            Self::ShowStdout => {
                "`show`, last line of stdout: `N entries, N bytes used, N bytes free.`"
            }
            Self::NotReported => "nowhere",
        }
    }
}

/// What is known of a dialect.
pub struct DialectInfo {
    /// The name in `NVRAM_EMU_DIALECT`.
    pub name: &'static str,
    /// Whether recordings of the real tool agree; otherwise it was modelled by reading its source.
    pub verified: bool,
    /// Where the tool tells how much room is left.
    pub free_space: FreeSpaceSource,
    /// Whether the NVRAM size is the driver's own (`NVRAM_EMU_SPACE`), not the partition's.
    pub own_space: bool,
    /// The source that was modelled.
    pub source: &'static str,
    /// The tool.
    pub tool: &'static dyn Tool,
}

impl Dialect {
    /// All dialects.
    pub const ALL: &'static [Self] = &[
        Self::OpenWrt,
        Self::OpenWrtArm,
        Self::OpenWrtHardened,
        Self::Broadcom,
        Self::BroadcomStock,
        Self::DdWrt,
        Self::Tomato,
        Self::FreshTomatoArm,
        Self::Merlin,
        Self::Padavan,
        Self::Seed2006,
    ];

    /// What is known of it.
    pub fn info(self) -> &'static DialectInfo {
        match self {
            Self::OpenWrt => &openwrt::STABLE,
            Self::OpenWrtArm => &openwrt::ARM,
            Self::OpenWrtHardened => &openwrt::HARDENED,
            Self::Broadcom => &broadcom::INFO,
            Self::BroadcomStock => &vendor::BROADCOM_STOCK,
            Self::DdWrt => &vendor::DDWRT,
            Self::Tomato => &vendor::TOMATO,
            Self::FreshTomatoArm => &vendor::FRESHTOMATO_ARM,
            Self::Merlin => &vendor::MERLIN,
            Self::Padavan => &vendor::PADAVAN,
            Self::Seed2006 => &vendor::SEED2006,
        }
    }

    /// The name in `NVRAM_EMU_DIALECT`.
    pub fn name(self) -> &'static str {
        self.info().name
    }

    /// Whether recordings of the real tool agree.
    pub fn verified(self) -> bool {
        self.info().verified
    }

    /// The OpenWrt tool by its steps; `None` for other dialects.
    pub fn openwrt(self) -> Option<&'static openwrt::OpenWrt> {
        match self {
            Self::OpenWrt => Some(&openwrt::MIPS_TOOL),
            Self::OpenWrtArm => Some(&openwrt::ARM_TOOL),
            Self::OpenWrtHardened => Some(&openwrt::HARDENED_TOOL),
            _ => None,
        }
    }

    /// The tool.
    pub fn tool(self) -> &'static dyn Tool {
        self.info().tool
    }
}

impl fmt::Display for Dialect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// No dialect has this name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownDialect(String);

impl fmt::Display for UnknownDialect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "unknown dialect '{}'; there are", self.0)?;
        for dialect in Dialect::ALL {
            write!(f, " {dialect}")?;
        }
        Ok(())
    }
}

impl std::error::Error for UnknownDialect {}

impl FromStr for Dialect {
    type Err = UnknownDialect;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .iter()
            .copied()
            .find(|dialect| dialect.name() == name)
            .ok_or_else(|| UnknownDialect(name.into()))
    }
}
