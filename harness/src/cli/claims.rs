//! `leaselab claims`.

use std::path::PathBuf;

use super::play::{finish, list};
use super::run::ModelledOptions;
use crate::error::CommandError;
use crate::exit::Exit;
use crate::report;

/// The arguments of `leaselab claims`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Scenario files with a `[claim]`, or folders of them
    #[arg(default_value = "scenarios/claims")]
    paths: Vec<PathBuf>,
    #[command(flatten)]
    modelled: ModelledOptions,
}

pub(super) fn run(args: &Args) -> Result<Exit, CommandError> {
    let cases = args.modelled.cases(&args.paths)?;
    if args.modelled.run.list {
        return Ok(list(&cases));
    }
    let summary = args.modelled.play(&cases)?;
    report::print_claims(&cases);
    Ok(finish(&summary))
}
