//! The subcommands of `leaselab leases`.

use clap::Subcommand;

use super::{check, compact, convert, diff, history, recover, show, stats};
use crate::error::CommandError;
use crate::exit::Exit;

/// What to do with a lease database.
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Show the leases of a file: of dhcpd as the real server keeps them, or with records atomic
    #[command(
        after_help = "Problems in the file are told on stderr: line, column, what dhcpd does about \
                      them.\nExit codes: 0 shown; 2 the file cannot be read"
    )]
    Show(show::Args),
    /// Tell what is wrong in a file, and what the server would lose by it at its next start
    #[command(
        after_help = "Exit codes: 0 nothing would be lost; 1 something would; 2 the file cannot \
                            be read"
    )]
    Check(check::Args),
    /// Write the leases of a file in another server's form
    #[command(after_help = "What the other form cannot hold is told on stderr.\nExit codes: 0 \
                            written; 2 the file cannot be read, or OUT not be written")]
    Convert(convert::Args),
    /// Write a file again with one record for each address
    #[command(
        after_help = "What stands in the file beside leases (hosts, groups, classes, failover states) is \
                      kept. A file that was not understood whole is kept as FILE.damaged before it is replaced.\n\
                      Exit codes: 0 written; 1 a lease cannot be written, so nothing is; 2 the file cannot be \
                      read, or OUT not be written"
    )]
    Compact(compact::Args),
    /// Compare the leases of two files, of whatever forms
    #[command(after_help = "Exit codes: 0 the same leases; 1 they differ; 2 a file cannot be read")]
    Diff(diff::Args),
    /// Tell every declaration of an address, in the order of the files
    #[command(after_help = "Exit codes: 0 told; 1 there is none; 2 a file cannot be read")]
    History(history::Args),
    /// Put a journal back in its place after a rewrite that was broken off
    #[command(
        after_help = "Exit codes: 0 done, or nothing to do; 1 a person has to look; 2 the path cannot be read"
    )]
    Recover(recover::Args),
    /// Count leases by state and pool, and over time
    Stats(stats::Args),
}

pub(in crate::cli) fn run(args: &Args) -> Result<Exit, CommandError> {
    match &args.command {
        Command::Show(args) => show::run(args),
        Command::Check(args) => check::run(args),
        Command::Convert(args) => convert::run(args),
        Command::Compact(args) => compact::run(args),
        Command::Diff(args) => diff::run(args),
        Command::History(args) => history::run(args),
        Command::Recover(args) => recover::run(args),
        Command::Stats(args) => stats::run(args),
    }
}
