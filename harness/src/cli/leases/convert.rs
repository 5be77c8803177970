//! `leaselab leases convert`.

use std::path::PathBuf;

use super::input_options::InputOptions;
use super::rewrite::{OutputOptions, Purpose, Target, write};
use crate::error::CommandError;
use crate::exit::Exit;

/// The arguments of `leaselab leases convert`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The lease file
    file: PathBuf,
    /// The form to write
    #[arg(long, value_enum, value_name = "FORM")]
    to: Target,
    #[command(flatten)]
    out: OutputOptions,
    #[command(flatten)]
    input: InputOptions,
}

pub(super) fn run(args: &Args) -> Result<Exit, CommandError> {
    write(&args.file, &args.input, &args.out, Purpose::Convert(args.to))
}
