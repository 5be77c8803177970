//! `leaselab device show`.

use std::path::PathBuf;

use nvram_emu::emu::DeviceFolder;
use nvram_emu::flsh::MAGIC;
use nvram_emu::judge::{ImageReport, judge};
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

fn show_image(report: &ImageReport) {
    let ImageReport { offset, space, header, crc, verdicts } = report;
    let magic = if header.magic == MAGIC { "FLSH" } else { "no magic" };
    let stored = header.crc();
    let crc = match crc {
        Some(crc) if *crc == stored => format!("CRC {stored:#04x}"),
        Some(crc) => format!("CRC {stored:#04x} instead of {crc:#04x}"),
        None => format!("CRC {stored:#04x} of an impossible length"),
    };
    outln!("image        at {offset:#x}: {magic}, length {} of {space}, {crc}", header.len);
    for (loader, verdict) in verdicts {
        outln!("{:<12} {verdict}", loader.name());
    }
}

pub(super) fn run(args: &Args) -> Result<Exit, CommandError> {
    let device = DeviceFolder::open(&args.folder)?;
    let info = device.info()?;
    let config = &info.config;
    let blocks = info.geometry.blocks();
    outln!("dialect      {}: {}", config.dialect, config.dialect.info().firmware);
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
    if let Some(report) = judge(&device.machine()?) {
        show_image(&report);
    }
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
