//! `leaselab qemu shell`.

use std::path::PathBuf;

use backend::read_bounded;

use crate::cli::options::GuestOptions;
use crate::error::CommandError;
use crate::exit::Exit;
use crate::shown::Shown as _;

/// The guest's time at its first boot: 2026-01-05T12:00:00Z.
const FIRST_BOOT: i64 = 1_767_614_400;

/// Seconds between two boots.
const BETWEEN_BOOTS: i64 = 600;

/// The arguments of `leaselab qemu shell`.
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Args {
    /// Shell scripts. Each runs after a new boot, with the flash that the previous one left
    #[arg(required = true)]
    scripts: Vec<PathBuf>,
    /// Copy a file into the guest, for example --put update.ipk=lab/update.ipk; may be repeated
    #[arg(long, value_name = "FILE=PATH", value_parser = file_and_path)]
    put: Vec<(PathBuf, String)>,
    #[command(flatten)]
    guest: GuestOptions,
}

fn file_and_path(text: &str) -> Result<(PathBuf, String), String> {
    let (file, path) = text
        .split_once('=')
        .ok_or_else(|| "expected FILE=PATH, for example update.ipk=lab/update.ipk".to_owned())?;
    Ok((file.into(), path.trim_start_matches('/').to_owned()))
}

pub(super) fn run(args: &Args) -> Result<Exit, CommandError> {
    let read = |path: &PathBuf| {
        read_bounded(path, qemu::MAX_INPUT_BYTES).map_err(|error| CommandError::file(path, error))
    };
    let scripts = args.scripts.iter().map(|path| Ok((path, read(path)?)));
    let scripts: Vec<(&PathBuf, Vec<u8>)> = scripts.collect::<Result<_, CommandError>>()?;
    let files = args.put.iter().map(|(file, path)| Ok((path.clone(), read(file)?)));
    let files = files.collect::<Result<_, CommandError>>()?;
    let pool = args.guest.pool(None)?;
    let mut session = pool.lock();
    let mut router = session.blank_router(files)?;
    let mut exit = Exit::Passed;
    for ((path, script), boot) in scripts.into_iter().zip(0..) {
        let script = String::from_utf8_lossy(&script);
        let output = router.run_script(&script, FIRST_BOOT + boot * BETWEEN_BOOTS)?;
        let (nvram, rest) = router.cut_power_and_count_erases()?;
        out!("{}", String::from_utf8_lossy(&output.stdout));
        err!("{}", String::from_utf8_lossy(&output.stderr));
        if output.code != 0 {
            errln!("{}: exit code {}", path.shown(), output.code);
            exit = Exit::Failed;
            break;
        }
        outln!(
            "{}: passed; erased blocks: {nvram} of the NVRAM, {rest} of the other flash",
            path.shown()
        );
    }
    Ok(exit)
}
