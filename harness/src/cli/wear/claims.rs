//! `leaselab wear claims`.

use crate::error::CommandError;
use crate::exit::Exit;

/// The arguments of `leaselab wear claims`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Seed of the random events
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
}

pub(super) fn run(args: &Args) -> Result<Exit, CommandError> {
    let claims = wear::claims(args.seed).map_err(super::study::error)?;
    out!("{}", wear::claims_table(&claims));
    Ok(Exit::Passed)
}
