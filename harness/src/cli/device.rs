//! `leaselab device`: makes and looks after device folders for the fake `nvram`.

use std::path::{Path, PathBuf};

use nvram_emu::emu::{DeviceConfig, DeviceFolder, EmuError};
use toml::Spanned;

use super::{Exit, Failure};
use crate::report::write_whole;
use runner::setup;
use scenario::{Bytes, Router};

/// The arguments of `leaselab device`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, clap::Subcommand)]
enum Action {
    /// Make a device folder
    Create(Create),
    /// Show configuration, wear, and what RAM and flash hold
    Show {
        /// The device folder
        folder: PathBuf,
        /// List the variables of both views
        #[arg(long)]
        variables: bool,
    },
    /// Switch it off and on: RAM is gone
    Reboot {
        /// The device folder
        folder: PathBuf,
    },
    /// Write the flash partition to a file
    Dump {
        /// The device folder
        folder: PathBuf,
        /// The file
        file: PathBuf,
    },
    /// Replace the flash partition by a file, as a programmer's clip would
    Load {
        /// The device folder
        folder: PathBuf,
        /// The file
        file: PathBuf,
    },
}

#[derive(Debug, clap::Args)]
struct Create {
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

pub(super) fn run(args: &Args) -> Result<Exit, Failure> {
    match &args.action {
        Action::Create(create) => make(create)?,
        Action::Show { folder, variables } => show(folder, *variables)?,
        Action::Reboot { folder } => open(folder)?.reboot()?,
        Action::Dump { folder, file } => {
            write_whole(file, &open(folder)?.dump()?)?;
        }
        Action::Load { folder, file } => {
            let image = std::fs::read(file)
                .map_err(|error| Failure::Input(format!("{}: {error}", file.display())))?;
            open(folder)?.load(&image)?;
        }
    }
    Ok(Exit::Held)
}

impl From<EmuError> for Failure {
    fn from(error: EmuError) -> Self {
        Self::Input(error.to_string())
    }
}

fn open(folder: &Path) -> Result<DeviceFolder, Failure> {
    Ok(DeviceFolder::open(folder)?)
}

fn make(create: &Create) -> Result<(), Failure> {
    let spanned = |text: &str| Spanned::new(0..0, text.to_owned());
    let image = match &create.image {
        Some(path) => Some(
            std::path::absolute(path)
                .map_err(|error| Failure::Input(format!("{}: {error}", path.display())))?,
        ),
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
        Failure::Input(format!("{refusal}{help}"))
    })?;
    let config = DeviceConfig {
        dialect: machine.dialect(),
        chip: machine.flash().chip(),
        erase: machine.flash().geometry().erase_block,
        space: machine.dialect().info().own_space.then_some(machine.board().space),
    };
    DeviceFolder::create(&create.folder, config, &machine.flash_bytes())?;
    let path = create.folder.display();
    anstream::println!("made {path}; use it as: NVRAM_EMU={path} nvram show");
    Ok(())
}

fn show(folder: &Path, list: bool) -> Result<(), Failure> {
    let info = open(folder)?.info()?;
    let config = &info.config;
    let blocks = info.geometry.blocks();
    let status =
        if config.dialect.verified() { "verified" } else { "modelled from source, not verified" };
    anstream::println!("dialect      {} ({status})", config.dialect);
    anstream::println!("chip         {}: {}", config.chip.name, config.chip.source);
    anstream::println!(
        "partition    {} bytes in {blocks} erase blocks of {}",
        info.geometry.size,
        info.geometry.erase_block
    );
    if let Some(space) = config.space {
        anstream::println!("nvram        {space} bytes at its end");
    }
    for (block, erases) in info.erases.iter().enumerate().filter(|(_, erases)| **erases > 0) {
        anstream::println!("erases       block {block}: {erases} of {}", config.chip.endurance);
    }
    anstream::println!("programmed   {} bytes", info.bytes_programmed);
    anstream::println!("busy         {:.3} s", info.busy.as_secs_f64());
    let views = [
        ("RAM", &info.ram_variables, "its store cannot be opened"),
        ("flash", &info.flash_variables, "no valid image"),
    ];
    for (name, variables, none) in views {
        match variables {
            None => anstream::println!("{name:<12} {none}"),
            Some(variables) => anstream::println!("{name:<12} {} variables", variables.len()),
        }
    }
    if !info.booted {
        anstream::println!("{:<12} nothing yet: no command since the last boot", "staging");
    }
    if list {
        for (name, variables, _) in views {
            for (key, value) in variables.iter().flatten() {
                anstream::println!("{name} {}={}", key.escape_ascii(), value.escape_ascii());
            }
        }
    }
    Ok(())
}
