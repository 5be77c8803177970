//! The subcommands of `leaselab device`.

use std::path::PathBuf;

use nvram_emu::emu::DeviceFolder;

use super::{create, dialects, show};
use crate::error::CommandError;
use crate::exit::Exit;
use crate::report::write_atomically;

/// Maximum size of an image in bytes where the partition is smaller, so that the error can name both sizes.
const MAX_IMAGE: u64 = 16 << 20;

/// The arguments of `leaselab device`.
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Create a device folder
    Create(create::Args),
    /// Show configuration, wear, and the contents of RAM and flash
    Show(show::Args),
    /// List the dialects: firmware, what they were verified against, where they report the free space
    Dialects(dialects::Args),
    /// Turn the device off and on, so that the contents of RAM are lost
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
    /// Replace the flash partition with a file, as a flash programmer does
    Load {
        /// The device folder
        folder: PathBuf,
        /// The file
        file: PathBuf,
    },
}

pub(in crate::cli) fn run(args: &Args) -> Result<Exit, CommandError> {
    match &args.command {
        Command::Create(args) => return create::run(args),
        Command::Show(args) => return show::run(args),
        Command::Dialects(args) => return Ok(dialects::run(args)),
        Command::Reboot { folder } => DeviceFolder::open(folder)?.reboot()?,
        Command::Dump { folder, file } => {
            write_atomically(file, &DeviceFolder::open(folder)?.dump()?)?;
        }
        Command::Load { folder, file } => {
            let device = DeviceFolder::open(folder)?;
            let limit = MAX_IMAGE.max(device.dump()?.len() as u64);
            let image = backend::read_bounded(file, limit)
                .map_err(|error| CommandError::file(file, error))?;
            device.load(&image)?;
        }
    }
    Ok(Exit::Passed)
}
