//! The routers that are counted.

use nvram_emu::Dialect;
use nvram_emu::device::Chip;

use crate::cli::options::{chip_names_or_all, dialect_names_or_all};
use crate::error::CommandError;
use scenario::Bytes;
use wear::RouterSpec;

/// Routers, as arguments.
#[derive(Debug, clap::Args)]
pub(super) struct RouterArgs {
    /// Dialects of the nvram tool, or `all`
    #[arg(long, value_name = "NAME", value_delimiter = ',', default_value = "openwrt",
          value_parser = dialect_names_or_all())]
    dialect: Vec<String>,
    /// Flash chips, or `all`
    #[arg(long, value_name = "NAME", value_delimiter = ',', default_value = "spi-nor",
          value_parser = chip_names_or_all())]
    chip: Vec<String>,
    /// Size of the NVRAM
    #[arg(long, value_name = "SIZE", default_value = "64 KiB")]
    space: Bytes,
    /// Bytes of other programs' variables
    #[arg(long, value_name = "SIZE", default_value = "20000")]
    neighbours: Bytes,
    /// Erase cycles that a block endures [default: the chip's rating]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub(super) endurance: Option<u32>,
}

impl RouterArgs {
    pub(super) fn routers(&self) -> Result<Vec<RouterSpec>, CommandError> {
        let dialects: Vec<Dialect> = if self.dialect.iter().any(|name| name == "all") {
            Dialect::ALL.to_vec()
        } else {
            let parse = |name: &String| {
                name.parse().map_err(|error| CommandError::usage(format!("--dialect: {error}")))
            };
            self.dialect.iter().map(parse).collect::<Result<_, _>>()?
        };
        let chips: Vec<Chip> = if self.chip.iter().any(|name| name == "all") {
            Chip::ALL.to_vec()
        } else {
            self.chip.iter().map(|name| chip(name)).collect::<Result<_, _>>()?
        };
        let size = |what: &str, bytes: Bytes| {
            u32::try_from(bytes.0)
                .ok()
                .filter(|bytes| *bytes <= 1 << 24)
                .ok_or_else(|| CommandError::Usage(format!("--{what} {}: at most 16 MiB", bytes.0)))
        };
        let (space, neighbours) =
            (size("space", self.space)?, size("neighbours", self.neighbours)?);
        Ok(dialects
            .iter()
            .flat_map(|dialect| chips.iter().map(|chip| (*dialect, *chip)))
            .map(|(dialect, chip)| RouterSpec { dialect, chip, space, neighbours })
            .collect())
    }
}

fn chip(name: &str) -> Result<Chip, CommandError> {
    Chip::by_name(name).ok_or_else(|| {
        let names: Vec<&str> = Chip::ALL.iter().map(|chip| chip.name).collect();
        CommandError::Usage(format!(
            "--chip: unknown chip '{name}': expected one of {}",
            names.join(" ")
        ))
    })
}
