//! `leaselab leases compact`.

use std::path::PathBuf;

use super::input_options::InputOptions;
use super::rewrite::{OutputOptions, Purpose, write};
use crate::error::CommandError;
use crate::exit::Exit;

/// The arguments of `leaselab leases compact`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The lease file
    file: PathBuf,
    #[command(flatten)]
    out: OutputOptions,
    #[command(flatten)]
    input: InputOptions,
}

pub(super) fn run(args: &Args) -> Result<Exit, CommandError> {
    write(&args.file, &args.input, &args.out, Purpose::Compact)
}
