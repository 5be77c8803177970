//! `leaselab trace check`.

use std::path::PathBuf;

use rayon::prelude::*;

use crate::error::CommandError;
use crate::exit::Exit;
use trace::{Recording, Report, check, find};

/// The arguments of `leaselab trace check`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Recordings, or folders of recordings
    #[arg(required = true, value_name = "DIR")]
    dirs: Vec<PathBuf>,
}

pub(super) fn run(args: &Args) -> Result<Exit, CommandError> {
    let mut folders = Vec::new();
    for dir in &args.dirs {
        folders.extend(find(dir).map_err(CommandError::usage)?);
    }
    let outcomes: Result<Vec<_>, _> =
        folders.par_iter().map(|folder| check(&Recording::read(folder)?)).collect();
    let outcomes = outcomes.map_err(CommandError::usage)?;
    let report = Report(&outcomes);
    out!("{report}");
    Ok(if report.failing_differences() == 0 { Exit::Passed } else { Exit::Failed })
}
