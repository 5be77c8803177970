//! `leaselab device create`.

use std::path::{Path, PathBuf};

use nvram_emu::emu::{DeviceConfig, DeviceFolder};
use toml::Spanned;

use crate::error::CommandError;
use crate::exit::Exit;
use runner::setup;
use scenario::{Bytes, Router};

/// The arguments of `leaselab device create`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The device folder
    folder: PathBuf,
    /// The dialect of the nvram tool
    #[arg(long, value_name = "NAME", default_value = "openwrt")]
    dialect: String,
    /// Size of the NVRAM, such as 32KiB
    #[arg(long, value_name = "SIZE", default_value = "32KiB")]
    space: Bytes,
    /// Size of the flash partition; default: the NVRAM's, in whole blocks where the dialect wants them
    #[arg(long, value_name = "SIZE")]
    partition: Option<Bytes>,
    /// Size of an erase block
    #[arg(long, value_name = "SIZE", default_value = "64KiB")]
    erase: Bytes,
    /// The flash chip
    #[arg(long, value_name = "NAME", default_value = "spi-nor")]
    chip: String,
    /// Bytes of other programs' variables to start with
    #[arg(long, value_name = "SIZE", default_value = "0")]
    neighbours: Bytes,
    /// Fill until the tool says that so many bytes are free
    #[arg(long, value_name = "SIZE", conflicts_with = "neighbours")]
    free: Option<Bytes>,
    /// Start with this flash image instead
    #[arg(long, value_name = "FILE", conflicts_with_all = ["neighbours", "free"])]
    image: Option<PathBuf>,
}

pub(super) fn run(create: &Args) -> Result<Exit, CommandError> {
    let spanned = |text: &str| Spanned::new(0..0, text.to_owned());
    let image = match &create.image {
        Some(path) => {
            Some(std::path::absolute(path).map_err(|error| CommandError::file(path, error))?)
        }
        None => None,
    };
    let router = Router {
        dialect: spanned(&create.dialect),
        chip: spanned(&create.chip),
        space: create.space,
        partition: create.partition,
        erase: create.erase,
        neighbours: create.neighbours,
        free: create.free,
        image: image.map(|path| spanned(&path.to_string_lossy())),
        ..Router::default()
    };
    let machine = setup::machine(&router, Path::new("/")).map_err(|refusal| {
        let help = refusal.help.as_ref().map_or(String::new(), |help| format!(" ({help})"));
        CommandError::Usage(format!("{refusal}{help}"))
    })?;
    let config = DeviceConfig {
        dialect: machine.dialect(),
        chip: machine.flash().chip(),
        erase: machine.flash().geometry().erase_block,
        space: machine.dialect().info().driver_sets_size.then_some(machine.board().space),
    };
    DeviceFolder::create(&create.folder, config, &machine.flash_bytes())?;
    let path = create.folder.display();
    outln!("made {path}; use it as: NVRAM_EMU={path} nvram show");
    Ok(Exit::Passed)
}
