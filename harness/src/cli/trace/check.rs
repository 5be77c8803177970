//! `leaselab trace check`.

use std::path::PathBuf;

use rayon::prelude::*;

use crate::error::CommandError;
use crate::exit::Exit;
use trace::{CheckResult, Recording, Report, TraceError, check, find, is_archive, read_archive};

/// The arguments of `leaselab trace check`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Recordings, folders of recordings, or .tar.xz archives of recordings
    #[arg(required = true, value_name = "PATH")]
    dirs: Vec<PathBuf>,
}

pub(super) fn run(args: &Args) -> Result<Exit, CommandError> {
    let mut outcomes = Vec::new();
    for dir in &args.dirs {
        let checked: Result<Vec<CheckResult>, TraceError> = if is_archive(dir) {
            read_archive(dir).map_err(CommandError::usage)?.par_iter().map(check).collect()
        } else {
            let folders = find(dir).map_err(CommandError::usage)?;
            folders.par_iter().map(|folder| check(&Recording::read(folder)?)).collect()
        };
        outcomes.extend(checked.map_err(CommandError::usage)?);
    }
    let report = Report(&outcomes);
    out!("{report}");
    Ok(if report.failing_differences() == 0 { Exit::Passed } else { Exit::Failed })
}
