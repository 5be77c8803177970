//! The dialects by name.

use std::fmt;
use std::str::FromStr;

use super::info::DialectInfo;
use super::tool::Tool;
use super::{broadcom, openwrt, vendor};

/// One dialect of the `nvram` tool.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Dialect {
    /// OpenWrt's tool, 32-bit MIPS build, 17.01 to 25.12.
    OpenWrt,
    /// OpenWrt's tool, 32-bit ARM build.
    OpenWrtArm,
    /// OpenWrt's tool as hardened in autumn 2026, on MIPS.
    OpenWrtHardened,
    /// Broadcom's kernel driver with the user tool of the RT-N66U, 2012.
    Broadcom,
    /// Broadcom's own tool of 2012.
    BroadcomStock,
    /// DD-WRT.
    DdWrt,
    /// FreshTomato on MIPS.
    Tomato,
    /// Tomato on MIPS before FreshTomato.
    TomatoClassic,
    /// FreshTomato on ARM.
    FreshTomatoArm,
    /// FreshTomato on ARM up to 2023.
    FreshTomatoArm2023,
    /// Asuswrt-Merlin on ARM.
    Merlin,
    /// Padavan's firmware for Ralink and MediaTek routers.
    Padavan,
    /// Padavan-ng.
    PadavanNg,
    /// The tool of 2006 that the first lease script was written for.
    Seed2006,
    /// Linksys WRT54GL.
    Wrt54gl,
}

impl Dialect {
    /// All dialects, in the order of the documentation.
    pub const ALL: &'static [Self] = &[
        Self::OpenWrt,
        Self::OpenWrtArm,
        Self::OpenWrtHardened,
        Self::Broadcom,
        Self::BroadcomStock,
        Self::DdWrt,
        Self::Tomato,
        Self::TomatoClassic,
        Self::FreshTomatoArm,
        Self::FreshTomatoArm2023,
        Self::Merlin,
        Self::Padavan,
        Self::PadavanNg,
        Self::Seed2006,
        Self::Wrt54gl,
    ];

    /// The properties of this dialect.
    pub fn info(self) -> &'static DialectInfo {
        match self {
            Self::OpenWrt => &openwrt::MIPS,
            Self::OpenWrtArm => &openwrt::ARM,
            Self::OpenWrtHardened => &openwrt::HARDENED,
            Self::Broadcom => &broadcom::INFO,
            Self::BroadcomStock => &vendor::BROADCOM_STOCK,
            Self::DdWrt => &vendor::DDWRT,
            Self::Tomato => &vendor::TOMATO,
            Self::TomatoClassic => &vendor::TOMATO_CLASSIC,
            Self::FreshTomatoArm => &vendor::FRESHTOMATO_ARM,
            Self::FreshTomatoArm2023 => &vendor::FRESHTOMATO_ARM_2023,
            Self::Merlin => &vendor::MERLIN,
            Self::Padavan => &vendor::PADAVAN,
            Self::PadavanNg => &vendor::PADAVAN_NG,
            Self::Seed2006 => &vendor::SEED2006,
            Self::Wrt54gl => &vendor::WRT54GL,
        }
    }

    /// The name in `NVRAM_EMU_DIALECT`.
    pub fn name(self) -> &'static str {
        self.info().name
    }

    /// Whether recordings of the real tool confirm the model.
    pub fn verified(self) -> bool {
        self.info().verified.is_some()
    }

    /// The OpenWrt tool, whose steps can be run one at a time; `None` for other dialects.
    pub fn openwrt(self) -> Option<&'static openwrt::OpenWrt> {
        match self {
            Self::OpenWrt => Some(&openwrt::MIPS_TOOL),
            Self::OpenWrtArm => Some(&openwrt::ARM_TOOL),
            Self::OpenWrtHardened => Some(&openwrt::HARDENED_TOOL),
            _ => None,
        }
    }

    /// The emulated tool.
    pub fn tool(self) -> &'static dyn Tool {
        self.info().tool
    }
}

/// The dialects as a table in Markdown: firmware, what the model was compared with, what was not run, and where the free
/// space is reported.
pub fn markdown_table() -> String {
    let mut table = String::from(
        "| dialect | firmware | verified against | not run, modelled from source only | free space |\n|---|---|---|---|---|\n",
    );
    for dialect in Dialect::ALL {
        let info = dialect.info();
        let (against, not_run) = match info.verified {
            Some(verified) => (verified.against, verified.not_run),
            None => ("nothing, modelled from source code", "everything"),
        };
        let free = info.free_space.describe();
        let row = format!("| `{dialect}` | {} | {against} | {not_run} | {free} |\n", info.firmware);
        table.push_str(&row);
    }
    table
}

impl fmt::Display for Dialect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// There is no dialect of this name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownDialect(String);

impl fmt::Display for UnknownDialect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "unknown dialect '{}': expected one of ", self.0)?;
        for (number, dialect) in Dialect::ALL.iter().enumerate() {
            let separator = if number == 0 { "" } else { ", " };
            write!(f, "{separator}{dialect}")?;
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
