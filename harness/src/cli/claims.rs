//! `leaselab claims`.

use std::path::PathBuf;

use super::options::paths_or;
use super::play::{finish, list};
use super::run::ModelledOptions;
use crate::error::CommandError;
use crate::exit::Exit;
use crate::report;

/// The arguments of `leaselab claims`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Scenario files with a `[claim]`, or folders of them
    paths: Vec<PathBuf>,
    #[command(flatten)]
    modelled: ModelledOptions,
}

pub(super) fn run(args: &Args) -> Result<Exit, CommandError> {
    let suite = args.modelled.load(&paths_or(&args.paths, "scenarios/claims"))?;
    if args.modelled.run.list {
        return Ok(list(&suite.cases));
    }
    let summary = args.modelled.play(&suite)?;
    report::print_claims(&suite.cases);
    Ok(finish(&summary))
}
