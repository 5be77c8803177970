//! The subcommands of `leaselab scenario`.

use super::new;
use crate::error::CommandError;
use crate::exit::Exit;

/// Arguments of `leaselab scenario`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Write a first scenario with comments, and next to it the JSON schema for editors
    New(new::Args),
    /// Print the reference of scenario files as Markdown
    Reference,
}

pub(crate) fn run(args: &Args) -> Result<Exit, CommandError> {
    match &args.command {
        Command::New(args) => new::run(args),
        Command::Reference => {
            out!("{}", scenario::reference());
            Ok(Exit::Passed)
        }
    }
}
