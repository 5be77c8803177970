//! The subcommands of `leaselab trace`.

use super::{check, from_journal, import, replay};
use crate::error::CommandError;
use crate::exit::Exit;

/// The arguments of `leaselab trace`.
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Feed recorded DHCP-level stimuli to the engine and compare its script calls with the recorded ones
    #[command(
        after_help = "Exit codes: 0 all calls equal; 1 some differ; 2 a recording cannot be read"
    )]
    Check(check::Args),
    /// Convert the log of lease-script/record.sh to a recording
    Import(import::Args),
    /// Convert journals of ISC dhcpd to DHCP-level events, and count the cost of writing them
    #[command(
        after_help = "Exit codes: 0 converted; 2 a journal cannot be read, or OUT cannot be written"
    )]
    FromJournal(from_journal::Args),
    /// Feed recorded script calls to a script and count the flash operations
    Replay(replay::Args),
}

pub(in crate::cli) fn run(args: &Args) -> Result<Exit, CommandError> {
    match &args.command {
        Command::Check(args) => check::run(args),
        Command::Import(args) => import::run(args),
        Command::FromJournal(args) => from_journal::run(args),
        Command::Replay(args) => replay::run(args),
    }
}
