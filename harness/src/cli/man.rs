//! `leaselab man`.

use std::fs;
use std::path::PathBuf;

use crate::error::CommandError;
use crate::exit::Exit;

/// The arguments of `leaselab man`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Folder for the pages of all commands, such as leaselab-wear-fleet.1 [default: print the page of leaselab]
    dir: Option<PathBuf>,
}

pub(super) fn run(args: &Args, command: clap::Command) -> Result<Exit, CommandError> {
    let Some(folder) = &args.dir else {
        let mut page = Vec::new();
        clap_mangen::Man::new(command).render(&mut page).map_err(CommandError::usage)?;
        out!("{}", String::from_utf8_lossy(&page));
        return Ok(Exit::Passed);
    };
    fs::create_dir_all(folder)
        .and_then(|()| clap_mangen::generate_to(command, folder))
        .map_err(|error| CommandError::file(folder, error))?;
    Ok(Exit::Passed)
}
