//! The subcommands of `leaselab wear`, and its arguments without one.

use super::{claims, count, fleet, merge};
use crate::error::CommandError;
use crate::exit::Exit;

/// The arguments of `leaselab wear`.
#[derive(Debug, clap::Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(in crate::cli) struct Args {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    count: count::Args,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Compare the claims of the notes of 2006 with counts
    Claims(claims::Args),
    /// Count many random variations of the described household
    Fleet(Box<fleet::Args>),
    /// Merge the JSON reports of the parts of a fleet; the result equals the report of the whole fleet
    Merge(merge::Args),
}

pub(in crate::cli) fn run(args: &Args) -> Result<Exit, CommandError> {
    match &args.command {
        None => count::run(&args.count),
        Some(Command::Claims(args)) => claims::run(args),
        Some(Command::Fleet(args)) => fleet::run(args),
        Some(Command::Merge(args)) => merge::run(args),
    }
}
