//! The subcommands of `leaselab leases`.

use clap::Subcommand;

use super::{check, compact, convert, diff, history, recover, show, stats};
use crate::error::CommandError;
use crate::exit::Exit;

/// The arguments of `leaselab leases`.
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Show the leases of a file, as the real server would keep them or as they can be salvaged
    #[command(
        after_help = "Problems in the file are printed on stderr: line, column, and what dhcpd does about \
                      them.\nExit codes: 0 shown; 2 the file cannot be read"
    )]
    Show(show::Args),
    /// List the problems in a file, and what the server would lose at its next start because of them
    #[command(
        after_help = "Exit codes: 0 nothing would be lost; 1 something would; 2 the file cannot \
                            be read"
    )]
    Check(check::Args),
    /// Convert a file to another server's format
    #[command(
        after_help = "What the other format cannot represent is counted on stderr, for each field, and so is what could \
                      not be read.\nExit codes: 0 written; 1 something is lost, and --lossy is not given; 2 the file cannot be read, or FILE \
                      cannot be written"
    )]
    Convert(convert::Args),
    /// Rewrite a file with one record for each address
    #[command(
        after_help = "Everything else in the file (hosts, groups, classes, failover states) is kept. A file \
                      with unreadable parts is replaced only with --lossy, and kept as FILE.damaged.\n\
                      Exit codes: 0 written; 1 something is lost, and --lossy is not given, or a lease cannot be \
                      written, so nothing is; 2 the file cannot be read, or FILE cannot be written"
    )]
    Compact(compact::Args),
    /// Compare the leases of two files, which may have different formats
    #[command(
        after_help = "Exit codes: 0 the same leases; 1 they differ, or a file has unreadable parts; 2 a file cannot be read"
    )]
    Diff(diff::Args),
    /// List every declaration of an address, in the order of the files
    #[command(after_help = "Exit codes: 0 listed; 1 no declaration found; 2 a file cannot be read")]
    History(history::Args),
    /// Restore a journal after an interrupted rewrite
    #[command(
        after_help = "Exit codes: 0 done, or nothing to do; 1 manual intervention required; 2 the path cannot be read"
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
