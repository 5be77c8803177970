//! The subcommands of `leaselab qemu`.

use super::build;
use crate::error::CommandError;
use crate::exit::Exit;

/// The arguments of `leaselab qemu`.
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Args {
    #[command(subcommand)]
    pub(in crate::cli) command: Command,
}

#[derive(Debug, clap::Subcommand)]
pub(in crate::cli) enum Command {
    /// Build a router image from Debian's packages
    Build(build::Args),
    /// Run scenarios in a guest
    Run(Box<super::run::Args>),
    /// Run shell scripts in a guest, and cut its power after each
    Shell(super::shell::Args),
}

pub(in crate::cli) fn run(args: &Args) -> Result<Exit, CommandError> {
    match &args.command {
        Command::Build(args) => build::run(args),
        Command::Run(args) => super::run::run(args),
        Command::Shell(args) => super::shell::run(args),
    }
}
