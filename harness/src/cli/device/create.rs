//! `leaselab device create`.

use std::path::{Path, PathBuf};

use nvram_emu::backup::{self, Backup};
use nvram_emu::emu::{DeviceConfig, DeviceFolder};
use nvram_emu::{DoesNotFit, Machine};

use crate::cli::options::{chip_names, dialect_names};
use crate::error::CommandError;
use crate::exit::Exit;
use crate::shown::Shown as _;
use runner::setup;
use scenario::{Bytes, Router, unspanned};

/// The arguments of `leaselab device create`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The device folder
    folder: PathBuf,
    /// The dialect of the nvram tool
    #[arg(long, value_name = "NAME", default_value = "openwrt", value_parser = dialect_names())]
    dialect: String,
    /// Size of the NVRAM, such as 32KiB
    #[arg(long, value_name = "SIZE", default_value = "32KiB")]
    space: Bytes,
    /// Size of the flash partition; default: that of the NVRAM, rounded up to whole blocks where the dialect requires it
    #[arg(long, value_name = "SIZE")]
    partition: Option<Bytes>,
    /// Size of an erase block
    #[arg(long, value_name = "SIZE", default_value = "64KiB")]
    erase: Bytes,
    /// The flash chip
    #[arg(long, value_name = "NAME", default_value = "spi-nor", value_parser = chip_names())]
    chip: String,
    /// Initial bytes of other programs' variables
    #[arg(long, value_name = "SIZE", default_value = "0")]
    neighbours: Bytes,
    /// Fill until the tool reports this number of free bytes
    #[arg(long, value_name = "SIZE", conflicts_with = "neighbours")]
    free: Option<Bytes>,
    /// Start with this flash image instead
    #[arg(long, value_name = "FILE", conflicts_with_all = ["neighbours", "free"])]
    image: Option<PathBuf>,
    /// Start with the variables of this file: the text of `nvram show`, a backup of Tomato or DD-WRT, a file of `nvram
    /// save`, a flash dump, or a boot loader with embedded defaults
    #[arg(long, value_name = "FILE", conflicts_with_all = ["neighbours", "free", "image"])]
    from: Option<PathBuf>,
}

pub(super) fn run(create: &Args) -> Result<Exit, CommandError> {
    let image = match &create.image {
        Some(path) => {
            Some(std::path::absolute(path).map_err(|error| CommandError::file(path, error))?)
        }
        None => None,
    };
    let router = Router {
        dialect: unspanned(create.dialect.clone()),
        chip: unspanned(create.chip.clone()),
        space: create.space,
        partition: create.partition,
        erase: create.erase,
        neighbours: create.neighbours,
        free: create.free,
        image: image.map(|path| unspanned(path.to_string_lossy().into_owned())),
        ..Router::default()
    };
    let machine = setup::machine(&router, Path::new("/")).map_err(|refusal| {
        let help = refusal.help.as_ref().map_or(String::new(), |help| format!(" ({help})"));
        CommandError::Usage(format!("{refusal}{help}"))
    })?;
    let (machine, source) = match &create.from {
        Some(file) => with_backup(&machine, file, create.space)?,
        None => (machine, String::new()),
    };
    let config = DeviceConfig {
        dialect: machine.dialect(),
        chip: machine.flash().chip(),
        erase: machine.flash().geometry().erase_block,
        space: machine.dialect().info().driver_sets_size.then_some(machine.board().space),
    };
    backend::create_folder(&create.folder)
        .map_err(|error| CommandError::file(&create.folder, error))?;
    DeviceFolder::create(&create.folder, config, &machine.flash_bytes())?;
    let path = create.folder.shown();
    outln!("created {path}{source}; usage: NVRAM_EMU={path} nvram show");
    Ok(Exit::Passed)
}

/// The router with the variables of a backup, and a description of the backup.
fn with_backup(
    machine: &Machine,
    file: &Path,
    space: Bytes,
) -> Result<(Machine, String), CommandError> {
    let bytes = backend::read_bounded(file, backup::MAX_INPUT as u64)
        .map_err(|error| CommandError::file(file, error))?;
    let Backup { format, variables } = backup::read(&bytes)
        .map_err(|error| CommandError::Usage(format!("{}:{error}", file.shown())))?;
    let machine = machine.with_variables(&variables).map_err(|DoesNotFit { needed, .. }| {
        CommandError::Usage(format!(
            "{}: {needed} bytes of variables do not fit into an NVRAM of {space}: use a larger --space",
            file.shown()
        ))
    })?;
    Ok((machine, format!(" with {} variables from {format}", variables.len())))
}
