//! `leaselab wear merge`.

use std::path::{Path, PathBuf};

use super::fleet::finish;
use crate::error::CommandError;
use crate::exit::Exit;
use crate::report;
use wear::Fleet;

/// Larger files are not read.
const MAX_BYTES: u64 = 64 << 20;

/// The arguments of `leaselab wear merge`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// JSON reports of `wear fleet`
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Write the JSON report of the whole fleet
    #[arg(long, value_name = "OUT")]
    json: Option<PathBuf>,
}

pub(super) fn run(args: &Args) -> Result<Exit, CommandError> {
    report::check_writable(args.json.iter())?;
    let parts: Vec<Fleet> = args.files.iter().map(|path| read(path)).collect::<Result<_, _>>()?;
    let whole = Fleet::merge(parts).map_err(CommandError::usage)?;
    finish(&whole, args.json.as_deref())
}

fn read(path: &Path) -> Result<Fleet, CommandError> {
    let text =
        backend::read_bounded(path, MAX_BYTES).map_err(|error| CommandError::file(path, error))?;
    serde_json::from_slice(&text)
        .map_err(|error| CommandError::file(path, format!("not a report of `wear fleet`: {error}")))
}
