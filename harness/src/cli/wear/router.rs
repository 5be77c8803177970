//! The routers that are counted.

use nvram_emu::Dialect;
use nvram_emu::device::Chip;

use crate::cli::options::{chip_names_or_all, dialect_names_or_all, router_names};
use crate::error::CommandError;
use scenario::Bytes;
use wear::{RouterPreset, RouterSpec};

/// The default of `--dialect`.
const DEFAULT_DIALECT: Dialect = Dialect::OpenWrt;
/// The default of `--chip`.
const DEFAULT_CHIP: Chip = Chip::SPI_NOR;
/// The default of `--space`, in bytes.
const DEFAULT_SPACE: u32 = 64 << 10;

/// Routers, as arguments.
#[derive(Debug, clap::Args)]
pub(super) struct RouterArgs {
    /// A well-known router, which determines dialect, chip and space
    #[arg(long, value_name = "NAME", value_parser = router_names())]
    router: Option<String>,
    /// Dialects of the nvram tool, or `all` [default: openwrt, or the router's]
    #[arg(long, value_name = "NAME", value_delimiter = ',', value_parser = dialect_names_or_all())]
    dialect: Vec<String>,
    /// Flash chips, or `all` [default: spi-nor, or the router's]
    #[arg(long, value_name = "NAME", value_delimiter = ',', value_parser = chip_names_or_all())]
    chip: Vec<String>,
    /// Size of the NVRAM [default: 64 KiB, or the router's]
    #[arg(long, value_name = "SIZE")]
    space: Option<Bytes>,
    /// Bytes of other programs' variables
    #[arg(long, value_name = "SIZE", default_value = "20000")]
    neighbours: Bytes,
    /// Erase cycles that a block endures [default: the chip's rating]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub(super) endurance: Option<u32>,
}

impl RouterArgs {
    /// The well-known router.
    pub(super) fn preset(&self) -> Option<&'static RouterPreset> {
        self.router.as_deref().and_then(RouterPreset::by_name)
    }

    pub(super) fn routers(&self) -> Result<Vec<RouterSpec>, CommandError> {
        let preset = self.preset();
        let dialects: Vec<Dialect> = if self.dialect.is_empty() {
            vec![preset.map_or(DEFAULT_DIALECT, |router| router.dialect)]
        } else if self.dialect.iter().any(|name| name == "all") {
            Dialect::ALL.to_vec()
        } else {
            // The parser of the argument accepts no other names.
            self.dialect.iter().filter_map(|name| name.parse().ok()).collect()
        };
        let chips: Vec<Chip> = if self.chip.is_empty() {
            vec![preset.map_or(DEFAULT_CHIP, |router| router.chip)]
        } else if self.chip.iter().any(|name| name == "all") {
            Chip::ALL.to_vec()
        } else {
            self.chip.iter().filter_map(|name| Chip::by_name(name)).collect()
        };
        let size = |what: &str, bytes: Bytes| {
            u32::try_from(bytes.0)
                .ok()
                .filter(|bytes| *bytes <= 1 << 24)
                .ok_or_else(|| CommandError::Usage(format!("--{what} {}: at most 16 MiB", bytes.0)))
        };
        let space = match self.space {
            Some(space) => size("space", space)?,
            None => preset.map_or(DEFAULT_SPACE, |router| router.space),
        };
        let neighbours = size("neighbours", self.neighbours)?;
        Ok(dialects
            .iter()
            .flat_map(|dialect| chips.iter().map(|chip| (*dialect, *chip)))
            .map(|(dialect, chip)| RouterSpec { dialect, chip, space, neighbours })
            .collect())
    }
}
