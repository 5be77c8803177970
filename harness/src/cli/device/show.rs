//! `leaselab device show`.

use std::path::PathBuf;

use nvram_emu::emu::DeviceFolder;
use scenario::quantity;

use crate::error::CommandError;
use crate::exit::Exit;

/// The arguments of `leaselab device show`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The device folder
    folder: PathBuf,
    /// List the variables in RAM and in flash
    #[arg(long)]
    variables: bool,
}

pub(super) fn run(args: &Args) -> Result<Exit, CommandError> {
    let info = DeviceFolder::open(&args.folder)?.info()?;
    let config = &info.config;
    let blocks = info.geometry.blocks();
    let status =
        if config.dialect.verified() { "verified" } else { "modelled from source, not verified" };
    outln!("dialect      {} ({status})", config.dialect);
    outln!("chip         {}: {}", config.chip.name, config.chip.source);
    outln!(
        "partition    {} bytes in {blocks} erase blocks of {}",
        info.geometry.size,
        info.geometry.erase_block
    );
    if let Some(space) = config.space {
        outln!("nvram        {space} bytes at its end");
    }
    for (block, erases) in info.erases.iter().enumerate().filter(|(_, erases)| **erases > 0) {
        outln!("erases       block {block}: {erases} of {}", config.chip.endurance);
    }
    outln!("programmed   {} bytes", info.bytes_programmed);
    outln!("busy         {:.3} s", info.busy.as_secs_f64());
    let views = [
        ("RAM", &info.ram_variables, "its store cannot be opened"),
        ("flash", &info.flash_variables, "no valid image"),
    ];
    for (name, variables, none) in views {
        match variables {
            None => outln!("{name:<12} {none}"),
            Some(variables) => outln!("{name:<12} {}", quantity(variables.len(), "variable")),
        }
    }
    if !info.booted {
        outln!("{:<12} empty: no command since the last boot", "staging");
    }
    if args.variables {
        for (name, variables, _) in views {
            for (key, value) in variables.iter().flatten() {
                outln!("{name} {}={}", key.escape_ascii(), value.escape_ascii());
            }
        }
    }
    Ok(Exit::Passed)
}
